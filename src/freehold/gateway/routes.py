"""Which route answers a method and a path: a tree by path segments, so that more routes do not make it slower.

API Gateway Developer Guide, "Routing API requests": a full match for method and path, static segments before
variables; else the longest greedy match; a method before ANY. Values of variables come decoded.
"""

from __future__ import annotations

from typing import Generic, TypeVar
from urllib.parse import unquote

T = TypeVar("T")
ANY = "ANY"


class Node(Generic[T]):
    """One path segment. Built once by `add`, never changed after."""

    __slots__ = ("greedy", "methods", "static", "variable")

    def __init__(self) -> None:
        self.static: dict[str, Node[T]] = {}
        self.variable: Node[T] | None = None
        self.methods: dict[str, T] = {}  # Of paths that end here.
        self.greedy: dict[str, T] = {}  # Of paths that go on with a greedy variable from here.

    def add(self, method: str, path: str, route: T) -> tuple[str, ...]:
        """The names of the path's variables, in order. `path` is "/items/{id}" or "/files/{path+}"."""
        node = self
        names: list[str] = []
        for segment in path.split("/")[1:]:
            if not segment.startswith("{"):
                node = node.static.setdefault(segment, Node())
                continue
            names.append(segment.strip("{}+"))
            if segment.endswith("+}"):
                node.greedy[method] = route
                return tuple(names)
            if node.variable is None:
                node.variable = Node()
            node = node.variable
        node.methods[method] = route
        return tuple(names)

    def find(self, method: str, path: str) -> tuple[T, list[str]] | None:
        """The route and the values of its variables. `path` begins with "/" or is empty (REST's root)."""
        segments = path.split("/")
        if "%" in path:
            segments = [unquote(segment) for segment in segments]
        node = self
        for index in range(1, len(segments)):
            child = node.static.get(segments[index])
            if child is None or node.variable is not None:
                break
            node = child
        else:
            # Only static segments and no other way: the common case needs no search.
            route = node.methods.get(method) or node.methods.get(ANY)
            if route is not None:
                return route, []
        values: list[str] = []
        route = _find_full(self, method, segments, 1, values)
        if route is not None:
            return route, values
        return _find_greedy(self, method, segments, 1, [])


def names_of(path: str) -> tuple[str, ...]:
    """The names of the variables of a path."""
    return tuple(segment.strip("{}+") for segment in path.split("/") if segment.startswith("{"))


def _find_full(node: Node[T], method: str, segments: list[str], index: int, values: list[str]) -> T | None:
    if index == len(segments):
        return node.methods.get(method) or node.methods.get(ANY)
    segment = segments[index]
    child = node.static.get(segment)
    if child is not None:
        route = _find_full(child, method, segments, index + 1, values)
        if route is not None:
            return route
    if node.variable is not None and segment:
        values.append(segment)
        route = _find_full(node.variable, method, segments, index + 1, values)
        if route is not None:
            return route
        values.pop()
    return None


def _find_greedy(
    node: Node[T], method: str, segments: list[str], index: int, values: list[str]
) -> tuple[T, list[str]] | None:
    if index == len(segments):
        return None
    segment = segments[index]
    child = node.static.get(segment)
    if child is not None:
        found = _find_greedy(child, method, segments, index + 1, values)
        if found is not None:
            return found
    if node.variable is not None and segment:
        found = _find_greedy(node.variable, method, segments, index + 1, [*values, segment])
        if found is not None:
            return found
    if not node.greedy or segments[index:] == [""]:
        return None
    route = node.greedy.get(method) or node.greedy.get(ANY)
    return None if route is None else (route, [*values, "/".join(segments[index:])])
