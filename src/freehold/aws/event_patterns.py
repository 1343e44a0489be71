"""Event patterns: a pattern document in, a test of events out. Pure.

Source: Amazon EventBridge User Guide, "Comparison operators for use in event patterns"; Lambda's event filtering has
the same grammar. A list in an event matches where one of its elements does.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from typing import Any

import orjson

Test = Callable[[Any], bool]  # Of one value; `MISSING` where the event has none.


class _Missing:
    """No value is the same as it."""


MISSING = _Missing()
_WILDCARDS_IN_A_ROW = re.compile(r"\*\*")
_NUMERIC = ("=", "<", "<=", ">", ">=")


class InvalidPattern(ValueError):
    """With the reason, in AWS's words where they are known."""


def parse_pattern(text: str) -> Callable[[Any], bool]:
    """From its JSON text. Raises InvalidPattern."""
    try:
        pattern = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise InvalidPattern(str(error)) from error
    return compile_pattern(pattern)


def compile_pattern(pattern: Any) -> Callable[[Any], bool]:
    """Raises InvalidPattern."""
    if not isinstance(pattern, dict):
        raise InvalidPattern("Filter is not an object")
    if not pattern:
        raise InvalidPattern("Empty objects are not allowed")
    return _object(pattern)


def _object(pattern: dict[str, Any]) -> Test:
    tests: list[Test] = []
    for name, inner in pattern.items():
        if name == "$or" and isinstance(inner, list):
            tests.append(_either(inner))
        elif isinstance(inner, dict):
            if not inner:
                raise InvalidPattern("Empty objects are not allowed")
            tests.append(_in_field(name, _nested(_object(inner))))
        elif isinstance(inner, list):
            if not inner:
                raise InvalidPattern("Empty arrays are not allowed")
            tests.append(_in_field(name, _any_of([_value(entry) for entry in inner])))
        else:
            raise InvalidPattern(f'"{name}" must be an object or an array')
    return lambda event: all(test(event) for test in tests)


def _either(patterns: list[Any]) -> Test:
    if len(patterns) < 2 or not all(isinstance(pattern, dict) and pattern for pattern in patterns):
        raise InvalidPattern("There must have at least 2 Objects in $or relationship.")
    tests = [_object(pattern) for pattern in patterns]
    return lambda event: any(test(event) for test in tests)


def _in_field(name: str, test: Test) -> Test:
    return lambda event: test(event.get(name, MISSING) if isinstance(event, dict) else MISSING)


def _nested(test: Test) -> Test:
    """Of an object, or of the objects of a list; where there is none, only `exists: false` can hold."""

    def nested(value: Any) -> bool:
        if isinstance(value, list):
            return any(test(element) for element in value if isinstance(element, dict))
        return test(value if isinstance(value, dict) else {})

    return nested


def _any_of(tests: list[Test]) -> Test:
    def found(value: Any) -> bool:
        if isinstance(value, list):
            elements = _flat(value) or [MISSING]
            return any(test(element) for test in tests for element in elements)
        return any(test(value) for test in tests)

    return found


def _flat(values: list[Any]) -> list[Any]:
    return [one for value in values for one in (_flat(value) if isinstance(value, list) else [value])]


def _value(entry: Any) -> Test:
    if isinstance(entry, dict):
        if len(entry) != 1:
            raise InvalidPattern("Only one key allowed in match expression")
        ((operator, operand),) = entry.items()
        make = _OPERATORS.get(operator)
        if make is None:
            raise InvalidPattern(f"Unrecognized match type {operator}")
        return make(operand)
    if isinstance(entry, list):
        raise InvalidPattern("Match value must be String, number, true, false, or null")
    return _equals(entry)


def _equals(wanted: Any) -> Test:
    if isinstance(wanted, bool) or wanted is None:
        return lambda value: value is wanted
    if isinstance(wanted, str):
        return lambda value: isinstance(value, str) and value == wanted
    return lambda value: _is_number(value) and value == wanted


def _prefix(operand: Any) -> Test:
    text, fold = _text_or_folded("prefix", operand)
    if fold:
        return lambda value: isinstance(value, str) and value.lower().startswith(text)
    return lambda value: isinstance(value, str) and value.startswith(text)


