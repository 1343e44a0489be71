from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from freehold.state.group_commit import GroupCommit


async def test_who_fails_takes_nobody_of_the_group_along(tmp_path: Path) -> None:
    commits = GroupCommit(tmp_path / "a.db", "CREATE TABLE t (n INTEGER NOT NULL);", "writer")

    def put(number: int | None) -> object:
        return commits.run(lambda connection: connection.execute("INSERT INTO t VALUES (?)", (number,)).rowcount)

    results = await asyncio.gather(*(put(number) for number in (1, None, 2)), return_exceptions=True)  # type: ignore[call-overload]
    assert isinstance(results[1], sqlite3.IntegrityError)
    assert (results[0], results[2]) == (1, 1)
    assert await commits.run(lambda connection: connection.execute("SELECT sum(n) FROM t").fetchone()) == (3,)
    await commits.close()


async def test_after_the_end_nothing_is_taken(tmp_path: Path) -> None:
    commits = GroupCommit(tmp_path / "a.db", "", "writer")
    await commits.close()
    with pytest.raises(Exception, match="closed"):
        await commits.run(lambda connection: None)
