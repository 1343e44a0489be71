"""What only logs tell of a request: how long its authorizer and its integration took, and what they said.

Integrations and authorizers of a stage that logs are put into these; others run as they are.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from freehold.gateway.compiled import Authorizer, Integration, Route
from freehold.gateway.exchange import Exchange, Refused
from freehold.gateway.integrations.lambda_custom import LambdaCustom
from freehold.gateway.integrations.lambda_proxy import LambdaProxy
from freehold.http.messages import Response

# Believed: AWS tells more of what a function or a backend said.
_ERRORS = {
    "INTEGRATION_FAILURE": "The Lambda function returned an error. Check your Lambda function code and try again.",
    "INVALID_RESPONSE": "The response from the Lambda function doesn't match the format that API Gateway expects.",
    "INTEGRATION_TIMEOUT": "Endpoint request timed out",
    "INTEGRATION_THROTTLED": "Rate Exceeded.",
    "NOT_PERMITTED": "The IAM role configured on the integration or API Gateway doesn't have permissions to call the "
    "integration. Check the permissions and try again.",
    "INTEGRATION_UNREACHABLE": "Network error communicating with endpoint",
}
_ANSWERED = ("INTEGRATION_FAILURE", "INVALID_RESPONSE")  # The Lambda service did its part.


@dataclass(slots=True)
class Notes:
    """Times in milliseconds; None: it was not asked."""

    integration_latency_ms: int | None = None
    integration_status: int | None = None  # Of the service behind the method: of Lambda, not of the function.
    answer_status: int | None = None  # Of what the integration answered: of the function.
    integration_error: str | None = None
    authorizer_latency_ms: int | None = None
    authorizer_status: int | None = None
    authorizer_error: str | None = None


def noted(route: Route) -> Route:
    """The same, and what logs tell of it is noted."""
    return replace(
        route,
        integration=NotedIntegration(route.integration) if route.integration is not None else None,
        authorizer=NotedAuthorizer(route.authorizer) if route.authorizer is not None else None,
    )


def notes_of(exchange: Exchange) -> Notes:
    if exchange.notes is None:
        exchange.notes = Notes()
    return exchange.notes


@dataclass(frozen=True, slots=True)
class NotedIntegration:
    integration: Integration

    async def answer(self, exchange: Exchange) -> Response:
        notes = notes_of(exchange)
        is_function = isinstance(self.integration, LambdaProxy | LambdaCustom)
        clock = exchange.means.clock
        start_s = clock.monotonic_s()
        try:
            response = await self.integration.answer(exchange)
            notes.answer_status = response.status
            if notes.integration_status is None:
                notes.integration_status = 200 if is_function else response.status
            return response
        except Refused as refused:
            notes.integration_error = _ERRORS.get(refused.type, "Internal server error")
            if is_function and refused.type in _ANSWERED:
                notes.integration_status = 200
            raise
        finally:
            notes.integration_latency_ms = round((clock.monotonic_s() - start_s) * 1000)


@dataclass(frozen=True, slots=True)
class NotedAuthorizer:
    authorizer: Authorizer

    async def authorize(self, exchange: Exchange) -> None:
        notes = notes_of(exchange)
        clock = exchange.means.clock
        start_s = clock.monotonic_s()
        try:
            await self.authorizer.authorize(exchange)
            notes.authorizer_status = 200
        except Refused as refused:
            notes.authorizer_status = _STATUSES.get(refused.type, 500)
            notes.authorizer_error = refused.message or _WORDS.get(refused.type, "Internal server error")
            raise
        finally:
            notes.authorizer_latency_ms = round((clock.monotonic_s() - start_s) * 1000)


_STATUSES = {"UNAUTHORIZED": 401, "MISSING_AUTHENTICATION_TOKEN": 403, "ACCESS_DENIED": 403, "EXPIRED_TOKEN": 403}
_STATUSES["INVALID_SIGNATURE"] = 403
_WORDS = {"UNAUTHORIZED": "Unauthorized", "ACCESS_DENIED": "The client is not authorized to perform this operation."}
