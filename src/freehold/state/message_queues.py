"""Messages of queues that users make, on disk: sent, received for a while, deleted or seen again, moved when they fail.

One decision to know: a message in flight is one whose `visible_s` lies ahead. It comes back by time alone, so nothing
has to be repaired after a crash, and who was receiving it is known by the receipt of its last receive only.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from freehold.state.group_commit import GroupCommit
from freehold.state.once import SCHEMA, find_done, note_done

_DEDUPLICATED_S = 300.0
_SCHEMA = """
CREATE TABLE IF NOT EXISTS message (
    id INTEGER PRIMARY KEY AUTOINCREMENT, queue TEXT NOT NULL, message_id TEXT NOT NULL, content BLOB NOT NULL,
    sent_s REAL NOT NULL, visible_s REAL NOT NULL, receives INTEGER NOT NULL DEFAULT 0, first_received_s REAL,
    receipt TEXT, group_id TEXT, source TEXT
);
CREATE INDEX IF NOT EXISTS message_visible ON message (queue, visible_s);
CREATE INDEX IF NOT EXISTS message_group ON message (queue, group_id, id);
CREATE TABLE IF NOT EXISTS seen (
    queue TEXT NOT NULL, deduplication_id TEXT NOT NULL, message_id TEXT NOT NULL, number INTEGER NOT NULL,
    until_s REAL NOT NULL, PRIMARY KEY (queue, deduplication_id)
) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class NewMessage:
    message_id: str
    content: bytes  # The service's own form of body and attributes.
    sent_s: float
    visible_s: float
    group_id: str | None = None
    deduplication_id: str | None = None  # The same one within five minutes is accepted and not added again.
    once: str = ""  # What is sent under this name, to this queue, is not sent again, however much later.


@dataclass(frozen=True, slots=True)
class Sent:
    message_id: str
    number: int  # Grows with every message.


@dataclass(frozen=True, slots=True)
class Received:
    number: int
    message_id: str
    content: bytes
    sent_s: float
    receives: int
    first_received_s: float
    receipt: str
    source: str | None  # The queue it failed in, where it was moved here.


@dataclass(frozen=True, slots=True)
class Taking:
    """How messages are to be received."""

    queue: str
    now_s: float
    limit: int
    visible_s: float  # When they come back unless they are deleted.
    oldest_s: float  # Sent before: kept too long, and removed.
    receipts: tuple[str, ...]  # One for each message, made by the caller.
    in_order: bool = False  # A group with a message in flight gives no other.
    most_receives: int | None = None
    failed_to: str = ""  # Where a message goes that was received as often as it may.


@dataclass(frozen=True, slots=True)
class Counts:
    visible: int
    in_flight: int
    delayed: int


_COLUMNS = "id, message_id, content, sent_s, receives, first_received_s, source"
_FREE = "queue = ? AND visible_s <= ?"
_IN_ORDER = (
    "AND NOT EXISTS (SELECT 1 FROM message other WHERE other.queue = message.queue AND other.group_id = "
    "message.group_id AND other.visible_s > ? AND (other.receives > 0 OR other.id < message.id))"
)


