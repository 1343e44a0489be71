"""What the non-proxy integrations of REST APIs share: the request's template and parameters, the answer's selection,
template and parameters. Everything is compiled, and refused by name, when the API is deployed.

Developer Guide, "Data transformations for REST APIs", "Integration passthrough behaviors", "Mapping parameters",
"Content type conversions in API Gateway".
"""

from __future__ import annotations

import binascii
import logging
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import regex

from freehold.aws.call import Json
from freehold.aws.errors import AwsError
from freehold.gateway.exchange import Exchange, Refused
from freehold.gateway.mapping.jsonpath import check_path
from freehold.gateway.mapping.methods import PATTERN_LIMIT_S, TemplateFailure, compile_pattern, java_text
from freehold.gateway.mapping.template import JSON_TYPE, Template, choose_template, compile_template
from freehold.gateway.mapping.variables import Input
from freehold.gateway.parameters import Source, body_value, compile_source, context_value
from freehold.gateway.payloads import v1
from freehold.gateway.payloads.parts import header_name, header_text
from freehold.gateway.unsupported import unsupported
from freehold.http.messages import Headers, Response

_log = logging.getLogger(__name__)
_HEADER = "method.response.header."


@dataclass(frozen=True, slots=True)
class RequestMapping:
    templates: Mapping[str, Template]  # Lower-case content type -> template.
    passthrough: str  # "WHEN_NO_MATCH", "WHEN_NO_TEMPLATES", "NEVER".
    parameters: tuple[tuple[str, str, Source], ...] = ()  # ("header", "X-Name", where its value comes from)
    conversion: str = ""  # "CONVERT_TO_TEXT", "CONVERT_TO_BINARY".


@dataclass(slots=True)
class MappedRequest:
    """What goes to the integration."""

    body: bytes
    headers: list[tuple[str, str]]
    query: list[tuple[str, str]]
    path: dict[str, str]

    def header(self, name: str) -> str | None:
        """By lower-case name."""
        return next((value for each, value in self.headers if each.lower() == name), None)


@dataclass(frozen=True, slots=True)
class AnswerMapping:
    selection: Any  # A compiled pattern; None: the default answer.
    status: int
    headers: tuple[tuple[str, str], ...]  # Name -> where its value comes from.
    templates: Mapping[str, Template]
    conversion: str = ""


def compile_request(integration: Json, what: str) -> RequestMapping:
    """Raises AwsError."""
    templates = {
        content_type.lower(): compile_template(text or "", f"the request template of {what}")
        for content_type, text in (integration.get("requestTemplates") or {}).items()
    }
    parameters = []
    for parameter, source in (integration.get("requestParameters") or {}).items():
        place, _, name = parameter.removeprefix("integration.request.").partition(".")
        place = place.removeprefix("multivalue")
        if place not in ("header", "querystring", "path") or not name:
            raise AwsError("BadRequestException", f"Invalid mapping to {parameter} of {what}", status=400)
        parameters.append((place, name, compile_source(source, what)))
    behaviour = (integration.get("passthroughBehavior") or "WHEN_NO_MATCH").upper()
    return RequestMapping(templates, behaviour, tuple(parameters), integration.get("contentHandling") or "")


def compile_answers(integration: Json, what: str) -> tuple[AnswerMapping, ...]:
    """Raises AwsError."""
    return tuple(_compile_answer(each, what) for each in (integration.get("integrationResponses") or {}).values())


def _compile_answer(document: Json, what: str) -> AnswerMapping:
    pattern = document.get("selectionPattern")
    try:
        selection = compile_pattern(pattern) if pattern else None
    except (ValueError, regex.error) as error:
        raise AwsError("BadRequestException", f"Invalid selection pattern of {what}: {error}", status=400) from None
    headers = []
    for parameter, source in (document.get("responseParameters") or {}).items():
        if not parameter.startswith(_HEADER):
            raise unsupported(f"the response parameter {parameter} of {what}")
        _check_source(source, what)
        headers.append((parameter.removeprefix(_HEADER), source))
    templates = {
        content_type: compile_template(text or "", f"the response template of {what}")
        for content_type, text in (document.get("responseTemplates") or {}).items()
    }
    conversion = document.get("contentHandling") or ""
    return AnswerMapping(selection, int(document["statusCode"]), tuple(headers), templates, conversion)


def _check_source(source: str, what: str) -> None:
    known = ("integration.response.header.", "integration.response.multivalueheader.", "context.", "stageVariables.")
    if _is_quoted(source) or source.startswith(known) or source == "integration.response.body":
        return
    if source.startswith("integration.response.body."):
        try:
            check_path(f"$.{source.removeprefix('integration.response.body.')}")
            return
        except TemplateFailure:
            pass
    raise unsupported(f"the parameter mapping from {source} of {what}")


