"""The policy that a Lambda authorizer answers, held against the ARN of a method.

API Gateway Developer Guide, "Output from an API Gateway Lambda authorizer". An explicit deny wins.
"""

from __future__ import annotations

import re
from enum import Enum
from functools import lru_cache
from typing import Any

_ACTION = "execute-api:Invoke"


class Verdict(Enum):
    ALLOW = "allow"
    DENY = "deny"
    NO_MATCH = "no match"


class MalformedPolicy(Exception):
    """It is not a policy document."""


def evaluate(document: Any, resource: str) -> Verdict:
    """Conditions are not evaluated: a statement that has some never allows, and always denies."""
    if not isinstance(document, dict) or "Statement" not in document:
        raise MalformedPolicy("no Statement")
    verdict = Verdict.NO_MATCH
    for statement in _many(document["Statement"]):
        if not isinstance(statement, dict) or statement.get("Effect") not in ("Allow", "Deny"):
            raise MalformedPolicy("a statement without Effect")
        if not _names(statement, "Action", _ACTION, fold=True) or not _names(statement, "Resource", resource):
            continue
        if statement["Effect"] == "Deny":
            return Verdict.DENY
        if not statement.get("Condition"):
            verdict = Verdict.ALLOW
    return verdict


def _names(statement: dict[str, Any], member: str, value: str, *, fold: bool = False) -> bool:
    if member in statement:
        return any(_matches(pattern, value, fold) for pattern in _many(statement[member]))
    if f"Not{member}" in statement:
        return not any(_matches(pattern, value, fold) for pattern in _many(statement[f"Not{member}"]))
    raise MalformedPolicy(f"a statement without {member}")


def _many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _matches(pattern: Any, value: str, fold: bool) -> bool:
    if not isinstance(pattern, str):
        raise MalformedPolicy("a pattern that is not text")
    return _compile(pattern, fold).fullmatch(value) is not None


@lru_cache(maxsize=4096)
def _compile(pattern: str, fold: bool) -> re.Pattern[str]:
    text = re.sub(r"\*+", "*", pattern)  # Many stars in a row mean one, and would make matching slow.
    parts = (".*" if part == "*" else "." if part == "?" else re.escape(part) for part in re.split(r"([*?])", text))
    return re.compile("".join(parts), re.DOTALL | (re.IGNORECASE if fold else 0))
