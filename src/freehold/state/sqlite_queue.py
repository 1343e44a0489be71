"""The Queue on SQLite: queue.db, one thread that groups what waits into one synced commit.

One decision to know: which messages are taken is a temporary table of the connection, so it ends with the process.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from freehold.state.group_commit import GroupCommit, QueueBusy
from freehold.state.queue import Message

__all__ = ["QueueBusy", "SqliteQueue"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS message (
    id INTEGER PRIMARY KEY AUTOINCREMENT, topic TEXT NOT NULL, due_s REAL NOT NULL, body BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS message_due ON message (topic, due_s);
CREATE TEMP TABLE taken (id INTEGER PRIMARY KEY);
"""
_FREE = "topic = ? AND id NOT IN (SELECT id FROM taken)"


class SqliteQueue:
    """Meets `Queue`. Make it on the event loop that uses it; `close` when done. Raises NewerData."""

    def __init__(self, file: Path) -> None:
        self._commits = GroupCommit(file, _SCHEMA, "queue-writer")
        self._call = self._commits.run
        self.close = self._commits.close

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
