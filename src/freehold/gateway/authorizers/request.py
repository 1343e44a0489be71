"""Lambda authorizers: REQUEST of HTTP APIs (formats 1.0 and 2.0), REQUEST and TOKEN of REST APIs, REQUEST of the
$connect route of WebSocket APIs.

API Gateway Developer Guide, "Control access to HTTP APIs with AWS Lambda authorizers" and "Use API Gateway Lambda
authorizers". The cache holds what the function answered; a cached policy is held against each new method's ARN.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
import regex

from freehold.aws.call import Json
from freehold.aws.errors import AwsError
from freehold.aws.policies import Asked, MalformedPolicy, Verdict, evaluate
from freehold.gateway.authorizers.cache import Cache
from freehold.gateway.authorizers.iam import INVOKE, called_arn, request_context
from freehold.gateway.authorizers.identity import Source, compile_source
from freehold.gateway.compiled import Kind
from freehold.gateway.exchange import Exchange, Refused
from freehold.gateway.function_arns import function_arn
from freehold.gateway.integrations.function import invoke, require_permission
from freehold.gateway.integrations.roles import PRINCIPAL
from freehold.gateway.limits import AUTHORIZER_TIMEOUT_S
from freehold.gateway.mapping.methods import PATTERN_LIMIT_S, compile_pattern
from freehold.gateway.payloads import v1, v2, websocket

_REMEMBERED = 10_000
_REST_TTL_DEFAULT_S = 300
_EXPLICIT_DENY = "User is not authorized to access this resource with an explicit deny"

BuildEvent = Callable[[Exchange, str, list[str]], Json]
"""(exchange, method ARN, identity values) -> event."""


@dataclass(frozen=True, slots=True)
class RequestAuthorizer:
    id: str
    function_arn: str
    build_event: BuildEvent
    sources: tuple[Source, ...]  # Every one must be there, else 401 without a call.
    ttl_s: int  # 0: not cached.
    is_simple: bool = False
    pattern: Any = None  # Compiled, or None. TOKEN: what the token must look like.
    role_arn: str = ""  # As which the function is invoked; "": as API Gateway.
    resource_verdict: Callable[[Exchange], Verdict] | None = None  # Of the API's policy; raises Refused if that denies.
    answers: Cache[Json] = field(default_factory=lambda: Cache(_REMEMBERED))

    async def authorize(self, exchange: Exchange) -> None:
        by_resource = self.resource_verdict(exchange) if self.resource_verdict is not None else Verdict.NO_MATCH
        identity = [source(exchange) or "" for source in self.sources]
        if not all(identity) or (self.pattern is not None and not _looks_right(self.pattern, identity[0])):
            raise Refused("UNAUTHORIZED")
        method_arn = called_arn(exchange)
        key = tuple(identity)
        answer = self.answers.get(key, exchange.now_s) if self.ttl_s else None
        if answer is None:
            answer = await self._ask(exchange, method_arn, identity)
            if self.ttl_s:
                self.answers.put(key, answer, exchange.now_s + self.ttl_s)
        self._judge(exchange, answer, method_arn, by_resource)

    async def _ask(self, exchange: Exchange, method_arn: str, identity: list[str]) -> Json:
        source_arn = f"{exchange.api.arn}/authorizers/{self.id}"
        try:
            require_permission(exchange, self.function_arn, source_arn, self.role_arn)
            result = await invoke(
                exchange,
                self.function_arn,
                self.build_event(exchange, method_arn, identity),
                invocation_id=exchange.means.ids.uuid(),
                source=PRINCIPAL,
                source_arn=source_arn,
                timeout_s=AUTHORIZER_TIMEOUT_S,
            )
        except Refused as refused:
            is_denied = refused.type == "NOT_PERMITTED"
            raise Refused("AUTHORIZER_CONFIGURATION_ERROR" if is_denied else "AUTHORIZER_FAILURE") from refused
        try:
            answer = orjson.loads(result.payload)
        except orjson.JSONDecodeError:
            raise Refused("AUTHORIZER_CONFIGURATION_ERROR") from None
        if (
            result.function_error is not None
            and isinstance(answer, dict)
            and answer.get("errorMessage") == "Unauthorized"
        ):
            raise Refused("UNAUTHORIZED")
        if result.function_error is not None or not isinstance(answer, dict):
            raise Refused("AUTHORIZER_CONFIGURATION_ERROR")
        return answer

    def _judge(self, exchange: Exchange, answer: Json, method_arn: str, by_resource: Verdict) -> None:
        """`by_resource`: of the API's own policy, which allows what the answer does not mention."""
        context = answer.get("context")
        context = {} if context is None else context
        if not isinstance(context, dict):
            raise Refused("AUTHORIZER_CONFIGURATION_ERROR")
        if self.is_simple:
            if not isinstance(answer.get("isAuthorized"), bool):
                raise Refused("AUTHORIZER_CONFIGURATION_ERROR")
            if not answer["isAuthorized"]:
                raise Refused("ACCESS_DENIED")
        else:
            try:
                asked = Asked(INVOKE, method_arn, context=request_context(exchange))
                verdict = evaluate(answer.get("policyDocument"), asked)
            except MalformedPolicy:
                raise Refused("AUTHORIZER_CONFIGURATION_ERROR") from None
            if verdict is Verdict.NO_MATCH:
                verdict = by_resource
            if verdict is not Verdict.ALLOW:
                raise Refused("ACCESS_DENIED", _EXPLICIT_DENY if verdict is Verdict.DENY else None)
        if exchange.api.kind is Kind.HTTP:
            exchange.authorizer = {"lambda": context}
        else:
            if not isinstance(answer.get("principalId"), str):
                raise Refused("AUTHORIZER_CONFIGURATION_ERROR")
            key = answer.get("usageIdentifierKey")
            exchange.usage_key = key if isinstance(key, str) else None
            exchange.authorizer = {**_rest_context(context), "principalId": answer["principalId"]}


