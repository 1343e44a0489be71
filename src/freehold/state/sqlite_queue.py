"""The Queue on SQLite: queue.db, one thread that groups what waits into one synced commit.

Two decisions to know. Which messages are taken is a temporary table of the connection, so it ends with the process. And
of each lane is known in memory when it may have something due: never too late, so that a round looks at no other lane.
"""

from __future__ import annotations

import heapq
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

from freehold.state.group_commit import Answer, GroupCommit, QueueBusy
from freehold.state.once import SCHEMA, find_done, note_done
from freehold.state.queue import Message, QueueFailed

_SCHEMA = """
CREATE TABLE IF NOT EXISTS message (
    id INTEGER PRIMARY KEY AUTOINCREMENT, topic TEXT NOT NULL, due_s REAL NOT NULL, body BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS message_due ON message (topic, due_s);
CREATE TEMP TABLE taken (id INTEGER PRIMARY KEY, topic TEXT NOT NULL);
"""
_FREE = "topic = ? AND id NOT IN (SELECT id FROM taken)"
_SEPARATOR = "/"  # Between topic and lane, in the column: no topic has one.

Lanes = dict[str, float]  # Lane -> when its first free message is due, or earlier.


class SqliteQueue:
    """Meets `Queue`. Make it on the event loop that uses it; `close` when done. Raises NewerData."""

    def __init__(self, file: Path) -> None:
        self._topics: dict[str, Lanes] | None = None  # Of the writer's thread; None: to be read.
        self._commits = GroupCommit(file, _SCHEMA + SCHEMA, "queue-writer")
        self.close = self._commits.close

    async def put(self, topic: str, body: bytes, due_s: float, lane: str = "", once: str = "") -> int:
        def work(connection: sqlite3.Connection) -> int:
            known = find_done(connection, once)
            if known is not None:
                return known
            row = connection.execute(
                "INSERT INTO message (topic, due_s, body) VALUES (?, ?, ?)", (_column(topic, lane), due_s, body)
            )
            message_id = int(row.lastrowid or 0)
            note_done(connection, once, message_id)
            self._may_be_due(connection, topic, lane, due_s)
            return message_id

        return await self._call(work)

    async def take(self, topic: str, now_s: float, places: int) -> list[Message]:
        try:
            return await self._call(lambda connection: self._take(connection, topic, now_s, places))
        except QueueFailed:
            # What was taken is free again, and its lanes have to be known anew.
            self._topics = None
            raise

    async def retry(self, message_id: int, body: bytes, due_s: float) -> None:
        def work(connection: sqlite3.Connection) -> None:
            connection.execute("UPDATE message SET body = ?, due_s = ? WHERE id = ?", (body, due_s, message_id))
            connection.execute("DELETE FROM taken WHERE id = ?", (message_id,))
            for (column,) in connection.execute("SELECT topic FROM message WHERE id = ?", (message_id,)):
                self._may_be_due(connection, *_parts(column), due_s)

        await self._call(work)

    async def keep(self, message_id: int, body: bytes) -> None:
        await self._call(
            lambda connection: connection.execute("UPDATE message SET body = ? WHERE id = ?", (body, message_id))
        )

    async def ack(self, message_id: int) -> None:
        def work(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM message WHERE id = ?", (message_id,))
            connection.execute("DELETE FROM taken WHERE id = ?", (message_id,))

        await self._call(work)

    async def next_due_s(self, topic: str, now_s: float) -> float | None:
        def work(connection: sqlite3.Connection) -> float | None:
            due = [
                connection.execute(
                    f"SELECT min(due_s) FROM message WHERE {_FREE} AND due_s > ?", (_column(topic, lane), now_s)
                ).fetchone()[0]
                if due_s <= now_s
                else due_s
                for lane, due_s in self._lanes(connection, topic).items()
            ]
            return min((due_s for due_s in due if due_s is not None), default=None)

        return await self._call(work)

    async def _call(self, work: Callable[[sqlite3.Connection], Answer]) -> Answer:
        try:
            return await self._commits.run(work)
        except (sqlite3.Error, QueueBusy) as error:
            raise QueueFailed(str(error)) from error

    # In the writer's thread.

    def _take(self, connection: sqlite3.Connection, topic: str, now_s: float, places: int) -> list[Message]:
        lanes = self._lanes(connection, topic)
        held = dict.fromkeys((lane for lane, due_s in lanes.items() if due_s <= now_s), 0)
        free = places
        for column, count in connection.execute("SELECT topic, count(*) FROM taken GROUP BY topic"):
            owner, lane = _parts(column)
            if owner == topic:
                free -= count
                held[lane] = count
        waiting = [(held[lane], due_s, lane) for lane, due_s in lanes.items() if due_s <= now_s]
        heapq.heapify(waiting)
        reading: dict[str, Iterator[Message]] = {}
        taken: list[Message] = []
        while waiting and free > 0:
            count, due_s, lane = waiting[0]
            if count >= free:
                break  # As do all others: this one holds the fewest.
            if lane not in reading:
                reading[lane] = _read(connection, topic, lane, now_s, free)
            message = next(reading[lane], None)
            if message is None:
                heapq.heappop(waiting)
                continue
            taken.append(message)
            free -= 1
            heapq.heapreplace(waiting, (count + 1, due_s, lane))
        connection.executemany(
            "INSERT INTO taken VALUES (?, ?)", [(each.id, _column(topic, each.lane)) for each in taken]
        )
        for lane in reading:
            self._look_again(connection, topic, lane)
        return taken

    def _look_again(self, connection: sqlite3.Connection, topic: str, lane: str) -> None:
        (due_s,) = connection.execute(
            f"SELECT min(due_s) FROM message WHERE {_FREE}", (_column(topic, lane),)
        ).fetchone()
        lanes = self._lanes(connection, topic)
        if due_s is None:
            lanes.pop(lane, None)
        else:
            lanes[lane] = due_s

    def _may_be_due(self, connection: sqlite3.Connection, topic: str, lane: str, due_s: float) -> None:
        lanes = self._lanes(connection, topic)
        lanes[lane] = min(due_s, lanes.get(lane, due_s))

    def _lanes(self, connection: sqlite3.Connection, topic: str) -> Lanes:
        topics = self._topics  # The event loop's thread may have it read anew at any moment.
        if topics is None:
            topics = {}
            for column, due_s in connection.execute("SELECT topic, min(due_s) FROM message GROUP BY topic"):
                owner, name = _parts(column)
                topics.setdefault(owner, {})[name] = due_s
            self._topics = topics
        return topics.setdefault(topic, {})


def _read(connection: sqlite3.Connection, topic: str, lane: str, now_s: float, limit: int) -> Iterator[Message]:
    rows = connection.execute(
        f"SELECT id, body, due_s FROM message WHERE {_FREE} AND due_s <= ? ORDER BY due_s, id LIMIT ?",
        (_column(topic, lane), now_s, limit),
    )
    return (Message(number, lane, body, due_s) for number, body, due_s in rows)


def _column(topic: str, lane: str) -> str:
    return f"{topic}{_SEPARATOR}{lane}" if lane else topic


def _parts(column: str) -> tuple[str, str]:
    topic, _, lane = column.partition(_SEPARATOR)
    return topic, lane
