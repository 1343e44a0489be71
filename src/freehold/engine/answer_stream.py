"""An answer on its way: its parts come in as the runtime writes them, and go out as they are read.

AWS: "Response streaming for Lambda functions". One decision to know: what nobody has fetched yet holds the runtime up
(`hold`, `go_on`), so a stream takes a bounded amount of memory; once nobody reads any more, the function runs on and
what it writes is thrown away.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from freehold.clock import Clock

FULL_BYTES = 512 * 1024  # So much unread, and the runtime waits
LOW_BYTES = 128 * 1024  # until so much is left.
UNCAPPED_BYTES = 6 * 1024 * 1024  # "Bandwidth limits for response streaming"
CAPPED_BYTES_PER_S = 2 * 1024 * 1024


class AnswerStream:
    """An async iterator of the parts; it ends when the answer does, and then `failure` tells how. One reader."""

    def __init__(self, clock: Clock, content_type: str, hold: Callable[[], None], go_on: Callable[[], None]) -> None:
        self.content_type = content_type
        self.failure = b""  # The error document of a function that failed midway; empty: it did not.
        self.log_tail = b""
        self._clock = clock
        self._hold = hold
        self._go_on = go_on
        self._parts: deque[bytes] = deque()
        self._unread_bytes = 0
        self._is_held = False
        self._is_over = False  # The function's side.
        self._is_left = False  # The reader's side.
        self._arrived = asyncio.Event()
        self._read_bytes = 0
        self._capped_since_s = 0.0

    # The function's side.

    def write(self, part: bytes) -> None:
        if self._is_left or not part:
            return
        self._parts.append(part)
        self._unread_bytes += len(part)
        self._arrived.set()
        if self._unread_bytes > FULL_BYTES and not self._is_held:
            self._is_held = True
            self._hold()

    def end(self, failure: bytes = b"", log_tail: bytes = b"") -> None:
        self.failure, self.log_tail = failure, log_tail
        self._is_over = True
        self._arrived.set()
        self._let_go_on()

    # The reader's side.

    def __aiter__(self) -> AnswerStream:
        return self

    async def __anext__(self) -> bytes:
        while not self._parts:
            if self._is_over or self._is_left:
                raise StopAsyncIteration
            self._arrived.clear()
            await self._arrived.wait()
        await self._keep_to_the_bandwidth()
        part = self._parts.popleft()
        self._read_bytes += len(part)
        self._unread_bytes -= len(part)
        if self._unread_bytes <= LOW_BYTES:
            self._let_go_on()
        return part

    async def aclose(self) -> None:
        self.leave()

    def leave(self) -> None:
        """Nobody reads any more."""
        self._is_left = True
        self._parts.clear()
        self._unread_bytes = 0
        self._arrived.set()
        self._let_go_on()

    async def _keep_to_the_bandwidth(self) -> None:
        over = self._read_bytes - UNCAPPED_BYTES
        if over < 0:
            return
        if not self._capped_since_s:
            self._capped_since_s = self._clock.monotonic_s()
        early_s = self._capped_since_s + over / CAPPED_BYTES_PER_S - self._clock.monotonic_s()
        if early_s > 0:
            await self._clock.sleep(early_s)

    def _let_go_on(self) -> None:
        if self._is_held:
            self._is_held = False
            self._go_on()
