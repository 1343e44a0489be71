from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest

from freehold.state import once


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    made = sqlite3.connect(":memory:")
    made.executescript(once.SCHEMA)
    yield made
    made.close()


def test_what_was_done_is_found_with_its_result(connection: sqlite3.Connection) -> None:
    assert once.find_done(connection, "a") is None
    once.note_done(connection, "a", 7)
    assert once.find_done(connection, "a") == 7


def test_nothing_is_kept_of_no_name(connection: sqlite3.Connection) -> None:
    once.note_done(connection, "", 1)
    assert once.find_done(connection, "") is None


def test_only_the_newest_names_are_kept(connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(once, "KEPT", 10)
    for number in range(50):
        once.note_done(connection, str(number), number)
    assert once.find_done(connection, "39") is None
    assert once.find_done(connection, "40") == 40
