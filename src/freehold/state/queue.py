"""Work to be done later, on disk: what was accepted is done at least once, whatever happens to the process.

One decision to know: a message that was taken is held back only in memory. When the process ends before `ack`, the next
one finds the message as it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Message:
    id: int
    topic: str
    body: bytes
    due_s: float  # Wall clock: not before then.


class Queue(Protocol):
    async def put(self, topic: str, body: bytes, due_s: float) -> int:
        """On disk when it returns the message's id."""
        ...

    async def take(self, topic: str, now_s: float, limit: int) -> list[Message]:
        """Messages that are due, the oldest due first; nobody else gets them until `retry`."""
        ...

    async def retry(self, message_id: int, body: bytes, due_s: float) -> None:
        """Puts a taken message back, with a new body."""
        ...

    async def ack(self, message_id: int) -> None:
        """It is done: gone for good when this returns."""
        ...

    async def next_due_s(self, topic: str) -> float | None:
        """When the first message that nobody has taken is due; None: there is none."""
        ...
