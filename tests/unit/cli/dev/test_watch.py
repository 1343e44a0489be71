"""What counts as an edit."""

from __future__ import annotations

from pathlib import Path

import pytest

from freehold.cli.dev.watch import is_edit


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("app.py", True),
        ("src/deep/item.js", True),
        (".env", True),
        (".github/x.yml", True),
        ("node_modules/a/index.js", False),
        ("src/__pycache__/app.cpython-311.pyc", False),
        (".freehold/control.db", False),
        (".git/index", False),
        ("src/.app.py.swp", False),
        ("app.py~", False),
        ("4913", False),
    ],
)
def test_what_tools_write_is_no_edit(path: str, expected: bool) -> None:
    assert is_edit(Path("/app") / path, Path("/app")) is expected
