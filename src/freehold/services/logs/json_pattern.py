"""Filter patterns for JSON messages: `{ ($.level = "ERROR") && ($.code >= 500) }`.

Source: CloudWatch Logs User Guide, "Filter pattern syntax", section JSON. A message that is no JSON never matches.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import orjson

from freehold.services.logs.comparison import OPERATORS, comparison

_TOKEN = re.compile(
    r"""\s*(?:(?P<punctuation>&&|\|\||\(|\)|!=|<=|>=|=|<|>)
    |"(?P<quoted>(?:[^"\\]|\\.)*)"
    |(?P<selector>\$(?:\.(?:[\w\-@:]+)|\[(?:\d+|\*|'[^']*'|"[^"]*")\])*)
    |(?P<regex>%(?:[^%\\]|\\.)*%)
    |(?P<word>[^\s()&|=<>!"]+))""",
    re.VERBOSE,
)
_STEP = re.compile(r"""\.([\w\-@:]+)|\[(\d+)\]|\[(\*)\]|\['([^']*)'\]|\["([^"]*)"\]""")
_MISSING = object()

Test = Callable[[Any], bool]
Token = tuple[str, str]


def compile_json(text: str) -> Callable[[str], bool]:
    """Raises ValueError."""
    if not text.endswith("}"):
        raise ValueError(text)
    parser = _Parser(list(_tokens(text[1:-1])))
    test = parser.either()
    if parser.position != len(parser.tokens):
        raise ValueError(text)

    def matches(message: str) -> bool:
        if "{" not in message:
            return False
        try:
            document = orjson.loads(message)
        except orjson.JSONDecodeError:
            return False
        return isinstance(document, dict) and test(document)

    return matches


def _tokens(text: str) -> Iterator[Token]:
    text = text.rstrip()
    position = 0
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None or found.lastgroup is None:
            raise ValueError(text)
        yield found.lastgroup, found.group(found.lastgroup)
        position = found.end()


class _Parser:
    """Recursive descent: `||` binds weaker than `&&`."""

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.position = 0

    def either(self) -> Test:
        tests = [self._both()]
        while self._take("||"):
            tests.append(self._both())
        return tests[0] if len(tests) == 1 else lambda document: any(test(document) for test in tests)

    def _both(self) -> Test:
        tests = [self._single()]
        while self._take("&&"):
            tests.append(self._single())
        return tests[0] if len(tests) == 1 else lambda document: all(test(document) for test in tests)

    def _single(self) -> Test:
        if self._take("("):
            inner = self.either()
            if not self._take(")"):
                raise ValueError("( without )")
            return inner
        kind, selector = self._next()
        if kind != "selector":
            raise ValueError(selector)
        select = _selector(selector)
        kind, operator = self._next()
        if kind == "word":
            return self._words(operator.upper(), select)
        if operator not in OPERATORS:
            raise ValueError(operator)
        kind, value = self._next()
        if kind not in ("quoted", "word", "regex"):
            raise ValueError(value)
        if kind == "quoted":
            value = re.sub(r"\\(.)", r"\1", value)
        test = comparison(operator, value, quoted=kind == "quoted")
        return lambda document: any(found is not _MISSING and test(found) for found in select(document))

    def _words(self, first: str, select: Callable[[Any], list[Any]]) -> Test:
        second = self._next()[1].upper()
        if (first, second) == ("NOT", "EXISTS"):
            return lambda document: all(found is _MISSING for found in select(document))
        wanted = {"NULL": None, "TRUE": True, "FALSE": False}
        if first != "IS" or second not in wanted:
            raise ValueError(f"{first} {second}")
        value = wanted[second]
        return lambda document: any(found is value for found in select(document))

    def _take(self, text: str) -> bool:
        if self.position < len(self.tokens) and self.tokens[self.position] == ("punctuation", text):
            self.position += 1
            return True
        return False

    def _next(self) -> Token:
        if self.position >= len(self.tokens):
            raise ValueError("the pattern ends too early")
        self.position += 1
        return self.tokens[self.position - 1]


def _selector(text: str) -> Callable[[Any], list[Any]]:
    steps: list[str | int | None] = []  # None: every element.
    for name, index, every, single, double in _STEP.findall(text):
        steps.append(None if every else int(index) if index else name or single or double)

    def select(document: Any) -> list[Any]:
        found = [document]
        for step in steps:
            found = [inner for value in found for inner in _step(value, step)]
        return found or [_MISSING]

    return select


def _step(value: Any, step: str | int | None) -> list[Any]:
    if isinstance(step, str):
        return [value.get(step, _MISSING)] if isinstance(value, dict) else [_MISSING]
    if not isinstance(value, list):
        return [_MISSING]
    if step is None:
        return value
    return [value[step]] if step < len(value) else [_MISSING]