def map_request(exchange: Exchange, mapping: RequestMapping) -> MappedRequest:
    """Raises Refused."""
    request = exchange.request
    content_type = request.lower.get("content-type", JSON_TYPE).partition(";")[0].strip().lower()
    template = mapping.templates.get(content_type)
    if template is None and (
        mapping.passthrough == "NEVER" or (mapping.passthrough == "WHEN_NO_TEMPLATES" and mapping.templates)
    ):
        raise Refused("UNSUPPORTED_MEDIA_TYPE")
    mapped = MappedRequest(_converted(exchange, mapping.conversion), [], [], {})
    override: Json = {"header": {}, "path": {}, "querystring": {}}
    if template is not None:
        text = mapped.body.decode("utf-8", "replace")
        mapped.body = _render(template, exchange, text, "requestOverride", override).encode()
    for place, name, source in mapping.parameters:
        _put(mapped, place, name, source(exchange))
    for place, values in override.items():
        for name, value in values.items() if isinstance(values, dict) else ():
            # A template's word is the last, Developer Guide, "Override your API's request and response parameters".
            texts = value if isinstance(value, list) else [value]
            _put(mapped, place, str(name), [java_text(each) for each in texts if each is not None], replace=True)
    return mapped


def _put(mapped: MappedRequest, place: str, name: str, values: list[str], *, replace: bool = False) -> None:
    if place == "path":
        if values:
            mapped.path[name] = values[-1]
        return
    entries = mapped.headers if place == "header" else mapped.query
    if replace:
        entries[:] = [entry for entry in entries if entry[0].lower() != name.lower()]
    entries += [(name, value) for value in values]


def _converted(exchange: Exchange, conversion: str) -> bytes:
    """The client's body as `contentHandling` wants it; base64 stands for binary in text."""
    body = exchange.request.body
    if not conversion or not body:
        return body
    binary = v1.is_binary(exchange.request.lower.get("content-type"), exchange.stage.binary_media_types)
    if conversion == "CONVERT_TO_TEXT":
        return b64encode(body) if binary else body
    if binary:
        return body
    return _decoded(body)


def _decoded(text: bytes) -> bytes:
    try:
        return b64decode(text, validate=True)
    except binascii.Error:
        raise Refused("API_CONFIGURATION_ERROR") from None


def select(answers: Iterable[AnswerMapping], text: str | None) -> AnswerMapping:
    """The answer whose pattern matches the whole of `text`, else the default. Raises Refused where there is neither."""
    default = None
    for answer in answers:
        if answer.selection is None:
            default = default or answer
        elif text is not None and _is_selected(answer.selection, text):
            return answer
    if default is None:
        raise Refused("API_CONFIGURATION_ERROR")
    return default


def _is_selected(pattern: Any, text: str) -> bool:
    try:
        return pattern.fullmatch(text, timeout=PATTERN_LIMIT_S) is not None
    except TimeoutError:
        return False


def map_answer(exchange: Exchange, answer: AnswerMapping, body: bytes, headers: Mapping[str, str]) -> Response:
    """`body` and `headers` (lower-case names) are the integration's. Raises Refused."""
    content_type, template = choose_template(answer.templates, exchange.request.lower.get("accept", ""))
    if answer.conversion == "CONVERT_TO_TEXT":
        body = b64encode(body)
    text = body.decode("utf-8", "replace")
    override: Json = {"header": {}}
    mapped = body
    if template is not None:
        mapped = _render(template, exchange, text, "responseOverride", override).encode()
    if answer.conversion == "CONVERT_TO_BINARY":
        mapped = _decoded(mapped)
    written: Headers = []
    for name, source in answer.headers:
        value = _value(exchange, source, text, headers)
        if value is not None:
            written.append((header_name(name), header_text(value)))
    overridden = {str(name): java_text(value) for name, value in override["header"].items() if value is not None}
    names = {name.lower() for name in overridden}
    written = [(name, value) for name, value in written if name.lower() not in names]
    written += [(header_name(name), header_text(value)) for name, value in overridden.items()]
    if not any(name.lower() == "content-type" for name, _ in written):
        written.append(("Content-Type", content_type))
    return Response(_status(override.get("status"), answer.status), written, mapped)


def _status(wanted: Any, otherwise: int) -> int:
    try:
        status = int(java_text(wanted)) if wanted is not None else otherwise
    except ValueError:
        raise Refused("API_CONFIGURATION_ERROR") from None
    if not 100 <= status <= 599:
        raise Refused("API_CONFIGURATION_ERROR")
    return status


def _render(template: Template, exchange: Exchange, body: str, overridden: str, override: Json) -> str:
    """`overridden` is "requestOverride" or "responseOverride": what the template writes there lands in `override`."""
    query, _ = v1.build_query(exchange.request.query)
    context = {**v1.build_context(exchange), overridden: override} if template.has_context else None
    variables = {
        "input": Input(body, exchange.parameters, query or {}, lambda: v1.build_headers(exchange)[0]),
        "context": context,
        "stageVariables": dict(exchange.stage.variables or {}),
    }
    try:
        return template.render(variables)
    except TemplateFailure as failure:
        _log.info("A mapping template of the API %s failed: %s", exchange.api.id, failure)
        raise Refused("API_CONFIGURATION_ERROR") from failure


def _value(exchange: Exchange, source: str, body: str, headers: Mapping[str, str]) -> str | None:
    if _is_quoted(source):
        return source[1:-1]
    if source == "integration.response.body":
        return body
    kind, _, rest = source.partition(".")
    if kind == "stageVariables":
        return (exchange.stage.variables or {}).get(rest)
    if kind == "context":
        return context_value(exchange, rest)
    _, _, place = rest.partition(".")
    where, _, name = place.partition(".")
    if where in ("header", "multivalueheader"):
        return headers.get(name.lower())
    return body_value(body, f"$.{name}")


def _is_quoted(source: str) -> bool:
    return len(source) >= 2 and source.startswith("'") and source.endswith("'")
