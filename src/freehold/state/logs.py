"""CloudWatch Logs' data: groups of streams of events, appended beside the request path, kept across restarts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class LogEvent:
    timestamp_ms: int
    message: str  # Without the line's end.


class LogSink(Protocol):
    """What the engine and the gateway may do with logs. Never blocks and never raises: past its limit it drops
    the oldest of the group's unwritten events and says so in the log."""

    def append(self, region: str, group: str, stream: str, events: Sequence[LogEvent]) -> None: ...
