"""Tables and durations."""

from __future__ import annotations

import click
import pytest

from freehold.cli import output


def test_columns_are_aligned_by_what_is_seen() -> None:
    text = output.table(("A", "B"), [[click.style("xyz", fg="red"), "1"], ["y", "22"]], indent="  ")
    assert click.unstyle(text) == "  A    B\n  xyz  1\n  y    22"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.0123, "12 ms"), (0.9996, "1000 ms"), (1.54, "1.5 s"), (125.4, "2 min 5 s")]
)
def test_durations_are_short(seconds: float, text: str) -> None:
    assert output.duration(seconds) == text
