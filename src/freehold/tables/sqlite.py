"""TableStorage on SQLite: one transaction at a time for all writes that wait, synced in a thread of its own.

One decision to know: decisions and their statements run on the event loop's thread and only COMMIT, which waits for
the disk, runs in the committing thread. Statements take some 10 µs each from the page cache; handing each of them to
another thread would cost more in switches than they do. Writes that arrive while a commit is being synced make the
next transaction together, so a burst of them pays for one fsync.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import sqlite3
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from freehold.tables.keys import Range, all_with, space_prefix
from freehold.tables.storage import (
    Changes,
    Decide,
    Document,
    Page,
    Result,
    Row,
    RowChange,
    StorageBusy,
    StorageFailed,
    StoredRecord,
    Tally,
)

SCHEMA_VERSION = 2
MAX_WAITING = 10_000  # Writes that wait for their transaction; past it they are refused.
_MAX_GROUP = 256  # Writes in one transaction: they run between two turns of the event loop.
_CACHE_KIB = 32 * 1024  # Of each of the two connections.
_LARGEST_LOG_BYTES = 64 * 1024 * 1024  # What the write-ahead log keeps of the disk when a long snapshot made it grow.
_LAST = (1 << 63) - 1
_SCHEMA = """
CREATE TABLE row (id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, size INTEGER NOT NULL, body BLOB NOT NULL);
CREATE TABLE entry (key BLOB PRIMARY KEY, row INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE record (
    stream INTEGER NOT NULL, sequence INTEGER NOT NULL, created INTEGER NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (stream, sequence)
) WITHOUT ROWID;
CREATE TABLE document (key TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE tally (space INTEGER PRIMARY KEY, rows INTEGER NOT NULL, size INTEGER NOT NULL);
CREATE TABLE counter (sequence INTEGER NOT NULL);
INSERT INTO counter VALUES (0);
"""
# What brings data of the version before to this one.
_UPGRADES = {1: "DROP INDEX record_age;"}
_READ = "SELECT key, body, size FROM row WHERE key = ?"
_UPSERT = (
    "INSERT INTO row (key, size, body) VALUES (?, ?, ?) "
    "ON CONFLICT (key) DO UPDATE SET size = excluded.size, body = excluded.body"
)
_ENTER = "INSERT OR IGNORE INTO entry SELECT ?, id FROM row WHERE key = ?"
_RANGES = {
    (index, descending): (
        "SELECT entry.key, row.key, row.body, row.size FROM entry CROSS JOIN row ON row.id = entry.row "
        "WHERE entry.key >= ? AND entry.key < ? ORDER BY entry.key"
        if index
        else "SELECT key, key, body, size FROM row WHERE key >= ? AND key < ? ORDER BY key"
    )
    + (" DESC" if descending else "")
    + " LIMIT ?"
    for index in (False, True)
    for descending in (False, True)
}


_log = logging.getLogger(__name__)


class NewerTables(Exception):
    """tables.db was written by a newer Freehold; this one would damage it."""


@dataclass(slots=True)
class _Write:
    keys: Sequence[bytes]
    decide: Callable[[Sequence[Row | None]], tuple[Changes, Any]]
    done: asyncio.Future[Any]
    result: Any = None
    error: Exception | None = None


class SqliteTables:
    """Meets TableStorage. Make it on the event loop that uses it; `close` when done."""

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._file = file
        self._reader = _connect(file)
        _prepare(self._reader, file)
        self._writer = _connect(file)
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[_Write] = deque()
        self._is_scheduled = False  # A group is about to begin, or is being committed.
        self._is_closing = False
        self._idle = asyncio.Event()
        self._idle.set()
        self._last_created_ms = 0  # Records are in the order of their time too, also when two requests overtook.
        (self._sequence,) = self._reader.execute("SELECT sequence FROM counter").fetchone()
        self._commits: queue.SimpleQueue[list[_Write] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._commit_forever, name="tables-commit", daemon=True)
        self._thread.start()

    async def read(self, keys: Sequence[bytes]) -> list[Row | None]:
        try:
            if len(keys) == 1:
                return [_read(self._reader, keys[0])]
            # One snapshot: a commit may come between two statements.
            self._reader.execute("BEGIN")
            try:
                return [_read(self._reader, key) for key in keys]
            finally:
                self._reader.execute("COMMIT")
        except sqlite3.Error as error:
            raise _unreadable(error) from error

    async def read_range(self, span: Range, limit: int, *, descending: bool = False, index: bool = False) -> Page:
        return _read_range(self._reader, span, limit, descending=descending, index=index)

    async def write(self, keys: Sequence[bytes], decide: Decide[Result]) -> Result:
        if self._is_closing:
            raise StorageBusy("the tables are closed")
        if len(self._waiting) >= MAX_WAITING:
            raise StorageBusy(f"more than {MAX_WAITING} writes wait for the disk")
        write = _Write(keys, decide, self._loop.create_future())
        self._waiting.append(write)
        if not self._is_scheduled:
            self._is_scheduled = True
            self._idle.clear()
            # At the end of this turn of the loop: whoever else writes in it comes along.
            self._loop.call_soon(self._begin)
        # A caller that is cancelled cannot take back a write that may be on its way to the disk.
        await asyncio.shield(write.done)
        return write.result  # type: ignore[no-any-return]

    async def documents(self, prefix: str, after: str = "", limit: int | None = None) -> dict[str, Document]:
        rows = _fetch(
            self._reader,
            "SELECT key, body FROM document WHERE key >= ? AND key < ? AND key > ? ORDER BY key LIMIT ?",
            (prefix, prefix + "\U0010ffff", after, _LAST if limit is None else limit),
        )
        return {key: orjson.loads(body) for key, body in rows}

    async def tally(self, space: int) -> Tally:
        rows = _fetch(self._reader, "SELECT rows, size FROM tally WHERE space = ?", (space,))
        return Tally(*rows[0]) if rows else Tally()

    async def read_records(self, stream: int, after: int, limit: int) -> list[StoredRecord]:
        rows = _fetch(
            self._reader,
            "SELECT sequence, created, body FROM record WHERE stream = ? AND sequence > ? ORDER BY sequence LIMIT ?",
            (stream, after, limit),
        )
        return [StoredRecord(*row) for row in rows]

    async def record_bounds(self, stream: int) -> tuple[int, int]:
        ((first, last),) = _fetch(
            self._reader,
            "SELECT (SELECT min(sequence) FROM record WHERE stream = ?1), "
            "(SELECT max(sequence) FROM record WHERE stream = ?1)",
            (stream,),
        )
        return first or 0, last or 0

    async def trim_records(self, stream: int, before_ms: int, limit: int) -> int:
        def decide(rows: Sequence[Row | None]) -> tuple[Changes, int]:
            return Changes(), self._writer.execute(
                "DELETE FROM record WHERE stream = ?1 AND sequence IN (SELECT sequence FROM (SELECT sequence, created "
                "FROM record WHERE stream = ?1 ORDER BY sequence LIMIT ?2) WHERE created < ?3)",
                (stream, limit, before_ms),
            ).rowcount

        return await self.write((), decide)

    async def clear(self, space: int, limit: int) -> bool:
        span = all_with(space_prefix(space))

        def decide(rows: Sequence[Row | None]) -> tuple[Changes, bool]:
            left = limit
            for table in ("row", "entry"):
                left -= self._writer.execute(
                    f"DELETE FROM {table} WHERE key IN (SELECT key FROM {table} WHERE key >= ? AND key < ? LIMIT ?)",
                    (span.low, span.high, left),
                ).rowcount
            left -= self._writer.execute(
                "DELETE FROM record WHERE stream = ?1 AND sequence IN "
                "(SELECT sequence FROM record WHERE stream = ?1 LIMIT ?2)",
                (space, left),
            ).rowcount
            if left > 0:
                self._writer.execute("DELETE FROM tally WHERE space = ?", (space,))
            return Changes(), left > 0

        return await self.write((), decide)

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[_SqliteSnapshot]:
        connection = _connect(self._file)
        try:
            # SQLite takes the snapshot with the first read, not with BEGIN.
            connection.execute("BEGIN")
            connection.execute("SELECT sequence FROM counter").fetchone()
            yield _SqliteSnapshot(connection)
        finally:
            connection.close()

    async def close(self) -> None:
        self._is_closing = True
        await self._idle.wait()
        self._commits.put(None)
        await asyncio.to_thread(self._thread.join)
        self._reader.close()
        self._writer.close()

    def _begin(self) -> None:
        """Runs the decisions that wait, in order, in one transaction, and hands it to be committed."""
        group: list[_Write] = []
        tallies: dict[int, list[int]] = {}
        try:
            self._writer.execute("BEGIN IMMEDIATE")
            sequence = self._sequence
            while self._waiting and len(group) < _MAX_GROUP:
                write = self._waiting.popleft()
                group.append(write)
                try:
                    changes, write.result = write.decide([_read(self._writer, key) for key in write.keys])
                except sqlite3.Error:
                    raise
                except Exception as error:
                    # AwsError is the caller's answer; anything else is a bug that this write's caller shall see,
                    # and nobody else: a decision changes nothing before it has returned.
                    write.error = error
                    continue
                self._apply(changes, tallies)
            self._flush(tallies, sequence)
        except Exception as error:
            # Whatever it was, the transaction is taken back whole and every writer of the group is told: a group
            # that nobody answers would stop all writing for good.
            self._fail(group, error)
            return
        self._commits.put(group)

    def _apply(self, changes: Changes, tallies: dict[int, list[int]]) -> None:
        execute = self._writer.execute
        for row in changes.rows:
            _apply_row(execute, row, tallies)
        for record in changes.records:
            self._sequence += 1
            self._last_created_ms = max(self._last_created_ms, record.created_ms)
            execute(
                "INSERT INTO record VALUES (?, ?, ?, ?)",
                (record.stream, self._sequence, self._last_created_ms, record.body),
            )
        for key, document in changes.documents:
            if document is None:
                execute("DELETE FROM document WHERE key = ?", (key,))
            else:
                execute("INSERT OR REPLACE INTO document VALUES (?, ?)", (key, orjson.dumps(document)))

    def _flush(self, tallies: dict[int, list[int]], sequence: int) -> None:
        self._writer.executemany(
            "INSERT INTO tally VALUES (?, ?, ?) "
            "ON CONFLICT (space) DO UPDATE SET rows = rows + excluded.rows, size = size + excluded.size",
            [(space, rows, size) for space, (rows, size) in tallies.items() if rows or size],
        )
        if self._sequence != sequence:
            self._writer.execute("UPDATE counter SET sequence = ?", (self._sequence,))

    def _commit_forever(self) -> None:
        while (group := self._commits.get()) is not None:
            error: sqlite3.Error | None = None
            try:
                self._writer.execute("COMMIT")
            except sqlite3.Error as failure:
                error = failure
            self._loop.call_soon_threadsafe(self._committed, group, error)

    def _committed(self, group: list[_Write], error: sqlite3.Error | None) -> None:
        if error is not None:
            self._fail(group, error)
            return
        for write in group:
            if write.done.done():
                continue
            if write.error is None:
                write.done.set_result(None)
            else:
                write.done.set_exception(write.error)
        self._next()

    def _fail(self, group: list[_Write], error: Exception) -> None:
        """Nobody of the group was acknowledged, and each is told."""
        if self._writer.in_transaction:
            self._writer.execute("ROLLBACK")
        for write in group:
            if not write.done.done():
                write.done.set_exception(write.error or StorageFailed(f"Nothing was written: tables.db: {error}."))
        self._next()

    def _next(self) -> None:
        if self._waiting:
            self._loop.call_soon(self._begin)
        else:
            self._is_scheduled = False
            self._idle.set()


class _SqliteSnapshot:
    """A read transaction on a connection of its own."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    async def read_range(self, span: Range, limit: int) -> Page:
        return _read_range(self._connection, span, limit, descending=False, index=False)

    async def read_records_back(self, stream: int, before: int | None, limit: int) -> list[StoredRecord]:
        rows = _fetch(
            self._connection,
            "SELECT sequence, created, body FROM record WHERE stream = ? AND sequence < ? "
            "ORDER BY sequence DESC LIMIT ?",
            (stream, _LAST if before is None else before, limit),
        )
        return [StoredRecord(*row) for row in rows]


def _connect(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False, timeout=10, cached_statements=256)
    # The first thing: nothing of a newer version's file is changed.
    _check_version(connection, file)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    connection.execute(f"PRAGMA journal_size_limit = {_LARGEST_LOG_BYTES}")
    return connection


def _check_version(connection: sqlite3.Connection, file: Path) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > SCHEMA_VERSION:
        raise NewerTables(
            f"{file} was written by a newer Freehold (data version {version}, this one knows {SCHEMA_VERSION}). "
            "Update Freehold, or choose another --data-dir."
        )
    return version


def _prepare(connection: sqlite3.Connection, file: Path) -> None:
    version = _check_version(connection, file)
    if version != SCHEMA_VERSION:
        changes = _UPGRADES[version] if version else _SCHEMA
        connection.executescript(f"BEGIN;{changes}PRAGMA user_version = {SCHEMA_VERSION};COMMIT;")


def _read_range(connection: sqlite3.Connection, span: Range, limit: int, *, descending: bool, index: bool) -> Page:
    if span.is_empty:
        return Page()
    found = _fetch(connection, _RANGES[index, descending], (span.low, span.high, limit))
    return Page([row[0] for row in found], [Row(row[1], row[2], row[3]) for row in found], is_last=len(found) < limit)


def _fetch(connection: sqlite3.Connection, statement: str, values: tuple[Any, ...]) -> list[Any]:
    try:
        return connection.execute(statement, values).fetchall()
    except sqlite3.Error as error:
        raise _unreadable(error) from error


def _unreadable(error: sqlite3.Error) -> StorageFailed:
    """Told to who asked and to who runs the server: a damaged file is a case for a backup."""
    _log.error("tables.db cannot be read: %s", error)
    return StorageFailed(f"tables.db cannot be read: {error}.")


def _read(connection: sqlite3.Connection, key: bytes) -> Row | None:
    found = connection.execute(_READ, (key,)).fetchone()
    return Row(*found) if found else None


def _apply_row(execute: Callable[..., Any], row: RowChange, tallies: dict[int, list[int]]) -> None:
    # An entry leads to its row by number, so entries go before their row and come after it.
    for space, key in row.lost_entries:
        if execute("DELETE FROM entry WHERE key = ?", (key,)).rowcount:
            _count(tallies, space, -1, -(row.size_before or 0))
    if row.body is None:
        execute("DELETE FROM row WHERE key = ?", (row.key,))
        if row.size_before is not None:
            _count(tallies, row.space, -1, -row.size_before)
        return
    execute(_UPSERT, (row.key, row.size_bytes, row.body))
    growth = row.size_bytes - (row.size_before or 0)
    _count(tallies, row.space, 0 if row.size_before is not None else 1, growth)
    for space in row.kept_spaces:
        _count(tallies, space, 0, growth)
    for space, key in row.entries:
        if execute(_ENTER, (key, row.key)).rowcount:
            _count(tallies, space, 1, row.size_bytes)


def _count(tallies: dict[int, list[int]], space: int, rows: int, size: int) -> None:
    tally = tallies.setdefault(space, [0, 0])
    tally[0] += rows
    tally[1] += size
