"""Reads CloudFormation-flavoured YAML and JSON: text in, plain dicts and lists out.

One decision to know: values carry no positions. Reading is on the path of every deploy, a position is wanted only for
an error; so `line_of` reads the text once more, when there is something to complain about.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import orjson
import yaml

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml's reader is ten times faster.

_PLAIN_TAGS = {"Ref": "Ref", "Condition": "Condition"}
_FUNCTION_TAGS = frozenset(
    [
        "And",
        "Base64",
        "Cidr",
        "Contains",
        "EachMemberEquals",
        "EachMemberIn",
        "Equals",
        "FindInMap",
        "ForEach",
        "GetAZs",
        "GetAtt",
        "If",
        "ImportValue",
        "Join",
        "Length",
        "Not",
        "Or",
        "RefAll",
        "Select",
        "Split",
        "Sub",
        "ToJsonString",
        "Transform",
        "ValueOf",
        "ValueOfAll",
    ]
)
_MERGE = "tag:yaml.org,2002:merge"
_TIMESTAMP = "tag:yaml.org,2002:timestamp"
_MAX_DEPTH = 200  # Nesting; deeper is an attack or a mistake.
_MAX_VALUES = 500_000  # Values after aliases are expanded, against "billion laughs".


class TemplateSyntaxError(ValueError):
    """The text is no YAML or JSON. `line` and `column` count from 1; 0: unknown."""

    def __init__(self, message: str, line: int = 0, column: int = 0) -> None:
        super().__init__(f"{message} (line {line}, column {column})" if line else message)
        self.reason = message
        self.line = line
        self.column = column


def read_template(text: str) -> Any:
    """What CloudFormation would see: short tags written out (`!Ref x` as {"Ref": "x"}), keys as strings, dates as text.

    Raises TemplateSyntaxError.
    """
    if text.lstrip()[:1] in ("{", "["):
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError:
            pass  # YAML's flow style begins alike; its reader says what is wrong with the rest.
    node = _compose(text)
    return None if node is None else _Builder().build(node, 0)


def line_of(text: str, path: Sequence[str | int]) -> int | None:
    """The line (from 1) where the value at `path` begins, or its nearest ancestor that is there. None: cannot tell."""
    return Lines(text).of(path)


class Lines:
    """The lines of one text, for many questions: it is parsed when the first comes, and once."""

    def __init__(self, text: str) -> None:
        self._text = text

    @cached_property
    def _root(self) -> Any:
        try:
            return _compose(self._text)
        except TemplateSyntaxError:
            return None

    def of(self, path: Sequence[str | int]) -> int | None:
        """As `line_of`."""
        return None if self._root is None else _line(self._root, path)


def _line(node: Any, path: Sequence[str | int]) -> int:
    line: int = node.start_mark.line + 1
    for step in path:
        found = _child(node, step)
        if found is None:
            break
        mark, node = found
        line = mark.line + 1
    return line


def _compose(text: str) -> Any:
    loader = _Loader(text)
    try:
        return loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        reason = " ".join(part for part in (error.context, error.problem) if part)
        if mark is None:
            raise TemplateSyntaxError(reason) from error
        raise TemplateSyntaxError(reason, mark.line + 1, mark.column + 1) from error
    except yaml.YAMLError as error:
        raise TemplateSyntaxError(str(error)) from error
    finally:
        loader.dispose()


def _child(node: Any, step: str | int) -> Any:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value == str(step):
                return key.start_mark, value
        return None
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step].start_mark, node.value[step]
    return None


class _Builder:
    """Nodes to values. Each alias becomes a value of its own: nobody finds two places changed by one change."""

    def __init__(self) -> None:
        self._built = 0

    def build(self, node: Any, depth: int) -> Any:
        self._built += 1
        if depth > _MAX_DEPTH or self._built > _MAX_VALUES:
            raise _at(node, "the template nests too deep or repeats itself too often")
        tag: str = node.tag
        if tag.startswith("!") and tag != "!":
            return self._function(node, tag[1:], depth)
        return self._value(node, depth)

    def _value(self, node: Any, depth: int) -> Any:
        if isinstance(node, yaml.ScalarNode):
            return _scalar(node)
        if isinstance(node, yaml.SequenceNode):
            return [self.build(item, depth + 1) for item in node.value]
        return self._mapping(node, depth)

    def _mapping(self, node: Any, depth: int) -> dict[str, Any]:
        merged: dict[str, Any] = {}
        own: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise _at(key, "a key must be a plain value")
            if key.tag == _MERGE:
                for source in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                    merged = {**self._merge(source, depth), **merged}
            else:
                own[key.value] = self.build(value, depth + 1)
        return {**merged, **own} if merged else own

    def _merge(self, node: Any, depth: int) -> dict[str, Any]:
        if not isinstance(node, yaml.MappingNode):
            raise _at(node, "<< can merge mappings only")
        return self._mapping(node, depth + 1)

    def _function(self, node: Any, name: str, depth: int) -> dict[str, Any]:
        if name in _PLAIN_TAGS:
            return {_PLAIN_TAGS[name]: _untagged(node, self, depth)}
        if name not in _FUNCTION_TAGS:
            raise _at(node, f"unknown tag !{name}")
        value = _untagged(node, self, depth)
        if name == "GetAtt" and isinstance(value, str):
            value = value.split(".", 1)
        return {f"Fn::{name}": value}


def _untagged(node: Any, builder: _Builder, depth: int) -> Any:
    if isinstance(node, yaml.ScalarNode):
        # The text behind a short tag is text, except a number where a function wants one.
        return node.value
    return builder._value(node, depth + 1)


def _scalar(node: Any) -> Any:
    tag = node.tag
    text: str = node.value
    if tag in ("tag:yaml.org,2002:str", _TIMESTAMP, "!"):
        return text
    if tag == "tag:yaml.org,2002:null":
        return None
    if tag == "tag:yaml.org,2002:bool":
        return text.lower() in ("yes", "true", "on")
    if tag == "tag:yaml.org,2002:int":
        return _integer(node, text)
    if tag == "tag:yaml.org,2002:float":
        return _float(node, text)
    return text


def _integer(node: Any, text: str) -> int | str:
    plain = text.replace("_", "")
    if ":" in plain:
        return text  # YAML 1.1 reads 12:30 as a number in base 60; nobody who writes a template means that.
    if re.fullmatch(r"[-+]?0[0-7]+", plain):
        return int(plain, 8)
    try:
        return int(plain, 0)
    except ValueError as error:
        raise _at(node, f"{text} is no number") from error


def _float(node: Any, text: str) -> float | str:
    plain = text.replace("_", "").lower()
    if ":" in plain or plain.lstrip("+-") in (".inf", ".nan"):
        return text
    try:
        return float(plain)
    except ValueError as error:
        raise _at(node, f"{text} is no number") from error


def _at(node: Any, message: str) -> TemplateSyntaxError:
    return TemplateSyntaxError(message, node.start_mark.line + 1, node.start_mark.column + 1)
