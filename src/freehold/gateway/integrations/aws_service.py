"""AWS: an operation of another service, by `action/{name}` or `path/{its address}`; templates make request and answer.

API Reference, "Integration": `arn:aws:apigateway:{region}:{subdomain.service|service}:path|action/{service_api}`.
The request goes to our own listener of AWS APIs, as from a client.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qsl

from freehold.aws.call import Json
from freehold.aws.errors import AwsError
from freehold.aws.model import service_model
from freehold.gateway.exchange import Exchange
from freehold.gateway.integrations import query_forms
from freehold.gateway.integrations.endpoints import fill_path, with_query
from freehold.gateway.integrations.mapped import (
    AnswerMapping,
    MappedRequest,
    RequestMapping,
    compile_answers,
    compile_request,
    map_answer,
    map_request,
    select,
)
from freehold.gateway.integrations.own_aws import ROLE, Place, call_aws, write_request
from freehold.gateway.unsupported import unsupported
from freehold.http.messages import Headers, Request, Response

HasService = Callable[[str], bool]

_URI = re.compile(
    r"^arn:aws[a-z-]*:apigateway:(?P<region>[a-z0-9-]+):(?:(?P<subdomain>[A-Za-z0-9.-]+)\.)?(?P<service>[a-z0-9-]+):"
    r"(?P<kind>action|path)/(?P<target>.*)$",
    re.DOTALL,
)

# Where API Gateway's name of a service is not botocore's.
_NAMES = {"states": "stepfunctions", "email": "ses", "monitoring": "cloudwatch"}


@dataclass(frozen=True, slots=True)
class AwsService:
    service: str  # botocore's name.
    signing_name: str
    region: str
    bucket: str  # The subdomain, of S3.
    is_json: bool  # The service's protocol is json: its operation is named by a header.
    action: str  # Empty: `path` says it all, or the mapped X-Amz-Target.
    fixed: tuple[tuple[str, str], ...]  # Parameters that stand behind the action.
    path: str  # "/", or the service's own path, with `{variables}`.
    method: str
    request: RequestMapping
    answers: tuple[AnswerMapping, ...]
    timeout_s: float

    async def answer(self, exchange: Exchange) -> Response:
        mapped = map_request(exchange, self.request)
        request, form = self._write(exchange, mapped)
        response = await call_aws(exchange, request, self.timeout_s)
        body = response.body
        headers = {name.lower(): value for name, value in response.headers}
        if form:
            body = query_forms.wrap_answer(form, response.status, body, headers.get("x-amzn-requestid", ""))
        return map_answer(exchange, select(self.answers, str(response.status)), body, headers)

    def _write(self, exchange: Exchange, mapped: MappedRequest) -> tuple[Request, str]:
        """The request as a client of the service would write it; and of one that came as a form, its operation."""
        path = fill_path(exchange, self.path, mapped.path)
        body, headers = mapped.body, list(mapped.headers)
        if self.service == query_forms.SERVICE and mapped.header("x-amz-target") is None:
            form, body = query_forms.read_form(self.action, path, [*self.fixed, *mapped.query], body)
            return self._request(exchange, "POST", "/", "", self._target(form), body), form
        if self.is_json:
            if self.action:
                names = {"x-amz-target", "content-type"}
                headers = [header for header in headers if header[0].lower() not in names] + self._target(self.action)
            return self._request(exchange, "POST", "/", "", headers, body), ""
        path, _, query = with_query(path, mapped.query).partition("?")
        if self.bucket:
            path = f"/{self.bucket}{path}"
        if mapped.header("content-type") is None and exchange.request.lower.get("content-type"):
            headers.append(("Content-Type", exchange.request.lower["content-type"]))
        return self._request(exchange, self.method, path, query, headers, body), ""

    def _target(self, action: str) -> Headers:
        metadata = service_model(self.service).metadata
        return [
            ("X-Amz-Target", f"{metadata['targetPrefix']}.{action}"),
            ("Content-Type", f"application/x-amz-json-{metadata.get('jsonVersion', '1.0')}"),
        ]

    def _request(
        self, exchange: Exchange, method: str, path: str, query: str, headers: Headers, body: bytes
    ) -> Request:
        place = Place(self.signing_name, self.region)
        return write_request(exchange, place, method, path, query, headers, body)


def compile_aws_service(
    integration: Json, uri: str, timeout_s: float, what: str, has_service: HasService | None
) -> AwsService:
    """`uri` with its stage variables in; `has_service` tells whether this server has one. Raises AwsError."""
    match = _URI.match(uri)
    if match is None:
        raise AwsError(
            "BadRequestException", f"AWS ARN for integration must contain path or action ({what})", status=400
        )
    service = _NAMES.get(match["service"], match["service"])
    if has_service is not None and not has_service(service):
        raise unsupported(f"integrations with the AWS service {match['service']} ({what})")
    if not ROLE.match(integration.get("credentials") or ""):
        raise AwsError("BadRequestException", f"Role ARN must be specified for AWS integrations ({what})", status=400)
    is_action = match["kind"] == "action"
    protocols = _protocols(service, match["service"], what)
    is_json = "json" in protocols
    if is_action and not is_json:
        raise unsupported(f"{match['kind']} integrations with the AWS service {match['service']} ({what})")
    if match["subdomain"] and service != "s3":
        raise unsupported(f"the subdomain {match['subdomain']} of the AWS service {match['service']} ({what})")
    action, query = "", ""
    if is_action:
        action, query = [*re.split("[?&]", match["target"], maxsplit=1), ""][:2]
    if is_action and action not in service_model(service).operation_names:
        raise AwsError("BadRequestException", f"Unknown action {action} of {match['service']} ({what})", status=400)
    return AwsService(
        service=service,
        signing_name=match["service"],
        region=match["region"],
        bucket=match["subdomain"] or "",
        is_json=is_json,
        action=action,
        fixed=tuple(parse_qsl(query)),
        path="/" if is_action else "/" + match["target"].lstrip("/"),
        method=integration["httpMethod"].upper(),
        request=compile_request(integration, what),
        answers=compile_answers(integration, what),
        timeout_s=timeout_s,
    )


def _protocols(service: str, name: str, what: str) -> tuple[str, ...]:
    try:
        metadata = service_model(service).metadata
    except KeyError:
        raise AwsError("BadRequestException", f"Unknown AWS service {name} ({what})", status=400) from None
    protocols: tuple[str, ...] = tuple(metadata.get("protocols") or [metadata["protocol"]])
    if not {"json", "rest-json", "rest-xml"}.intersection(protocols):
        raise unsupported(f"integrations with the AWS service {name} ({what})")
    return protocols
