"""The parameters that expressions replaced, turned into the same programs: Expected, QueryFilter, ScanFilter,
KeyConditions, AttributeUpdates, AttributesToGet.

One decision to know: each becomes the nodes that an expression would have been parsed to, with placeholders of its
own, so what a comparison means is said in one place. AWS: "Legacy DynamoDB conditional parameters".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from freehold.services.dynamodb.record import Json, bad_value, invalid
from freehold.tables.expressions.key_conditions import KeyCondition
from freehold.tables.expressions.nodes import And, Between, Compare, Function, In, Node, Not, Or, Path, Placeholder
from freehold.tables.expressions.programs import Condition, Projection, condition_of, projection_of
from freehold.tables.expressions.updates import added, without
from freehold.tables.values import Item, Value, check_name, check_value, order_key, type_of

_SCALARS = frozenset({"S", "N", "B"})
_ANY = frozenset({"S", "N", "B", "SS", "NS", "BS", "L", "M", "BOOL", "NULL"})
_COMPARE = {"EQ": "=", "NE": "<>", "LT": "<", "LE": "<=", "GT": ">", "GE": ">="}
_TAKES: Mapping[str, tuple[int | None, frozenset[str]]] = {
    "EQ": (1, _ANY),
    "NE": (1, _ANY),
    "LT": (1, _SCALARS),
    "LE": (1, _SCALARS),
    "GT": (1, _SCALARS),
    "GE": (1, _SCALARS),
    "NULL": (0, frozenset()),
    "NOT_NULL": (0, frozenset()),
    "CONTAINS": (1, _SCALARS),
    "NOT_CONTAINS": (1, _SCALARS),
    "BEGINS_WITH": (1, frozenset({"S", "B"})),
    "IN": (None, _SCALARS),
    "BETWEEN": (2, _SCALARS),
}
_KEY_OPERATORS = {"EQ": "=", "LT": "<", "LE": "<=", "GT": ">", "GE": ">=", "BEGINS_WITH": "begins_with"}


@dataclass(frozen=True, slots=True)
class Legacy:
    condition: Condition
    values: Mapping[str, Value]


def read_expected(request: Json) -> Legacy | None:
    """Expected and ConditionalOperator."""
    expected = request.get("Expected")
    _check_operator(request, expected)
    if not expected:
        return None
    nodes: list[Node] = []
    values: dict[str, Value] = {}
    for name, condition in expected.items():
        check_name(name)
        nodes.append(_expectation(name, condition, values))
    return _combine("ConditionExpression", nodes, values, request)


def read_filter(request: Json, member: str) -> Legacy | None:
    """QueryFilter or ScanFilter."""
    conditions = request.get(member)
    _check_operator(request, conditions)
    if not conditions:
        return None
    values: dict[str, Value] = {}
    for name in conditions:
        check_name(name)
    nodes = [
        _comparison(name, condition["ComparisonOperator"], _arguments(condition), values)
        for name, condition in conditions.items()
    ]
    return _combine("FilterExpression", nodes, values, request)


def read_key_conditions(conditions: Json) -> tuple[tuple[KeyCondition, ...], Mapping[str, Value]]:
    values: dict[str, Value] = {}
    found = []
    for name, condition in conditions.items():
        operator, arguments = condition["ComparisonOperator"], _arguments(condition)
        _check_arguments(operator, arguments)
        operator = "BETWEEN" if operator == "BETWEEN" else _KEY_OPERATORS.get(operator, "")
        if not operator:
            raise invalid("Attempted conditional constraint is not an indexable operation")
        found.append(KeyCondition(name, operator, tuple(_place(values, argument) for argument in arguments)))
    return tuple(found), values


def read_attributes_to_get(request: Json) -> Projection | None:
    names = request.get("AttributesToGet")
    if names is None:
        return None
    for position, name in enumerate(names):
        check_name(name)
        if name in names[:position]:
            raise bad_value(f"Duplicate value in attribute name: {name}")
    return projection_of("AttributesToGet", tuple((name,) for name in names))


def read_updates(updates: Json) -> Callable[[Item], Item]:
    """AttributeUpdates, as a function from the item before to the item after."""
    for name, update in updates.items():
        check_name(name)
        action, value = update.get("Action") or "PUT", update.get("Value")
        if value is not None:
            check_value(value)
        elif action != "DELETE":
            raise bad_value(f"Only DELETE action is allowed when no attribute value is specified: {name}")
        if action == "ADD" and type_of(value) not in ("N", "SS", "NS", "BS", "L"):
            raise bad_value(f"ADD action is not supported for the type {_word(value)}")
        if action == "DELETE" and value is not None and type_of(value) not in ("SS", "NS", "BS"):
            raise bad_value(f"DELETE action with value is not supported for the type {_word(value)}")

    def apply(before: Item) -> Item:
        after = dict(before)
        for name, update in updates.items():
            changed = _updated(update.get("Action") or "PUT", before.get(name), update.get("Value"))
            if changed is None:
                after.pop(name, None)
            else:
                after[name] = changed
        return after

    return apply


def _updated(action: str, old: Value | None, value: Value | None) -> Value | None:
    if action == "PUT" or value is None:
        return value
    if old is not None and type_of(old) != type_of(value):
        raise invalid("Type mismatch for attribute to update")
    if action == "DELETE":
        return without(old, value)
    if "L" in value and old is not None:
        return {"L": old["L"] + value["L"]}
    return added(old, value)


def _word(value: Value) -> str:
    return {"S": "STRING", "B": "BINARY", "BOOL": "BOOLEAN", "M": "MAP", "L": "LIST"}.get(
        type_of(value), type_of(value)
    )


def _check_operator(request: Json, conditions: Json | None) -> None:
    if request.get("ConditionalOperator") is None:
        return
    if not conditions:
        raise invalid("ConditionalOperator cannot be used without Filter or Expected")
    if len(conditions) == 1:
        raise invalid("ConditionalOperator can only be used when Filter or Expected has two or more elements")


def _combine(kind: str, nodes: list[Node], values: dict[str, Value], request: Json) -> Legacy:
    node = nodes[0]
    if len(nodes) > 1:
        node = Or(tuple(nodes)) if request.get("ConditionalOperator") == "OR" else And(tuple(nodes))
    return Legacy(condition_of(kind, node), values)


def _expectation(name: str, condition: Json, values: dict[str, Value]) -> Node:
    """One member of Expected: a comparison, or the older Exists and Value."""
    listed, value = condition.get("AttributeValueList"), condition.get("Value")
    operator, exists = condition.get("ComparisonOperator"), condition.get("Exists")
    if listed is not None and value is not None:
        raise bad_value(f"Value and AttributeValueList cannot be used together for Attribute: {name}")
    if operator is not None:
        if exists is not None:
            raise bad_value(f"Exists and ComparisonOperator cannot be used together for Attribute: {name}")
        if operator not in ("NULL", "NOT_NULL") and listed is None and value is None:
            raise bad_value(
                f"Value or AttributeValueList must be used with ComparisonOperator: {operator} for Attribute: {name}"
            )
        return _comparison(name, operator, _arguments(condition), values)
    if listed is not None:
        raise bad_value(f"AttributeValueList can only be used with a ComparisonOperator for Attribute: {name}")
    if exists is False:
        if value is not None:
            raise bad_value(f"Value cannot be used when Exists is false for Attribute: {name}")
        return _comparison(name, "NULL", [], values)
    if value is None:
        shown = "null" if exists is None else "true"
        raise bad_value(f"Value must be provided when Exists is {shown} for Attribute: {name}")
    return _comparison(name, "EQ", [value], values)


def _arguments(condition: Json) -> list[Value]:
    listed = condition.get("AttributeValueList")
    if listed is not None:
        return list(listed)
    return [condition["Value"]] if condition.get("Value") is not None else []


def _comparison(name: str, operator: str, arguments: list[Value], values: dict[str, Value]) -> Node:
    _check_arguments(operator, arguments)
    path = Path((name,))
    placed = tuple(Placeholder(_place(values, argument)) for argument in arguments)
    if operator in _COMPARE:
        return Compare(_COMPARE[operator], path, placed[0])
    if operator == "NULL":
        return Function("attribute_not_exists", (path,))
    if operator == "NOT_NULL":
        return Function("attribute_exists", (path,))
    if operator == "IN":
        return In(path, placed)
    if operator == "BETWEEN":
        return Between(path, placed[0], placed[1])
    if operator == "BEGINS_WITH":
        return Function("begins_with", (path, placed[0]))
    contains = Function("contains", (path, placed[0]))
    if operator == "CONTAINS":
        return contains
    # An attribute that is not there neither contains nor "does not contain".
    return And((Function("attribute_exists", (path,)), Not(contains)))


def _check_arguments(operator: str, arguments: list[Value]) -> None:
    for argument in arguments:
        check_value(argument)
    count, kinds = _TAKES[operator]
    if (count is None and not arguments) or (count is not None and len(arguments) != count):
        raise bad_value(f"Invalid number of argument(s) for the {operator} ComparisonOperator")
    for argument in arguments:
        if type_of(argument) not in kinds:
            raise bad_value(f"ComparisonOperator {operator} is not valid for {type_of(argument)} AttributeValue type")
    if len({type_of(argument) for argument in arguments}) > 1:
        raise bad_value("AttributeValues inside AttributeValueList must be of same type")
    if operator == "BETWEEN" and order_key(arguments[0]) > order_key(arguments[1]):
        raise invalid(
            "The BETWEEN condition was provided a range where the lower bound is greater than the upper bound"
        )


def _place(values: dict[str, Value], value: Value) -> str:
    name = f":{len(values)}"
    values[name] = value
    return name
