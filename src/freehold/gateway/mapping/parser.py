"""Velocity's text -> a tree. A recursive descent over the characters; expressions by precedence.

Source: Apache Velocity User Guide and its VTL reference (1.7, which API Gateway's templates are written for). A line
break behind a directive belongs to the directive. `#macro`, `#parse`, `#include`, `#define`, `#evaluate`: by name no.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NoReturn

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_PROPERTY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?")
_DIRECTIVE = re.compile(r"#(?:\{(?P<braced>[a-z]+)\}|(?P<plain>[a-z]+))")
_REST_OF_LINE = re.compile(r"[ \t]*(\r\n|\n|\r)?")
_WORD_OPERATORS = {
    "and": "&&",
    "or": "||",
    "not": "!",
    "eq": "==",
    "ne": "!=",
    "lt": "<",
    "gt": ">",
    "le": "<=",
    "ge": ">=",
}
_LEVELS = (("||",), ("&&",), ("==", "!="), ("<=", ">=", "<", ">"), ("+", "-"), ("*", "/", "%"))
_REFUSED = frozenset({"macro", "parse", "include", "define", "evaluate"})
_MOST_NESTED = 100
_MOST_CHARACTERS = 300 * 1024  # API Gateway quotas: the size of a mapping template.


class TemplateProblem(ValueError):
    """What is wrong with a template, with its line."""


@dataclass(frozen=True, slots=True)
class Text:
    text: str


@dataclass(frozen=True, slots=True)
class Literal:
    value: object


@dataclass(frozen=True, slots=True)
class Interpolated:
    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class ListOf:
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class RangeOf:
    first: Node
    last: Node


@dataclass(frozen=True, slots=True)
class MapOf:
    entries: tuple[tuple[Node, Node], ...]


@dataclass(frozen=True, slots=True)
class Property:
    name: str


@dataclass(frozen=True, slots=True)
class Method:
    name: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Index:
    index: Node


Step = Property | Method | Index


@dataclass(frozen=True, slots=True)
class Reference:
    name: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Not:
    operand: Node


@dataclass(frozen=True, slots=True)
class Set:
    target: Reference
    value: Node


@dataclass(frozen=True, slots=True)
class If:
    branches: tuple[tuple[Node, tuple[Node, ...]], ...]
    otherwise: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class ForEach:
    name: str
    items: Node
    body: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Leave:
    everything: bool  # `#stop`; else `#break`.


Node = (
    Text | Literal | Interpolated | ListOf | RangeOf | MapOf | Reference | Operation | Not | Set | If | ForEach | Leave
)


def parse(text: str) -> tuple[Node, ...]:
    """Raises TemplateProblem."""
    if len(text) > _MOST_CHARACTERS:
        raise TemplateProblem(f"the template is larger than {_MOST_CHARACTERS // 1024} KB")
    reader = _Reader(text)
    nodes, end = reader.block(())
    assert end == ""
    return nodes


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.depth = 0

    def fail(self, what: str) -> NoReturn:
        line = self.text.count("\n", 0, self.at) + 1
        raise TemplateProblem(f"line {line}: {what}")

    def block(self, ends: tuple[str, ...]) -> tuple[tuple[Node, ...], str]:
        """Nodes up to one of these directives, which is read too; "" at the end of the text."""
        self.depth += 1
        if self.depth > _MOST_NESTED:
            self.fail("the template is nested too deeply")
        nodes: list[Node] = []
        plain: list[str] = []

        def flush() -> None:
            if plain:
                nodes.append(Text("".join(plain)))
                plain.clear()

        text = self.text
        while self.at < len(text):
            letter = text[self.at]
            if letter == "#" and (comment := self._comment()) is not None:
                plain.append(comment)
            elif letter == "#" and (match := _DIRECTIVE.match(text, self.at)) is not None:
                name = match["braced"] or match["plain"]
                if name in ends:
                    self.at = match.end()
                    flush()
                    self.depth -= 1
                    return tuple(nodes), name
                node = self._directive(name, match)
                if node is None:
                    plain.append(letter)
                    self.at += 1
                    continue
                flush()
                nodes.append(node)
            elif letter == "$" and (reference := self.reference()) is not None:
                flush()
                nodes.append(reference)
            elif letter == "\\" and text[self.at + 1 : self.at + 2] in ("$", "#"):
                plain.append(text[self.at + 1])
                self.at += 2
            else:
                plain.append(letter)
                self.at += 1
        if ends:
            self.fail("#end is missing")
        flush()
        return tuple(nodes), ""

    def _comment(self) -> str | None:
        """What stands in a comment's place; None where none begins."""
        text = self.text
        if text.startswith("##", self.at):
            end = text.find("\n", self.at)
            self.at = len(text) if end < 0 else end + 1
            return ""
        if text.startswith("#*", self.at):
            end = text.find("*#", self.at + 2)
            if end < 0:
                self.fail("a comment has no end")
            self.at = end + 2
            return ""
        if text.startswith("#[[", self.at):
            end = text.find("]]#", self.at)
            if end < 0:
                self.fail("#[[ has no ]]#")
            inside = text[self.at + 3 : end]
            self.at = end + 3
            return inside
        return None

    def _directive(self, name: str, match: re.Match[str]) -> Node | None:
        if name in _REFUSED:
            self.fail(f"#{name} is not supported")
        if name in ("end", "else", "elseif"):
            self.fail(f"#{name} has no #if or #foreach")
        if name not in ("set", "if", "foreach", "break", "stop", "return"):
            return None
        self.at = match.end()
        if name in ("break", "stop", "return"):
            self._rest_of_line()
            return Leave(everything=name != "break")
        return {"set": self._set, "if": self._if, "foreach": self._for_each}[name]()

    def _set(self) -> Node:
        self.expect("(")
        self.space()
        target = self.reference()
        if target is None:
            self.fail("#set needs a reference")
        self.expect("=")
        value = self.expression()
        self.expect(")")
        self._rest_of_line()
        return Set(target, value)

    def _if(self) -> Node:
        branches: list[tuple[Node, tuple[Node, ...]]] = []
        end = "elseif"
        while end == "elseif":
            self.expect("(")
            condition = self.expression()
            self.expect(")")
            self._rest_of_line()
            body, end = self.block(("elseif", "else", "end"))
            branches.append((condition, body))
        otherwise: tuple[Node, ...] = ()
        if end == "else":
            self._rest_of_line()
            otherwise, _ = self.block(("end",))
        self._rest_of_line()
        return If(tuple(branches), otherwise)

    def _for_each(self) -> Node:
        self.expect("(")
        self.space()
        variable = self.reference()
        if variable is None or variable.steps:
            self.fail("#foreach needs a variable")
        self.space()
        if not self.text.startswith("in", self.at):
            self.fail("#foreach needs `in`")
        self.at += 2
        items = self.expression()
        self.expect(")")
        self._rest_of_line()
        body, _ = self.block(("end",))
        self._rest_of_line()
        return ForEach(variable.name, items, body)

    def _rest_of_line(self) -> None:
        match = _REST_OF_LINE.match(self.text, self.at)
        if match is not None and match[1]:
            self.at = match.end()

    def reference(self) -> Reference | None:
        """At a `$`; None, and nothing read, where it begins no reference."""
        start = self.at
        text = self.text
        if not text.startswith("$", start):
            return None
        at = start + 1
        if text.startswith("!", at):
            at += 1
        braced = text.startswith("{", at)
        if braced:
            at += 1
        match = _NAME.match(text, at)
        if match is None:
            return None
        self.at = match.end()
        steps = self._steps()
        if braced:
            if not text.startswith("}", self.at):
                self.at = start
                return None
            self.at += 1
        return Reference(match[0], steps)

    def _steps(self) -> tuple[Step, ...]:
        steps: list[Step] = []
        text = self.text
        while True:
            if text.startswith(".", self.at) and (match := _PROPERTY.match(text, self.at + 1)) is not None:
                self.at = match.end()
                if text.startswith("(", self.at):
                    self.at += 1
                    steps.append(Method(match[0], self._arguments(")")))
                else:
                    steps.append(Property(match[0]))
            elif text.startswith("[", self.at):
                before = self.at
                self.at += 1
                try:
                    index = self.expression()
                    self.expect("]")
                except TemplateProblem:
                    # Brackets that are text: "$name[at home]".
                    self.at = before
                    return tuple(steps)
                steps.append(Index(index))
            else:
                return tuple(steps)

    def _arguments(self, end: str) -> tuple[Node, ...]:
        found: list[Node] = []
        self.space()
        while not self.text.startswith(end, self.at):
            found.append(self.expression())
            self.space()
            if self.text.startswith(",", self.at):
                self.at += 1
            elif not self.text.startswith(end, self.at):
                self.fail(f"{end} is missing")
        self.at += len(end)
        return tuple(found)

    def expression(self, level: int = 0) -> Node:
        if level == len(_LEVELS):
            return self._unary()
        self.depth += 1
        if self.depth > _MOST_NESTED * len(_LEVELS):
            self.fail("the expression is nested too deeply")
        left = self.expression(level + 1)
        while (operator := self._operator(_LEVELS[level])) is not None:
            left = Operation(operator, left, self.expression(level + 1))
        self.depth -= 1
        return left

    def _operator(self, wanted: tuple[str, ...]) -> str | None:
        self.space()
        for operator in wanted:
            if self.text.startswith(operator, self.at):
                self.at += len(operator)
                return operator
        match = _NAME.match(self.text, self.at)
        if match is not None and _WORD_OPERATORS.get(match[0]) in wanted:
            self.at = match.end()
            return _WORD_OPERATORS[match[0]]
        return None

    def _unary(self) -> Node:
        self.space()
        text = self.text
        if text.startswith("!", self.at):
            self.at += 1
            return Not(self._unary())
        match = _NAME.match(text, self.at)
        if match is not None and match[0] == "not":
            self.at = match.end()
            return Not(self._unary())
        return self._primary()

    def _primary(self) -> Node:
        text = self.text
        letter = text[self.at : self.at + 1]
        if letter == "(":
            self.at += 1
            inner = self.expression()
            self.expect(")")
            return inner
        if letter in ("'", '"'):
            return self._string(letter)
        if letter == "[":
            return self._list()
        if letter == "{":
            return self._map()
        if letter == "$" and (reference := self.reference()) is not None:
            return reference
        if (number := _NUMBER.match(text, self.at)) is not None:
            # "1..5" is a range, and not 1. followed by .5.
            self.at = number.end()
            return Literal(float(number[0]) if number[1] or number[2] else int(number[0]))
        if (word := _NAME.match(text, self.at)) is not None and word[0] in ("true", "false", "null"):
            self.at = word.end()
            return Literal({"true": True, "false": False, "null": None}[word[0]])
        self.fail(f"an expression is expected before {text[self.at : self.at + 20]!r}")

    def _string(self, quote: str) -> Node:
        parts: list[str] = []
        text = self.text
        at = self.at + 1
        while at < len(text):
            if text[at] == quote:
                if text.startswith(quote, at + 1):
                    # A quote in a string is written twice.
                    parts.append(quote)
                    at += 2
                    continue
                self.at = at + 1
                inside = "".join(parts)
                if quote == "'" or ("$" not in inside and "#" not in inside):
                    return Literal(inside)
                return Interpolated(parse(inside))
            if text[at] == "\\" and text[at + 1 : at + 2] == quote:
                parts.append(quote)
                at += 2
                continue
            parts.append(text[at])
            at += 1
        self.fail("a string has no end")

    def _list(self) -> Node:
        self.at += 1
        self.space()
        if self.text.startswith("]", self.at):
            self.at += 1
            return ListOf(())
        first = self.expression()
        self.space()
        if self.text.startswith("..", self.at):
            self.at += 2
            last = self.expression()
            self.expect("]")
            return RangeOf(first, last)
        if self.text.startswith(",", self.at):
            self.at += 1
        return ListOf((first, *self._arguments("]")))

    def _map(self) -> Node:
        self.at += 1
        entries: list[tuple[Node, Node]] = []
        self.space()
        while not self.text.startswith("}", self.at):
            key = self.expression()
            self.expect(":")
            entries.append((key, self.expression()))
            self.space()
            if self.text.startswith(",", self.at):
                self.at += 1
                self.space()
            elif not self.text.startswith("}", self.at):
                self.fail("} is missing")
        self.at += 1
        return MapOf(tuple(entries))

    def expect(self, what: str) -> None:
        self.space()
        if not self.text.startswith(what, self.at):
            self.fail(f"{what} is expected before {self.text[self.at : self.at + 20]!r}")
        self.at += len(what)

    def space(self) -> None:
        while self.at < len(self.text) and self.text[self.at] in " \t\r\n":
            self.at += 1
