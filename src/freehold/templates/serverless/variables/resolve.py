"""Finds the value of every variable of a document, in place.

One decision to know: strings are evaluated one after the other and each result is stored at once, so a string that is
asked for while it is being evaluated is a circle, and no order of the file matters. What a source brings may hold
variables again (a file, a parameter): they are evaluated where they now stand.
"""

from __future__ import annotations

import copy
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from freehold.aws.call import Json
from freehold.templates.errors import TemplateError
from freehold.templates.serverless.documents import Document, KeyPath
from freehold.templates.serverless.variables.syntax import (
    Literal,
    Source,
    Text,
    Variable,
    VariableSyntaxError,
    parse,
)

# Serverless Framework: deeper than this, a value that holds variables that hold variables is taken for a circle.
_DEEPEST_NESTING = 10


class Lookup(Protocol):
    """How `ssm:`, `cf:`, `s3:` and `aws:accountId` reach an AWS API: the CLI passes one that calls our own endpoint.

    Answers as botocore's client would, raises AwsError.
    """

    def __call__(self, service: str, operation: str, request: Json, region: str) -> Awaitable[Json]: ...


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What sources may look at besides the document."""

    directory: Path
    options: Mapping[str, str]  # Of the command line, by their long names: {"stage": "prod"}.
    environ: Mapping[str, str]
    lookup: Lookup | None
    instance_id: str


class MissingSource(Exception):
    """Raised by a source for a mistake; its text is a sentence."""


@dataclass(frozen=True, slots=True)
class Request:
    """One use of a source, with its parameters and address resolved."""

    params: tuple[Any, ...]
    address: str | None
    surroundings: Surroundings
    resolver: Resolver


SourceFunction = Callable[[Request], Awaitable[Any]]  # None: no value, the next source is asked.


class Resolver:
    def __init__(self, document: Document, sources: Mapping[str, SourceFunction], surroundings: Surroundings) -> None:
        self.document = document
        self.root: Json = {"": copy.deepcopy(document.value)}  # A box, so that the whole document has a place too.
        self._sources = sources
        self._surroundings = surroundings
        self._active: list[KeyPath] = []
        self._nesting: dict[KeyPath, int] = {}

    @property
    def value(self) -> Any:
        return self.root[""]

    async def resolve(self, path: KeyPath = ()) -> Any:
        """The value at `path` with every variable in it replaced; None when nothing is there."""
        container: Any = self.root
        key: str | int = ""
        walked: KeyPath = ()
        for step in path:
            value = await self._settle(container, key, walked)
            if isinstance(value, list):
                if not str(step).isdigit() or int(step) >= len(value):
                    return None
                step = int(step)
            elif not isinstance(value, dict) or step not in value:
                return None
            container, key, walked = value, step, (*walked, step)
        await self._settle(container, key, walked)
        await self._deepen(container[key], walked)
        return container[key]

    async def evaluate(self, text: str) -> Any:
        """A string from outside of the document, as if it stood where the resolver is now."""
        return await self._string(text, 0)

    def wrong(self, problem: str) -> TemplateError:
        """A mistake at the string that is being evaluated now."""
        path = self._active[-1] if self._active else ()
        where = f' for "{".".join(map(str, path))}"' if path else ""
        return TemplateError(f"Cannot resolve the variable{where}: {problem}", self.document.file, self.line(path))

    def line(self, path: KeyPath) -> int | None:
        return self.document.line(path)

    async def _settle(self, container: Any, key: str | int, path: KeyPath) -> Any:
        """What stands at container[key], itself no longer a variable; things inside of it may still hold some."""
        value = container[key]
        if not isinstance(value, str) or "${" not in value:
            return value
        if path in self._nesting and path not in self._active and self._nesting[path] < 0:
            return value
        if path in self._active:
            names = " -> ".join(".".join(map(str, each)) for each in [*self._active[self._active.index(path) :], path])
            raise self.wrong(f"it refers to itself ({names}).")
        nesting = max((self._nesting.get(path[:length], 0) for length in range(len(path) + 1)), default=0) + 1
        if nesting > _DEEPEST_NESTING:
            raise self.wrong(f"variables that hold variables more than {_DEEPEST_NESTING} times.")
        self._active.append(path)
        try:
            result = await self._string(value, nesting)
        finally:
            self._active.pop()
        container[key] = copy.deepcopy(result)
        # A finished string may look like a variable (it was escaped): it is not read again.
        self._nesting[path] = -1 if isinstance(result, str) else nesting
        return container[key]

    async def _deepen(self, value: Any, path: KeyPath) -> None:
        keys: list[str | int] = []
        if isinstance(value, dict):
            keys = list(value)
        elif isinstance(value, list):
            keys = list(range(len(value)))
        for key in keys:
            child = await self._settle(value, key, (*path, key))
            if isinstance(child, dict | list):
                await self._deepen(child, (*path, key))

    async def _string(self, raw: str, nesting: int) -> Any:
        try:
            text = parse(raw)
        except VariableSyntaxError as error:
            raise self.wrong(str(error)) from None
        if text is None:
            return raw
        return await self._text(text, nesting)

    async def _text(self, text: Text, nesting: int) -> Any:
        if nesting > _DEEPEST_NESTING:
            raise self.wrong(f"variables that hold variables more than {_DEEPEST_NESTING} times.")
        if len(text.parts) == 1 and isinstance(text.parts[0], Variable):
            return await self._variable(text.parts[0], nesting)
        joined = []
        for part in text.parts:
            if isinstance(part, str):
                joined.append(part)
                continue
            value = await self._variable(part, nesting)
            if value is None or isinstance(value, dict | list):
                kind = "nothing" if value is None else "a list" if isinstance(value, list) else "a mapping"
                raise self.wrong(f"{part.raw} is {kind}, but it stands inside of a text.")
            joined.append(text_of(value))
        return "".join(joined)

    async def _variable(self, variable: Variable, nesting: int) -> Any:
        for source in variable.sources:
            if isinstance(source, Literal):
                return source.value
            value = await self._source(source, variable, nesting)
            if isinstance(value, str):
                value = await self._string(value, nesting + 1)
            if value is not None:
                return value
        asked = " nor ".join(source.raw for source in variable.sources if isinstance(source, Source))
        raise self.wrong(f"{variable.raw} has no value ({asked} is not there), and no default is given.")

    async def _source(self, source: Source, variable: Variable, nesting: int) -> Any:
        function = self._sources.get(source.type)
        if function is None:
            raise self.wrong(f'the variable source "{source.type}" in {variable.raw} is unknown.')
        params = [await self._operand(param, nesting) for param in source.params or ()]
        address = await self._operand(source.address, nesting) if source.address is not None else None
        if address is not None and not isinstance(address, str):
            address = text_of(address)
        request = Request(tuple(params), address or None, self._surroundings, self)
        try:
            return await function(request)
        except MissingSource as error:
            raise self.wrong(f"{variable.raw}: {error}") from None

    async def _operand(self, operand: Literal | Text, nesting: int) -> Any:
        if isinstance(operand, Literal):
            return operand.value
        return await self._text(operand, nesting + 1)


def text_of(value: Any) -> str:
    """A scalar as JavaScript writes it in a string."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
