"""In place of an authorizer that is gone or whose function cannot be found: everyone is kept out."""

from __future__ import annotations

from freehold.gateway.exchange import Exchange, Refused


class Broken:
    async def authorize(self, exchange: Exchange) -> None:
        raise Refused("AUTHORIZER_CONFIGURATION_ERROR")


class Closed:
    """Nobody was given permission."""

    async def authorize(self, exchange: Exchange) -> None:
        raise Refused("ACCESS_DENIED")
