"""Expressions ready to run, kept by text and names: the one door that the rest of the engine uses.

One decision to know: values are given at each run, so a request that differs from the last one only in its values
parses nothing. What can be said about values before an item is read is in a program's `checks`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from freehold.aws.errors import AwsError
from freehold.tables.expressions import conditions, projections, updates
from freehold.tables.expressions.conditions import Check, Evaluate
from freehold.tables.expressions.key_conditions import KeyCondition, read_key_conditions
from freehold.tables.expressions.nodes import Node, Parts, Values, expression_error
from freehold.tables.expressions.parser import Parser
from freehold.tables.values import Item

_KEPT = 2048  # Programs of each kind.

NoNames: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Program:
    """What every kind has: the placeholders it uses, and what must hold of the values."""

    kind: str  # The parameter: "FilterExpression".
    names: frozenset[str] = frozenset()  # "#n"
    values: frozenset[str] = frozenset()  # ":v"
    checks: tuple[Check, ...] = ()

    def check(self, values: Values) -> None:
        """Raises ValidationException."""
        for name in self.values:
            if name not in values:
                raise expression_error(
                    self.kind,
                    f"An expression attribute value used in expression is not defined; attribute value: {name}",
                )
        for check in self.checks:
            check(values)


@dataclass(frozen=True, slots=True)
class Condition(Program):
    evaluate: Evaluate = field(kw_only=True)
    attributes: frozenset[str] = field(kw_only=True)  # Top-level attributes that it reads.


@dataclass(frozen=True, slots=True)
class KeyConditions(Program):
    conditions: tuple[KeyCondition, ...] = field(kw_only=True)


@dataclass(frozen=True, slots=True)
class Projection(Program):
    paths: tuple[Parts, ...] = field(kw_only=True)
    apply: Callable[[Item], Item] = field(kw_only=True)


@dataclass(frozen=True, slots=True)
class Update(Program):
    paths: tuple[Parts, ...] = field(kw_only=True)
    apply: Callable[[Item, Values], Item] = field(kw_only=True)  # The item before is left as it was.
    only_removes: bool = field(kw_only=True)  # Nothing but REMOVE and DELETE.
    touched: Callable[[Item], Item] = field(kw_only=True)  # Of an item, the parts that the update names.


def parse_condition(kind: str, text: str, names: Mapping[str, str]) -> Condition:
    """`kind`: "ConditionExpression" or "FilterExpression"."""
    return _condition(kind, text, tuple(names.items()))


def parse_key_conditions(text: str, names: Mapping[str, str]) -> KeyConditions:
    return _key_conditions(text, tuple(names.items()))


def parse_projection(text: str, names: Mapping[str, str]) -> Projection:
    return _projection(text, tuple(names.items()))


def parse_update(text: str, names: Mapping[str, str]) -> Update:
    return _update(text, tuple(names.items()))


def condition_of(kind: str, node: Node) -> Condition:
    """Of nodes made by other means than an expression: the legacy parameters."""
    return Condition(kind, evaluate=conditions.compile_condition(node), attributes=conditions.attributes_of(node))


def projection_of(kind: str, paths: tuple[Parts, ...]) -> Projection:
    tree = projections.make_tree(paths)
    return Projection(kind, paths=paths, apply=lambda item: projections.project(item, tree))


def check_placeholders(programs: list[Program], names: Mapping[str, str], values: Values) -> None:
    """Every value is fit for where it is used, and every placeholder given is used."""
    used_names: set[str] = set()
    used_values: set[str] = set()
    for program in programs:
        program.check(values)
        used_names |= program.names
        used_values |= program.values
    for what, given, used in (("Names", names, used_names), ("Values", values, used_values)):
        if len(used) < len(given):
            unused = ", ".join(name for name in given if name not in used)
            raise AwsError(
                "ValidationException",
                f"Value provided in ExpressionAttribute{what} unused in expressions: keys: {{{unused}}}",
            )


@lru_cache(maxsize=_KEPT)
def _condition(kind: str, text: str, names: tuple[tuple[str, str], ...]) -> Condition:
    parser = Parser(kind, text, dict(names))
    node = parser.condition()
    return Condition(
        kind,
        frozenset(parser.names),
        frozenset(parser.values),
        conditions.checks_of(kind, node),
        evaluate=conditions.compile_condition(node),
        attributes=conditions.attributes_of(node),
    )


@lru_cache(maxsize=_KEPT)
def _key_conditions(text: str, names: tuple[tuple[str, str], ...]) -> KeyConditions:
    kind = "KeyConditionExpression"
    parser = Parser(kind, text, dict(names))
    node = parser.condition()
    return KeyConditions(
        kind,
        frozenset(parser.names),
        frozenset(parser.values),
        conditions.checks_of(kind, node),
        conditions=read_key_conditions(node),
    )


@lru_cache(maxsize=_KEPT)
def _projection(text: str, names: tuple[tuple[str, str], ...]) -> Projection:
    kind = "ProjectionExpression"
    parser = Parser(kind, text, dict(names))
    paths = parser.projection()
    projections.check_paths(kind, paths)
    tree = projections.make_tree(paths)
    return Projection(kind, frozenset(parser.names), paths=paths, apply=lambda item: projections.project(item, tree))


@lru_cache(maxsize=_KEPT)
def _update(text: str, names: tuple[tuple[str, str], ...]) -> Update:
    kind = "UpdateExpression"
    parser = Parser(kind, text, dict(names))
    actions = parser.update()
    paths = tuple(action.path for action in actions)
    projections.check_paths(kind, paths)
    tree = projections.make_tree(paths)
    changes = updates.compile_actions(actions)
    return Update(
        kind,
        frozenset(parser.names),
        frozenset(parser.values),
        updates.checks_of(actions),
        paths=paths,
        apply=lambda before, values: updates.apply_changes(changes, before, values),
        only_removes=all(action.section in ("REMOVE", "DELETE") for action in actions),
        touched=lambda item: projections.project(item, tree),
    )
