from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.unit.services.cognito_idp.world import World

from freehold.state.seal import Seal
from freehold.state.sqlite_store import SqliteStore


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    store = SqliteStore(tmp_path / "control.db")
    world = World(store, Seal(tmp_path / "key"))
    await world.begin()
    yield world
    await store.close()
