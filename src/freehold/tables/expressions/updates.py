"""A parsed update expression to a function from the item before to the item after.

One decision to know: every operand is read from the item as it was; only then are the changes made, SET and ADD
first, then removals from the end of each list, so that an index always means a position in the old list.
AWS: "Using update expressions in DynamoDB".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from freehold.aws.errors import AwsError
from freehold.tables import numbers
from freehold.tables.expressions.conditions import Check, path_reader, walk
from freehold.tables.expressions.nodes import (
    Action,
    Arithmetic,
    Function,
    Node,
    Parts,
    Path,
    Placeholder,
    Values,
    expression_error,
)
from freehold.tables.values import Item, Value, type_of

_TYPE_WORDS = {
    "S": "STRING",
    "N": "NUMBER",
    "B": "BINARY",
    "NULL": "NULL",
    "BOOL": "BOOLEAN",
    "L": "LIST",
    "M": "MAP",
    "SS": "STRING_SET",
    "NS": "NUMBER_SET",
    "BS": "BINARY_SET",
}
_SETS = ("SS", "NS", "BS")
_KIND = "UpdateExpression"

Read = Callable[[Item, Values], Value]


@dataclass(frozen=True, slots=True)
class Change:
    """One action, compiled: what stands at `path` afterwards, given what stood there. None: nothing."""

    path: Parts
    after: Callable[[Item, Values, Value | None], Value | None]
    is_removal: bool


def compile_actions(actions: tuple[Action, ...]) -> tuple[Change, ...]:
    return tuple(map(_compile_action, actions))


def apply_changes(changes: tuple[Change, ...], before: Item, values: Values) -> Item:
    """The item after; `before` is left as it was. Raises ValidationException."""
    results = []
    for change in changes:
        first = change.path[0]
        assert isinstance(first, str)
        old = walk(before.get(first), change.path[1:])
        results.append((change, None if change.is_removal else change.after(before, values, old)))
    after = dict(before)
    copied: set[str] = set()
    # A list's appended elements keep the order of their indexes, its removals go from the end.
    for change, result in sorted(results, key=lambda pair: _numbers_in(pair[0].path)):
        if result is not None:
            _set(after, change.path, result, copied)
    for change, result in sorted(results, key=lambda pair: _numbers_in(pair[0].path), reverse=True):
        if result is None:
            _remove(after, change.path, copied, must_exist=change.is_removal)
    return after


def checks_of(actions: tuple[Action, ...]) -> tuple[Check, ...]:
    found: list[Check] = []
    for action in actions:
        operand = action.operand
        if action.section in ("ADD", "DELETE"):
            assert isinstance(operand, Placeholder)
            allowed = _SETS if action.section == "DELETE" else ("N", *_SETS)
            found.append(_section_check(action.section, operand.name, allowed))
        elif operand is not None:
            _collect_checks(operand, found)
    return tuple(found)


def _collect_checks(node: Node, found: list[Check]) -> None:
    if isinstance(node, Arithmetic):
        for side in (node.left, node.right):
            if isinstance(side, Placeholder):
                found.append(_operand_check(node.operator, side.name, "N"))
            elif isinstance(side, Function) and side.name == "list_append":
                raise expression_error(_KIND, _incorrect(node.operator, "L"))
            _collect_checks(side, found)
    elif isinstance(node, Function):
        for argument in node.arguments:
            if node.name == "list_append":
                if isinstance(argument, Placeholder):
                    found.append(_operand_check(node.name, argument.name, "L"))
                elif isinstance(argument, Arithmetic):
                    raise expression_error(_KIND, _incorrect(node.name, "N"))
            _collect_checks(argument, found)


def _operand_check(function: str, name: str, wanted: str) -> Check:
    def check(values: Values) -> None:
        if (given := type_of(values[name])) != wanted:
            raise expression_error(_KIND, _incorrect(function, given))

    return check


def _section_check(section: str, name: str, allowed: tuple[str, ...]) -> Check:
    def check(values: Values) -> None:
        if (given := type_of(values[name])) not in allowed:
            raise expression_error(
                _KIND,
                f"Incorrect operand type for operator or function; operator: {section}, "
                f"operand type: {_TYPE_WORDS[given]}, typeSet: "
                + ("ALLOWED_FOR_DELETE_OPERAND" if section == "DELETE" else "ALLOWED_FOR_ADD_OPERAND"),
            )

    return check


def _incorrect(function: str, given: str) -> str:
    return f"Incorrect operand type for operator or function; operator or function: {function}, operand type: {given}"


def _compile_action(action: Action) -> Change:
    if action.section == "REMOVE":
        return Change(action.path, lambda item, values, old: None, True)
    assert action.operand is not None
    read = _compile_read(action.operand)
    if action.section == "SET":
        return Change(action.path, lambda item, values, old: read(item, values), False)
    combine = added if action.section == "ADD" else without
    return Change(action.path, lambda item, values, old: combine(old, read(item, values)), False)


def _compile_read(node: Node) -> Read:
    if isinstance(node, Placeholder):
        name = node.name
        return lambda item, values: values[name]
    if isinstance(node, Path):
        reader = path_reader(node.parts)
        return lambda item, values: _present(reader(item, values))
    if isinstance(node, Arithmetic):
        left, right = _compile_read(node.left), _compile_read(node.right)
        calculate = numbers.add if node.operator == "+" else numbers.subtract
        return lambda item, values: {
            "N": calculate(_content(left(item, values), "N"), _content(right(item, values), "N"))
        }
    assert isinstance(node, Function), node
    if node.name == "if_not_exists":
        assert isinstance(node.arguments[0], Path)
        reader, other = path_reader(node.arguments[0].parts), _compile_read(node.arguments[1])

        def existing(item: Item, values: Values) -> Value:
            found = reader(item, values)
            return other(item, values) if found is None else found

        return existing
    assert node.name == "list_append", node
    first, second = map(_compile_read, node.arguments)
    return lambda item, values: {"L": _content(first(item, values), "L") + _content(second(item, values), "L")}


def _present(value: Value | None) -> Value:
    if value is None:
        raise _invalid("The provided expression refers to an attribute that does not exist in the item")
    return value


def _content(value: Value, kind: str) -> Any:
    if kind not in value:
        raise _wrong_type()
    return value[kind]


def added(old: Value | None, operand: Value) -> Value:
    """ADD: a sum or a union."""
    if old is None:
        return operand
    kind = type_of(operand)
    if kind not in old:
        raise _wrong_type()
    if kind == "N":
        return {"N": numbers.add(old["N"], operand["N"])}
    return {kind: list(dict.fromkeys([*old[kind], *operand[kind]]))}


def without(old: Value | None, operand: Value) -> Value | None:
    """DELETE: a difference; a set that would be empty goes."""
    if old is None:
        return None
    kind = type_of(operand)
    if kind not in old:
        raise _wrong_type()
    gone = set(operand[kind])
    rest = [member for member in old[kind] if member not in gone]
    return {kind: rest} if rest else None


def _set(item: Item, path: Parts, value: Value, copied: set[str]) -> None:
    first, last = path[0], path[-1]
    assert isinstance(first, str)
    if len(path) == 1:
        item[first] = value
        return
    parent = _parent(item, path, copied)
    if isinstance(last, str) and parent is not None and "M" in parent:
        parent["M"][last] = value
    elif isinstance(last, int) and parent is not None and "L" in parent:
        elements = parent["L"]
        if last < len(elements):
            elements[last] = value
        else:
            elements.append(value)
    else:
        raise _wrong_path()


def _remove(item: Item, path: Parts, copied: set[str], must_exist: bool) -> None:
    first, last = path[0], path[-1]
    assert isinstance(first, str)
    if len(path) == 1:
        item.pop(first, None)
        return
    parent = _parent(item, path, copied)
    if isinstance(last, str) and parent is not None and "M" in parent:
        parent["M"].pop(last, None)
    elif isinstance(last, int) and parent is not None and "L" in parent:
        if last < len(parent["L"]):
            del parent["L"][last]
    elif must_exist:
        raise _wrong_path()


def _parent(item: Item, path: Parts, copied: set[str]) -> Value | None:
    """The value that holds the path's last part, in a copy that may be changed."""
    first = path[0]
    assert isinstance(first, str)
    if first in item and first not in copied:
        item[first] = _copy(item[first])
        copied.add(first)
    return walk(item.get(first), path[1:-1])


def _copy(value: Value) -> Value:
    if "M" in value:
        return {"M": {name: _copy(member) for name, member in value["M"].items()}}
    if "L" in value:
        return {"L": [_copy(element) for element in value["L"]]}
    return value  # Scalars and sets are replaced, never changed.


def _numbers_in(path: Parts) -> tuple[int, ...]:
    return tuple(part if isinstance(part, int) else -1 for part in path)


def _invalid(message: str) -> AwsError:
    return AwsError("ValidationException", message)


def _wrong_type() -> AwsError:
    return _invalid("An operand in the update expression has an incorrect data type")


def _wrong_path() -> AwsError:
    return _invalid("The document path provided in the update expression is invalid for update")
