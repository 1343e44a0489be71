"""The steps that are a few lines: find the route, insist on it, call its integration."""

from __future__ import annotations

from collections.abc import Awaitable

from freehold.gateway.exchange import Exchange, Refused
from freehold.http.messages import Response


def find_route(exchange: Exchange) -> None:
    stage = exchange.stage
    found = stage.routes.find(exchange.request.method, exchange.path)
    if found is None:
        exchange.route = stage.default_route
        return
    route, values = found
    exchange.route = route
    if values:
        exchange.parameters = dict(zip(route.names, values, strict=True))


def require_route(exchange: Exchange) -> None:
    if exchange.route is None:
        raise Refused("MISSING_AUTHENTICATION_TOKEN")


def integrate(exchange: Exchange) -> Awaitable[Response]:
    assert exchange.route is not None
    if exchange.route.integration is None:
        raise Refused("API_CONFIGURATION_ERROR")
    return exchange.route.integration.answer(exchange)
