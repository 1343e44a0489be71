"""Who goes when the server is full: those who keep it waiting the longest, so that others are still served.

Slow clients (Slowloris) hold connections and unfinished bodies; whoever sends a whole request at once holds neither
for long, so it is never the one that has waited longest.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from typing import Protocol

_SHARE = 100  # One in so many is let go at once: looking at all of them is not paid for each new connection.


class Held(Protocol):
    @property
    def waits_for_client(self) -> bool:
        """Nothing of it is being answered: it is idle, or its request is not whole."""

    @property
    def unfinished_bytes(self) -> int:
        """Of a body whose end has not come."""

    @property
    def silent_since(self) -> float:
        """Monotonic seconds: when its wait began, or the last part of its body came."""

    def abort(self) -> None: ...

    def give_up(self) -> None:
        """Answers 503 and closes."""


def make_room(connections: Iterable[Held], most: int) -> bool:
    """Closes some of those that wait for their client. False: there are none."""
    waiting = [connection for connection in connections if connection.waits_for_client]
    for connection in heapq.nsmallest(max(1, most // _SHARE), waiting, key=lambda each: each.silent_since):
        connection.abort()
    return bool(waiting)


def drop_slowest_body(connections: Iterable[Held], but: Held) -> bool:
    """False: no other connection holds an unfinished body."""
    holding = [connection for connection in connections if connection.unfinished_bytes and connection is not but]
    if not holding:
        return False
    min(holding, key=lambda each: each.silent_since).give_up()
    return True
