"""Time, ids and random numbers: the one source of each, made in `app.py`, so that a test can set them.

Anything may import this module. Nothing else in Freehold calls `time.time`, `uuid4` or `secrets`.
"""

from __future__ import annotations

import asyncio
import secrets
import string
import time
import uuid
from datetime import UTC, datetime
from typing import Protocol

_AHEAD_BYTES = 4096
_LOWER = string.ascii_lowercase + string.digits


class Clock(Protocol):
    def now_s(self) -> float:
        """Seconds since the epoch, wall clock."""
        ...

    def monotonic_s(self) -> float:
        """Seconds that never go back, for durations and deadlines."""
        ...

    async def sleep(self, seconds: float) -> None: ...


class Ids(Protocol):
    def uuid(self) -> str: ...

    def short(self, length: int = 10) -> str:
        """Lower-case letters and digits, the first a letter: the look of an API id."""
        ...

    def hex(self, length: int = 32) -> str: ...


class SystemClock:
    # The functions themselves: a request asks for the time some ten times.
    now_s = staticmethod(time.time)
    monotonic_s = staticmethod(time.monotonic)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class RandomIds:
    """From the system's generator, some KB at a time: a request asks for more ids than system calls are worth."""

    def __init__(self) -> None:
        self._ahead = ""
        self._at = 0

    def uuid(self) -> str:
        return str(uuid.uuid4())

    def short(self, length: int = 10) -> str:
        first = secrets.choice(string.ascii_lowercase)
        return first + "".join(secrets.choice(_LOWER) for _ in range(length - 1))

    def hex(self, length: int = 32) -> str:
        at, end = self._at, self._at + length
        if end > len(self._ahead):
            self._ahead = secrets.token_hex(max(_AHEAD_BYTES, length))
            at, end = 0, length
        self._at = end
        return self._ahead[at:end]


def now_ms(clock: Clock) -> int:
    """Epoch milliseconds."""
    return int(clock.now_s() * 1000)


def utc(clock: Clock) -> datetime:
    return datetime.fromtimestamp(clock.now_s(), UTC)
