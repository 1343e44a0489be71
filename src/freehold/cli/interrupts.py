"""Ctrl-C, from the program's first line to its last: it always ends the command, and never with a traceback.

One decision to know: Python's own way, an exception wherever the program just is, may lose the key. Raised in a
callback of the importer or in a destructor it is printed ("Exception ignored in ...") and dropped, and `logs --tail`
goes on. So the system's own way holds from `main` on, the process ends at once, until there is something to put away;
then it is `raised`. Where Ctrl-C is ignored it stays so: a shell has it ignored by what a script starts with &.
"""

from __future__ import annotations

import os
import select
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click


@contextmanager
def raised(even_if_ignored: bool = False) -> Iterator[None]:
    """Within, Ctrl-C is a KeyboardInterrupt, or what `asyncio.run` makes of it: the work is cancelled.

    `even_if_ignored` is for what nothing else ends.
    """
    before = signal.getsignal(signal.SIGINT)
    if before is signal.SIG_IGN and not even_if_ignored:
        yield
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def is_answered(question: str) -> bool:
    """Asks, and waits for a line on the terminal; False where Ctrl-C comes first. Who calls reads the line.

    `input` would miss a key that is pressed between its last look for signals and its read.
    """
    if not sys.stdin.isatty():
        click.echo(question, nl=False)
        return True
    heard, tell = os.pipe()
    os.set_blocking(tell, False)
    before = signal.signal(signal.SIGINT, lambda number, frame: None)
    fd_before = signal.set_wakeup_fd(tell)
    try:
        click.echo(question, nl=False)
        ready, _, _ = select.select([sys.stdin, heard], [], [])
        return heard not in ready
    finally:
        signal.set_wakeup_fd(fd_before)
        signal.signal(signal.SIGINT, before)
        os.close(heard)
        os.close(tell)
