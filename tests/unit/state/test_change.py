"""Documents that several change at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from freehold.state.change import TooManyChanges, change_document
from freehold.state.sqlite_store import SqliteStore
from freehold.state.store import Document, Put, Stored, Write

KIND = "test.counter"


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    store = SqliteStore(tmp_path / "control.db")
    await store.write(Put(KIND, "a", {"count": 0, "names": []}))
    yield store
    await store.close()


async def _read(store: SqliteStore) -> Stored:
    found = await store.read(KIND, "a")
    assert found is not None
    return found


def _count(document: Document) -> None:
    document["count"] += 1


async def test_no_change_of_those_made_at_once_is_lost(store: SqliteStore) -> None:
    changes = [change_document(store, KIND, lambda: _read(store), _count) for _ in range(5)]
    documents = await asyncio.gather(*changes)
    assert sorted(document["count"] for document in documents) == [1, 2, 3, 4, 5]
    assert (await _read(store)).document["count"] == 5


async def test_what_is_refused_in_the_middle_changes_nothing(store: SqliteStore) -> None:
    def refuse(document: Document) -> None:
        document["names"].append("half")
        raise ValueError("refused")

    with pytest.raises(ValueError, match="refused"):
        await change_document(store, KIND, lambda: _read(store), refuse)
    assert (await _read(store)).document == {"count": 0, "names": []}


async def test_what_belongs_to_the_change_is_written_with_it(store: SqliteStore) -> None:
    async def also(before: Document, after: Document) -> Sequence[Write]:
        return [Put(KIND, "b", {"from": before["count"], "to": after["count"]})]

    await change_document(store, KIND, lambda: _read(store), _count, also)
    found = await store.read(KIND, "b")
    assert found is not None
    assert found.document == {"from": 0, "to": 1}


async def test_who_is_never_fast_enough_is_told(store: SqliteStore) -> None:
    async def overtaken() -> Stored:
        stored = await _read(store)
        await store.write(Put(KIND, "a", {**stored.document, "count": stored.document["count"] + 1}))
        return stored

    with pytest.raises(TooManyChanges):
        await change_document(store, KIND, overtaken, _count)
