"""What a parsed expression is made of. Attribute names are resolved; values are still placeholders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from freehold.aws.errors import AwsError
from freehold.tables.values import Value

Values = Mapping[str, Value]  # By placeholder, colon included.
Parts = tuple[str | int, ...]  # A document path: a name, then names and list indexes.


@dataclass(frozen=True, slots=True)
class Path:
    parts: Parts


@dataclass(frozen=True, slots=True)
class Placeholder:
    name: str  # ":v"


@dataclass(frozen=True, slots=True)
class Function:
    name: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Compare:
    operator: str  # = <> < <= > >=
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Between:
    operand: Node
    low: Node
    high: Node


@dataclass(frozen=True, slots=True)
class In:
    operand: Node
    options: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class And:
    terms: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    terms: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not:
    term: Node


@dataclass(frozen=True, slots=True)
class Arithmetic:
    operator: str  # + or -
    left: Node
    right: Node


Node = Path | Placeholder | Function | Compare | Between | In | And | Or | Not | Arithmetic


@dataclass(frozen=True, slots=True)
class Action:
    """One change of an update expression."""

    section: str  # SET, REMOVE, ADD or DELETE
    path: Parts
    operand: Node | None  # None for REMOVE.


CONDITION_FUNCTIONS = {
    "attribute_exists": 1,
    "attribute_not_exists": 1,
    "attribute_type": 2,
    "begins_with": 2,
    "contains": 2,
    "size": 1,
}
UPDATE_FUNCTIONS = {"if_not_exists": 2, "list_append": 2}


def expression_error(kind: str, message: str) -> AwsError:
    """`kind` is the request's parameter: "UpdateExpression"."""
    return AwsError("ValidationException", f"Invalid {kind}: {message}")


def show_path(parts: Parts) -> str:
    return "[" + ", ".join(f"[{part}]" if isinstance(part, int) else part for part in parts) + "]"
