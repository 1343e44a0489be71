"""Invokes a function for an exchange, with API Gateway's time limit, and says its failures in API Gateway's words."""

from __future__ import annotations

from collections.abc import Awaitable

import orjson

from freehold.aws.call import Json
from freehold.aws.errors import AwsError
from freehold.engine.invocation import Invocation, InvocationResult
from freehold.gateway.compiled import Kind
from freehold.gateway.exchange import Exchange, Refused
from freehold.gateway.function_policies import ACTION
from freehold.gateway.integrations.roles import PRINCIPAL, require_role

_THROTTLES = frozenset({"TooManyRequestsException", "ThrottlingException"})
_TOO_LARGE = "RequestTooLargeException"


async def invoke(
    exchange: Exchange,
    function_arn: str,
    event: Json,
    *,
    invocation_id: str,
    source: str,
    source_arn: str,
    timeout_s: float,
    streams: bool = False,
) -> InvocationResult:
    """Of an answer that streams, its begin.

    Raises Refused: INTEGRATION_TIMEOUT, INTEGRATION_THROTTLED, REQUEST_TOO_LARGE, or INTEGRATION_FAILURE when it may
    not be invoked or is not there. A function error is a result."""
    invocation = Invocation(
        function_arn, orjson.dumps(event), invocation_id, exchange.trace_id, b"", source, source_arn, False, streams
    )  # fmt: skip
    try:
        return await exchange.means.deadlines.within(exchange.means.invoker.invoke(invocation), timeout_s)
    except TimeoutError:
        raise Refused("INTEGRATION_TIMEOUT") from None
    except AwsError as error:
        if error.code in _THROTTLES:
            raise Refused("INTEGRATION_THROTTLED") from error
        if error.code == _TOO_LARGE:
            raise Refused("REQUEST_TOO_LARGE") from error
        raise Refused("API_CONFIGURATION_ERROR") from error


def invoke_integration(
    exchange: Exchange, function_arn: str, event: Json, timeout_s: float, role_arn: str = ""
) -> Awaitable[InvocationResult]:
    """As the integration of the exchange's route. Raises Refused, as `invoke`."""
    source_arn = route_arn(exchange)
    require_permission(exchange, function_arn, source_arn, role_arn)
    return invoke(
        exchange,
        function_arn,
        event,
        invocation_id=exchange.invocation_id,
        source=PRINCIPAL,
        source_arn=source_arn,
        timeout_s=timeout_s,
    )


def require_permission(exchange: Exchange, function_arn: str, source_arn: str, role_arn: str) -> None:
    """By the function's own policy or, where there is one, by the role of the integration. Raises Refused."""
    if role_arn:
        require_role(exchange, role_arn, source_arn, ACTION, function_arn)
    elif not exchange.means.policies.allow(function_arn, source_arn):
        raise Refused("NOT_PERMITTED")


def route_arn(exchange: Exchange) -> str:
    """By which the policies of functions and roles name the route that asks: `.../dev/GET/items/{id}`."""
    route = exchange.route
    assert route is not None
    is_keyed = route.path == "/$default" or exchange.api.kind is Kind.WEBSOCKET
    method = "" if is_keyed else f"/{exchange.request.method}"
    return f"{exchange.api.arn}/{exchange.stage.name}{method}{route.path}"
