"""Attribute values as on the wire (`{"S": "text"}`): checked, made canonical, measured.

One decision to know: checking makes numbers and base64 canonical in place, so that from then on equal scalars are
equal dicts and no later step parses them again. AWS: "AttributeValue", "DynamoDB item sizes and formats".
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from freehold.aws.errors import AwsError
from freehold.tables.numbers import canonical_number, number_size

Value = dict[str, Any]  # Exactly one member: its key is the type.
Item = dict[str, Value]

MAX_ITEM_BYTES = 400 * 1024
MAX_DEPTH = 32
MAX_NAME_BYTES = 65535
TYPES = frozenset({"S", "N", "B", "BOOL", "NULL", "SS", "NS", "BS", "L", "M"})

_CONTAINER_BYTES = 3  # A list or map, empty or not.
_INVALID = "One or more parameter values were invalid: "


def check_item(item: object) -> int:
    """Makes every value canonical, in place; the item's size in bytes. Raises SerializationException for what is no
    item at all and ValidationException for values that DynamoDB refuses. Does not know keys or the size limit."""
    if type(item) is not dict:
        raise _not_a_map(item)
    size = 0
    for name, value in item.items():
        name_size = text_size(name)
        if not 0 < name_size <= MAX_NAME_BYTES:
            check_name(name)
        size += name_size + check_value(value, 0)
    return size


def check_name(name: str) -> None:
    """Of an attribute, wherever one is named. Raises ValidationException."""
    if not name:
        raise _invalid(f"{_INVALID}Empty attribute name")
    if text_size(name) > MAX_NAME_BYTES:
        raise _invalid(f"{_INVALID}Attribute name is too large, must be at most {MAX_NAME_BYTES} bytes")


def check_value(value: object, depth: int = 0) -> int:
    """As `check_item`, of one value."""
    if type(value) is not dict:
        raise _not_a_value(value)
    if len(value) == 1:
        ((kind, content),) = value.items()
        check = _CHECKS.get(kind)
        if check is not None:
            return check(value, content, depth)
    return _check_odd(value, depth)


def text_size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())


def item_size(item: Item) -> int:
    """Of canonical values, without checking again."""
    size = 0
    for name, value in item.items():
        size += text_size(name) + value_size(value)
    return size


def value_size(value: Value) -> int:
    ((kind, content),) = value.items()
    if kind == "S":
        return text_size(content)
    if kind == "N":
        return number_size(content)
    if kind == "B":
        return _binary_size(content)
    if kind == "M":
        return _CONTAINER_BYTES + len(content) + item_size(content)
    if kind == "L":
        return _CONTAINER_BYTES + len(content) + sum(map(value_size, content))
    if kind == "SS":
        return sum(map(text_size, content))
    if kind == "NS":
        return sum(map(number_size, content))
    if kind == "BS":
        return sum(map(_binary_size, content))
    return 1  # BOOL, NULL


def type_of(value: Value) -> str:
    return next(iter(value))


def same(left: Value, right: Value) -> bool:
    """Equality as DynamoDB sees it: sets have no order, and a number is equal to no string."""
    if left == right:
        return True
    ((kind, one),) = left.items()
    other = right.get(kind)
    if other is None:
        return False
    if kind in ("SS", "NS", "BS"):
        return len(one) == len(other) and set(one) == set(other)
    if kind == "L":
        return len(one) == len(other) and all(map(same, one, other))
    if kind == "M":
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
    return False


def order_key(value: Value) -> Any:
    """What `<` compares among values of one type: S, N or B; None of any other type."""
    ((kind, content),) = value.items()
    if kind == "S":
        return content
    if kind == "N":
        return Decimal(content)
    if kind == "B":
        return b64decode(content)
    return None


def _check_string(value: Value, content: object, depth: int) -> int:
    if type(content) is not str:
        raise _not_a("String", content)
    return len(content) if content.isascii() else len(content.encode())


def _check_number(value: Value, content: object, depth: int) -> int:
    if type(content) is not str:
        raise _not_a("String", content)
    value["N"] = canonical = canonical_number(content)
    return number_size(canonical)


def _check_binary(value: Value, content: object, depth: int) -> int:
    value["B"] = canonical = _canonical_base64(content)
    return _binary_size(canonical)


def _check_bool(value: Value, content: object, depth: int) -> int:
    if type(content) is not bool:
        value["BOOL"] = _lenient_bool(content)
    return 1


def _check_null(value: Value, content: object, depth: int) -> int:
    if type(content) is not bool:
        value["NULL"] = content = _lenient_bool(content)
    if content is not True:
        raise _invalid(f"{_INVALID}Null attribute value types must have the value of true")
    return 1


def _check_list(value: Value, content: object, depth: int) -> int:
    if type(content) is not list:
        raise _not_a_list(content)
    if depth >= MAX_DEPTH - 1 and content:
        raise _too_deep()
    size = _CONTAINER_BYTES + len(content)
    for member in content:
        size += check_value(member, depth + 1)
    return size


def _check_map(value: Value, content: object, depth: int) -> int:
    if type(content) is not dict:
        raise _not_a_map(content)
    if depth >= MAX_DEPTH - 1 and content:
        raise _too_deep()
    size = _CONTAINER_BYTES + len(content)
    for name, member in content.items():
        size += text_size(name) + check_value(member, depth + 1)
    return size


def _check_string_set(value: Value, content: object, depth: int) -> int:
    members = _check_set(content, "An string set  may not be empty")
    for member in members:
        if type(member) is not str:
            raise _not_a("String", member)
    if len(set(members)) != len(members):
        raise _invalid(f"{_INVALID}Input collection [{', '.join(members)}] contains duplicates.")
    return sum(map(text_size, members))


def _check_number_set(value: Value, content: object, depth: int) -> int:
    members = _check_set(content, "An number set  may not be empty")
    for member in members:
        if type(member) is not str:
            raise _not_a("String", member)
    value["NS"] = canonical = [canonical_number(member) for member in members]
    if len(set(canonical)) != len(canonical):
        raise _invalid("Input collection contains duplicates")
    return sum(map(number_size, canonical))


def _check_binary_set(value: Value, content: object, depth: int) -> int:
    members = _check_set(content, "Binary sets should not be empty")
    value["BS"] = canonical = [_canonical_base64(member) for member in members]
    if len(set(canonical)) != len(canonical):
        raise _invalid(f"{_INVALID}Input collection [{', '.join(canonical)}]of type BS contains duplicates.")
    return sum(map(_binary_size, canonical))


_CHECKS: dict[str, Callable[[Value, Any, int], int]] = {
    "S": _check_string,
    "N": _check_number,
    "B": _check_binary,
    "BOOL": _check_bool,
    "NULL": _check_null,
    "L": _check_list,
    "M": _check_map,
    "SS": _check_string_set,
    "NS": _check_number_set,
    "BS": _check_binary_set,
}


def _check_set(content: object, empty: str) -> list[Any]:
    if type(content) is not list:
        raise _not_a_list(content)
    if not content:
        raise _invalid(f"{_INVALID}{empty}")
    return content


def _check_odd(value: Value, depth: int) -> int:
    """No member that we know, or several: unknown members and nulls count as absent."""
    for name in [name for name, content in value.items() if name not in TYPES or content is None]:
        del value[name]
    if not value:
        raise _invalid("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes")
    if len(value) > 1:
        raise _invalid(
            "Supplied AttributeValue has more than one datatypes set, "
            "must contain exactly one of the supported datatypes"
        )
    return check_value(value, depth)


def _canonical_base64(content: object) -> str:
    if type(content) is not str:
        if isinstance(content, list):
            raise _malformed("Unrecognized collection type class java.nio.ByteBuffer")
        if isinstance(content, dict):
            raise _malformed("Start of structure or map found where not expected")
        raise _malformed("only base-64-encoded strings are convertible to bytes")
    if len(content) % 4:
        raise _malformed(f"Base64 encoded length is expected a multiple of 4 bytes but found: {len(content)}")
    try:
        return b64encode(b64decode(content, validate=True)).decode()
    except (Base64Error, ValueError):
        raise _malformed("Invalid base64 encoding") from None


def _binary_size(content: str) -> int:
    return len(content) // 4 * 3 - content.count("=", -2)


def _lenient_bool(content: object) -> bool:
    """AWS takes some strings for booleans."""
    if isinstance(content, str):
        if content.lower() in ("true", "1", "yes"):
            return True
        if content.lower() in ("false", "0", "no"):
            return False
        raise _malformed("Unexpected token received from parser")
    raise _not_a("Boolean", content)


def _invalid(message: str) -> AwsError:
    return AwsError("ValidationException", message)


def _malformed(message: str) -> AwsError:
    return AwsError("SerializationException", message)


def _too_deep() -> AwsError:
    return _invalid(
        "Nesting Levels have exceeded supported limits: "
        "Attributes in the item have nested levels beyond supported limit"
    )


def _not_a(wanted: str, content: object) -> AwsError:
    """Not a String or Boolean, as AWS's parser says it."""
    if isinstance(content, bool):
        return _malformed(f"{'TRUE' if content else 'FALSE'}_VALUE cannot be converted to {wanted}")
    if isinstance(content, int):
        return _malformed(f"NUMBER_VALUE cannot be converted to {wanted}")
    if isinstance(content, float):
        return _malformed(f"DECIMAL_VALUE cannot be converted to {wanted}")
    if isinstance(content, list):
        return _malformed(f"Unrecognized collection type class java.lang.{wanted}")
    return _malformed("Start of structure or map found where not expected")


def _not_a_list(content: object) -> AwsError:
    if isinstance(content, dict):
        return _malformed("Start of structure or map found where not expected")
    return _malformed("Unexpected field type")


def _not_a_map(content: object) -> AwsError:
    if isinstance(content, list):
        return _malformed(
            "Unrecognized collection type java.util.Map<java.lang.String, "
            "com.amazonaws.dynamodb.v20120810.AttributeValue>"
        )
    return _malformed("Unexpected field type")


def _not_a_value(content: object) -> AwsError:
    if isinstance(content, list):
        return _malformed("Unrecognized collection type class com.amazonaws.dynamodb.v20120810.AttributeValue")
    if content is None:
        return _invalid("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes")
    return _malformed("Unexpected value type in payload")
