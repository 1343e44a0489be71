"""CloudWatch Logs' data: groups of streams of events, appended beside the request path, kept across restarts.

One decision to know: an event's id is the number that orders it (time, then place in the group's files). It is what
pages continue from, so a page token is valid after a restart, and two pages never overlap.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol


class LogEvent(NamedTuple):
    timestamp_ms: int
    message: str  # Without the line's end.


@dataclass(frozen=True, slots=True)
class StoredEvent:
    id: int  # Orders the events of a group: by time, then by arrival.
    stream: str
    timestamp_ms: int
    ingestion_ms: int
    message: str


@dataclass(frozen=True, slots=True)
class GroupInfo:
    name: str
    created_ms: int


@dataclass(frozen=True, slots=True)
class StreamInfo:
    name: str
    created_ms: int
    first_ms: int | None  # None: no event yet.
    last_ms: int | None
    last_ingestion_ms: int | None
    stored_bytes: int


@dataclass(frozen=True, slots=True)
class LogQuery:
    """Which events of a group; `cursor` is exclusive in the direction of reading."""

    streams: frozenset[str] | None = None  # None: all.
    start_ms: int | None = None
    end_ms: int | None = None  # Exclusive.
    cursor: int | None = None  # An event id.
    newest_first: bool = False
    limit: int = 10_000
    matches: Callable[[str], bool] | None = None


@dataclass(frozen=True, slots=True)
class LogPage:
    events: list[StoredEvent]  # In the order of reading.
    has_more: bool


Follower = Callable[[str, str, str, Sequence[LogEvent]], None]
"""(region, group, stream, events); called where `append` was called, so it must neither block nor raise."""


class LogSink(Protocol):
    """What the engine and the gateway may do with logs. Never blocks and never raises: past its limit it drops
    the oldest of the group's unwritten events and says so in the log."""

    def append(self, region: str, group: str, stream: str, events: Sequence[LogEvent]) -> None: ...


class LogStore(LogSink, Protocol):
    """What the CloudWatch Logs service does with them. Reading sees every event that was appended before."""

    def groups(self, region: str) -> list[GroupInfo]:
        """By name."""
        ...

    def has_group(self, region: str, group: str) -> bool: ...

    def retention_ms(self, region: str, group: str) -> int | None: ...

    def retain(self, region: str, group: str, keep_ms: int | None) -> None:
        """Events older than this are hidden at once and their files removed. None: kept for ever. Not remembered
        over a restart: the group's document is the truth. Makes the group where there is none."""
        ...

    async def create_group(self, region: str, group: str) -> bool:
        """False when it is there already."""
        ...

    async def delete_group(self, region: str, group: str) -> bool: ...

    async def create_stream(self, region: str, group: str, stream: str) -> bool: ...

    async def delete_stream(self, region: str, group: str, stream: str) -> bool: ...

    async def streams(self, region: str, group: str) -> list[StreamInfo]:
        """By name."""
        ...

    async def stored_bytes(self, region: str, group: str) -> int: ...

    async def put(self, region: str, group: str, stream: str, events: Sequence[LogEvent]) -> None:
        """As `append`, but on disk when it returns."""
        ...

    async def read(self, region: str, group: str, query: LogQuery) -> LogPage: ...

    def follow(self, follower: Follower) -> Callable[[], None]:
        """Calls it with whatever is appended from now on. Returns what ends it."""
        ...
