"""What a function URL calls: its function, in payload format 2.0. Lambda Developer Guide, "Lambda function URLs".

With invoke mode RESPONSE_STREAM it is invoked as by InvokeWithResponseStream, else as by Invoke.
"""

from __future__ import annotations

from dataclasses import dataclass

from freehold.gateway.exchange import Exchange, Refused
from freehold.gateway.integrations.function import invoke
from freehold.gateway.integrations.streamed_answer import answer_of
from freehold.gateway.payloads import v2
from freehold.http.messages import Response

TIMEOUT_S = 905.0  # Beyond the longest function timeout: the function's own ends first.


@dataclass(frozen=True, slots=True)
class FunctionUrl:
    function_arn: str
    is_streamed: bool

    async def answer(self, exchange: Exchange) -> Response:
        result = await invoke(
            exchange,
            self.function_arn,
            v2.build_event(exchange),
            invocation_id=exchange.invocation_id,
            source="",
            source_arn="",
            timeout_s=TIMEOUT_S,
            streams=self.is_streamed,
        )
        if self.is_streamed:
            return await answer_of(result)
        if result.function_error is not None:
            raise Refused("INTEGRATION_FAILURE")
        return v2.read_response(result.payload)
