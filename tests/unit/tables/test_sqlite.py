"""How SQLite is told to keep what was acknowledged, and that writes which come together share a commit."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from freehold.tables.expressions.programs import parse_condition, parse_projection, parse_update
from freehold.tables.sqlite import SqliteTables
from freehold.tables.storage import Changes, Row, RowChange


async def test_each_commit_is_synced_to_the_disk_before_it_is_acknowledged(tmp_path: Path) -> None:
    storage = SqliteTables(tmp_path / "tables.db")
    for connection in (storage._writer, storage._reader):
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,), "FULL: the log is synced at each commit"
    await storage.close()


async def test_writes_that_come_together_share_a_commit(tmp_path: Path) -> None:
    storage = SqliteTables(tmp_path / "tables.db")
    commits: list[str] = []
    storage._writer.set_trace_callback(lambda statement: commits.append(statement) if statement == "COMMIT" else None)

    async def put(number: int) -> None:
        key = b"\x00\x00\x00\x01" + str(number).encode()

        def decide(rows: Sequence[Row | None]) -> tuple[Changes, None]:
            return Changes((RowChange(1, key, b"{}", 2, None),)), None

        await storage.write([key], decide)

    await asyncio.gather(*(put(number) for number in range(200)))
    assert len(commits) == 1
    await asyncio.gather(*(put(number) for number in range(600)))
    assert len(commits) <= 1 + 3, "a group has a limit"
    await storage.close()


def test_an_expression_is_parsed_once() -> None:
    assert parse_condition("ConditionExpression", "a = :b", {}) is parse_condition("ConditionExpression", "a = :b", {})
    assert parse_update("SET a = :b", {}) is parse_update("SET a = :b", {})
    assert parse_projection("a, b", {}) is parse_projection("a, b", {})
