"""What has been done under a name, in the database where it was done: who comes again after a crash does nothing.

One decision to know: only the newest names are kept. Who repeats what it did before a crash repeats what it did last.
"""

from __future__ import annotations

import sqlite3

KEPT = 100_000
SCHEMA = """
CREATE TABLE IF NOT EXISTS done (
    number INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, result INTEGER NOT NULL
);
"""


def find_done(connection: sqlite3.Connection, name: str) -> int | None:
    """What `note_done` was told of this name; None: it has not been done. The empty name never has."""
    row = connection.execute("SELECT result FROM done WHERE name = ?", (name,)).fetchone() if name else None
    return None if row is None else int(row[0])


def note_done(connection: sqlite3.Connection, name: str, result: int) -> None:
    """In the transaction that does it. Of the empty name nothing is kept."""
    if name:
        number = connection.execute("INSERT INTO done (name, result) VALUES (?, ?)", (name, result)).lastrowid or 0
        connection.execute("DELETE FROM done WHERE number <= ?", (number - KEPT,))