class MessageQueues:
    """Make it on the event loop that uses it; `close` when done."""

    def __init__(self, file: Path) -> None:
        self._commits = GroupCommit(file, _SCHEMA + SCHEMA, "message-writer")
        self.close = self._commits.close

    async def send(self, queue: str, messages: list[NewMessage]) -> list[Sent]:
        return await self._commits.run(lambda connection: [_send(connection, queue, each) for each in messages])

    async def receive(self, taking: Taking) -> list[Received]:
        return await self._commits.run(lambda connection: _receive(connection, taking))

    async def delete(self, queue: str, number: int, receipt: str) -> None:
        """A receipt that is not of the last receive deletes nothing."""
        await self._commits.run(
            lambda connection: connection.execute(
                "DELETE FROM message WHERE id = ? AND queue = ? AND receipt = ?", (number, queue, receipt)
            )
        )

    async def hide(self, queue: str, number: int, receipt: str, now_s: float, visible_s: float) -> bool:
        """Whether the message was in flight by this receipt."""

        def work(connection: sqlite3.Connection) -> bool:
            changed = connection.execute(
                "UPDATE message SET visible_s = ? WHERE id = ? AND queue = ? AND receipt = ? AND visible_s > ?",
                (visible_s, number, queue, receipt, now_s),
            )
            return changed.rowcount > 0

        return await self._commits.run(work)

    async def purge(self, queue: str) -> None:
        def work(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM message WHERE queue = ?", (queue,))
            connection.execute("DELETE FROM seen WHERE queue = ?", (queue,))

        await self._commits.run(work)

    async def count(self, queue: str, now_s: float) -> Counts:
        def work(connection: sqlite3.Connection) -> Counts:
            row = connection.execute(
                "SELECT count(*) FILTER (WHERE visible_s <= ?1), "
                "count(*) FILTER (WHERE visible_s > ?1 AND receives > 0), "
                "count(*) FILTER (WHERE visible_s > ?1 AND receives = 0) FROM message WHERE queue = ?2",
                (now_s, queue),
            ).fetchone()
            return Counts(*row)

        return await self._commits.run(work)

    async def next_visible_s(self, queue: str, now_s: float) -> float | None:
        """When the first hidden message comes back; None: there is none."""

        def work(connection: sqlite3.Connection) -> float | None:
            (due_s,) = connection.execute(
                "SELECT min(visible_s) FROM message WHERE queue = ? AND visible_s > ?", (queue, now_s)
            ).fetchone()
            return None if due_s is None else float(due_s)

        return await self._commits.run(work)


def _send(connection: sqlite3.Connection, queue: str, new: NewMessage) -> Sent:
    if new.deduplication_id is not None:
        known = connection.execute(
            "SELECT message_id, number FROM seen WHERE queue = ? AND deduplication_id = ? AND until_s > ?",
            (queue, new.deduplication_id, new.sent_s),
        ).fetchone()
        if known is not None:
            return Sent(*known)
    once = new.once and f"{queue}/{new.once}"
    done = find_done(connection, once)
    if done is not None:
        return Sent(new.message_id, done)
    number = connection.execute(
        "INSERT INTO message (queue, message_id, content, sent_s, visible_s, group_id) VALUES (?, ?, ?, ?, ?, ?)",
        (queue, new.message_id, new.content, new.sent_s, new.visible_s, new.group_id),
    ).lastrowid
    assert number is not None
    note_done(connection, once, number)
    if new.deduplication_id is not None:
        connection.execute("DELETE FROM seen WHERE queue = ? AND until_s <= ?", (queue, new.sent_s))
        connection.execute(
            "INSERT INTO seen VALUES (?, ?, ?, ?, ?)",
            (queue, new.deduplication_id, new.message_id, number, new.sent_s + _DEDUPLICATED_S),
        )
    return Sent(new.message_id, number)


def _receive(connection: sqlite3.Connection, taking: Taking) -> list[Received]:
    connection.execute("DELETE FROM message WHERE queue = ? AND sent_s < ?", (taking.queue, taking.oldest_s))
    _move_failed(connection, taking)
    order, more = (_IN_ORDER, (taking.now_s,)) if taking.in_order else ("", ())
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM message WHERE {_FREE} {order} ORDER BY id LIMIT ?",
        (taking.queue, taking.now_s, *more, taking.limit),
    ).fetchall()
    received = []
    for (number, message_id, content, sent_s, receives, first_s, source), receipt in zip(
        rows, taking.receipts, strict=False
    ):
        first_s = taking.now_s if first_s is None else first_s
        connection.execute(
            "UPDATE message SET visible_s = ?, receives = ?, first_received_s = ?, receipt = ? WHERE id = ?",
            (taking.visible_s, receives + 1, first_s, receipt, number),
        )
        received.append(Received(number, message_id, content, sent_s, receives + 1, first_s, receipt, source))
    return received


def _move_failed(connection: sqlite3.Connection, taking: Taking) -> None:
    if taking.most_receives is not None:
        connection.execute(
            f"UPDATE message SET source = queue, queue = ?, receives = 0, first_received_s = NULL, receipt = NULL "
            f"WHERE {_FREE} AND receives >= ?",
            (taking.failed_to, taking.queue, taking.now_s, taking.most_receives),
        )
