r"""The grammar of `${...}` in serverless.yml, as values.

    text      = { characters | "\${" | variable }
    variable  = "${" source { "," source } "}"
    source    = type "(" [ param { "," param } ] ")" [ ":" address ] | type ":" [ address ] | literal
    literal   = "text" | 'text' | number | true | false | null

What does not begin like a variable is left alone (`${AWS::Region}` and `${ItemsTable.Arn}` of Fn::Sub), but variables
inside of it count. Serverless Framework documentation, "Variables" and "Escaping variables".
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, NoReturn

_TYPE = re.compile(r"([a-z][a-zA-Z0-9]*)\s*([:(])")
_FIRST_TYPE = re.compile(r"([a-z][a-zA-Z0-9.\-]*)([:(])")
_BARE = re.compile(r"[A-Za-z0-9.\-]+")


class VariableSyntaxError(ValueError):
    """Its text is a sentence without the place."""


@dataclass(frozen=True, slots=True)
class Literal:
    value: Any


@dataclass(frozen=True, slots=True)
class Text:
    """A string with variables in it; `parts` are plain strings and variables, in order."""

    raw: str
    parts: tuple[str | Variable, ...]


@dataclass(frozen=True, slots=True)
class Source:
    type: str
    params: tuple[Literal | Text, ...] | None
    address: Literal | Text | None
    raw: str


@dataclass(frozen=True, slots=True)
class Variable:
    sources: tuple[Source | Literal, ...]  # The first that has a value is taken.
    raw: str


def parse(raw: str) -> Text | None:
    """The parts of a string, or None when it has neither a variable nor an escape. Raises VariableSyntaxError."""
    if "${" not in raw:
        return None
    parts = _Parser(raw).text()
    if all(isinstance(part, str) for part in parts) and "".join(str(part) for part in parts) == raw:
        return None
    return Text(raw, tuple(parts))


class _Parser:
    def __init__(self, raw: str) -> None:
        self._raw = raw
        self._at = 0

    def text(self) -> list[str | Variable]:
        parts: list[str | Variable] = []
        raw = self._raw
        while self._at < len(raw):
            start = raw.find("${", self._at)
            if start < 0:
                _add(parts, raw[self._at :])
                break
            slashes = start - len(raw[:start].rstrip("\\"))
            slashes = min(slashes, start - self._at)
            _add(parts, raw[self._at : start - slashes] + "\\" * (slashes // 2))
            self._at = start
            if slashes % 2:  # An odd number: the last one escapes the variable.
                _add(parts, "${")
                self._at += 2
                continue
            variable = self._variable(nested=False)
            if variable is None:  # Somebody else's: its inside is read for variables like any text.
                _add(parts, "${")
                self._at += 2
            else:
                parts.append(variable)
        return parts

    def _variable(self, *, nested: bool) -> Variable | None:
        start = self._at
        begin = _FIRST_TYPE.match(self._raw, start + 2)
        foreign = begin is None or not re.fullmatch(r"[a-z][a-zA-Z0-9]*", begin[1])
        if not foreign and begin is not None and begin[2] == ":" and self._raw.startswith(":", begin.end()):
            foreign = True
        if foreign:
            if nested:
                self._fail("a variable must begin with its source, like ${self:...}", start)
            return None
        self._at = start + 2
        sources: list[Source | Literal] = [self._source()]
        while self._take(","):
            self._spaces()
            sources.append(self._fallback())
            self._spaces()
        if not self._take("}"):
            self._fail("the closing bracket } is missing", start)
        return Variable(tuple(sources), self._raw[start : self._at])

    def _source(self) -> Source:
        start = self._at
        begin = _TYPE.match(self._raw, start)
        if begin is None:
            self._fail("a source like self:, opt: or file(...) is expected", start)
        params: tuple[Literal | Text, ...] | None = None
        address: Literal | Text | None = None
        self._at = begin.end()
        has_address = begin[2] == ":"
        if begin[2] == "(":
            params = self._params()
            self._spaces()
            has_address = self._take(":")
        if has_address:
            self._spaces()
            address = self._address()
            self._spaces()
        return Source(begin[1], params, address, self._raw[start : self._at].strip())

    def _fallback(self) -> Source | Literal:
        if self._peek() in "\"'" and self._peek():
            return Literal(self._quoted())
        if _TYPE.match(self._raw, self._at):
            return self._source()
        bare = _BARE.match(self._raw, self._at)
        if bare is None:
            self._fail("a source or a literal is expected after the comma", self._at)
        known, value = _bare(bare[0])
        if not known:
            self._fail(f'"{bare[0]}" is neither a source nor a literal (text needs quotes)', self._at)
        self._at = bare.end()
        return Literal(value)

    def _params(self) -> tuple[Literal | Text, ...]:
        params: list[Literal | Text] = []
        while True:
            self._spaces()
            if self._take(")"):
                return tuple(params)
            if self._take(","):
                params.append(Literal(None))
                continue
            params.append(self._value(",)", convert=True))
            self._spaces()
            if self._take(")"):
                return tuple(params)
            if not self._take(","):
                self._fail("the closing parenthesis of the parameters is missing", self._at)

    def _address(self) -> Literal | Text | None:
        if self._peek() in ",}":
            return None
        return self._value(",}", convert=False)

    def _value(self, ends: str, *, convert: bool) -> Literal | Text:
        if self._peek() in "\"'" and self._peek():
            return Literal(self._quoted())
        start = self._at
        parts: list[str | Variable] = []
        while self._at < len(self._raw) and self._raw[self._at] not in ends:
            if self._raw.startswith("${", self._at):
                variable = self._variable(nested=True)
                assert variable is not None
                parts.append(variable)
            else:
                if self._raw[self._at] == "}" and "}" not in ends:
                    self._fail("a parameter may not hold }", self._at)
                _add(parts, self._raw[self._at])
                self._at += 1
        raw = self._raw[start : self._at]
        if any(isinstance(part, Variable) for part in parts):
            return Text(raw.strip(), _trimmed(parts))
        known, value = _bare(raw.strip()) if convert else (False, None)
        return Literal(value if known else raw.strip())

    def _quoted(self) -> str:
        quote, start = self._raw[self._at], self._at
        self._at += 1
        while self._at < len(self._raw) and self._raw[self._at] != quote:
            self._at += 2 if quote == '"' and self._raw[self._at] == "\\" else 1
        if self._at >= len(self._raw):
            self._fail("the closing quote is missing", start)
        self._at += 1
        inside = self._raw[start : self._at]
        if quote == "'":
            return inside[1:-1]
        try:
            return str(json.loads(inside))
        except json.JSONDecodeError:
            self._fail(f"{inside} is not a valid quoted text", start)

    def _peek(self) -> str:
        return self._raw[self._at : self._at + 1]

    def _take(self, character: str) -> bool:
        if self._peek() != character:
            return False
        self._at += 1
        return True

    def _spaces(self) -> None:
        while self._peek() and self._peek() in " \n\t":
            self._at += 1

    def _fail(self, problem: str, at: int) -> NoReturn:
        raise VariableSyntaxError(f'The variable in "{self._raw}" is not valid at character {at + 1}: {problem}.')


def _bare(word: str) -> tuple[bool, Any]:
    if word in ("true", "false", "null"):
        return True, {"true": True, "false": False, "null": None}[word]
    try:
        number = float(word)
    except ValueError:
        return False, None
    return True, int(number) if number.is_integer() else number


def _add(parts: list[str | Variable], text: str) -> None:
    if not text:
        return
    if parts and isinstance(parts[-1], str):
        parts[-1] += text
    else:
        parts.append(text)


def _trimmed(parts: list[str | Variable]) -> tuple[str | Variable, ...]:
    if isinstance(parts[-1], str):
        parts[-1] = parts[-1].rstrip()
    return tuple(part for part in parts if part != "")
