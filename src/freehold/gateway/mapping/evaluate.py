"""Runs a parsed template: variables in, text out. Bounded in steps and in size: a template is its author's code.

Two decisions to know. A reference without a value is written as nothing (BLANK_WHERE_NULL: API Gateway's own examples
rely on it, where plain Velocity writes the reference's text). And a condition holds for everything but null and false
(Velocity 1.7, "Conditionals").
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from freehold.gateway.mapping.methods import (
    MOST_CHARACTERS,
    TemplateFailure,
    call,
    java_text,
    limited,
    read_index,
    read_property,
)
from freehold.gateway.mapping.parser import (
    ForEach,
    If,
    Index,
    Interpolated,
    Leave,
    ListOf,
    Literal,
    MapOf,
    Method,
    Node,
    Not,
    Operation,
    Property,
    RangeOf,
    Reference,
    Set,
    Text,
)

BLANK_WHERE_NULL = True
_MOST_STEPS = 200_000
_MOST_LOOPS = 1000
"""API Gateway quotas: "Iterations in a #foreach loop" of a mapping template."""
_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}


class _Left(Exception):
    def __init__(self, everything: bool) -> None:
        self.everything = everything


class Evaluation:
    """One rendering. `variables` are changed by `#set`."""

    def __init__(self, variables: dict[str, Any]) -> None:
        self._variables = variables
        self._steps = 0
        self._characters = 0

    def render(self, nodes: Iterable[Node]) -> str:
        """Raises TemplateFailure."""
        written: list[str] = []
        try:
            self._run(nodes, written)
        except _Left:
            pass  # What was written so far is the answer.
        except RecursionError:
            raise TemplateFailure("the template is nested too deeply") from None
        return "".join(written)

    def _run(self, nodes: Iterable[Node], written: list[str]) -> None:
        for node in nodes:
            self._count()
            if isinstance(node, Text):
                self._write(node.text, written)
                continue
            if isinstance(node, Reference):
                self._write_value(self._value(node), written)
                continue
            match node:
                case Set(target, value):
                    self._assign(target, self._value(value))
                case If(branches, otherwise):
                    for condition, body in branches:
                        if self._holds(condition):
                            self._run(body, written)
                            break
                    else:
                        self._run(otherwise, written)
                case ForEach():
                    self._loop(node, written)
                case Leave(everything):
                    raise _Left(everything)
                case _:
                    self._write_value(self._value(node), written)

    def _write_value(self, value: Any, written: list[str]) -> None:
        self._write("" if value is None and BLANK_WHERE_NULL else java_text(value), written)

    def _write(self, text: str, written: list[str]) -> None:
        self._characters += len(text)
        if self._characters > MOST_CHARACTERS:
            raise TemplateFailure("the template writes more than 10 MB")
        written.append(text)

    def _count(self) -> None:
        self._steps += 1
        if self._steps > _MOST_STEPS:
            raise TemplateFailure("the template takes too long")

    def _loop(self, node: ForEach, written: list[str]) -> None:
        items = self._value(node.items)
        if isinstance(items, dict):
            items = list(items.values())
        if not isinstance(items, list | tuple):
            return
        kept = {name: self._variables.get(name) for name in (node.name, "foreach", "velocityCount")}
        try:
            for number, item in enumerate(items[:_MOST_LOOPS]):
                self._variables[node.name] = item
                self._variables["velocityCount"] = number + 1
                self._variables["foreach"] = {
                    "index": number,
                    "count": number + 1,
                    "hasNext": number + 1 < len(items),
                    "first": number == 0,
                    "last": number + 1 == len(items),
                    "parent": kept["foreach"],
                }
                try:
                    self._run(node.body, written)
                except _Left as left:
                    if left.everything:
                        raise
                    break
        finally:
            self._variables.update(kept)

    def _assign(self, target: Reference, value: Any) -> None:
        if not target.steps:
            self._variables[target.name] = value
            return
        holder = self._variables.get(target.name)
        for step in target.steps[:-1]:
            holder = self._step(holder, step)
        last = target.steps[-1]
        if isinstance(last, Property) and isinstance(holder, dict):
            holder[last.name] = value
        elif isinstance(last, Index) and isinstance(holder, dict | list):
            index = self._value(last.index)
            try:
                holder[index] = value
            except (IndexError, TypeError):
                raise TemplateFailure(f"there is no element {index} to set") from None

    def _holds(self, node: Node) -> bool:
        value = self._value(node)
        return value is not None and value is not False

    def _value(self, node: Node) -> Any:
        self._count()
        match node:
            case Literal(value):
                return value
            case Reference(name, steps):
                value = self._variables.get(name)
                for step in steps:
                    value = self._step(value, step)
                return value
            case Interpolated(parts):
                written: list[str] = []
                self._run(parts, written)
                return "".join(written)
            case ListOf(items):
                return [self._value(item) for item in items]
            case RangeOf(first, last):
                return _range(self._value(first), self._value(last))
            case MapOf(entries):
                return {self._value(key): self._value(value) for key, value in entries}
            case Not(operand):
                return not self._holds(operand)
            case Operation():
                return self._operate(node)
        raise AssertionError(node)

    def _step(self, value: Any, step: Property | Method | Index) -> Any:
        if value is None:
            return None
        match step:
            case Property(name):
                return read_property(value, name)
            case Method(name, arguments):
                return call(value, name, [self._value(each) for each in arguments])
            case Index(index):
                return read_index(value, self._value(index))

    def _operate(self, node: Operation) -> Any:
        match node.operator:
            case "&&":
                return self._holds(node.left) and self._holds(node.right)
            case "||":
                return self._holds(node.left) or self._holds(node.right)
        left, right = self._value(node.left), self._value(node.right)
        match node.operator:
            case "==":
                return is_equal(left, right)
            case "!=":
                return not is_equal(left, right)
            case "<" | ">" | "<=" | ">=":
                if is_number(left) and is_number(right):
                    return _COMPARE[node.operator](left, right)
                return False
        return limited(_arithmetic(node.operator, left, right))


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_equal(left: Any, right: Any) -> bool:
    """Numbers by their value, other things of different kinds by their text: Velocity, "Equivalent Operator"."""
    if left is None or right is None:
        return left is right
    if is_number(left) and is_number(right):
        return bool(left == right)
    if type(left) is type(right) and not isinstance(left, list | dict):
        return bool(left == right)
    return java_text(left) == java_text(right)


def _arithmetic(sign: str, left: Any, right: Any) -> Any:
    if sign == "+" and (isinstance(left, str) or isinstance(right, str)):
        return ("" if left is None else java_text(left)) + ("" if right is None else java_text(right))
    if not (is_number(left) and is_number(right)):
        return None
    if sign in "/%" and right == 0:
        return None
    match sign:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            product = left * right
            return product if abs(product) < 2**63 else float(product)
        case "/":
            return int(left / right) if isinstance(left, int) and isinstance(right, int) else left / right
    remainder = abs(left) % abs(right)  # The sign of the dividend, as in Java.
    return -remainder if left < 0 else remainder


def _range(first: Any, last: Any) -> list[int] | None:
    if not (isinstance(first, int) and isinstance(last, int)):
        return None
    step = 1 if first <= last else -1
    return list(range(first, last + step, step))[: _MOST_LOOPS + 1]
