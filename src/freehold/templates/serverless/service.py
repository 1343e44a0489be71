"""A service as serverless.yml describes it, with every variable replaced: what the compiler and the packager read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from freehold.aws.call import Json
from freehold.templates.errors import TemplateError
from freehold.templates.serverless import names
from freehold.templates.serverless.documents import Document, KeyPath

DEFAULT_RUNTIME = "nodejs24.x"
DEFAULT_MEMORY_MB = 1024  # The framework's, not Lambda's (128).
DEFAULT_TIMEOUT_S = 6  # The framework's, not Lambda's (3).


@dataclass(frozen=True, slots=True)
class Event:
    """What calls a function: the kind ("httpApi", "schedule", ...) and its settings as written."""

    kind: str
    settings: Any
    position: int  # Among the function's events, from 0.


@dataclass(frozen=True, slots=True)
class Function:
    """One entry of `functions`. What has a default here is that of the provider, else the framework's."""

    key: str
    name: str  # The FunctionName.
    handler: str | None  # None for a function that is an image.
    runtime: str
    memory_mb: int
    timeout_s: int
    events: tuple[Event, ...]
    environment: Mapping[str, Any]
    settings: Json  # The entry itself.

    @property
    def logical_id(self) -> str:
        return names.lambda_function(self.key)

    def of_kind(self, kind: str) -> list[Event]:
        """Events of one kind. An empty one (`- http:`) counts for nothing, as in the framework."""
        return [event for event in self.events if event.kind == kind and event.settings]


@dataclass(frozen=True, slots=True)
class Layer:
    key: str
    settings: Json

    @property
    def logical_id(self) -> str:
        return names.lambda_layer(self.key)


@dataclass(frozen=True, slots=True)
class Service:
    name: str
    stage: str
    region: str
    stack_name: str
    directory: Path
    file: Path
    configuration: Json  # The whole document, resolved.
    functions: Mapping[str, Function]
    layers: Mapping[str, Layer]
    prune: int | None  # How many versions of a function stay (custom.prune, when automatic).
    environ: Mapping[str, str]  # With what `useDotenv` added: build tools get it.
    warnings: tuple[str, ...] = ()
    document: Document = field(default_factory=lambda: Document(Path(), None))  # Knows the lines.

    @property
    def provider(self) -> Json:
        provider: Json = self.configuration["provider"]
        return provider

    @property
    def custom(self) -> Json:
        return self.configuration.get("custom") or {}

    @property
    def package(self) -> Json:
        return self.configuration.get("package") or {}

    @property
    def plugins(self) -> tuple[str, ...]:
        plugins = self.configuration.get("plugins") or []
        return tuple(plugins.get("modules") or []) if isinstance(plugins, dict) else tuple(plugins)

    def wrong(self, message: str, *path: str | int) -> TemplateError:
        """A mistake at a place of the document."""
        where: KeyPath = path
        return TemplateError(message, self.file, self.document.line(where) if where else None)
