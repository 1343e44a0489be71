"""Filter patterns for space-delimited messages: `[ip, user, ..., status = 4*, bytes > 1000]`.

Source: CloudWatch Logs User Guide, "Filter pattern syntax", section space-delimited log events.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from freehold.services.logs.comparison import Test, comparison

_FIELD = re.compile(r'\[([^\]]*)\]|"((?:[^"\\]|\\.)*)"|(\S+)')
_CONDITION = re.compile(r"\s*(\w+)\s*(!=|<=|>=|=|<|>)\s*(\"(?:[^\"\\]|\\.)*\"|%(?:[^%\\]|\\.)*%|[^\s&|]+)\s*")
_NAME = re.compile(r"\s*(\w*)\s*")
_ELLIPSIS = "..."


def compile_fields(text: str) -> Callable[[str], bool]:
    """Raises ValueError."""
    if not text.endswith("]"):
        raise ValueError(text)
    parts = _split(text[1:-1])
    rests = [index for index, part in enumerate(parts) if part.strip() == _ELLIPSIS]
    if len(rests) > 1:
        raise ValueError(text)
    at = rests[0] if rests else None
    tests = [None if part.strip() == _ELLIPSIS else _field_test(part) for part in parts]
    before = tests if at is None else tests[:at]
    after = [] if at is None else tests[at + 1 :]

    def matches(message: str) -> bool:
        values = [quoted or bracketed or plain for bracketed, quoted, plain in _FIELD.findall(message)]
        if (at is None and len(values) != len(before)) or len(values) < len(before) + len(after):
            return False
        tail = values[len(values) - len(after) :] if after else []
        pairs = [*zip(before, values, strict=False), *zip(after, tail, strict=True)]
        return all(test is None or test(value) for test, value in pairs)

    return matches


def _split(text: str) -> list[str]:
    """At commas outside of quotation marks and regular expressions."""
    parts = re.findall(r'(?:"(?:[^"\\]|\\.)*"|%(?:[^%\\]|\\.)*%|[^,"%])+', text)
    if ",".join(parts) != text:
        raise ValueError(text)
    return parts


def _field_test(text: str) -> Test | None:
    if _NAME.fullmatch(text):
        return None
    either: list[list[Test]] = [[]]
    position = 0
    while True:
        found = _CONDITION.match(text, position)
        if found is None:
            raise ValueError(text)
        _, operator, value = found.groups()
        quoted = value.startswith('"')
        either[-1].append(comparison(operator, value[1:-1] if quoted else value, quoted=quoted))
        position = found.end()
        if position == len(text):
            break
        joint = text[position : position + 2]
        if joint == "||":
            either.append([])
        elif joint != "&&":
            raise ValueError(text)
        position += 2
    return lambda field: any(all(test(field) for test in tests) for tests in either)
