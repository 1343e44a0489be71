"""Work to be done later, on disk: what was accepted is done at least once, whatever happens to the process.

Two decisions to know. A message that was taken is held back only in memory: when the process ends before `ack`, the
next one finds the message as it was. And a topic has lanes, of which none takes all places: it gets another one only
while it holds fewer than are free, so that one greedy lane has half of them, two a third each, and a newcomer finds
one (A. Choudhury and E. Hahne, "Dynamic queue length thresholds for shared-memory packet switches").
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Message:
    id: int
    lane: str
    body: bytes
    due_s: float  # Wall clock: not before then.


class QueueFailed(Exception):
    """The disk, or too many at once: nothing of it was done. It may be asked again."""


class Queue(Protocol):
    """Everything raises QueueFailed."""

    async def put(self, topic: str, body: bytes, due_s: float, lane: str = "", once: str = "") -> int:
        """On disk when it returns the message's id. What is put again under the name `once` is not: its id is told."""
        ...

    async def take(self, topic: str, now_s: float, places: int) -> list[Message]:
        """Messages that are due; nobody else gets them until `retry`. With those taken before and not done they are
        at most `places`. The lane that holds the fewest comes first, of a lane the oldest due."""
        ...

    async def retry(self, message_id: int, body: bytes, due_s: float) -> None:
        """Puts a taken message back, with a new body."""
        ...

    async def keep(self, message_id: int, body: bytes) -> None:
        """Gives a taken message, that stays taken, a new body: on disk when it returns."""
        ...

    async def ack(self, message_id: int) -> None:
        """It is done: gone for good when this returns."""
        ...

    async def next_due_s(self, topic: str, now_s: float) -> float | None:
        """When the first message is due that was not at `now_s` and that nobody has taken; None: there is none."""
        ...