def _suffix(operand: Any) -> Test:
    text, fold = _text_or_folded("suffix", operand)
    if fold:
        return lambda value: isinstance(value, str) and value.lower().endswith(text)
    return lambda value: isinstance(value, str) and value.endswith(text)


def _equals_ignore_case(operand: Any) -> Test:
    text = _text("equals-ignore-case", operand).lower()
    return lambda value: isinstance(value, str) and value.lower() == text


def _wildcard(operand: Any) -> Test:
    text = _text("wildcard", operand)
    if _WILDCARDS_IN_A_ROW.search(text.replace("\\*", "")):
        raise InvalidPattern("Consecutive wildcard characters at pos " + str(text.index("**")))
    parts = re.split(r"(\\[*\\]|\*)", text)
    regex = "".join(".*" if part == "*" else re.escape(part[1:] if part in ("\\*", "\\\\") else part) for part in parts)
    compiled = re.compile(regex, re.DOTALL)
    return lambda value: isinstance(value, str) and compiled.fullmatch(value) is not None


def _anything_but(operand: Any) -> Test:
    if isinstance(operand, dict):
        if len(operand) != 1:
            raise InvalidPattern("Only one key allowed in match expression")
        ((operator, inner),) = operand.items()
        if operator not in ("prefix", "suffix", "equals-ignore-case", "wildcard"):
            raise InvalidPattern(f"Unsupported anything-but pattern: {operator}")
        entries = inner if isinstance(inner, list) else [inner]
        tests = [_OPERATORS[operator](entry) for entry in entries]
    else:
        entries = operand if isinstance(operand, list) else [operand]
        if any(isinstance(entry, dict | list) for entry in entries):
            raise InvalidPattern("Inside anything but list, start|null|boolean is not supported.")
        tests = [_equals(entry) for entry in entries]
    if not tests:
        raise InvalidPattern("Empty arrays are not allowed")
    return lambda value: value is not MISSING and not any(test(value) for test in tests)


def _numeric(operand: Any) -> Test:
    if not isinstance(operand, list) or len(operand) not in (2, 4):
        raise InvalidPattern("Value of numeric must be an array of comparisons.")
    tests = []
    for operator, number in zip(operand[::2], operand[1::2], strict=True):
        if operator not in _NUMERIC:
            raise InvalidPattern(f"Unrecognized numeric range operator: {operator}")
        if not _is_number(number):
            raise InvalidPattern(f"Value of {operator} must be numeric")
        tests.append(_comparison(operator, number))
    return lambda value: _is_number(value) and all(test(value) for test in tests)


def _comparison(operator: str, number: float) -> Test:
    if operator == "=":
        return lambda value: bool(value == number)
    if operator == "<":
        return lambda value: bool(value < number)
    if operator == "<=":
        return lambda value: bool(value <= number)
    if operator == ">":
        return lambda value: bool(value > number)
    return lambda value: bool(value >= number)


def _exists(operand: Any) -> Test:
    if not isinstance(operand, bool):
        raise InvalidPattern("exists match pattern must be either true or false.")
    return lambda value: (value is not MISSING) is operand


def _cidr(operand: Any) -> Test:
    try:
        network = ipaddress.ip_network(_text("cidr", operand), strict=False)
    except ValueError as error:
        raise InvalidPattern(f"Malformed CIDR: {operand}") from error

    def inside(value: Any) -> bool:
        try:
            return isinstance(value, str) and ipaddress.ip_address(value) in network
        except ValueError:
            return False

    return inside


def _text(operator: str, operand: Any) -> str:
    if not isinstance(operand, str):
        raise InvalidPattern(f"{operator} match pattern must be a string")
    return operand


def _text_or_folded(operator: str, operand: Any) -> tuple[str, bool]:
    """(text, is case ignored)"""
    if isinstance(operand, dict) and list(operand) == ["equals-ignore-case"]:
        return _text(operator, operand["equals-ignore-case"]).lower(), True
    return _text(operator, operand), False


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_OPERATORS: dict[str, Callable[[Any], Test]] = {
    "prefix": _prefix,
    "suffix": _suffix,
    "equals-ignore-case": _equals_ignore_case,
    "wildcard": _wildcard,
    "anything-but": _anything_but,
    "numeric": _numeric,
    "exists": _exists,
    "cidr": _cidr,
}
