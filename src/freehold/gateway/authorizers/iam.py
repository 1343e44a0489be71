"""AuthType AWS_IAM of function URLs: who did not sign is refused. Any credentials are accepted, as everywhere here."""

from __future__ import annotations

from freehold.gateway.exchange import Exchange, Refused


class SignedOnly:
    async def authorize(self, exchange: Exchange) -> None:
        request = exchange.request
        signed = request.lower.get("authorization", "").startswith("AWS4-") or "X-Amz-Signature=" in request.query
        if not signed:
            raise Refused("ACCESS_DENIED")
