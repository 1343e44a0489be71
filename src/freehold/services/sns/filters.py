"""Filter policies: which messages a subscription wants. Pure.

Source: Amazon SNS Developer Guide, "Subscription filter policies", "Constraints", "Filter policy scope". The grammar is
that of event patterns (aws/event_patterns.py).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import orjson

from freehold.aws.call import Json
from freehold.aws.event_patterns import InvalidPattern, compile_pattern

_KEYS = 5
_COMBINATIONS = 150
_BYTES = 256 * 1024

Wants = Callable[[str, Json], bool]  # Of a message and its attributes.


class InvalidFilter(ValueError):
    """With the reason."""


@lru_cache(maxsize=1024)
def compile_filter(text: str, scope: str) -> Wants:
    """`scope`: "MessageAttributes" or "MessageBody". Raises InvalidFilter."""
    if len(text) > _BYTES:
        raise InvalidFilter("Filter policy is too large")
    try:
        policy = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise InvalidFilter(f"failed to parse JSON. {error}") from error
    if policy == {}:
        return lambda message, attributes: True
    try:
        matches = compile_pattern(policy)
    except InvalidPattern as error:
        raise InvalidFilter(str(error)) from error
    _check_size(policy)
    if scope == "MessageBody":
        return lambda message, attributes: _matches_body(matches, message)
    if any(isinstance(value, dict) for value in policy.values()):
        raise InvalidFilter("Filter policy scope MessageAttributes does not support nested filter policy")
    return lambda message, attributes: matches(_values(attributes))


def _check_size(policy: Json) -> None:
    lists = _lists(policy)
    if len(lists) > _KEYS:
        raise InvalidFilter(f"Filter policy can not have more than {_KEYS} keys")
    combinations = 1
    for values in lists:
        combinations *= len(values)
    if combinations > _COMBINATIONS:
        raise InvalidFilter("Filter policy is too complex")


def _lists(policy: Any) -> list[list[Any]]:
    """Of all its keys at every level, what they may be."""
    found: list[list[Any]] = []
    for name, value in policy.items():
        if name == "$or" and isinstance(value, list):
            found += [inner for one in value for inner in _lists(one)]
        elif isinstance(value, dict):
            found += _lists(value)
        else:
            found.append(value)
    return found


def _matches_body(matches: Callable[[Any], bool], message: str) -> bool:
    try:
        body = orjson.loads(message)
    except orjson.JSONDecodeError:
        return False
    return isinstance(body, dict) and matches(body)


def _values(attributes: Json) -> Json:
    """What the attributes say, as JSON has it; binary ones cannot be filtered by."""
    found: Json = {}
    for name, attribute in attributes.items():
        kind, text = attribute["DataType"], attribute.get("StringValue")
        if kind == "String":
            found[name] = text
        elif kind in ("Number", "String.Array"):
            try:
                found[name] = orjson.loads(text or "")
            except orjson.JSONDecodeError:
                continue
    return found
