"""Non-proxy integrations of WebSocket APIs: templates make what a Lambda function or nobody (MOCK) is asked, and what
the client is told.

API Gateway Developer Guide, "Integrations for WebSocket APIs", "Data transformations for WebSocket APIs". Templates are
chosen by the key that a selection expression gives, `$default` where it gives none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
import regex

from freehold.aws.call import Json
from freehold.aws.errors import AwsError
from freehold.gateway.exchange import Exchange, Refused
from freehold.gateway.integrations.function import invoke_integration
from freehold.gateway.integrations.mock import read_status
from freehold.gateway.mapping.methods import PATTERN_LIMIT_S, TemplateFailure, compile_pattern
from freehold.gateway.mapping.template import Template, compile_template
from freehold.gateway.mapping.variables import Input
from freehold.gateway.payloads import v1, websocket
from freehold.gateway.selection import ANSWER_ROOTS, MESSAGE_ROOTS, Selection, compile_selection
from freehold.http.messages import Response

_DEFAULT = "$default"
_PASSTHROUGH = "WHEN_NO_MATCH"


@dataclass(frozen=True, slots=True)
class Templates:
    by_key: Mapping[str, Template]
    selection: Selection | None

    def choose(self, exchange: Exchange, body: str) -> Template | None:
        key = None
        if self.selection is not None:
            key = self.selection.evaluate(lambda root: _look(exchange, root, body))
        return self.by_key.get(key or _DEFAULT) or self.by_key.get(_DEFAULT)


@dataclass(frozen=True, slots=True)
class Answer:
    pattern: Any  # A compiled pattern; None: the default answer.
    templates: Templates


@dataclass(frozen=True, slots=True)
class Mapped:
    """What the kinds below share."""

    templates: Templates
    passthrough: str  # "WHEN_NO_MATCH", "WHEN_NO_TEMPLATES", "NEVER".
    answers: tuple[Answer, ...]

    def ask(self, exchange: Exchange) -> str:
        """What the integration is sent. Raises Refused."""
        body = exchange.request.body.decode("utf-8", "replace")
        template = self.templates.choose(exchange, body)
        if template is not None:
            return _render(template, exchange, body)
        if self.passthrough == "NEVER" or (self.passthrough == "WHEN_NO_TEMPLATES" and self.templates.by_key):
            raise Refused("UNSUPPORTED_MEDIA_TYPE")
        return body

    def tell(self, exchange: Exchange, status: int, text: str | None, body: str) -> Response:
        """`text` is what selects the answer: a status code, or the message of an error."""
        answer = self._select(text)
        template = answer.templates.choose(exchange, body) if answer is not None else None
        told = body if template is None else _render(template, exchange, body)
        return Response(status, [], told.encode())

    def _select(self, text: str | None) -> Answer | None:
        default = None
        for answer in self.answers:
            if answer.pattern is None:
                default = answer
            elif text is not None and _matches(answer.pattern, text):
                return answer
        return default


@dataclass(frozen=True, slots=True)
class SocketLambda:
    """AWS, with a Lambda function behind it. A function error takes the answer that its message selects."""

    function_arn: str
    mapped: Mapped
    timeout_s: float
    role_arn: str = ""  # As which the function is invoked; "": as API Gateway.

    async def answer(self, exchange: Exchange) -> Response:
        asked = self.mapped.ask(exchange)
        try:
            event = orjson.loads(asked) if asked.strip() else {}
        except orjson.JSONDecodeError:
            raise Refused("API_CONFIGURATION_ERROR") from None
        result = await invoke_integration(exchange, self.function_arn, event, self.timeout_s, self.role_arn)
        body = result.payload.decode("utf-8", "replace")
        if result.function_error is None:
            return self.mapped.tell(exchange, 200, None, body)
        message = _error_message(body)
        if not any(answer.pattern is not None and _matches(answer.pattern, message) for answer in self.mapped.answers):
            raise Refused("INTEGRATION_FAILURE")
        return self.mapped.tell(exchange, 502, message, body)


@dataclass(frozen=True, slots=True)
class SocketMock:
    """MOCK: the request template's `statusCode` chooses the answer."""

    mapped: Mapped

    async def answer(self, exchange: Exchange) -> Response:
        status = read_status(self.mapped.ask(exchange))
        if status is None:
            raise Refused("API_CONFIGURATION_ERROR")
        return self.mapped.tell(exchange, int(status), status, "")


def compile_mapped(integration: Json, responses: Mapping[str, Json], what: str) -> Mapped:
    """`responses`: the integration's, by id. Raises AwsError."""
    return Mapped(
        templates=_templates(integration, "RequestTemplates", f"the request template of {what}"),
        passthrough=(integration.get("PassthroughBehavior") or _PASSTHROUGH).upper(),
        answers=tuple(_answer(each, what) for each in responses.values()),
    )


def _answer(document: Json, what: str) -> Answer:
    key = document["IntegrationResponseKey"]
    pattern = None
    if key != _DEFAULT:
        try:
            pattern = compile_pattern(key.removeprefix("/").removesuffix("/"))
        except (ValueError, regex.error) as error:
            raise AwsError(
                "BadRequestException", f"Invalid integration response key {key}: {error}", status=400
            ) from None
    return Answer(pattern, _templates(document, "ResponseTemplates", f"the response template of {what}"))


def _templates(document: Json, member: str, what: str) -> Templates:
    by_key = {
        # `\$default` is how expressions write the key.
        re.sub(r"^\\\$", "$", key): compile_template(text or "", what)
        for key, text in (document.get(member) or {}).items()
    }
    expression = document.get("TemplateSelectionExpression")
    roots = ANSWER_ROOTS if member == "ResponseTemplates" else MESSAGE_ROOTS
    selection = compile_selection(expression, what, roots) if expression else None
    return Templates(by_key, selection)


def _look(exchange: Exchange, root: str, body: str) -> Any:
    match root:
        case "request.body":
            return _json(exchange.request.body)
        case "integration.response.body":
            return _json(body)
        case "request.header":
            return exchange.request.lower
        case "request.querystring":
            return v1.build_query(exchange.request.query)[0] or {}
        case "context":
            return websocket.build_context(exchange)
        case "stageVariables":
            return exchange.stage.variables or {}
    return {}


def _json(text: bytes | str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None


def _render(template: Template, exchange: Exchange, body: str) -> str:
    assert exchange.turn is not None
    is_handshake = exchange.turn.event_type == "CONNECT"
    headers = v1.build_headers(exchange)[0] if is_handshake else {}
    query = v1.build_query(exchange.request.query)[0] or {}
    variables = {
        "input": Input(body, {}, query, lambda: headers),
        "context": websocket.build_context(exchange),
        "stageVariables": dict(exchange.stage.variables or {}),
    }
    try:
        return template.render(variables)
    except TemplateFailure as failure:
        raise Refused("API_CONFIGURATION_ERROR") from failure


def _error_message(body: str) -> str:
    document = _json(body)
    return str(document.get("errorMessage") or "") if isinstance(document, dict) else body


def _matches(pattern: Any, text: str) -> bool:
    try:
        return pattern.fullmatch(text, timeout=PATTERN_LIMIT_S) is not None
    except TimeoutError:
        return False
