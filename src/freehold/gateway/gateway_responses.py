"""A REST API's own words for refusals. Developer Guide, "Gateway responses for REST APIs in API Gateway".

Templates may name `$context` variables and nothing else; headers are quoted text or a `context.` variable. The rest of
what AWS allows there is refused by name when the API is deployed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from freehold.aws.call import Json
from freehold.gateway.exchange import Exchange, Refused
from freehold.gateway.payloads import v1
from freehold.gateway.unsupported import unsupported
from freehold.http.messages import Headers, Response

_VARIABLE = re.compile(r"\$context\.([A-Za-z0-9_.]+)|\$\{context\.([A-Za-z0-9_.]+)\}")
_HEADER = "gatewayresponse.header."


@dataclass(frozen=True, slots=True)
class GatewayResponse:
    status: int | None  # None: the type's own.
    headers: Mapping[str, str]  # Name -> "'text'" or "context.requestId".
    templates: Mapping[str, str]  # Content type -> template; the first is used.

    def write(
        self, exchange: Exchange, status: int, headers: Headers, body: bytes, message: str | None, refused: Refused
    ) -> Response:
        """`status`, `headers` and `body` are the type's own, where this says nothing."""
        variables = _Variables(exchange, message, refused)
        names = {name.lower() for name in self.headers}
        written = [header for header in headers if header[0].lower() not in names]
        for content_type, template in self.templates.items():
            body = _VARIABLE.sub(lambda match: variables.text(match[1] or match[2]), template).encode()
            if "content-type" not in names:
                written = [("Content-Type", content_type), *(h for h in written if h[0].lower() != "content-type")]
            break
        for name, value in self.headers.items():
            text = value[1:-1] if value.startswith("'") else variables.text(value.removeprefix("context."))
            written.append((name, text))
        return Response(self.status or status, written, body)


def compile_gateway_response(document: Json) -> GatewayResponse:
    """Raises AwsError for what it cannot honour."""
    name = document["responseType"]
    headers = {}
    for parameter, value in (document.get("responseParameters") or {}).items():
        is_quoted = len(value) >= 2 and value.startswith("'") and value.endswith("'")
        if not parameter.startswith(_HEADER) or not (is_quoted or value.startswith("context.")):
            raise unsupported(f"the parameter {parameter} = {value} of the gateway response {name}")
        headers[parameter.removeprefix(_HEADER)] = value
    templates = document.get("responseTemplates") or {}
    for template in templates.values():
        rest = _VARIABLE.sub("", template)
        if "$" in rest or "#" in rest:
            raise unsupported(f"this template of the gateway response {name}: {template}")
    status = document.get("statusCode")
    return GatewayResponse(int(status) if status else None, headers, templates)


class _Variables:
    """`$context` of a refusal."""

    def __init__(self, exchange: Exchange, message: str | None, refused: Refused) -> None:
        self._context: Json = v1.build_context(exchange)
        self._context["error"] = {
            "message": message or "",
            "messageString": orjson.dumps(message).decode(),
            "responseType": refused.type,
            # Escaped: templates put it between quotes.
            "validationErrorString": orjson.dumps(refused.detail).decode()[1:-1],
        }

    def text(self, path: str) -> str:
        value: Any = self._context
        for name in path.rstrip(".").split("."):
            value = value.get(name) if isinstance(value, dict) else None
        return "" if value is None else str(value)
