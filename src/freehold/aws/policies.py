"""IAM policies, decided: does a policy allow a request, deny it, or say nothing of it?

IAM User Guide, "Policy evaluation logic" and "IAM JSON policy elements". One decision to know: it fails closed. A
statement with a condition that is not understood never allows, and always denies.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from typing import Any

from freehold.aws.policy_conditions import Context, UnknownCondition, check, fill, holds


class Verdict(Enum):
    ALLOW = "allow"
    DENY = "deny"
    NO_MATCH = "no match"


class MalformedPolicy(Exception):
    """It is not a policy document."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of a policy."""

    action: str  # "execute-api:Invoke"
    resource: str  # ARN.
    principals: frozenset[str] = frozenset()  # ARNs by which the caller may be named; of a service: its name.
    account: str = ""  # Of the caller; "": anonymous.
    context: Context = field(default_factory=dict)  # By lower-case key: "aws:sourceip".


def evaluate(document: Any, asked: Asked) -> Verdict:
    """By a policy that stands with its caller, or whose principals do not matter. Raises MalformedPolicy."""
    return _evaluate(document, asked, with_principals=False)


def evaluate_resource_policy(document: Any, asked: Asked) -> Verdict:
    """By a policy that stands with a resource and names its principals. Raises MalformedPolicy.

    A statement for the whole account allows nobody by itself: the caller's own policies must allow, too.
    """
    return _evaluate(document, asked, with_principals=True)


def check_resource_policy(document: Any) -> None:
    """Raises MalformedPolicy, or UnknownCondition with the name of what is not understood: with either, no request
    could be decided by the document."""
    if not isinstance(document, dict) or "Statement" not in document:
        raise MalformedPolicy("no Statement")
    asked = Asked("", "")
    for statement in _many(document["Statement"]):
        if not isinstance(statement, dict) or statement.get("Effect") not in ("Allow", "Deny"):
            raise MalformedPolicy("a statement without Effect")
        _names_principal(statement, asked, is_deny=False)
        _names(statement, "Action", "", {})
        _names(statement, "Resource", "", {})
        check(statement.get("Condition"))


def _evaluate(document: Any, asked: Asked, *, with_principals: bool) -> Verdict:
    if not isinstance(document, dict) or "Statement" not in document:
        raise MalformedPolicy("no Statement")
    verdict = Verdict.NO_MATCH
    for statement in _many(document["Statement"]):
        if not isinstance(statement, dict) or statement.get("Effect") not in ("Allow", "Deny"):
            raise MalformedPolicy("a statement without Effect")
        is_deny = statement["Effect"] == "Deny"
        if with_principals and not _names_principal(statement, asked, is_deny=is_deny):
            continue
        if not _names(statement, "Action", asked.action, asked.context, fold=True):
            continue
        if not _names(statement, "Resource", asked.resource, asked.context):
            continue
        try:
            applies = holds(statement.get("Condition"), asked.context)
        except UnknownCondition:
            applies = is_deny
        if applies and is_deny:
            return Verdict.DENY
        if applies:
            verdict = Verdict.ALLOW
    return verdict


def _names(statement: Mapping[str, Any], member: str, value: str, context: Context, *, fold: bool = False) -> bool:
    if member in statement:
        return any(_matches(pattern, value, context, fold) for pattern in _many(statement[member]))
    if f"Not{member}" in statement:
        return not any(_matches(pattern, value, context, fold) for pattern in _many(statement[f"Not{member}"]))
    raise MalformedPolicy(f"a statement without {member}")


def _names_principal(statement: Mapping[str, Any], asked: Asked, *, is_deny: bool) -> bool:
    if "Principal" in statement:
        return _is_among(statement["Principal"], asked, whole_account=is_deny)
    if "NotPrincipal" in statement:
        # Who is named is not meant; where it allows, the whole account is named with the account.
        return not _is_among(statement["NotPrincipal"], asked, whole_account=not is_deny)
    raise MalformedPolicy("a statement without Principal")


def _is_among(principal: Any, asked: Asked, *, whole_account: bool) -> bool:
    if principal == "*":
        return True
    if not isinstance(principal, dict):
        raise MalformedPolicy("a principal that is neither * nor an object")
    for names in principal.values():
        for name in _many(names):
            if not isinstance(name, str):
                raise MalformedPolicy("a principal that is not text")
            if name == "*" or name in asked.principals:
                return True
            if whole_account and asked.account and name in (asked.account, f"arn:aws:iam::{asked.account}:root"):
                return True
    return False


def _many(value: Any) -> Iterable[Any]:
    return value if isinstance(value, list) else [value]


def _matches(pattern: Any, value: str, context: Context, fold: bool) -> bool:
    if not isinstance(pattern, str):
        raise MalformedPolicy("a pattern that is not text")
    if "${" in pattern:
        filled = fill(pattern, context)
        if filled is None:
            return False
        return _compile(filled, fold).fullmatch(value) is not None
    return _compile(pattern, fold).fullmatch(value) is not None


@lru_cache(maxsize=4096)
def _compile(pattern: str, fold: bool) -> re.Pattern[str]:
    return compile_pattern(pattern, fold=fold)


def compile_pattern(pattern: str, *, fold: bool = False) -> re.Pattern[str]:
    """`*` is any text, `?` any one character; `\\*` and `\\?` of `fill` are themselves."""
    parts = []
    for part in re.findall(r"\\[*?]|\*+|\?|[^*?\\]+|\\", pattern):
        if part[0] == "*":
            parts.append(".*")  # Many stars in a row mean one, and would make matching slow.
        elif part == "?":
            parts.append(".")
        else:
            parts.append(re.escape(part[1:] if part in ("\\*", "\\?") else part))
    return re.compile("".join(parts), re.DOTALL | (re.IGNORECASE if fold else 0))
