"""The words in which the settings of serverless.yml are described: what a value may be, and how it is put right.

Like the framework, a shape corrects what is meant: 10 for "10" where a number belongs, "10" for 10 where text does, a
list of one for a single value. CloudFormation's functions are taken everywhere.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from freehold.templates.serverless.documents import KeyPath
from freehold.templates.serverless.variables.resolve import text_of


@dataclass(frozen=True, slots=True)
class Problem:
    path: KeyPath
    message: str


class Shape(Protocol):
    def check(self, value: Any, path: KeyPath, problems: list[Problem]) -> Any:
        """The corrected value; what is wrong is added to `problems`."""


@dataclass(frozen=True, slots=True)
class Anything:
    def check(self, value: Any, path: KeyPath, problems: list[Problem]) -> Any:
        return value


@dataclass(frozen=True, slots=True)
class Text:
    pattern: str = ""
    meaning: str = "text"

    def check(self, value: Any, path: KeyPath, problems: list[Problem]) -> Any:
        if is_intrinsic(value):
            return value
        if isinstance(value, bool | int | float):
            value = text_of(value)
        if not isinstance(value, str) or (self.pattern and not re.search(self.pattern, value)):
            problems.append(_must_be(path, self.meaning, value))
        return value


@dataclass(frozen=True, slots=True)
class Whole:
    least: int = 0
    most: int | None = None

    def check(self, value: Any, path: KeyPath, problems: list[Problem]) -> Any:
        if is_intrinsic(value):
            return value
        if isinstance(value, str) and re.fullmatch(r"\s*-?\d+\s*", value):
            value = int(value)
        wrong = isinstance(value, bool) or not isinstance(value, int)
        if wrong or value < self.least or (self.most is not None and value > self.most):
            limits = f"from {self.least} to {self.most}" if self.most is not None else f"of {self.least} or more"
            problems.append(_must_be(path, f"a whole number {limits}", value))
        return value


@dataclass(frozen=True, slots=True)
class Flag:
    def check(self, value: Any, path: KeyPath, problems: list[Problem]) -> Any:
        if is_intrinsic(value) or isinstance(value, bool):
            return value
        if value in ("true", "false"):
            return value == "true"
        problems.append(_must_be(path, "true or false", value))
        return value


@dataclass(frozen=True, slots=True)
class Choice:
    values: tuple[Any, ...]
    any_case: bool = False

    def check(self, value: Any, path: KeyPath, problems: list[Problem]) -> Any:
        if is_intrinsic(value) or value in self.values:
            return value
        if self.any_case and str(value).upper() in {str(each).upper() for each in self.values}:
            return value
        if isinstance(value, str) and value.isdigit() and int(value) in self.values:
            return int(value)
        problems.append(_must_be(path, f"one of {', '.join(map(str, self.values))}", value))
        return value


@dataclass(frozen=True, slots=True)
class ListOf:
    item: Shape = field(default_factory=Anything)
    wraps: bool = True  # A single value becomes a list of it.

    def check(self, value: Any, path: KeyPath, problems: list[Problem]) -> Any:
        if is_intrinsic(value):
            return value
        if not isinstance(value, list):
            if not self.wraps or value is None or isinstance(value, dict):
                problems.append(_must_be(path, "a list", value))
                return value
            value = [value]
        return [self.item.check(each, (*path, index), problems) for index, each in enumerate(value)]


@dataclass(frozen=True, slots=True)
class MapOf:
    item: Shape = field(default_factory=Anything)

    def check(self, value: Any, path: KeyPath, problems: list[Problem]) -> Any:
        if is_intrinsic(value) or value is None:
            return value
        if not isinstance(value, dict):
            problems.append(_must_be(path, "a mapping", value))
            return value
        return {
            key: each if each is None else self.item.check(each, (*path, key), problems) for key, each in value.items()
        }


@dataclass(frozen=True, slots=True)
class Keys:
    """A mapping of known keys; `null` values are as if the key were not there."""

    shapes: Mapping[str, Shape]
    required: tuple[str, ...] = ()

    def check(self, value: Any, path: KeyPath, problems: list[Problem]) -> Any:
        if is_intrinsic(value):
            return value
        if not isinstance(value, dict):
            problems.append(_must_be(path, "a mapping", value))
            return value
        result = {}
        for key, each in value.items():
            shape = self.shapes.get(key)
            if shape is None:
                problems.append(Problem((*path, key), _unknown(key, path, list(self.shapes))))
                result[key] = each
            else:
                result[key] = each if each is None else shape.check(each, (*path, key), problems)
        for key in self.required:
            if value.get(key) is None:
                problems.append(Problem(path, f'"{key}" is missing in {_place(path)}.'))
        return result


@dataclass(frozen=True, slots=True)
class Either:
    """The first shape that fits; else what the first of the value's own kind says is wrong."""

    options: tuple[Shape, ...]

    def check(self, value: Any, path: KeyPath, problems: list[Problem]) -> Any:
        tried: list[list[Problem]] = []
        for option in self.options:
            found: list[Problem] = []
            result = option.check(value, path, found)
            if not found:
                return result
            tried.append(found)
        deepest = max(tried, key=lambda each: len(each[0].path))
        problems += deepest
        return value


def is_intrinsic(value: Any) -> bool:
    return isinstance(value, dict) and len(value) == 1 and next(iter(value)).startswith(("Fn::", "Ref", "Condition"))


def _must_be(path: KeyPath, what: str, value: Any) -> Problem:
    shown = "a mapping" if isinstance(value, dict) else "a list" if isinstance(value, list) else f'"{text_of(value)}"'
    return Problem(path, f"{_place(path)} must be {what}, not {shown if value is not None else 'empty'}.")


def _unknown(key: str, path: KeyPath, known: list[str]) -> str:
    close = difflib.get_close_matches(key, known, 1)
    hint = f' Did you mean "{close[0]}"?' if close else ""
    return f'The key "{key}" in {_place(path)} is unknown.{hint}'


def _place(path: KeyPath) -> str:
    return ".".join(map(str, path)) or "the file"
