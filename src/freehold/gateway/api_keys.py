"""API keys of REST APIs: a method that requires one is not reached without a key that has a usage plan for the stage.

API Gateway Developer Guide, "Choose an API key source": the `x-api-key` header, or the `usageIdentifierKey` that a
Lambda authorizer answered with.
"""

from __future__ import annotations

from freehold.gateway.exchange import Exchange, Refused


def require_api_key(exchange: Exchange) -> None:
    route, stage, api = exchange.route, exchange.stage, exchange.api
    if route is None or not route.needs_api_key:
        return
    value = exchange.usage_key if stage.has_authorizers_keys else exchange.request.lower.get("x-api-key")
    grant = exchange.means.usage_plans.find(api.region, api.id, stage.name, value) if value else None
    if grant is None:
        raise Refused("INVALID_API_KEY")
    exchange.grant = grant
