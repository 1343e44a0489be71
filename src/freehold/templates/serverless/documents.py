"""Reads YAML and JSON files as the Serverless Framework does: YAML 1.2 scalars, CloudFormation's short tags.

The loader keeps the line of every key, because each sentence about a mistake names it. Differences from PyYAML's own
loader that matter to users: `yes`, `no`, `on` and `off` are text, dates are text, keys are always text, and a key that
stands twice in one mapping is an error.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from freehold.templates.errors import TemplateError

KeyPath = tuple[str | int, ...]

# CloudFormation User Guide, "Intrinsic function reference": the short form of each function.
_SHORT_TAGS = (
    *("And", "Base64", "Cidr", "Equals", "FindInMap", "ForEach", "GetAtt", "GetAZs", "If", "ImportValue", "Join"),
    *("Length", "Not", "Or", "Select", "Split", "Sub", "ToJsonString", "Transform"),
)
_INTRINSICS = {f"!{name}": f"Fn::{name}" for name in _SHORT_TAGS} | {"!Ref": "Ref", "!Condition": "Condition"}

_SCALARS: list[tuple[str, re.Pattern[str], str]] = [
    ("tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), "tTfF"),
    ("tag:yaml.org,2002:null", re.compile(r"^(?:~|null|Null|NULL|)$"), "~nN\0"),
    (
        "tag:yaml.org,2002:int",
        re.compile(r"^[-+]?(?:0b[01_]+|0o[0-7_]+|0x[0-9a-fA-F_]+|[0-9][0-9_]*)$"),
        "-+0123456789",
    ),
    (
        "tag:yaml.org,2002:float",
        re.compile(
            r"^(?:[-+]?[0-9][0-9_]*(?:\.[0-9_]*)?(?:[eE][-+]?[0-9]+)?|[-+]?\.[0-9_]+(?:[eE][-+]?[0-9]+)?"
            r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"
        ),
        "-+0123456789.",
    ),
    ("tag:yaml.org,2002:merge", re.compile(r"^<<$"), "<"),
]


class _Loader(yaml.CSafeLoader):
    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012  PyYAML's own protocol.


for _tag, _pattern, _first in _SCALARS:
    for _character in _first:
        _Loader.yaml_implicit_resolvers.setdefault("" if _character == "\0" else _character, []).append(
            (_tag, _pattern)
        )


@dataclass(frozen=True, slots=True)
class Document:
    """A file's value, made of JSON's types, and the line at which each key or list item begins."""

    file: Path
    value: Any
    lines: dict[KeyPath, int] = field(default_factory=dict)

    def line(self, path: KeyPath) -> int | None:
        """The line of the value at `path`, or of the nearest thing around it that the file itself holds."""
        for length in range(len(path), 0, -1):
            found = self.lines.get(path[:length])
            if found is not None:
                return found
        return None


def read_yaml(file: Path) -> Document:
    try:
        return parse_yaml(file.read_text("utf-8"), file)
    except (OSError, UnicodeDecodeError) as error:
        raise TemplateError(f"The file cannot be read: {error}.", file) from None


def parse_yaml(text: str, file: Path) -> Document:
    """The document in `text`. TemplateError with the line for broken YAML."""
    lines: dict[KeyPath, int] = {}
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = " ".join(part for part in (error.context, error.problem) if part)
        raise TemplateError(f"This is not valid YAML: {problem}.", file, mark.line + 1 if mark else None) from None
    except yaml.YAMLError as error:
        raise TemplateError(f"This is not valid YAML: {' '.join(str(error).split())}.", file) from None
    finally:
        loader.dispose()
    value = _Builder(file, lines).build(node, ()) if node is not None else None
    return Document(file, value, lines)


def read_json(file: Path) -> Document:
    try:
        return Document(file, json.loads(file.read_text("utf-8")))
    except json.JSONDecodeError as error:
        raise TemplateError(f"This is not valid JSON: {error.msg}.", file, error.lineno) from None
    except (OSError, UnicodeDecodeError) as error:
        raise TemplateError(f"The file cannot be read: {error}.", file) from None


class _Builder:
    """Makes JSON's types of PyYAML's nodes; notes the lines on the way."""

    def __init__(self, file: Path, lines: dict[KeyPath, int]) -> None:
        self._file = file
        self._lines = lines

    def build(self, node: yaml.Node, path: KeyPath) -> Any:
        function = _INTRINSICS.get(node.tag)
        if function is not None:
            return {function: self._intrinsic(node, function, (*path, function))}
        if node.tag.startswith("!"):
            raise TemplateError(f"The YAML tag {node.tag} is unknown.", self._file, node.start_mark.line + 1)
        return self._plain(node, path)

    def _intrinsic(self, node: yaml.Node, function: str, path: KeyPath) -> Any:
        value = self._text(node) if isinstance(node, yaml.ScalarNode) else self._plain(node, path)
        if function == "Fn::GetAtt" and isinstance(value, str):
            name, _, attribute = value.partition(".")
            return [name, attribute]
        return value

    def _plain(self, node: yaml.Node, path: KeyPath) -> Any:
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            items = []
            for index, child in enumerate(node.value):
                self._lines.setdefault((*path, index), child.start_mark.line + 1)
                items.append(self.build(child, (*path, index)))
            return items
        return _scalar(node)

    def _mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, Any]:
        result: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if key_node.tag == "tag:yaml.org,2002:merge":
                sources = value_node.value if isinstance(value_node, yaml.SequenceNode) else [value_node]
                for source in sources:
                    merged = {**self._plain(source, path), **merged}
                continue
            key = self._text(key_node)
            if key in result:
                raise TemplateError(f'The key "{key}" stands twice in the same mapping.', self._file, line)
            self._lines[(*path, key)] = line
            result[key] = self.build(value_node, (*path, key))
        return {**merged, **result} if merged else result

    def _text(self, node: yaml.Node) -> str:
        if not isinstance(node, yaml.ScalarNode):
            raise TemplateError("A key must be text.", self._file, node.start_mark.line + 1)
        return str(node.value)


def _scalar(node: yaml.Node) -> Any:
    text = str(node.value)
    match node.tag:
        case "tag:yaml.org,2002:null":
            return None
        case "tag:yaml.org,2002:bool":
            return text.lower() == "true"
        case "tag:yaml.org,2002:int":
            return _integer(text.replace("_", ""))
        case "tag:yaml.org,2002:float":
            return _number(text.replace("_", "").lower())
    return text


def _integer(text: str) -> int:
    sign, digits = (-1, text[1:]) if text[0] == "-" else (1, text.removeprefix("+"))
    base = {"0b": 2, "0o": 8, "0x": 16}.get(digits[:2].lower())
    return sign * (int(digits[2:], base) if base else int(digits, 10))


def _number(text: str) -> float | int | None:
    if text.endswith((".inf", ".nan")):
        return None  # JSON has no such numbers; the framework writes null.
    value = float(text)
    return int(value) if value.is_integer() and abs(value) < 2**53 else value
