"""Filter patterns of CloudWatch Logs: text in, a test of messages out.

Source: Amazon CloudWatch Logs User Guide, "Filter pattern syntax for metric filters, subscription filters, filter log
events, and Live Tail". Matching is case-sensitive, as there.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NoReturn

from freehold.aws.errors import AwsError
from freehold.services.logs import json_pattern, space_pattern

Matches = Callable[[str], bool]

_TERM = re.compile(r'\s*([?-]?)(?:"((?:[^"\\]|\\.)*)"|%((?:[^%\\]|\\.)*)%|(\S+))')


def compile_pattern(pattern: str) -> Matches | None:
    """None: every message matches. Raises InvalidParameterException."""
    text = pattern.strip()
    if not text:
        return None
    try:
        if text.startswith("{"):
            return json_pattern.compile_json(text)
        if text.startswith("["):
            return space_pattern.compile_fields(text)
        return _compile_terms(text)
    except (ValueError, re.error):
        _refuse(pattern)


def _compile_terms(text: str) -> Matches:
    included: list[Matches] = []
    excluded: list[Matches] = []
    optional: list[Matches] = []
    position = 0
    while position < len(text):
        found = _TERM.match(text, position)
        if found is None:
            raise ValueError(text)
        sign, quoted, regex, word = found.groups()
        if regex is not None:
            test = _searches(regex)
        elif quoted is not None:
            test = _contains(re.sub(r"\\(.)", r"\1", quoted))
        elif word.startswith('"') or not word:
            raise ValueError(text)
        else:
            test = _contains(word)
        {"": included, "-": excluded, "?": optional}[sign].append(test)
        position = found.end()
    # "If you combine '?' with other filter patterns, the question mark and its term are ignored."
    either = optional if not included and not excluded else []

    def matches(message: str) -> bool:
        return (
            all(test(message) for test in included)
            and not any(test(message) for test in excluded)
            and (not either or any(test(message) for test in either))
        )

    return matches


def _contains(term: str) -> Matches:
    return lambda message: term in message


def _searches(regex: str) -> Matches:
    compiled = re.compile(regex)
    return lambda message: compiled.search(message) is not None


def _refuse(pattern: str) -> NoReturn:
    raise AwsError("InvalidParameterException", f"Invalid filter pattern: {pattern}")
