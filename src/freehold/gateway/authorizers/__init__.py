"""Who may pass: a frozen record for each kind of authorizer, with `authorize(exchange)`; jwt.py, request.py, token.py.

The step below runs the one of the route. What fails on the way refuses the request: nothing passes by accident.
"""

from __future__ import annotations

from freehold.gateway.exchange import Exchange


async def authorize(exchange: Exchange) -> None:
    route = exchange.route
    if route is not None and route.authorizer is not None:
        await route.authorizer.authorize(exchange)
