"""Who may start an environment next: a few starts go on at once, and functions take turns for them.

One decision to know: a thousand starts of one function would else stand before the first of another. A turn covers what
costs the machine, the making of the sandbox and its process; nobody waits for another function's own init.
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

AT_ONCE = 4 * (os.cpu_count() or 1)  # Fewer leave processors idle, more make whoever comes next wait longer.


class Turns:
    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._free = at_once
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}  # The function whose turn is next comes first.

    @asynccontextmanager
    async def of(self, function_key: str) -> AsyncIterator[None]:
        """Waits for a turn of this function and holds it."""
        if self._free > 0:
            self._free -= 1
        else:
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.setdefault(function_key, deque()).append(turn)
            try:
                await turn
            except BaseException:
                if turn.done() and not turn.cancelled():
                    self._pass_on()
                raise
        try:
            yield
        finally:
            self._pass_on()

    def _pass_on(self) -> None:
        while self._waiting:
            function_key = next(iter(self._waiting))
            turns = self._waiting.pop(function_key)
            turn = turns.popleft()
            if turns:
                self._waiting[function_key] = turns
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1
