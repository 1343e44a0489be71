"""Invokes a function for an exchange, with API Gateway's time limit, and says its failures in API Gateway's words."""

from __future__ import annotations

import asyncio

import orjson

from freehold.aws.call import Json
from freehold.aws.errors import AwsError
from freehold.engine.invocation import Invocation, InvocationResult
from freehold.gateway.exchange import Exchange, Refused

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
) -> InvocationResult:
    """Raises Refused: INTEGRATION_TIMEOUT, INTEGRATION_THROTTLED, REQUEST_TOO_LARGE, or INTEGRATION_FAILURE when it may
    not be invoked or is not there. A function error is a result."""
    invocation = Invocation(
        function_arn=function_arn,
        payload=orjson.dumps(event),
        request_id=invocation_id,
        trace_id=exchange.trace_id,
        source=source,
        source_arn=source_arn,
    )
    try:
        # The engine lets a function run on when its caller stops waiting, as on AWS.
        async with asyncio.timeout(timeout_s):
            return await exchange.means.invoker.invoke(invocation)
    except TimeoutError:
        raise Refused("INTEGRATION_TIMEOUT") from None
    except AwsError as error:
        if error.code in _THROTTLES:
            raise Refused("INTEGRATION_THROTTLED") from error
        if error.code == _TOO_LARGE:
            raise Refused("REQUEST_TOO_LARGE") from error
        raise Refused("API_CONFIGURATION_ERROR") from error
