"""What commands print: tables, headings, durations. Colours vanish by themselves where the output is no terminal.

One decision to know: tables are plain aligned columns that never wrap or cut a cell. URLs in them are for copying, and
other programs read them.
"""

from __future__ import annotations

from collections.abc import Sequence

import click


def table(headers: Sequence[str], rows: Sequence[Sequence[str]], indent: str = "") -> str:
    """Lines without an end. Cells may hold colours."""
    lines = [[click.style(header, dim=True) for header in headers], *[list(row) for row in rows]]
    widths = [max(len(click.unstyle(line[column])) for line in lines) for column in range(len(headers))]
    return "\n".join(
        indent + "  ".join(_pad(cell, width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def say(text: str = "") -> None:
    click.echo(text)


def note(text: str) -> None:
    """Beside the result: on stderr, so that a result can be piped on."""
    click.echo(text, err=True)


def warn(text: str) -> None:
    click.echo(f"{click.style('Warning:', fg='yellow')} {text}", err=True)


def heading(text: str) -> str:
    return click.style(text, bold=True)


def still_running(count: int) -> str:
    """What a server says that was asked to stop."""
    requests, them = ("1 request still runs", "it") if count == 1 else (f"{count} requests still run", "them")
    return f"Stopping: {requests}; Ctrl-C again ends {them} at once."


def duration(seconds: float) -> str:
    """12 ms, 1.5 s, 2 min 5 s"""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{int(seconds // 60)} min {int(seconds % 60)} s"


def _pad(cell: str, width: int) -> str:
    return cell + " " * (width - len(click.unstyle(cell)))
