"""A REST API's own words for refusals. Developer Guide, "Gateway responses for REST APIs in API Gateway".

One decision to know: their templates are no VTL. `$context`, `$stageVariables` and `$method.request` variables are put
in, and everything else stands as it is; headers are quoted text or one of those variables.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import orjson

from freehold.aws.call import Json
from freehold.gateway.exchange import Exchange, Refused
from freehold.gateway.mapping.template import choose_template
from freehold.gateway.parameters import compile_source
from freehold.gateway.unsupported import unsupported
from freehold.http.messages import Headers, Response

_VARIABLE = re.compile(
    r"\$(?P<plain>(?:context|stageVariables|method\.request)(?:\.[A-Za-z0-9_-]+)+)"
    r"|\$\{(?P<braced>(?:context|stageVariables|method\.request)(?:\.[A-Za-z0-9_-]+)+)\}"
)
_HEADER = "gatewayresponse.header."
_ERROR = "context.error."

Value = Callable[[Exchange, Json], str]
"""(exchange, `$context.error`) -> text; empty for what the request does not have."""


@dataclass(frozen=True, slots=True)
class GatewayResponse:
    status: int | None  # None: the type's own.
    headers: Mapping[str, Value]
    templates: Mapping[str, tuple[Value, ...]]  # Content type -> the template's parts.

    def write(
        self, exchange: Exchange, status: int, headers: Headers, body: bytes, message: str | None, refused: Refused
    ) -> Response:
        """`status`, `headers` and `body` are the type's own, where this says nothing."""
        error: Json = {
            "message": message or "",
            "messageString": orjson.dumps(message).decode(),
            "responseType": refused.response_type,
            # Escaped: templates put it between quotes.
            "validationErrorString": orjson.dumps(refused.detail).decode()[1:-1],
        }
        names = {name.lower() for name in self.headers}
        written = [header for header in headers if header[0].lower() not in names]
        content_type, template = choose_template(self.templates, exchange.request.lower.get("accept", ""))
        if template is not None:
            body = "".join(part(exchange, error) for part in template).encode()
            if "content-type" not in names:
                written = [("Content-Type", content_type), *(h for h in written if h[0].lower() != "content-type")]
        # What callers send may stand in a header, and no header may hold a line's end.
        written += [(name, re.sub(r"[\r\n\0]", " ", value(exchange, error))) for name, value in self.headers.items()]
        return Response(self.status or status, written, body)


def compile_gateway_response(document: Json) -> GatewayResponse:
    """Raises AwsError for what it cannot honour."""
    what = f"the gateway response {document['responseType']}"
    headers = {}
    for parameter, source in (document.get("responseParameters") or {}).items():
        if not parameter.startswith(_HEADER):
            raise unsupported(f"the parameter {parameter} = {source} of {what}")
        headers[parameter.removeprefix(_HEADER)] = _compile_value(source, what)
    status = document.get("statusCode")
    return GatewayResponse(
        int(status) if status else None,
        headers,
        {
            content_type: _compile_template(text or "", what)
            for content_type, text in (document.get("responseTemplates") or {}).items()
        },
    )


def _compile_template(text: str, what: str) -> tuple[Value, ...]:
    parts: list[Value] = []
    end = 0
    for match in _VARIABLE.finditer(text):
        parts += [_constant(text[end : match.start()]), _compile_value(match["plain"] or match["braced"], what)]
        end = match.end()
    return (*parts, _constant(text[end:]))


def _compile_value(source: str, what: str) -> Value:
    if source.startswith(_ERROR):
        name = source.removeprefix(_ERROR)
        return lambda exchange, error: str(error.get(name, ""))
    found = compile_source(source, what)
    return lambda exchange, error: ",".join(found(exchange))


def _constant(text: str) -> Value:
    return lambda exchange, error: text
