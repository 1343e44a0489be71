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

# Invocations that outlived their request: as on AWS, a function runs on when its caller is gone.
_running: set[asyncio.Task[InvocationResult]] = set()


async def invoke(
    exchange: Exchange, function_arn: str, event: Json, *, source: str, source_arn: str, timeout_s: float
) -> InvocationResult:
    """Raises Refused: INTEGRATION_TIMEOUT, INTEGRATION_THROTTLED, REQUEST_TOO_LARGE, or INTEGRATION_FAILURE when it may
    not be invoked or is not there. A function error is a result."""
    invocation = Invocation(
        function_arn=function_arn,
        payload=orjson.dumps(event),
        request_id=exchange.means.ids.uuid(),
        trace_id=exchange.trace_id,
        source=source,
        source_arn=source_arn,
    )
    loop = asyncio.get_running_loop()
    task = loop.create_task(_invoke(exchange, invocation))
    _running.add(task)
    done: asyncio.Future[None] = loop.create_future()
    timer = loop.call_later(timeout_s, _wake, done)

    def finished(task: asyncio.Task[InvocationResult]) -> None:
        _running.discard(task)
        if not task.cancelled():
            task.exception()  # Looked at: when nobody waits any more, it is nobody's.
        _wake(done)

    task.add_done_callback(finished)
    try:
        await done
    finally:
        timer.cancel()
    if not task.done():
        raise Refused("INTEGRATION_TIMEOUT")
    return task.result()


async def _invoke(exchange: Exchange, invocation: Invocation) -> InvocationResult:
    try:
        return await exchange.means.invoker.invoke(invocation)
    except AwsError as error:
        if error.code in _THROTTLES:
            raise Refused("INTEGRATION_THROTTLED") from error
        if error.code == _TOO_LARGE:
            raise Refused("REQUEST_TOO_LARGE") from error
        raise Refused("API_CONFIGURATION_ERROR") from error


def _wake(done: asyncio.Future[None]) -> None:
    if not done.done():
        done.set_result(None)
