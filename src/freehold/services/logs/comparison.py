"""One comparison of a filter pattern: operator and value in, a test of what a message holds out."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

Test = Callable[[Any], bool]

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
OPERATORS = ("!=", "<=", ">=", "=", "<", ">")


def comparison(operator: str, value: str, *, quoted: bool = False) -> Test:
    """`value` as written; quoted: between quotation marks, so it is never a number. Raises ValueError."""
    if not quoted and value.startswith("%") and value.endswith("%") and len(value) > 1:
        return _regex(operator, value[1:-1])
    if operator in ("<", ">", "<=", ">="):
        return _order(operator, float(value))
    is_number = not quoted and _NUMBER.fullmatch(value) is not None
    equals = _equals_number(float(value)) if is_number else _equals_text(value)
    if operator == "=":
        return equals
    return lambda found: found is not None and not equals(found)


def _regex(operator: str, text: str) -> Test:
    compiled = re.compile(text)
    if operator not in ("=", "!="):
        raise ValueError(operator)
    return lambda found: isinstance(found, str) and (compiled.search(found) is not None) == (operator == "=")


def _equals_number(number: float) -> Test:
    return lambda found: _number(found) == number


def _equals_text(text: str) -> Test:
    wildcard = re.compile(".*".join(re.escape(part) for part in text.split("*")), re.DOTALL)

    def equals(found: Any) -> bool:
        if isinstance(found, bool):
            return text == str(found).lower()
        return isinstance(found, str | int | float) and wildcard.fullmatch(str(found)) is not None

    return equals


def _order(operator: str, number: float) -> Test:
    def ordered(found: Any) -> bool:
        value = _number(found)
        if value is None:
            return False
        if operator == "<":
            return value < number
        if operator == ">":
            return value > number
        return value <= number if operator == "<=" else value >= number

    return ordered


def _number(found: Any) -> float | None:
    if isinstance(found, bool):
        return None
    if isinstance(found, int | float):
        return float(found)
    if isinstance(found, str) and _NUMBER.fullmatch(found):
        return float(found)
    return None
