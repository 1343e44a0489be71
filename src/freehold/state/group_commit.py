"""One thread that owns a SQLite connection and groups the work that waits into one synced commit."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from freehold.state.sqlite_store import NewerData

_SCHEMA_VERSION = 1

_MAX_WAITING = 10_000  # Calls that wait for the thread; past it they raise QueueBusy.

Answer = TypeVar("Answer")


class QueueBusy(Exception):
    """More calls wait than the queue's limit, or it is closed."""


@dataclass(slots=True)
class _Call:
    work: Callable[[sqlite3.Connection], Any]
    done: asyncio.Future[Any]
    answer: Any = None
    error: Exception | None = None


class GroupCommit:
    """Make it on the event loop that uses it; `close` when done."""

    def __init__(self, file: Path, schema: str, name: str) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False, timeout=10)
        try:
            _prepare(self._connection, file, schema)
        except BaseException:
            self._connection.close()
            raise
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[_Call] = deque()
        self._wake = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._work_forever, name=name, daemon=True)
        self._thread.start()

    async def run(self, work: Callable[[sqlite3.Connection], Answer]) -> Answer:
        """What the work answers, when it is on disk."""
        call = _Call(work, self._loop.create_future())
        with self._wake:
            if self._closing or len(self._waiting) >= _MAX_WAITING:
                raise QueueBusy("the queue is closed" if self._closing else "too many calls wait for the queue")
            self._waiting.append(call)
            self._wake.notify()
        # Who is cancelled cannot take back what may be on its way to the disk.
        answer: Answer = await asyncio.shield(call.done)
        return answer

    async def close(self) -> None:
        """Waits for what was accepted to be on disk."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        await asyncio.to_thread(self._thread.join)
        self._connection.close()

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
            # A full disk, say: nobody in this group was acknowledged, and each is told whose own fault it is.
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            if len(calls) == 1:
                calls[0].error = error
                return
            for call in calls:
                self._commit([call])


def _deliver(calls: list[_Call]) -> None:
    for call in calls:
        if call.done.done():
            continue
        if call.error is not None:
            call.done.set_exception(call.error)
        else:
            call.done.set_result(call.answer)


def _prepare(connection: sqlite3.Connection, file: Path, schema: str) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > _SCHEMA_VERSION:
        raise NewerData(
            f"{file} was written by a newer Freehold (data version {version}, this one knows {_SCHEMA_VERSION}). "
            "Update Freehold, or choose another --data-dir."
        )
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.executescript(schema)
    connection.execute(f"PRAGMA user_version = {_SCHEMA_VERSION}")
