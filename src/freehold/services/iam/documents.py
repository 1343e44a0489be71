"""Policy documents: are they well formed? What they allow is decided elsewhere.

Source: IAM User Guide, "Grammar of the IAM JSON policy language"; the messages are those that IAM answers.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import orjson

from freehold.aws.errors import AwsError

_VERSIONS = ("2012-10-17", "2008-10-17")
_TOP = frozenset({"Version", "Id", "Statement"})
_STATEMENT = frozenset(
    {
        *("Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction"),
        *("Resource", "NotResource", "Condition"),
    }
)
_SYNTAX = "Syntax errors in policy."


def check_identity(text: str) -> None:
    """A policy of a role, user or group. MalformedPolicyDocument."""
    for statement in _statements(text):
        if "Principal" in statement or "NotPrincipal" in statement:
            raise _malformed("Policy document should not specify a principal.")
        if ("Resource" in statement) == ("NotResource" in statement):
            raise _malformed("Policy statement must contain resources.")


def check_trust(text: str) -> None:
    """Who may assume a role. MalformedPolicyDocument."""
    for statement in _statements(text):
        for name in ("Resource", "NotResource"):
            if name in statement:
                raise _malformed(f"Has prohibited field {name}")
        if ("Principal" in statement) == ("NotPrincipal" in statement):
            raise _malformed("Missing required field Principal")


def encode(text: str) -> str:
    """As answers carry documents: percent-encoded (RFC 3986)."""
    return quote(text, safe="")


def _statements(text: str) -> list[dict[str, Any]]:
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise _malformed("This policy contains invalid Json") from None
    if not isinstance(document, dict) or not document.keys() <= _TOP:
        raise _malformed(_SYNTAX)
    if document.get("Version", _VERSIONS[1]) not in _VERSIONS or "Statement" not in document:
        raise _malformed(_SYNTAX)
    found = document["Statement"]
    statements = found if isinstance(found, list) else [found]
    sids = set()
    for statement in statements:
        _check_statement(statement)
        sid = statement.get("Sid")
        if sid and sid in sids:
            raise _malformed(f"Statement IDs (SID) in a single policy must be unique: {sid}.")
        sids.add(sid)
    return statements


def _check_statement(statement: Any) -> None:
    if not isinstance(statement, dict) or not statement.keys() <= _STATEMENT:
        raise _malformed(_SYNTAX)
    if statement.get("Effect") not in ("Allow", "Deny"):
        raise _malformed(_SYNTAX)
    if ("Action" in statement) == ("NotAction" in statement):
        raise _malformed("Policy statement must contain actions.")
    for name in ("Action", "NotAction"):
        for action in _texts(statement.get(name, [])):
            if action != "*" and ":" not in action:
                raise _malformed("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")
    for name in ("Resource", "NotResource"):
        for resource in _texts(statement.get(name, [])):
            if resource != "*" and not resource.startswith(("arn:", "*", "${")):
                raise _malformed(
                    f'Resource {resource} must be in ARN format or "*".',
                )
    if not isinstance(statement.get("Condition", {}), dict):
        raise _malformed(_SYNTAX)


def _texts(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    if not all(isinstance(text, str) for text in values):
        raise _malformed(_SYNTAX)
    return values


def _malformed(message: str) -> AwsError:
    return AwsError("MalformedPolicyDocument", message, status=400)
