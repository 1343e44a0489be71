"""MOCK of REST APIs: answers without calling anybody, as CORS preflights do.

Developer Guide, "Mock integrations for REST APIs". Of mapping templates it takes what SAM and the Serverless Framework
write: a request template that is an object with `statusCode`, a response template that is plain text, or the one that
chooses an allowed origin. Any other template is refused by name when the API is deployed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from freehold.aws.call import Json
from freehold.gateway.exchange import Exchange, Refused
from freehold.gateway.unsupported import unsupported
from freehold.http.messages import Headers, Response

_STATUS = re.compile(r"""^\s*\{\s*["']?statusCode["']?\s*:\s*["']?(\d{3})["']?\s*\}\s*$""")
_HEADER = "method.response.header."
_ALLOW_ORIGIN = "Access-Control-Allow-Origin"
# #set($origin = $input.params("Origin")) ... #if($origin.matches("A") || $origin.matches("B")) #set(...) #end
_ORIGIN_CHOICE = re.compile(
    r'^\s*#set\(\$origin = \$input\.params\("Origin"\)\)\s*'
    r'#if\(\$origin == ""\) #set\(\$origin = \$input\.params\("origin"\)\) #end\s*'
    r"#if\((?P<condition>.+)\) "
    r"#set\(\$context\.responseOverride\.header\.Access-Control-Allow-Origin = \$origin\) #end\s*$"
)
_ORIGIN_PATTERN = re.compile(r'^\s*\$origin\.matches\("([^"]*)"\)\s*$')


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    origins: tuple[re.Pattern[str], ...]  # An origin that one of them matches is told back.


@dataclass(frozen=True, slots=True)
class Mock:
    statuses: Mapping[str, int]  # Content type of the request -> what its template says.
    answers: tuple[tuple[re.Pattern[str] | None, _Answer], ...]  # Selection pattern (None: the default) -> answer.

    async def answer(self, exchange: Exchange) -> Response:
        content_type = exchange.request.lower.get("content-type", "application/json").partition(";")[0].strip().lower()
        status = self.statuses.get(content_type)
        if status is None:
            # The request passes through unmapped, and has no status for us to answer.
            raise Refused("API_CONFIGURATION_ERROR")
        chosen = None
        for pattern, answer in self.answers:
            if pattern is None:
                chosen = chosen or answer
            elif pattern.fullmatch(str(status)):
                chosen = answer
                break
        if chosen is None:
            raise Refused("API_CONFIGURATION_ERROR")
        return Response(chosen.status, _headers(chosen, exchange), chosen.body)


def compile_mock(integration: Json, what: str) -> Mock:
    """`what` names the method in refusals. Raises AwsError."""
    statuses = {}
    for content_type, template in (integration.get("requestTemplates") or {}).items():
        match = _STATUS.match(template)
        if match is None:
            raise unsupported(f"this request template of {what}: {template.strip()[:200]}")
        statuses[content_type.lower()] = int(match[1])
    if integration.get("requestParameters"):
        raise unsupported(f"parameter mapping in the integration of {what}")
    answers = []
    for response in (integration.get("integrationResponses") or {}).values():
        pattern = response.get("selectionPattern")
        answers.append((re.compile(pattern) if pattern else None, _compile_answer(response, what)))
    return Mock(statuses, tuple(answers))


def _compile_answer(response: Json, what: str) -> _Answer:
    headers: Headers = []
    for parameter, value in (response.get("responseParameters") or {}).items():
        is_quoted = len(value) >= 2 and value.startswith("'") and value.endswith("'")
        if not parameter.startswith(_HEADER) or not is_quoted:
            raise unsupported(f"the response parameter {parameter} = {value} of {what}")
        headers.append((parameter.removeprefix(_HEADER), value[1:-1]))
    templates = response.get("responseTemplates") or {}
    template = templates.get("application/json") or ""
    if len(templates) > 1:
        raise unsupported(f"more than one response template of {what}")
    content_type = next(iter(templates), "application/json")
    if not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(("Content-Type", content_type))
    choice = _ORIGIN_CHOICE.match(template)
    if choice is not None:
        origins = tuple(_origin(part, what) for part in choice["condition"].split("||"))
        return _Answer(int(response["statusCode"]), tuple(headers), b"", origins)
    template = next(iter(templates.values()), "") or ""
    if "$" in template or "#" in template:
        raise unsupported(f"this response template of {what}: {template.strip()[:200]}")
    return _Answer(int(response["statusCode"]), tuple(headers), template.encode(), ())


def _origin(condition: str, what: str) -> re.Pattern[str]:
    match = _ORIGIN_PATTERN.match(condition)
    if match is None:
        raise unsupported(f"this condition in a response template of {what}: {condition.strip()[:200]}")
    return re.compile(match[1])


def _headers(answer: _Answer, exchange: Exchange) -> Headers:
    headers = list(answer.headers)
    origin = exchange.request.lower.get("origin", "")
    if origin and any(pattern.fullmatch(origin) for pattern in answer.origins):
        headers = [(name, value) for name, value in headers if name.lower() != _ALLOW_ORIGIN.lower()]
        headers.append((_ALLOW_ORIGIN, origin))
    return headers
