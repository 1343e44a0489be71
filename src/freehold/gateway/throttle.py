"""Throttling, by token buckets, and quotas. Developer Guide, "Throttle requests to your REST APIs for better
throughput".

First what the client's usage plan says of it or of the method, then the stage's method settings, then the account.
"""

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


def throttle(exchange: Exchange) -> None:
    route = exchange.route
    if route is not None and route.throttle is not None and not route.throttle.take(exchange.means.clock.monotonic_s()):
        raise Refused("THROTTLED")


def throttle_rest(exchange: Exchange) -> None:
    """A request that is throttled does not count against the quota."""
    route, grant = exchange.route, exchange.grant
    assert route is not None
    now_s = exchange.means.clock.monotonic_s()
    client = None
    if grant is not None:
        client = (
            grant.methods.get(f"{route.path}/{exchange.request.method}", grant.throttle)
            if grant.methods
            else grant.throttle
        )
    for bucket in (client, route.throttle, exchange.api.throttle):
        if bucket is not None and not bucket.take(now_s):
            raise Refused("THROTTLED")
    if grant is not None and not exchange.means.usage_plans.take(grant, exchange.now_s):
        raise Refused("QUOTA_EXCEEDED")
