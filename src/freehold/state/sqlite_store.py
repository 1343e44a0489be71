"""The Store on SQLite: one writer thread that groups commits, reads on the caller's thread.

One decision to know: writes that wait while a commit is being synced go into the next transaction together, each in
its own savepoint, so a burst of writes pays for one fsync and a refused write takes nobody with it.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from freehold.state.store import Change, Conflict, Delete, Listener, Put, Stored, Write

SCHEMA_VERSION = 1
_MAX_WAITING = 10_000  # Batches that wait for the writer; past it `write` raises StoreBusy.
_SCHEMA = """
CREATE TABLE document (
    kind TEXT NOT NULL, key TEXT NOT NULL, body BLOB NOT NULL, revision INTEGER NOT NULL,
    PRIMARY KEY (kind, key)
) WITHOUT ROWID;
CREATE TABLE revision (value INTEGER NOT NULL);
INSERT INTO revision VALUES (0);
"""


class NewerData(Exception):
    """The data directory was written by a newer Freehold; this one would damage it."""


class StoreBusy(Exception):
    """More writes wait than the store's limit."""


@dataclass(slots=True)
class _Batch:
    writes: tuple[Write, ...]
    done: asyncio.Future[int]
    changes: list[Change]
    error: Exception | None = None


class SqliteStore:
    """Meets `Store`. Make it on the event loop that uses it; `close` when done."""

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._file = file
        self._reader = _connect(file)
        _prepare(self._reader, file)
        self._loop = asyncio.get_running_loop()
        self._followers: list[tuple[frozenset[str], Listener]] = []
        self._waiting: deque[_Batch] = deque()
        self._wake = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._write_forever, name="store-writer", daemon=True)
        self._thread.start()

    async def write(self, *writes: Write) -> int:
        batch = _Batch(writes, self._loop.create_future(), [])
        with self._wake:
            if self._closing:
                raise StoreBusy("the store is closed")
            if len(self._waiting) >= _MAX_WAITING:
                raise StoreBusy(f"more than {_MAX_WAITING} writes wait for the store")
            self._waiting.append(batch)
            self._wake.notify()
        # A caller that is cancelled cannot take back a write that may be on its way to the disk.
        return await asyncio.shield(batch.done)

    async def read(self, kind: str, key: str) -> Stored | None:
        row = self._reader.execute(
            "SELECT body, revision FROM document WHERE kind = ? AND key = ?", (kind, key)
        ).fetchone()
        return Stored(key, orjson.loads(row[0]), row[1]) if row else None

    async def list_documents(
        self, kind: str, prefix: str = "", *, after: str = "", limit: int | None = None
    ) -> list[Stored]:
        rows = self._reader.execute(
            "SELECT key, body, revision FROM document"
            " WHERE kind = ? AND key >= ? AND key < ? AND key > ? ORDER BY key LIMIT ?",
            (kind, prefix, prefix + "\U0010ffff", after, -1 if limit is None else limit),
        )
        return [Stored(key, orjson.loads(body), revision) for key, body, revision in rows]

    def follow(self, kinds: Sequence[str], listener: Listener) -> Callable[[], None]:
        entry = (frozenset(kinds), listener)
        marks = ", ".join("?" * len(kinds))
        rows = self._reader.execute(
            f"SELECT kind, key, body, revision FROM document WHERE kind IN ({marks}) ORDER BY revision", tuple(kinds)
        )
        present = [Change(kind, key, orjson.loads(body), revision) for kind, key, body, revision in rows]
        if present:
            listener(present)
        self._followers.append(entry)

        def end() -> None:
            if entry in self._followers:
                self._followers.remove(entry)

        return end

    async def close(self) -> None:
        """Waits for what was accepted to be on disk."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        await asyncio.to_thread(self._thread.join)
        self._reader.close()

    def _deliver(self, batches: list[_Batch]) -> None:
        for batch in batches:
            if batch.error is None:
                for kinds, listener in list(self._followers):
                    wanted = [change for change in batch.changes if change.kind in kinds]
                    if wanted:
                        listener(wanted)
            if batch.done.done():
                continue
            if batch.error is None:
                batch.done.set_result(batch.changes[-1].revision if batch.changes else 0)
            else:
                batch.done.set_exception(batch.error)

    def _write_forever(self) -> None:
        connection = _connect(self._file)
        while True:
            with self._wake:
                while not self._waiting and not self._closing:
                    self._wake.wait()
                if not self._waiting:
                    break
                batches = list(self._waiting)
                self._waiting.clear()
            try:
                _commit(connection, batches)
            except sqlite3.Error as error:
                # A full disk, say: nobody in this group was acknowledged, and each is told.
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                for batch in batches:
                    batch.error = batch.error or error
            self._loop.call_soon_threadsafe(self._deliver, batches)
        connection.close()


def _connect(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False, timeout=10)
    # The first thing: nothing of a newer version's file is changed.
    _check_version(connection, file)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def _check_version(connection: sqlite3.Connection, file: Path) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > SCHEMA_VERSION:
        raise NewerData(
            f"{file.parent} was written by a newer Freehold (data version {version}, this one knows {SCHEMA_VERSION}). "
            "Update Freehold, or choose another --data-dir."
        )
    return version


def _prepare(connection: sqlite3.Connection, file: Path) -> None:
    if _check_version(connection, file) == 0:
        connection.executescript(f"BEGIN;{_SCHEMA}PRAGMA user_version = {SCHEMA_VERSION};COMMIT;")


def _commit(connection: sqlite3.Connection, batches: list[_Batch]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    (revision,) = connection.execute("SELECT value FROM revision").fetchone()
    for batch in batches:
        connection.execute("SAVEPOINT batch")
        try:
            revision = _apply(connection, batch, revision)
        except Conflict as conflict:
            connection.execute("ROLLBACK TO batch")
            batch.error = conflict
        connection.execute("RELEASE batch")
    connection.execute("UPDATE revision SET value = ?", (revision,))
    connection.execute("COMMIT")


def _apply(connection: sqlite3.Connection, batch: _Batch, revision: int) -> int:
    """The revision after it. Raises Conflict."""
    changes: list[Change] = []
    for write in batch.writes:
        revision += 1
        if write.if_revision is not None:
            row = connection.execute(
                "SELECT revision FROM document WHERE kind = ? AND key = ?", (write.kind, write.key)
            ).fetchone()
            if (row[0] if row else 0) != write.if_revision:
                raise Conflict(write.kind, write.key)
        if isinstance(write, Put):
            body = orjson.dumps(write.document)
            connection.execute(
                "INSERT OR REPLACE INTO document VALUES (?, ?, ?, ?)", (write.kind, write.key, body, revision)
            )
            # Followers get a copy of their own: the writer may go on changing its dict.
            changes.append(Change(write.kind, write.key, orjson.loads(body), revision))
        else:
            assert isinstance(write, Delete)
            connection.execute("DELETE FROM document WHERE kind = ? AND key = ?", (write.kind, write.key))
            changes.append(Change(write.kind, write.key, None, revision))
    batch.changes = changes
    return revision
