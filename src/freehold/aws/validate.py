"""A request's members against the model's constraints, with the words that AWS's services use for it.

Source: the recorded answers of several services agree on "N validation error(s) detected: Value 'x' at 'name' failed to
satisfy constraint: Member must ...". Required members, lengths, ranges, enumerations and patterns are checked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from freehold.aws.errors import AwsError
from freehold.aws.model import Shape, operation_model

# Services whose own code for it is not ValidationException.
_CODES = {
    "apigateway": "BadRequestException",
    "apigatewayv2": "BadRequestException",
    "cloudformation": "ValidationError",
    "iam": "ValidationError",
    "logs": "InvalidParameterException",
    "s3": "MalformedXML",
    "sns": "InvalidParameter",
    "sts": "ValidationError",
    "cognito-idp": "InvalidParameterException",
}
# Their constraints are looser in fact than in the model, or checked by the service with better words.
_UNCHECKED = frozenset({"s3", "dynamodb", "dynamodbstreams"})
_SHOWN = 10  # Errors named in one message.


def validate(service: str, operation: str, request: dict[str, Any]) -> None:
    """Raises AwsError when the request breaks a constraint of the model."""
    if service in _UNCHECKED:
        return
    try:
        shape = operation_model(service, operation).input_shape
    except KeyError:
        return
    if shape is None:
        return
    problems = list(_structure(shape, request, ""))
    if problems:
        count = f"{len(problems)} validation error{'s' if len(problems) > 1 else ''} detected: "
        raise AwsError(_CODES.get(service, "ValidationException"), count + "; ".join(problems[:_SHOWN]), status=400)


def _structure(shape: Shape, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        return
    for name in shape.required_members:
        if value.get(name) is None:
            yield _problem("null", _join(path, name), "Member must not be null")
    members = shape.members
    for name, inner in value.items():
        member = members.get(name)
        if member is not None and inner is not None:
            yield from _check(member, inner, _join(path, name))


def _check(shape: Shape, value: Any, path: str) -> Iterator[str]:
    kind = shape.type_name
    if kind == "structure":
        if not getattr(shape, "is_document_type", False):
            yield from _structure(shape, value, path)
    elif kind == "list" and isinstance(value, list):
        yield from _size(shape, len(value), value, path)
        for index, inner in enumerate(value, 1):
            yield from _check(shape.member, inner, f"{path}.{index}.member")
    elif kind == "map" and isinstance(value, dict):
        yield from _size(shape, len(value), value, path)
        for key, inner in value.items():
            yield from _check(shape.value, inner, f"{path}.{key}.member")
    elif kind == "string" and isinstance(value, str):
        yield from _string(shape, value, path)
    elif kind in ("integer", "long", "float", "double") and isinstance(value, int | float):
        least, most = shape.metadata.get("min"), shape.metadata.get("max")
        if least is not None and value < least:
            yield _problem(value, path, f"Member must have value greater than or equal to {least}")
        if most is not None and value > most:
            yield _problem(value, path, f"Member must have value less than or equal to {most}")
    elif kind == "blob" and isinstance(value, bytes):
        yield from _size(shape, len(value), "<blob>", path)


def _string(shape: Shape, value: str, path: str) -> Iterator[str]:
    yield from _size(shape, len(value), value, path)
    allowed = shape.metadata.get("enum")
    if allowed and value not in allowed:
        yield _problem(value, path, f"Member must satisfy enum value set: [{', '.join(allowed)}]")
    pattern = shape.metadata.get("pattern")
    compiled = _compiled(pattern) if pattern else None
    if compiled is not None and not compiled.fullmatch(value):
        yield _problem(value, path, f"Member must satisfy regular expression pattern: {pattern}")


def _size(shape: Shape, size: int, value: Any, path: str) -> Iterator[str]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and size < least:
        yield _problem(value, path, f"Member must have length greater than or equal to {least}")
    if most is not None and size > most:
        yield _problem(value, path, f"Member must have length less than or equal to {most}")


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> re.Pattern[str] | None:
    """None where the pattern is Java's and not Python's, which has no `\\p{L}` and cannot nest what it means."""
    if r"\p{" in pattern:
        return None
    try:
        return re.compile(pattern)
    except re.error:
        return None


def _problem(value: Any, path: str, rule: str) -> str:
    shown = value if value == "null" else f"'{str(value)[:200]}'"
    return f"Value {shown} at '{path}' failed to satisfy constraint: {rule}"


def _join(path: str, name: str) -> str:
    name = name[:1].lower() + name[1:]
    return f"{path}.{name}" if path else name
