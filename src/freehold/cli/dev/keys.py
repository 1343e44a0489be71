"""The keyboard menu of `freehold dev`, on a terminal: one key, one thing to do. Elsewhere there is none."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress

Press = Callable[[], Awaitable[None]]


@contextmanager
def listening(on_key: Callable[[str], None]) -> Iterator[bool]:
    """Calls `on_key` with each key while the block runs; False, and nothing, where stdin is no terminal."""
    if not sys.stdin.isatty() or not sys.stdout.isatty():
        yield False
        return
    import os
    import termios
    import tty

    fd = sys.stdin.fileno()
    before = termios.tcgetattr(fd)
    loop = asyncio.get_running_loop()

    def read() -> None:
        try:
            keys = os.read(fd, 64)
        except OSError:
            # The terminal's window was closed.
            keys = b""
        if not keys:
            loop.remove_reader(fd)
        for key in keys.decode(errors="ignore"):
            on_key(key)

    try:
        # Keys come one by one and unseen, but Ctrl-C still is a signal.
        tty.setcbreak(fd)
        loop.add_reader(fd, read)
        yield True
    finally:
        loop.remove_reader(fd)
        with suppress(termios.error):
            termios.tcsetattr(fd, termios.TCSADRAIN, before)


class Menu:
    """Keys to actions; a digit goes to `choose` while a choice is open."""

    def __init__(self, actions: Mapping[str, Press], choose: Callable[[int], Awaitable[None]]) -> None:
        self._actions = actions
        self._choose = choose
        self.is_choosing = False
        self._running: set[asyncio.Task[None]] = set()

    def on_key(self, key: str) -> None:
        action: Awaitable[None] | None = None
        if self.is_choosing and key.isdigit():
            self.is_choosing = False
            action = self._choose(int(key))
        elif key in self._actions:
            action = self._actions[key]()
        if action is not None:
            task = asyncio.ensure_future(action)
            self._running.add(task)
            task.add_done_callback(self._running.discard)
