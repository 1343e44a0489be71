"""Who may pass: a frozen record for each kind of authorizer, with `authorize(exchange)`:
jwt.py, cognito.py, request.py, iam.py.

The step below runs the one of the route. What fails on the way refuses the request: nothing passes by accident.
"""

from __future__ import annotations

from collections.abc import Awaitable

from freehold.gateway.exchange import Exchange


def authorize(exchange: Exchange) -> Awaitable[None] | None:
    route = exchange.route
    if route is None or route.authorizer is None:
        return None
    return route.authorizer.authorize(exchange)
