"""AWS, with a Lambda function behind it: templates make the event and the answer.

Developer Guide, "Set up Lambda custom integrations in API Gateway". A function error is matched by its errorMessage
against the selection patterns; a good answer takes the default one.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

import orjson

from freehold.aws.call import Json
from freehold.gateway.exchange import Exchange, Refused
from freehold.gateway.integrations.function import invoke_integration, require_permission, route_arn
from freehold.gateway.integrations.mapped import (
    AnswerMapping,
    RequestMapping,
    compile_answers,
    compile_request,
    map_answer,
    map_request,
    select,
)
from freehold.gateway.unsupported import unsupported
from freehold.http.messages import Request, Response

_SYNCHRONOUS = "RequestResponse"


@dataclass(frozen=True, slots=True)
class LambdaCustom:
    function_arn: str
    request: RequestMapping
    answers: tuple[AnswerMapping, ...]
    timeout_s: float
    role_arn: str = ""  # As which the function is invoked; "": as API Gateway.

    async def answer(self, exchange: Exchange) -> Response:
        mapped = map_request(exchange, self.request)
        kind = mapped.header("x-amz-invocation-type") or _SYNCHRONOUS
        if kind != _SYNCHRONOUS:
            return await self._answer_later(exchange, kind, mapped.body)
        try:
            event = orjson.loads(mapped.body) if mapped.body.strip() else {}
        except orjson.JSONDecodeError:
            # Lambda answers 400 to an event that is no JSON, and API Gateway makes a 500 of it.
            raise Refused("API_CONFIGURATION_ERROR") from None
        result = await invoke_integration(exchange, self.function_arn, event, self.timeout_s, self.role_arn)
        body = result.payload.decode("utf-8", "replace")
        message = _error_message(body) if result.function_error is not None else None
        headers = {"x-amzn-requestid": exchange.invocation_id, "x-amz-executed-version": result.executed_version}
        return map_answer(exchange, select(self.answers, message), result.payload, headers)

    async def _answer_later(self, exchange: Exchange, kind: str, body: bytes) -> Response:
        """Event: Lambda answers 202 at once. Developer Guide, "Set up asynchronous invocation of the backend Lambda
        function"."""
        request = Request(
            "POST",
            f"/2015-03-31/functions/{quote(self.function_arn, safe='')}/invocations",
            "",
            [("Host", "lambda.amazonaws.com"), ("X-Amz-Invocation-Type", kind)],
            body,
            client=exchange.request.client,
        )
        require_permission(exchange, self.function_arn, route_arn(exchange), self.role_arn)
        response = await exchange.means.call_aws(request)
        if response.status >= 400:
            raise Refused("API_CONFIGURATION_ERROR")
        return map_answer(exchange, select(self.answers, None), response.body, {})


def _error_message(body: str) -> str:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return body
    return str(document.get("errorMessage") or "") if isinstance(document, dict) else body


def compile_lambda_custom(integration: Json, function_arn: str, timeout_s: float, what: str) -> LambdaCustom:
    """Raises AwsError."""
    if integration.get("contentHandling") == "CONVERT_TO_BINARY":
        raise unsupported(f"contentHandling CONVERT_TO_BINARY of {what}")
    request, answers = compile_request(integration, what), compile_answers(integration, what)
    return LambdaCustom(function_arn, request, answers, timeout_s, integration.get("credentials") or "")
