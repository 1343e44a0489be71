"""The document store: all or nothing, on disk, and followers who know it before the writer does."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from freehold.state.sqlite_store import SCHEMA_VERSION, NewerData, SqliteStore
from freehold.state.store import Change, Conflict, Delete, Put


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    store = SqliteStore(tmp_path / "control.db")
    yield store
    await store.close()


async def test_what_was_written_is_read_after_a_restart(tmp_path: Path) -> None:
    first = SqliteStore(tmp_path / "control.db")
    revision = await first.write(Put("a.thing", "us-east-1/x", {"Name": "x"}))
    await first.close()
    second = SqliteStore(tmp_path / "control.db")
    stored = await second.read("a.thing", "us-east-1/x")
    await second.close()
    assert stored is not None
    assert (stored.document, stored.revision) == ({"Name": "x"}, revision)


async def test_a_failed_batch_writes_nothing(store: SqliteStore) -> None:
    await store.write(Put("k", "taken", {}))
    with pytest.raises(Conflict):
        await store.write(Put("k", "new", {}), Put("k", "taken", {"second": 1}, if_revision=0))
    assert await store.read("k", "new") is None
    stored = await store.read("k", "taken")
    assert stored is not None
    assert stored.document == {}


async def test_a_write_to_an_old_revision_is_a_conflict(store: SqliteStore) -> None:
    revision = await store.write(Put("k", "x", {"n": 1}))
    await store.write(Put("k", "x", {"n": 2}, if_revision=revision))
    with pytest.raises(Conflict):
        await store.write(Delete("k", "x", if_revision=revision))


async def test_a_list_is_ordered_and_only_of_its_prefix(store: SqliteStore) -> None:
    for key in ("eu-west-1/a", "us-east-1/b", "us-east-1/a", "us-east-10/x"):
        await store.write(Put("k", key, {}))
    assert [one.key for one in await store.list_documents("k", "us-east-1/")] == ["us-east-1/a", "us-east-1/b"]


async def test_a_follower_knows_a_write_before_the_writer_does(store: SqliteStore) -> None:
    await store.write(Put("k", "before", {"n": 0}))
    seen: list[Change] = []
    end = store.follow(["k"], seen.extend)
    assert [change.key for change in seen] == ["before"]
    await store.write(Put("other", "x", {}), Put("k", "x", {"n": 1}))
    assert (seen[-1].key, seen[-1].document) == ("x", {"n": 1})
    await store.write(Delete("k", "x"))
    assert seen[-1].document is None
    end()
    await store.write(Put("k", "y", {}))
    assert seen[-1].key == "x"


async def test_data_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "control.db"
    connection = sqlite3.connect(file)
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    connection.close()
    with pytest.raises(NewerData, match="newer Freehold"):
        SqliteStore(file)
