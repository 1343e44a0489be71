"""What a KeyConditionExpression asks for: one partition, and at most one condition on the sort key.

AWS: "Key condition expressions for the Query operation in DynamoDB".
"""

from __future__ import annotations

from dataclasses import dataclass

from freehold.tables.expressions.nodes import (
    And,
    Between,
    Compare,
    Function,
    In,
    Node,
    Not,
    Or,
    Path,
    Placeholder,
    expression_error,
)

_KIND = "KeyConditionExpression"
_MIRRORED = {"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


@dataclass(frozen=True, slots=True)
class KeyCondition:
    attribute: str
    operator: str  # = < <= > >= BETWEEN begins_with
    values: tuple[str, ...]  # Placeholders: two for BETWEEN.


def read_key_conditions(node: Node) -> tuple[KeyCondition, ...]:
    """One for each attribute, in the expression's order."""
    found = [_read(term) for term in _terms(node)]
    if len({condition.attribute for condition in found}) != len(found):
        raise expression_error(_KIND, "KeyConditionExpressions must only contain one condition per key")
    return tuple(found)


def _terms(node: Node) -> list[Node]:
    if isinstance(node, And):
        return [inner for term in node.terms for inner in _terms(term)]
    return [node]


def _read(node: Node) -> KeyCondition:
    if isinstance(node, Or | Not | In) or (isinstance(node, Compare) and node.operator == "<>"):
        name = node.operator if isinstance(node, Compare) else type(node).__name__.upper()
        raise expression_error(_KIND, f"Invalid operator used in KeyConditionExpression: {name}")
    if isinstance(node, Function):
        if node.name != "begins_with":
            raise expression_error(_KIND, f"Invalid operator used in KeyConditionExpression: {node.name}")
        return KeyCondition(_attribute(node.arguments[0], "begins_with"), "begins_with", (_value(node.arguments[1]),))
    if isinstance(node, Between):
        return KeyCondition(_attribute(node.operand, "BETWEEN"), "BETWEEN", (_value(node.low), _value(node.high)))
    assert isinstance(node, Compare), node
    if isinstance(node.left, Path):
        return KeyCondition(_attribute(node.left, ""), node.operator, (_value(node.right),))
    if isinstance(node.right, Path):
        return KeyCondition(_attribute(node.right, ""), _MIRRORED[node.operator], (_value(node.left),))
    _value(node.left)
    raise expression_error(_KIND, "Invalid condition in KeyConditionExpression: No key attribute specified")


def _attribute(node: Node, operator: str) -> str:
    if not isinstance(node, Path):
        _refuse_nested(node)
        raise expression_error(
            _KIND,
            f"Invalid condition in KeyConditionExpression: {operator} operator must have the key attribute "
            "as its first operand",
        )
    if len(node.parts) > 1:
        raise expression_error(_KIND, "KeyConditionExpressions cannot have conditions on nested attributes")
    return str(node.parts[0])


def _value(node: Node) -> str:
    if isinstance(node, Placeholder):
        return node.name
    _refuse_nested(node)
    raise expression_error(
        _KIND, "Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition"
    )


def _refuse_nested(node: Node) -> None:
    if isinstance(node, Function):
        raise expression_error(_KIND, "KeyConditionExpressions cannot contain nested operations")
