"""The seam to the database: ordered rows of bytes, changed by decisions that are pure functions.

One decision to know: a write names the rows that it looks at and brings a function from those rows to the changes.
So conditions are evaluated where no other write can come between, and nothing above knows how a backend locks.
A backend may run the decisions of many writes in one transaction; each sees what those before it changed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from freehold.aws.errors import AwsError
from freehold.tables.keys import Range

Result = TypeVar("Result")
Document = dict[str, Any]


class StorageBusy(AwsError):
    """More writes wait than the storage's limit; this one was not accepted. SDKs try again."""

    def __init__(self, problem: str) -> None:
        super().__init__("ThrottlingException", f"Rate of requests exceeds what the disk can take: {problem}.")


class StorageFailed(AwsError):
    """The database refused, or cannot be read (a full disk, a damaged file); nothing of a write is there."""

    def __init__(self, problem: str) -> None:
        super().__init__("InternalServerError", problem, status=500)


@dataclass(frozen=True, slots=True)
class Row:
    key: bytes
    body: bytes  # The item, as JSON.
    size_bytes: int  # As DynamoDB counts it.


@dataclass(frozen=True, slots=True)
class RowChange:
    """What becomes of one row, and of the index entries that lead to it."""

    space: int  # Of the table, for its tally.
    key: bytes
    body: bytes | None  # None: the row goes.
    size_bytes: int
    size_before: int | None  # None: there was no row.
    entries: tuple[tuple[int, bytes], ...] = ()  # (index's space, key) that lead to the row from now on.
    lost_entries: tuple[tuple[int, bytes], ...] = ()  # That no longer do.
    kept_spaces: tuple[int, ...] = ()  # Of the entries that lead to it before and after, for their tallies.


@dataclass(frozen=True, slots=True)
class StreamRecord:
    stream: int
    created_ms: int
    body: bytes  # JSON without its sequence number, which the storage gives.


@dataclass(frozen=True, slots=True)
class Changes:
    """All or nothing."""

    rows: Sequence[RowChange] = ()
    records: Sequence[StreamRecord] = ()
    documents: Sequence[tuple[str, Document | None]] = ()  # (key, None: deleted).


@dataclass(frozen=True, slots=True)
class Tally:
    rows: int = 0
    size_bytes: int = 0


@dataclass(frozen=True, slots=True)
class StoredRecord:
    sequence: int  # Grows with every record of the storage.
    created_ms: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Page:
    """A run of rows in the order of the range that was read; `keys` are that range's: an index's, or the rows' own."""

    keys: list[bytes] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    is_last: bool = True  # Nothing more in the range.


Decide = Callable[[Sequence[Row | None]], tuple[Changes, Result]]
"""Rows in the order of the keys asked for -> what to change and what to tell the caller. May raise AwsError: then
nothing is changed. Must not block nor keep what it was given."""


class Snapshot(Protocol):
    """Everything as it was at one moment, whatever is written meanwhile."""

    async def read_range(self, span: Range, limit: int) -> Page:
        """Rows only."""
        ...

    async def read_records_back(self, stream: int, before: int | None, limit: int) -> list[StoredRecord]:
        """The newest first, those with a sequence below `before`."""
        ...


class TableStorage(Protocol):
    async def read(self, keys: Sequence[bytes]) -> list[Row | None]:
        """What was acknowledged before the call is seen. Reads raise StorageFailed."""
        ...

    async def read_range(self, span: Range, limit: int, *, descending: bool = False, index: bool = False) -> Page:
        """At most `limit` rows. `index`: `span` is of entries, the rows are those that they lead to."""
        ...

    async def write(self, keys: Sequence[bytes], decide: Decide[Result]) -> Result:
        """On disk when it returns. Raises what `decide` raised, StorageBusy, StorageFailed."""
        ...

    async def documents(self, prefix: str, after: str = "", limit: int | None = None) -> dict[str, Document]:
        """By key: what is not an item (tables' descriptions, tokens), in the order of the keys; those behind `after`,
        at most `limit`."""
        ...

    async def tally(self, space: int) -> Tally:
        """How many rows or entries a space has; in one of entries, the size of the rows they lead to."""
        ...

    async def read_records(self, stream: int, after: int, limit: int) -> list[StoredRecord]:
        """In order, those with a sequence above `after`."""
        ...

    async def record_bounds(self, stream: int) -> tuple[int, int]:
        """The first and the last sequence that the stream still has; (0, 0) when it has none."""
        ...

    async def trim_records(self, stream: int, before_ms: int, limit: int) -> int:
        """Deletes at most `limit` of the stream's records, the oldest, that were created before; how many."""
        ...

    async def clear(self, space: int, limit: int) -> bool:
        """Deletes at most `limit` rows, entries and records of the space or stream. True: nothing is left of it."""
        ...

    def snapshot(self) -> AbstractAsyncContextManager[Snapshot]:
        """What was acknowledged before it was entered; to be left soon, since what it sees is kept for it."""
        ...

    async def close(self) -> None:
        """Waits for what was accepted to be on disk."""
        ...
