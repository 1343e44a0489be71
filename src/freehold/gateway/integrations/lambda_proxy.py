"""AWS_PROXY: a Lambda function gets the whole request and makes the whole answer."""

from __future__ import annotations

from dataclasses import dataclass

from freehold.gateway.compiled import Kind
from freehold.gateway.exchange import Exchange, Refused
from freehold.gateway.integrations.function import invoke_integration
from freehold.gateway.payloads import v1, v2, websocket
from freehold.http.messages import Response


@dataclass(frozen=True, slots=True)
class LambdaProxy:
    function_arn: str
    payload_version: str  # "1.0", "2.0"; REST and WebSocket APIs: "".
    timeout_s: float
    role_arn: str = ""  # As which the function is invoked; "": as API Gateway.

    async def answer(self, exchange: Exchange) -> Response:
        is_v2 = self.payload_version == "2.0"
        api = exchange.api
        if is_v2:
            event = v2.build_event(exchange)
        elif api.kind is Kind.WEBSOCKET:
            event = websocket.build_event(exchange)
        else:
            event = v1.build_event(exchange)
        result = await invoke_integration(exchange, self.function_arn, event, self.timeout_s, self.role_arn)
        if result.function_error is not None:
            raise Refused("INTEGRATION_FAILURE")
        if is_v2:
            return v2.read_response(result.payload)
        if api.kind is Kind.REST:
            accept = exchange.request.lower.get("accept")
            return v1.read_rest_response(result.payload, exchange.stage.binary_media_types, accept)
        if api.kind is Kind.WEBSOCKET:
            return websocket.read_response(result.payload)
        return v1.read_response(result.payload)
