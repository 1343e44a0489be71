"""What is wrong with a body, in the words of API Gateway's validator (json-schema-validator for Java).

Gateway responses tell it as `$context.error.validationErrorString`.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from jsonschema_rs import ValidationError

_TOLD_MAX = 20
_JAVA_TYPES = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer", float: "number"}


def describe(errors: Iterable[ValidationError]) -> str:
    """`[object has missing required properties (["name","price"]), ...]`: the first of them."""
    missing: dict[tuple[Any, ...], list[str]] = {}  # Object -> what it lacks, which is told in one sentence.
    others = []
    for error in islice(errors, _TOLD_MAX):
        kind: Any = error.kind
        if kind.name == "required":
            missing.setdefault(tuple(error.instance_path), []).append(kind.property)
        else:
            others.append(_words(kind, error.instance, error.message))
    told = [f"object has missing required properties ({_json(sorted(names))})" for names in missing.values()]
    return f"[{', '.join(told + others)}]"


def _words(kind: Any, instance: Any, otherwise: str) -> str:
    match kind.name:
        case "type":
            allowed = _json(sorted(kind.types))
            return f"instance type ({_type(instance)}) does not match any allowed primitive type (allowed: {allowed})"
        case "enum":
            return f"instance value ({_json(instance)}) not found in enum (possible values: {_json(kind.options)})"
        case "additionalProperties":
            return f"object instance has properties which are not allowed by the schema: {_json(kind.unexpected)}"
        case "pattern" if hasattr(kind, "pattern"):  # One that ran into the limit has none.
            return f'ECMA 262 regex "{kind.pattern}" does not match input string "{instance}"'
        case "minLength":
            return f'string "{instance}" is too short (length: {len(instance)}, required minimum: {kind.limit})'
        case "maxLength":
            return f'string "{instance}" is too long (length: {len(instance)}, maximum allowed: {kind.limit})'
        case "minimum":
            return f"numeric instance is lower than the required minimum (minimum: {kind.limit}, found: {instance})"
        case "maximum":
            return f"numeric instance is greater than the required maximum (maximum: {kind.limit}, found: {instance})"
        case "exclusiveMinimum":
            return f"numeric instance is not strictly greater than the required minimum {kind.limit}"
        case "exclusiveMaximum":
            return f"numeric instance is not strictly lower than the required maximum {kind.limit}"
        case "minItems":
            bound, size = f"at least {kind.limit}", len(instance)
            return f"array is too short: must have {bound} elements but instance has {size} elements"
        case "maxItems":
            bound, size = f"at most {kind.limit}", len(instance)
            return f"array is too long: must have {bound} elements but instance has {size} elements"
        case "uniqueItems":
            return "array must not contain duplicate elements"
    return otherwise


def _type(value: Any) -> str:
    return _JAVA_TYPES.get(type(value), "null")


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()
