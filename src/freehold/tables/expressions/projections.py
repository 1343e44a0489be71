"""Picks parts of an item by document paths, and keeps paths from overlapping.

One decision to know: the elements that are picked from a list come out close together, in the order of their indexes,
as DynamoDB answers them. AWS: "Using projection expressions in DynamoDB".
"""

from __future__ import annotations

from collections.abc import Sequence

from freehold.tables.expressions.nodes import Parts, expression_error, show_path
from freehold.tables.values import Item, Value

Tree = dict[str | int, "Tree | None"]  # None: all that is there.


def check_paths(kind: str, paths: Sequence[Parts]) -> None:
    """No path may be another's beginning, nor take for a list what another takes for a map."""
    seen: dict[str | int, list[Parts]] = {}
    for path in paths:
        others = seen.setdefault(path[0], [])
        for other in others:
            _check_pair(kind, other, path)
        others.append(path)


def make_tree(paths: Sequence[Parts]) -> Tree:
    """Of paths that do not overlap; of those that do (an update's), the shorter wins."""
    tree: Tree = {}
    for path in paths:
        branch = tree
        for part in path[:-1]:
            inner = branch.setdefault(part, {})
            if inner is None:
                break
            branch = inner
        else:
            branch[path[-1]] = None
    return tree


def project(item: Item, tree: Tree) -> Item:
    """A new item that shares the old one's values."""
    picked: Item = {}
    for name, inner in tree.items():
        assert isinstance(name, str)
        value = item.get(name)
        if value is not None:
            part = value if inner is None else _pick(value, inner)
            if part is not None:
                picked[name] = part
    return picked


def _pick(value: Value, tree: Tree) -> Value | None:
    if "M" in value:
        members: Tree = {name: inner for name, inner in tree.items() if isinstance(name, str)}
        found = project(value["M"], members)
        return {"M": found} if found else None
    if "L" in value:
        elements = value["L"]
        picked = []
        for index in sorted(index for index in tree if isinstance(index, int)):
            if index < len(elements):
                inner = tree[index]
                part = elements[index] if inner is None else _pick(elements[index], inner)
                if part is not None:
                    picked.append(part)
        return {"L": picked} if picked else None
    return None


def _check_pair(kind: str, one: Parts, two: Parts) -> None:
    for left, right in zip(one, two, strict=False):
        if type(left) is not type(right):
            raise expression_error(
                kind,
                "Two document paths conflict with each other; must remove or rewrite one of these paths; "
                f"path one: {show_path(one)}, path two: {show_path(two)}",
            )
        if left != right:
            return
    raise expression_error(
        kind,
        "Two document paths overlap with each other; must remove or rewrite one of these paths; "
        f"path one: {show_path(one)}, path two: {show_path(two)}",
    )
