"""What a built-in plugin may do: change the service after it was loaded, build its code, change the template."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from freehold.templates.serverless.compile.compilation import Compilation
from freehold.templates.serverless.service import Function, Service


def _same(service: Service) -> Service:
    return service


def _nothing(compilation: Compilation) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Plugin:
    """`build` makes a folder with what the function's zip file shall hold besides, or instead of, its own files."""

    prepare: Callable[[Service], Service] = _same
    after_compile: Callable[[Compilation], None] = _nothing
    build: Callable[[Service, Function, Path], Built | None] | None = None
    provides: Callable[[Function], bool] | None = None  # The handler's file is made by `build`.


@dataclass(frozen=True, slots=True)
class Built:
    """Files for a function's zip. `replaces`: the service's own files are left out (a bundler made all of it)."""

    folder: Path
    replaces: bool
    extra: tuple[str, ...] = ()  # Files of the service that are packed all the same.
