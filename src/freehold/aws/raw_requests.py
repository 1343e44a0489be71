"""A DynamoDB request as it came, against the service's model: JSON types first, then constraints, in DynamoDB's words.

One decision to know: the model is compiled once to a closure per member, since these checks stand on the path of every
read; attribute values are left out, `tables/values.py` checks them where it makes them canonical.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from freehold.aws.errors import AwsError
from freehold.aws.model import Shape, operation_model

Json = dict[str, Any]
Check = Callable[[Any, str, list[str]], None]  # (value, path, problems): adds to the problems.

_SHOWN = 10  # Problems in one message.
# Left to the code that knows better words, or that knows ARNs from names.
_UNCHECKED = frozenset({"AttributeValue", "TableArn", "TableName", "ResourceArnString"})
# Enumerations that DynamoDB lists in another order than its model does.
_ORDER = {
    "Select": ("SPECIFIC_ATTRIBUTES", "COUNT", "ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES"),
    "ReturnConsumedCapacity": ("INDEXES", "TOTAL", "NONE"),
}
_PACKAGE = "com.amazonaws.dynamodb.v20120810."


def check_request(service: str, operation: str, request: Json) -> None:
    """Raises SerializationException or ValidationException."""
    problems: list[str] = []
    _compiled(service, operation)(request, "", problems)
    if problems:
        count = f"{len(problems)} validation error{'s' if len(problems) > 1 else ''} detected: "
        raise AwsError("ValidationException", count + "; ".join(problems[:_SHOWN]))


@lru_cache(maxsize=128)
def _compiled(service: str, operation: str) -> Check:
    return _structure(operation_model(service, operation).input_shape)


def _compile(shape: Shape) -> Check:
    if shape.name == "AttributeValue":
        return lambda value, path, problems: None
    kind = shape.type_name
    if kind == "structure":
        return _structure(shape)
    if kind == "list":
        return _list(shape)
    if kind == "map":
        return _map(shape)
    if kind in ("integer", "long", "double", "float"):
        return _number(shape)
    if kind == "boolean":
        return _boolean
    if kind == "timestamp":
        return lambda value, path, problems: None
    return _string(shape)


def _structure(shape: Shape) -> Check:
    members = {name: (_compile(member), _lower(name)) for name, member in shape.members.items()}
    required = [(name, _lower(name)) for name in shape.required_members]

    def check(value: Any, path: str, problems: list[str]) -> None:
        if type(value) is not dict:
            if isinstance(value, list):
                raise _malformed(f"Unrecognized collection type class {_PACKAGE}{shape.name}")
            raise _malformed("Unexpected field type" if path else "Unexpected value type in payload")
        for name, lower in required:
            if value.get(name) is None:
                problems.append(_problem("null", f"{path}{lower}", "Member must not be null"))
        for name, inner in value.items():
            found = members.get(name)
            if found is not None and inner is not None:
                found[0](inner, f"{path}{found[1]}" if path else found[1], problems)

    def check_nested(value: Any, path: str, problems: list[str]) -> None:
        check(value, f"{path}." if path else "", problems)

    return check_nested


def _list(shape: Shape) -> Check:
    member = _compile(shape.member)
    size = _size(shape)

    def check(value: Any, path: str, problems: list[str]) -> None:
        if type(value) is not list:
            raise _malformed(
                "Start of structure or map found where not expected"
                if isinstance(value, dict)
                else "Unexpected field type"
            )
        size(value, path, problems)
        for position, inner in enumerate(value, 1):
            if inner is not None:
                member(inner, f"{path}.{position}.member", problems)
            else:
                problems.append(_problem("null", f"{path}.{position}.member", "Member must not be null"))

    return check


def _map(shape: Shape) -> Check:
    inner_shape = shape.value
    inner_check = _compile(inner_shape)
    is_values = inner_shape.name == "AttributeValue"
    size = _size(shape)
    least, most = inner_shape.metadata.get("min"), inner_shape.metadata.get("max")
    bounded = inner_shape.type_name == "list" and most is not None
    java = f"java.util.Map<java.lang.String, {_PACKAGE}{inner_shape.name}>"

    def check(value: Any, path: str, problems: list[str]) -> None:
        if type(value) is not dict:
            raise _malformed(
                f"Unrecognized collection type {java}" if isinstance(value, list) else "Unexpected field type"
            )
        if is_values:
            return
        size(value, path, problems)
        for name, inner in value.items():
            if bounded and isinstance(inner, list):
                if not (least or 0) <= len(inner) <= most:
                    problems.append(
                        _problem(
                            value,
                            path,
                            "Map value must satisfy constraint: [Member must have length less than or equal to "
                            f"{most}, Member must have length greater than or equal to {least}]",
                        )
                    )
                for position, each in enumerate(inner, 1):
                    element(each, f"{path}.{name}.member.{position}.member", problems)
            elif inner is not None:
                inner_check(inner, f"{path}.{name}.member", problems)
            else:
                problems.append(_problem("null", f"{path}.{name}.member", "Member must not be null"))

    element = _compile(inner_shape.member) if bounded else inner_check
    return check


def _number(shape: Shape) -> Check:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    java = shape.type_name.capitalize()
    whole = shape.type_name in ("integer", "long")

    def check(value: Any, path: str, problems: list[str]) -> None:
        if isinstance(value, bool):
            raise _malformed(f"{'TRUE' if value else 'FALSE'}_VALUE cannot be converted to {java}")
        if not isinstance(value, int | float):
            raise _not_scalar(value, java) or _malformed(f"STRING_VALUE cannot be converted to {java}")
        if whole:
            value = int(value)
        if least is not None and value < least:
            problems.append(_problem(value, path, f"Member must have value greater than or equal to {least}"))
        if most is not None and value > most:
            problems.append(_problem(value, path, f"Member must have value less than or equal to {most}"))

    return check


def _boolean(value: Any, path: str, problems: list[str]) -> None:
    if isinstance(value, bool):
        return
    if isinstance(value, str):
        raise _malformed("Unexpected token received from parser")
    raise _not_scalar(value, "Boolean") or _malformed("NUMBER_VALUE cannot be converted to Boolean")


def _string(shape: Shape) -> Check:
    listed = _ORDER.get(shape.name) or shape.metadata.get("enum") or ()
    allowed = frozenset(listed)
    rule = f"Member must satisfy enum value set: [{', '.join(listed)}]"
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    is_free = shape.name in _UNCHECKED or (not allowed and least is None and most is None)

    def check(value: Any, path: str, problems: list[str]) -> None:
        if type(value) is not str:
            if isinstance(value, bool):
                raise _malformed(f"{'TRUE' if value else 'FALSE'}_VALUE cannot be converted to String")
            raise _not_scalar(value, "String") or _malformed(
                f"{'DECIMAL' if isinstance(value, float) else 'NUMBER'}_VALUE cannot be converted to String"
            )
        if is_free:
            return
        if allowed:
            if value not in allowed:
                problems.append(_problem(value, path, rule))
            return
        if least is not None and len(value) < least:
            problems.append(_problem(value, path, f"Member must have length greater than or equal to {least}"))
        if most is not None and len(value) > most:
            problems.append(_problem(value, path, f"Member must have length less than or equal to {most}"))

    return check


def _size(shape: Shape) -> Check:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")

    def check(value: Any, path: str, problems: list[str]) -> None:
        if least is not None and len(value) < least:
            problems.append(_problem(value, path, f"Member must have length greater than or equal to {least}"))
        if most is not None and len(value) > most:
            problems.append(_problem(value, path, f"Member must have length less than or equal to {most}"))

    return check


def _not_scalar(value: Any, java: str) -> AwsError | None:
    if isinstance(value, list):
        return _malformed(f"Unrecognized collection type class java.lang.{java}")
    if isinstance(value, dict):
        return _malformed("Start of structure or map found where not expected")
    return None


def _problem(value: Any, path: str, rule: str) -> str:
    shown = value if value == "null" else f"'{_show(value)}'"
    return f"Value {shown} at '{path}' failed to satisfy constraint: {rule}"


def _show(value: Any) -> str:
    """As Java prints it, near enough; an answer need not repeat a megabyte."""
    if isinstance(value, list):
        return f"[{', '.join(map(_show, value[:20]))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}={_show(inner)}" for name, inner in list(value.items())[:20]) + "}"
    return str(value)[:1024]


def _lower(name: str) -> str:
    return name[:1].lower() + name[1:]


def _malformed(message: str) -> AwsError:
    return AwsError("SerializationException", message)
