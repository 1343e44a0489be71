"""Time limits of what requests wait for, without a timer for each request.

Who waits is looked through every LOOK_S, the oldest first, so that is how late a limit can be. A timer that is made
and cancelled costs a request as much as finding its route.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar

T = TypeVar("T")
LOOK_S = 0.01


class Deadlines:
    def __init__(self) -> None:
        # Limit in seconds -> who waits, in the order of their deadlines, and until when.
        self._waiting: dict[float, dict[asyncio.Future[Any], float]] = {}
        self._is_looking = False

    async def within(self, work: Awaitable[T], limit_s: float) -> T:
        """Raises TimeoutError. The work itself is told by its future's cancellation; a function runs on, as on AWS."""
        result = asyncio.ensure_future(work)
        loop = result.get_loop()
        waiting = self._waiting.get(limit_s)
        if waiting is None:
            waiting = self._waiting[limit_s] = {}
        waiting[result] = loop.time() + limit_s
        if not self._is_looking:
            self._is_looking = True
            loop.call_later(LOOK_S, self._look, loop)
        try:
            return await result
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            raise TimeoutError from None
        finally:
            del waiting[result]

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        for limit_s, waiting in list(self._waiting.items()):
            for result, deadline in waiting.items():
                if deadline > now:
                    break
                result.cancel()
            if not waiting:
                del self._waiting[limit_s]
        self._is_looking = bool(self._waiting)
        if self._is_looking:
            loop.call_later(LOOK_S, self._look, loop)
