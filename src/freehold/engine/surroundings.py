"""What the environments of an engine share, and who may watch one of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from freehold.clock import Clock
from freehold.engine import events
from freehold.engine.invocation import InvocationRecord
from freehold.state.logs import LogEvent, LogSink


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every environment of an engine shares."""

    clock: Clock
    logs: LogSink
    listeners: list[Callable[[InvocationRecord], None]]
    farewells: set[asyncio.Task[None]] = field(default_factory=set)  # Of environments whose extensions still end.


class Observer(Protocol):
    """Whoever is told of one environment's output and figures: its extensions, by the Telemetry API."""

    def printed(self, lines: list[LogEvent]) -> None: ...

    def reported(self, report: events.Report) -> None: ...