def compile_http_request_authorizer(document: Json, variables: Mapping[str, str] | None) -> RequestAuthorizer:
    is_v2 = document["AuthorizerPayloadFormatVersion"] == "2.0"
    return RequestAuthorizer(
        id=document["AuthorizerId"],
        function_arn=function_arn(document["AuthorizerUri"], variables),
        role_arn=document.get("AuthorizerCredentialsArn") or "",
        build_event=_event_v2 if is_v2 else _event_v1,
        sources=tuple(compile_source(source) for source in document.get("IdentitySource") or ()),
        ttl_s=document.get("AuthorizerResultTtlInSeconds", 0),
        is_simple=bool(document.get("EnableSimpleResponses")),
    )


def compile_rest_authorizer(document: Json, variables: Mapping[str, str] | None) -> RequestAuthorizer:
    """TOKEN or REQUEST. Without identity sources a REQUEST authorizer cannot be cached."""
    is_token = document["type"] == "TOKEN"
    texts = [text for text in (document.get("identitySource") or "").split(",") if text.strip()]
    if is_token and not texts:
        texts = ["method.request.header.Authorization"]
    expression = document.get("identityValidationExpression")
    return RequestAuthorizer(
        id=document["id"],
        function_arn=function_arn(document["authorizerUri"], variables),
        role_arn=document.get("authorizerCredentials") or "",
        build_event=_token_event if is_token else _rest_event,
        sources=tuple(compile_source(text) for text in texts),
        ttl_s=document.get("authorizerResultTtlInSeconds", _REST_TTL_DEFAULT_S) if texts else 0,
        pattern=_compile_expression(expression) if is_token and expression else None,
    )


def compile_socket_authorizer(document: Json, variables: Mapping[str, str] | None) -> RequestAuthorizer:
    """Of a WebSocket API: never cached."""
    return RequestAuthorizer(
        id=document["AuthorizerId"],
        function_arn=function_arn(document["AuthorizerUri"], variables),
        role_arn=document.get("AuthorizerCredentialsArn") or "",
        build_event=_socket_event,
        sources=tuple(compile_source(source) for source in document.get("IdentitySource") or ()),
        ttl_s=0,
    )


def _compile_expression(expression: str) -> Any:
    """Raises AwsError."""
    try:
        return compile_pattern(expression)
    except (ValueError, regex.error) as error:
        message = f"Invalid identity validation expression: {error}"
        raise AwsError("BadRequestException", message, status=400) from None


def _looks_right(pattern: Any, token: str) -> bool:
    """The pattern is the deployer's and the token the caller's: one that takes too long to tell does not pass."""
    try:
        return pattern.fullmatch(token, timeout=PATTERN_LIMIT_S) is not None
    except TimeoutError:
        return False


def _event_v2(exchange: Exchange, method_arn: str, identity: list[str]) -> Json:
    event = v2.build_event(exchange)
    event.pop("body", None)
    event.pop("isBase64Encoded", None)
    return {**event, "type": "REQUEST", "routeArn": method_arn, "identitySource": identity or None}


def _event_v1(exchange: Exchange, method_arn: str, identity: list[str]) -> Json:
    event = _rest_event(exchange, method_arn, identity)
    joined = ",".join(identity)
    return {**event, "version": "1.0", "identitySource": joined, "authorizationToken": joined}


def _rest_event(exchange: Exchange, method_arn: str, identity: list[str]) -> Json:
    event = v1.build_event(exchange)
    event.pop("body", None)
    event.pop("isBase64Encoded", None)
    for member in ("pathParameters", "stageVariables", "queryStringParameters", "multiValueQueryStringParameters"):
        event[member] = event[member] or {}
    event["requestContext"].pop("authorizer", None)
    return {**event, "type": "REQUEST", "methodArn": method_arn}


def _socket_event(exchange: Exchange, method_arn: str, identity: list[str]) -> Json:
    return websocket.build_authorizer_event(exchange, method_arn)


def _token_event(exchange: Exchange, method_arn: str, identity: list[str]) -> Json:
    return {"type": "TOKEN", "methodArn": method_arn, "authorizationToken": identity[0]}


def _rest_context(context: Json) -> dict[str, Any]:
    """REST APIs take plain values only, and hand them on as text."""
    texts: dict[str, Any] = {}
    for name, value in context.items():
        if isinstance(value, dict | list):
            raise Refused("AUTHORIZER_CONFIGURATION_ERROR")
        texts[name] = value if isinstance(value, str) or value is None else orjson.dumps(value).decode()
    return texts
