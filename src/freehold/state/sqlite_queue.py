"""The Queue on SQLite: queue.db, one thread that groups what waits into one synced commit.

One decision to know: which messages are taken is a temporary table of the connection, so it ends with the process.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from freehold.state.queue import Message
from freehold.state.sqlite_store import NewerData

_MAX_WAITING = 10_000  # Calls that wait for the thread; past it they raise QueueBusy.
_SCHEMA_VERSION = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS message (
    id INTEGER PRIMARY KEY AUTOINCREMENT, topic TEXT NOT NULL, due_s REAL NOT NULL, body BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS message_due ON message (topic, due_s);
CREATE TEMP TABLE taken (id INTEGER PRIMARY KEY);
"""
_FREE = "topic = ? AND id NOT IN (SELECT id FROM taken)"

Answer = TypeVar("Answer")


class QueueBusy(Exception):
    """More calls wait than the queue's limit, or it is closed."""


@dataclass(slots=True)
class _Call:
    work: Callable[[sqlite3.Connection], Any]
    done: asyncio.Future[Any]
    answer: Any = None
    error: Exception | None = None


class SqliteQueue:
    """Meets `Queue`. Make it on the event loop that uses it; `close` when done. Raises NewerData."""

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._connection = _connect(file)
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[_Call] = deque()
        self._wake = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._work_forever, name="queue-writer", daemon=True)
        self._thread.start()

    async def put(self, topic: str, body: bytes, due_s: float) -> int:
        def work(connection: sqlite3.Connection) -> int:
            row = connection.execute("INSERT INTO message (topic, due_s, body) VALUES (?, ?, ?)", (topic, due_s, body))
            return int(row.lastrowid or 0)

        return await self._call(work)

    async def take(self, topic: str, now_s: float, limit: int) -> list[Message]:
        def work(connection: sqlite3.Connection) -> list[Message]:
            rows = connection.execute(
                f"SELECT id, topic, body, due_s FROM message WHERE {_FREE} AND due_s <= ? ORDER BY due_s, id LIMIT ?",
                (topic, now_s, limit),
            ).fetchall()
            connection.executemany("INSERT INTO taken VALUES (?)", [(row[0],) for row in rows])
            return [Message(*row) for row in rows]

        return await self._call(work)

    async def retry(self, message_id: int, body: bytes, due_s: float) -> None:
        def work(connection: sqlite3.Connection) -> None:
            connection.execute("UPDATE message SET body = ?, due_s = ? WHERE id = ?", (body, due_s, message_id))
            connection.execute("DELETE FROM taken WHERE id = ?", (message_id,))

        await self._call(work)

    async def ack(self, message_id: int) -> None:
        def work(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM message WHERE id = ?", (message_id,))
            connection.execute("DELETE FROM taken WHERE id = ?", (message_id,))

        await self._call(work)

    async def next_due_s(self, topic: str) -> float | None:
        def work(connection: sqlite3.Connection) -> float | None:
            (due_s,) = connection.execute(f"SELECT min(due_s) FROM message WHERE {_FREE}", (topic,)).fetchone()
            return None if due_s is None else float(due_s)

        return await self._call(work)

    async def close(self) -> None:
        """Waits for what was accepted to be on disk."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        await asyncio.to_thread(self._thread.join)
        self._connection.close()

    async def _call(self, work: Callable[[sqlite3.Connection], Answer]) -> Answer:
        call = _Call(work, self._loop.create_future())
        with self._wake:
            if self._closing or len(self._waiting) >= _MAX_WAITING:
                raise QueueBusy("the queue is closed" if self._closing else "too many calls wait for the queue")
            self._waiting.append(call)
            self._wake.notify()
        # Who is cancelled cannot take back what may be on its way to the disk.
        answer: Answer = await asyncio.shield(call.done)
        return answer

    def _work_forever(self) -> None:
        while True:
            with self._wake:
                while not self._waiting and not self._closing:
                    self._wake.wait()
                if not self._waiting:
                    return
                calls = list(self._waiting)
                self._waiting.clear()
            self._commit(calls)
            self._loop.call_soon_threadsafe(_deliver, calls)

    def _commit(self, calls: list[_Call]) -> None:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            for call in calls:
                call.answer = call.work(self._connection)
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            # A full disk, say: nobody in this group was acknowledged, and each is told.
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            for call in calls:
                call.error = error


def _deliver(calls: list[_Call]) -> None:
    for call in calls:
        if call.done.done():
            continue
        if call.error is not None:
            call.done.set_exception(call.error)
        else:
            call.done.set_result(call.answer)


def _connect(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False, timeout=10)
    try:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version > _SCHEMA_VERSION:
            raise NewerData(
                f"{file} was written by a newer Freehold (data version {version}, this one knows {_SCHEMA_VERSION}). "
                "Update Freehold, or choose another --data-dir."
            )
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.executescript(_SCHEMA)
        connection.execute(f"PRAGMA user_version = {_SCHEMA_VERSION}")
    except BaseException:
        connection.close()
        raise
    return connection
