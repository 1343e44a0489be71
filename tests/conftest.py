"""Fixtures that any test may use."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests.live import LiveServer

# A busy machine fails no test, and nothing is kept between runs.
settings.register_profile("freehold", deadline=None, database=None)
settings.load_profile("freehold")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """One live server for all tests of a worker: tests use names of their own, and do not restart it."""
    live = LiveServer(tmp_path_factory.mktemp("freehold"))
    live.start()
    yield live
    assert live.stop() == 0


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[LiveServer]:
    """A live server for one test, which may stop, kill and restart it."""
    live = LiveServer(tmp_path / "data")
    live.start()
    yield live
    live.stop()


@pytest.fixture
def client(server: LiveServer) -> Callable[..., Any]:
    """`client("dynamodb")`: a boto3 client of the shared server."""
    return server.client
