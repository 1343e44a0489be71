"""A parsed condition to a closure over (item, values), and the checks of values that DynamoDB makes before reading.

AWS: "Condition and filter expressions, operators, and functions in DynamoDB".
"""

from __future__ import annotations

import operator
from base64 import b64decode
from collections.abc import Callable
from typing import Any

from freehold.tables.expressions.nodes import (
    And,
    Between,
    Compare,
    Function,
    In,
    Node,
    Not,
    Or,
    Parts,
    Path,
    Placeholder,
    Values,
    expression_error,
)
from freehold.tables.values import TYPES, Item, Value, order_key, same, type_of

Evaluate = Callable[[Item, Values], bool]
Operand = Callable[[Item, Values], Value | None]
Check = Callable[[Values], None]  # Raises ValidationException.

_ORDER = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_ORDERED = ("S", "N", "B")


def compile_condition(node: Node) -> Evaluate:
    if isinstance(node, And):
        terms = tuple(map(compile_condition, node.terms))
        return lambda item, values: all(term(item, values) for term in terms)
    if isinstance(node, Or):
        terms = tuple(map(compile_condition, node.terms))
        return lambda item, values: any(term(item, values) for term in terms)
    if isinstance(node, Not):
        term = compile_condition(node.term)
        return lambda item, values: not term(item, values)
    if isinstance(node, Compare):
        return _compile_compare(node)
    if isinstance(node, Between):
        return _compile_between(node)
    if isinstance(node, In):
        operand = compile_operand(node.operand)
        options = tuple(map(compile_operand, node.options))
        return lambda item, values: _is_among(operand(item, values), item, values, options)
    assert isinstance(node, Function), node
    return _compile_function(node)


def compile_operand(node: Node) -> Operand:
    """A path, a value or size(); None when there is nothing there."""
    if isinstance(node, Path):
        return path_reader(node.parts)
    if isinstance(node, Placeholder):
        name = node.name
        return lambda item, values: values[name]
    assert isinstance(node, Function), node
    assert node.name == "size", node
    measured = compile_operand(node.arguments[0])
    return lambda item, values: _size(measured(item, values))


def path_reader(parts: Parts) -> Operand:
    first, rest = parts[0], parts[1:]
    assert isinstance(first, str)
    if not rest:
        return lambda item, values: item.get(first)
    return lambda item, values: walk(item.get(first), rest)


def walk(value: Value | None, parts: Parts) -> Value | None:
    for part in parts:
        if value is None:
            return None
        if isinstance(part, str):
            members = value.get("M")
            value = members.get(part) if members is not None else None
        else:
            elements = value.get("L")
            value = elements[part] if elements is not None and part < len(elements) else None
    return value


def checks_of(kind: str, node: Node) -> tuple[Check, ...]:
    """What must hold of the values alone; `kind` is the parameter's name."""
    found: list[Check] = []
    _collect_checks(kind, node, found)
    return tuple(found)


def attributes_of(node: Node) -> frozenset[str]:
    """The top-level attributes that it reads."""
    if isinstance(node, Path):
        return frozenset({str(node.parts[0])})
    return frozenset().union(*map(attributes_of, _children(node)))


def _children(node: Node) -> tuple[Node, ...]:
    if isinstance(node, And | Or):
        return node.terms
    if isinstance(node, Not):
        return (node.term,)
    if isinstance(node, Compare):
        return (node.left, node.right)
    if isinstance(node, Between):
        return (node.operand, node.low, node.high)
    if isinstance(node, In):
        return (node.operand, *node.options)
    if isinstance(node, Function):
        return node.arguments
    return ()


def _compile_compare(node: Compare) -> Evaluate:
    left, right = compile_operand(node.left), compile_operand(node.right)
    if node.operator == "=":
        return lambda item, values: _is_same(left(item, values), right(item, values))
    if node.operator == "<>":
        return lambda item, values: not _is_same(left(item, values), right(item, values))
    compare = _ORDER[node.operator]
    return lambda item, values: _is_ordered(compare, left(item, values), right(item, values))


def _compile_between(node: Between) -> Evaluate:
    operand, low, high = map(compile_operand, (node.operand, node.low, node.high))

    def evaluate(item: Item, values: Values) -> bool:
        value = operand(item, values)
        return _is_ordered(operator.ge, value, low(item, values)) and _is_ordered(
            operator.le, value, high(item, values)
        )

    return evaluate


def _compile_function(node: Function) -> Evaluate:
    operands = tuple(map(compile_operand, node.arguments))
    first = operands[0]
    if node.name == "attribute_exists":
        return lambda item, values: first(item, values) is not None
    if node.name == "attribute_not_exists":
        return lambda item, values: first(item, values) is None
    second = operands[1]
    test = {"attribute_type": _has_type, "begins_with": _begins_with, "contains": _contains}[node.name]
    return lambda item, values: test(first(item, values), second(item, values))


