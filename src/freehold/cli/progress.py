"""Shows a deploy while it happens: a live table on a terminal, a line per finished resource elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import click

from freehold.cli import output
from freehold.cli.deployment import Event, OnEvent

if TYPE_CHECKING:
    from rich.live import Live
    from rich.table import Table

_STACK = "AWS::CloudFormation::Stack"
_WORDS = {"CREATE": "created", "UPDATE": "updated", "DELETE": "deleted", "IMPORT": "imported"}


@dataclass(slots=True)
class _Row:
    type: str
    status: str
    reason: str
    began: str
    ended: str


@contextmanager
def shown() -> Iterator[OnEvent]:
    """`with shown() as on_event: ...`"""
    rows = _Rows()
    if not sys.stdout.isatty():
        yield rows.print_line
        return
    from rich.live import Live

    live = Live(auto_refresh=False, transient=False)

    def draw(event: Event) -> None:
        # Not before: whoever still asks a question needs the terminal as it is.
        live.start()
        rows.draw(live, event)

    try:
        yield draw
    finally:
        live.stop()


class _Rows:
    def __init__(self) -> None:
        self._rows: dict[str, _Row] = {}

    def print_line(self, event: Event) -> None:
        row = self._take(event)
        if not row or event.status.endswith("_IN_PROGRESS"):
            return
        line = f"  {_verdict(event.status)}  {event.type}  {event.logical_id}  {_took(row)}".rstrip()
        output.say(f"{line}  {event.reason}" if event.failed and event.reason else line)

    def draw(self, live: Live, event: Event) -> None:
        if self._take(event):
            live.update(_table(self._rows), refresh=True)

    def _take(self, event: Event) -> _Row | None:
        """The stack's own events say nothing that its resources' do not."""
        if event.type == _STACK:
            return None
        row = self._rows.get(event.logical_id)
        if row is None or row.status.partition("_")[0] != event.status.partition("_")[0]:
            row = self._rows[event.logical_id] = _Row(event.type, event.status, "", event.timestamp, event.timestamp)
        row.status, row.ended = event.status, event.timestamp
        if event.failed:
            row.reason = event.reason
        return row


def _table(rows: dict[str, _Row]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    for logical_id, row in rows.items():
        verdict = Text.from_ansi(_verdict(row.status))
        table.add_row(" ", verdict, row.type, logical_id, _took(row), Text(row.reason, style="red"))
    return table


def _verdict(status: str) -> str:
    action, _, state = status.partition("_")
    if state == "COMPLETE":
        return click.style(f"{_WORDS.get(action, status.lower()):<8}", fg="green")
    if state == "SKIPPED":
        return click.style(f"{'kept':<8}", dim=True)
    if state.endswith("FAILED"):
        return click.style(f"{'failed':<8}", fg="red")
    return click.style(f"{action.lower() + ' ...':<8}", fg="yellow")


def _took(row: _Row) -> str:
    try:
        seconds = (datetime.fromisoformat(row.ended) - datetime.fromisoformat(row.began)).total_seconds()
    except ValueError:
        return ""
    return f"({output.duration(seconds)})" if seconds > 0 else ""
