from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.unit.stacks.cloud import Cloud, World

from freehold.state.sqlite_store import SqliteStore


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    store = SqliteStore(tmp_path / "control.db")
    made = World(store, Cloud())
    yield made
    await made.stacks.executions.stop()
    await store.close()