def _is_same(left: Value | None, right: Value | None) -> bool:
    return left is not None and right is not None and same(left, right)


def _is_ordered(compare: Callable[[Any, Any], bool], left: Value | None, right: Value | None) -> bool:
    if left is None or right is None or type_of(left) != type_of(right):
        return False
    one = order_key(left)
    return one is not None and compare(one, order_key(right))


def _is_among(value: Value | None, item: Item, values: Values, options: tuple[Operand, ...]) -> bool:
    return value is not None and any(_is_same(value, option(item, values)) for option in options)


def _has_type(value: Value | None, wanted: Value | None) -> bool:
    return value is not None and wanted is not None and type_of(value) == wanted.get("S")


def _begins_with(value: Value | None, start: Value | None) -> bool:
    if value is None or start is None:
        return False
    if "S" in value and "S" in start:
        return bool(value["S"].startswith(start["S"]))
    if "B" in value and "B" in start:
        return b64decode(value["B"]).startswith(b64decode(start["B"]))
    return False


def _contains(value: Value | None, part: Value | None) -> bool:
    """A substring, a member of a set, or an element of a list."""
    if value is None or part is None:
        return False
    ((kind, content),) = value.items()
    if kind == "L":
        return any(same(element, part) for element in content)
    ((part_kind, wanted),) = part.items()
    if kind == "S" and part_kind == "S":
        return wanted in content
    if kind == "B" and part_kind == "B":
        return b64decode(wanted) in b64decode(content)
    return kind == part_kind + "S" and wanted in content


def _size(value: Value | None) -> Value | None:
    if value is None:
        return None
    ((kind, content),) = value.items()
    if kind == "S":
        return {"N": str(len(content.encode()))}
    if kind == "B":
        return {"N": str(len(b64decode(content)))}
    if kind in ("SS", "NS", "BS", "L", "M"):
        return {"N": str(len(content))}
    return None


def _collect_checks(kind: str, node: Node, found: list[Check]) -> None:
    if isinstance(node, Compare) and node.operator in _ORDER:
        for side in (node.left, node.right):
            _must_be(kind, node.operator, side, _ORDERED, found, "operator")
    elif isinstance(node, Between):
        for side in (node.operand, node.low, node.high):
            _must_be(kind, "BETWEEN", side, _ORDERED, found, "operator")
        if isinstance(node.low, Placeholder) and isinstance(node.high, Placeholder):
            low, high = node.low.name, node.high.name
            found.append(lambda values: _check_bounds(kind, values[low], values[high]))
    elif isinstance(node, Function):
        if node.name == "begins_with":
            for side in node.arguments:
                _must_be(kind, node.name, side, ("S", "B"), found)
        elif node.name == "size":
            _must_be(kind, node.name, node.arguments[0], ("S", "B", "SS", "NS", "BS", "L", "M"), found)
        elif node.name == "attribute_type":
            wanted = node.arguments[1]
            if not isinstance(wanted, Placeholder):
                raise expression_error(
                    kind,
                    "Incorrect operand type for operator or function; operator or function: attribute_type, "
                    "operand type: {NS,SS,L,BS,N,M,B,BOOL,NULL,S}",
                )
            _must_be(kind, node.name, wanted, ("S",), found)
            name = wanted.name
            found.append(lambda values: _check_type_name(kind, values[name]["S"]))
    for child in _children(node):
        _collect_checks(kind, child, found)


def _must_be(
    kind: str,
    function: str,
    operand: Node,
    allowed: tuple[str, ...],
    found: list[Check],
    word: str = "operator or function",
) -> None:
    if not isinstance(operand, Placeholder):
        return
    name = operand.name

    def check(values: Values) -> None:
        if (given := type_of(values[name])) not in allowed:
            raise expression_error(
                kind,
                f"Incorrect operand type for operator or function; {word}: {function}, operand type: {given}",
            )

    found.append(check)


def _check_bounds(kind: str, low: Value, high: Value) -> None:
    shown = (
        f"lower bound operand: AttributeValue: {{{type_of(low)}:{next(iter(low.values()))}}}, "
        f"upper bound operand: AttributeValue: {{{type_of(high)}:{next(iter(high.values()))}}}"
    )
    if type_of(low) != type_of(high):
        raise expression_error(
            kind, f"The BETWEEN operator requires same data type for lower and upper bounds; {shown}"
        )
    if order_key(low) > order_key(high):
        raise expression_error(
            kind, f"The BETWEEN operator requires upper bound to be greater than or equal to lower bound; {shown}"
        )


def _check_type_name(kind: str, name: str) -> None:
    if name not in TYPES:
        raise expression_error(
            kind,
            f"Invalid attribute type name found; type: {name}, valid types: {{B,NULL,SS,BOOL,L,BS,N,NS,S,M}}",
        )
