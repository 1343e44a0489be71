"""Waiting for a service to finish what an operation began; ours mostly have, when they answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from freehold.aws.errors import AwsError

_FIRST_S = 0.005
_LONGEST_S = 0.5
_LIMIT_S = 600.0


async def until(is_ready: Callable[[], Awaitable[bool]]) -> None:
    """Asks at once, then ever more rarely. Raises AwsError when it takes longer than ten minutes."""
    pause, waited = _FIRST_S, 0.0
    while not await is_ready():
        if waited > _LIMIT_S:
            raise AwsError("NotStabilized", "Resource did not stabilize.")
        await asyncio.sleep(pause)
        waited += pause
        pause = min(pause * 2, _LONGEST_S)
