"""The `Condition` of a policy's statement. IAM User Guide, "IAM JSON policy elements: Condition operators",
"... Variables and tags", "Conditions with multiple context keys or values".
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from fnmatch import translate
from functools import lru_cache
from typing import Any

Context = Mapping[str, str | list[str]]
"""Condition keys in lower case -> the request's value, or its values where the key has many."""

_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_QUANTIFIERS = ("ForAllValues", "ForAnyValue")
_PLAIN = {"*": "\\*", "?": "\\?", "$": "$"}
Test = Callable[[str, str], bool]
"""(the request's value, the policy's) -> whether they fit."""


class UnknownCondition(Exception):
    """An operator or a value that is not understood."""


def holds(condition: Any, context: Context) -> bool:
    """Every operator and every key of it. Raises UnknownCondition."""
    if condition is None or condition == {}:
        return True
    if not isinstance(condition, dict):
        raise UnknownCondition("a condition that is no object")
    for operator, keys in condition.items():
        if not isinstance(keys, dict):
            raise UnknownCondition(str(operator))
        for key, values in keys.items():
            if not _one_holds(operator, str(key).lower(), _texts(values), context):
                return False
    return True


def check(condition: Any) -> None:
    """Raises UnknownCondition for what `holds` could never understand, whatever is asked."""
    for operator, keys in (condition or {}).items() if isinstance(condition or {}, dict) else [("", None)]:
        quantifier, colon, name = str(operator).rpartition(":")
        test, _ = _OPERATORS.get(name.removesuffix("IfExists"), (None, False))
        known = name == "Null" or test is not None
        if not known or not isinstance(keys, dict) or (colon and quantifier not in _QUANTIFIERS):
            raise UnknownCondition(str(operator))
        for value in [text for values in keys.values() for text in _texts(values)]:
            if test is not None and "${" not in value:
                test("0.0.0.0" if name.removesuffix("IfExists").endswith("IpAddress") else "0", value)


def fill(text: str, context: Context) -> str | None:
    """With its `${aws:username}` put in, as plain text; None where the request has no value for one of them."""
    absent = False

    def value(match: re.Match[str]) -> str:
        nonlocal absent
        name, _, default = match[1].partition(",")
        if name in _PLAIN:
            return _PLAIN[name]
        found = context.get(name.strip().lower())
        if isinstance(found, str):
            return found.replace("*", "\\*").replace("?", "\\?")
        default = default.strip()
        if len(default) >= 2 and default[0] == default[-1] == "'":
            return default[1:-1]
        absent = True
        return ""

    filled = _VARIABLE.sub(value, text)
    return None if absent else filled


def _one_holds(operator: str, key: str, values: list[str], context: Context) -> bool:
    quantifier, colon, name = operator.rpartition(":")
    found = context.get(key)
    if name == "Null":
        return any((found is None) == (value.lower() == "true") for value in values)
    has_default = name.endswith("IfExists")
    name = name.removesuffix("IfExists")
    test, negated = _OPERATORS.get(name, (None, False))
    if test is None or (colon and quantifier not in _QUANTIFIERS):
        raise UnknownCondition(operator)
    if found is None:
        # A negated operator holds for a key that is not there; so does ForAllValues, and what says IfExists.
        return has_default or negated or quantifier == "ForAllValues"
    filled = [text for text in (fill(value, context) for value in values) if text is not None]
    given = found if isinstance(found, list) else [found]

    def fits(one: str) -> bool:
        among = any(test(one, value) for value in filled)
        return not among if negated else among

    if quantifier == "ForAllValues":
        return all(fits(one) for one in given)
    if quantifier == "ForAnyValue" or not isinstance(found, list):
        return any(fits(one) for one in given)
    return all(fits(one) for one in given) if negated else any(fits(one) for one in given)


def _texts(values: Any) -> list[str]:
    listed = values if isinstance(values, list) else [values]
    texts = []
    for value in listed:
        if isinstance(value, bool):
            texts.append("true" if value else "false")
        elif isinstance(value, str | int | float):
            texts.append(str(value))
        else:
            raise UnknownCondition("a value that is no text")
    return texts


def _plain(text: str) -> str:
    return text.replace("\\*", "*").replace("\\?", "?")


def _like(one: str, pattern: str) -> bool:
    return _glob(pattern).match(one) is not None


@lru_cache(maxsize=1024)
def _glob(pattern: str) -> re.Pattern[str]:
    # fnmatch knows brackets too, which mean nothing here; and an escaped star is itself.
    text = re.sub(r"\*+", "*", pattern.replace("\\*", "\1").replace("\\?", "\2")).replace("[", "[[]")
    return re.compile(translate(text).replace("\1", "\\*").replace("\2", "\\?"))


def _arn_like(one: str, pattern: str) -> bool:
    """Each of the six parts by itself: a star does not cross a colon."""
    ours, theirs = one.split(":", 5), pattern.split(":", 5)
    return len(ours) == len(theirs) == 6 and all(_like(a, b) for a, b in zip(ours, theirs, strict=True))


def _number(compare: Callable[[float, float], bool]) -> Test:
    def test(one: str, value: str) -> bool:
        try:
            return compare(float(one), float(value))
        except ValueError:
            raise UnknownCondition(value) from None

    return test


def _date(compare: Callable[[float, float], bool]) -> Test:
    return lambda one, value: compare(_moment(one), _moment(value))


def _moment(text: str) -> float:
    try:
        if re.fullmatch(r"\d+(\.\d+)?", text):
            return float(text)
        at = datetime.fromisoformat(text)
    except ValueError:
        raise UnknownCondition(text) from None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def _in_network(one: str, network: str) -> bool:
    try:
        return ipaddress.ip_address(one) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        raise UnknownCondition(network) from None


_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "Equals": lambda a, b: a == b,
    "LessThan": lambda a, b: a < b,
    "LessThanEquals": lambda a, b: a <= b,
    "GreaterThan": lambda a, b: a > b,
    "GreaterThanEquals": lambda a, b: a >= b,
}

_OPERATORS: dict[str, tuple[Test, bool]] = {
    "StringEquals": (lambda one, value: one == _plain(value), False),
    "StringNotEquals": (lambda one, value: one == _plain(value), True),
    "StringEqualsIgnoreCase": (lambda one, value: one.lower() == _plain(value).lower(), False),
    "StringNotEqualsIgnoreCase": (lambda one, value: one.lower() == _plain(value).lower(), True),
    "StringLike": (_like, False),
    "StringNotLike": (_like, True),
    "BinaryEquals": (lambda one, value: one == value, False),
    "Bool": (lambda one, value: one.lower() == value.lower(), False),
    "IpAddress": (_in_network, False),
    "NotIpAddress": (_in_network, True),
    "ArnEquals": (_arn_like, False),
    "ArnLike": (_arn_like, False),
    "ArnNotEquals": (_arn_like, True),
    "ArnNotLike": (_arn_like, True),
    "NumericNotEquals": (_number(_COMPARISONS["Equals"]), True),
    "DateNotEquals": (_date(_COMPARISONS["Equals"]), True),
    **{f"Numeric{name}": (_number(compare), False) for name, compare in _COMPARISONS.items()},
    **{f"Date{name}": (_date(compare), False) for name, compare in _COMPARISONS.items()},
}
