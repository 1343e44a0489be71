"""Throttling of a stage's routes: a token bucket for each route. Developer Guide, "Throttle requests to your APIs"."""

from __future__ import annotations

from freehold.gateway.exchange import Exchange, Refused


class Bucket:
    """`rate` tokens come back each second, up to `burst`; a request takes one. In memory: a new copy starts full."""

    __slots__ = ("_at_s", "_burst", "_rate", "_tokens")

    def __init__(self, rate: float, burst: int) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = float(burst)
        self._at_s = 0.0

    def take(self, now_s: float) -> bool:
        """`now_s` is monotonic."""
        if self._at_s:
            self._tokens = min(float(self._burst), self._tokens + (now_s - self._at_s) * self._rate)
        self._at_s = now_s
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


async def throttle(exchange: Exchange) -> None:
    route = exchange.route
    if route is not None and route.throttle is not None and not route.throttle.take(exchange.means.clock.monotonic_s()):
        raise Refused("THROTTLED")
