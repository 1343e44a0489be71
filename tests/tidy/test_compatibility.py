"""docs/compatibility.md says what the tables say: it is written from them, and held to them here."""

from __future__ import annotations

from scripts.compatibility import FILE, page


def test_the_page_of_what_is_supported_is_what_the_tables_say() -> None:
    assert FILE.read_text() == page(), "run: .venv/bin/python -m scripts.compatibility"
