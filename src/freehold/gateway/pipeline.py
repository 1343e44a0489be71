"""The way of a request through each kind of API, in AWS's order. A step ends it by an answer or a refusal.

A step that has nothing to wait for is a plain function; one that has returns what is to be awaited.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from types import MappingProxyType

from freehold.gateway.api_keys import require_api_key
from freehold.gateway.authorizers import authorize
from freehold.gateway.compiled import Kind
from freehold.gateway.compression import unpack_request
from freehold.gateway.cors import answer_preflight
from freehold.gateway.exchange import Exchange
from freehold.gateway.limits import check_size
from freehold.gateway.steps import find_route, integrate, require_route
from freehold.gateway.throttle import throttle, throttle_rest
from freehold.gateway.validation import validate
from freehold.http.messages import Response

Outcome = Response | None
Step = Callable[[Exchange], Outcome | Awaitable[Outcome]]

PIPELINES: MappingProxyType[Kind, tuple[Step, ...]] = MappingProxyType(
    {
        Kind.HTTP: (check_size, find_route, authorize, answer_preflight, require_route, throttle, integrate),
        Kind.REST: (
            check_size,
            unpack_request,
            find_route,
            require_route,
            authorize,
            require_api_key,
            validate,
            throttle_rest,
            integrate,
        ),
        # Of a handshake; messages have their own below.
        Kind.WEBSOCKET: (check_size, authorize, require_api_key, validate, throttle_rest, integrate),
        Kind.URL: (check_size, find_route, answer_preflight, authorize, integrate),
    }
)

MESSAGE_PIPELINE: tuple[Step, ...] = (validate, throttle_rest, integrate)
"""Of what comes over a WebSocket: its route is found, and its sender is known since the handshake."""


async def run_steps(exchange: Exchange, steps: tuple[Step, ...]) -> Response:
    """Raises Refused."""
    for step in steps:
        outcome = step(exchange)
        if outcome is None:
            continue
        response = outcome if isinstance(outcome, Response) else await outcome
        if response is not None:
            return response
    raise AssertionError("the last step answers or refuses")
