"""What is counted in memory against guessing and against using a thing twice; bounded, and forgotten by a restart.

Amazon Cognito Developer Guide, "Failed sign-in attempts": after five wrong passwords a user is locked out for a second,
which doubles with each further one up to about 15 minutes; attempts while locked out count for nothing.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

FREE_ATTEMPTS = 5
LONGEST_LOCK_S = 900.0
_USERS = 100_000
_SPENT = 200_000


class Attempts:
    """Wrong passwords by user."""

    __slots__ = ("_entries", "_turns")

    def __init__(self) -> None:
        self._entries: OrderedDict[str, tuple[int, float]] = OrderedDict()  # user -> (wrong so far, last one)
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()  # Of users who are being checked.

    @asynccontextmanager
    async def turn(self, user: str) -> AsyncIterator[None]:
        """One check of a user's password after the other: guesses that come at once are counted like others."""
        lock = self._turns.get(user)
        if lock is None:
            lock = self._turns[user] = asyncio.Lock()
        async with lock:
            yield

    def is_locked(self, user: str, now_s: float) -> bool:
        wrong, last_s = self._entries.get(user, (0, 0.0))
        return wrong >= FREE_ATTEMPTS and now_s < last_s + _lock_s(wrong)

    def failed(self, user: str, now_s: float) -> None:
        wrong, last_s = self._entries.pop(user, (0, 0.0))
        if now_s - last_s > LONGEST_LOCK_S:
            wrong = 0  # Fifteen quiet minutes are a fresh start.
        self._entries[user] = (wrong + 1, now_s)
        if len(self._entries) > _USERS:
            self._entries.popitem(last=False)

    def succeeded(self, user: str) -> None:
        self._entries.pop(user, None)


class Spent:
    """Names of what works once, until it would have run out anyway."""

    __slots__ = ("_until",)

    def __init__(self) -> None:
        self._until: OrderedDict[str, float] = OrderedDict()

    def spend(self, name: str, until_s: float, now_s: float) -> bool:
        """False when it was spent before."""
        if name in self._until:
            return False
        while self._until:
            oldest, until = next(iter(self._until.items()))
            if until > now_s and len(self._until) < _SPENT:
                break
            del self._until[oldest]
        self._until[name] = until_s
        return True


def _lock_s(wrong: int) -> float:
    doublings: int = min(wrong - FREE_ATTEMPTS, 10)
    return min(float(2**doublings), LONGEST_LOCK_S)
