"""The listener that speaks AWS: tells which service a request is for, and takes it through codec and operation.

One decision to know: a request says its service in several places, and they are asked in the order in which they are
reliable: X-Amz-Target, the credential scope of the signature, the host, the form's Version, the path. The rest is S3.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, unquote

import orjson

from freehold.aws.call import Call, Json, OperationTable
from freehold.aws.encodings import decode_body, encode_body, too_large
from freehold.aws.errors import AwsError
from freehold.aws.model import service_model
from freehold.aws.protocols.json_ import read_document
from freehold.aws.protocols.values import Outgoing
from freehold.aws.sigv4 import SignedRequest
from freehold.aws.validate import validate
from freehold.aws.wire import Wire, plain_body, wire_of
from freehold.clock import Ids
from freehold.http.browsers import CORS_HEADERS, answer_preflight, foreign_page, is_open_to_pages, refuse_page
from freehold.http.messages import Request, Response

_SCOPE = re.compile(r"Credential=([^/,\s]*)/\d{8}/([^/,\s]*)/([^/,\s]*)/aws4_request")
_HOST = re.compile(
    r"^(?:(?P<bucket>.+)\.)?(?P<service>[a-z0-9-]+)\.(?:(?P<region>[a-z]{2}(?:-[a-z]+)+-\d)\.)?(?:amazonaws\.com|localhost)$"
)
_BUCKET_HOST = re.compile(
    r"^(?P<bucket>[a-z0-9][a-z0-9.-]+)\.s3[.-](?:(?P<region>[a-z]{2}(?:-[a-z]+)+-\d)\.)?(?:amazonaws\.com|localhost)$"
)
# Where the name that signs is not botocore's name of the service.
_SIGNING_NAMES = {
    "apigateway": ("apigateway", "apigatewayv2"),
    "dynamodb": ("dynamodb", "dynamodbstreams"),
    "execute-api": ("apigatewaymanagementapi",),
    "states": ("stepfunctions",),
    "monitoring": ("cloudwatch",),
    "email": ("ses",),
}
_ENDPOINT_PREFIXES = {
    **{name: found[0] for name, found in _SIGNING_NAMES.items()},
    "streams.dynamodb": "dynamodbstreams",
}
# X-Amz-Target's prefix -> service; the services whose protocol is json.
_TARGET_SERVICES = (
    "dynamodb",
    "dynamodbstreams",
    "logs",
    "events",
    "ssm",
    "secretsmanager",
    "sqs",
    "cognito-idp",
    "cognito-identity",
    "stepfunctions",
    "kms",
    "kinesis",
    "resourcegroupstaggingapi",
    "firehose",
    "acm",
)
_FORM_VERSIONS = {
    "2010-05-15": "cloudformation",
    "2010-05-08": "iam",
    "2011-06-15": "sts",
    "2010-03-31": "sns",
    "2012-11-05": "sqs",
    "2010-08-01": "cloudwatch",
}
_LARGEST_DOCUMENT_BYTES = 16 * 1024 * 1024  # DynamoDB's limit of a request; of what a compressed body unpacks to.
# Where the service says by its own error, before the model's constraint does, that a body is too large.
_MANAGEMENT = "apigatewaymanagementapi"  # Of WebSocket connections, which holds callers to their signatures.
_LARGEST_BODIES = {_MANAGEMENT: 128 * 1024}  # Quotas of WebSocket APIs: "Message payload size".
_REST_PATHS = (
    (
        re.compile(r"^/20\d\d-\d\d-\d\d/(functions|layers|event-source-mappings|account-settings|tags|code-signing)"),
        "lambda",
    ),
    (re.compile(r"^/v2/(apis|domainnames|tags|vpclinks)"), "apigatewayv2"),
    (re.compile(r"^/(restapis|apikeys|usageplans|domainnames|clientcertificates|account$|tags/arn)"), "apigateway"),
    (re.compile(r"^/@connections/"), "apigatewaymanagementapi"),
)


@dataclass(frozen=True, slots=True)
class Destination:
    service: str
    region: str
    access_key: str
    bucket: str = ""  # Of a virtual-host style S3 request.


_TRACE_CHARACTERS = 1024  # Of a trace header; messages carry it.


class AwsApi:
    """One handler for every AWS API: `await api(request)`."""

    def __init__(self, operations: OperationTable, ids: Ids, account: str, region: str) -> None:
        self._operations = operations
        self._ids = ids
        self._account = account
        self._region = region
        self._targets: dict[str, str] = {}

    async def __call__(self, request: Request, socket_place: str = "", below: str = "") -> Response:
        """`socket_place`: the WebSocket API and stage of its address, see Call; `below`: the rest of the path."""
        page = foreign_page(request)
        if page is not None:
            preflight = answer_preflight(request)
            if preflight is not None:
                return preflight
        request_id = self._ids.uuid()
        destination = self.find_destination(request)
        signed = None
        if socket_place:
            destination = Destination(_MANAGEMENT, destination.region, destination.access_key)
        if destination.service == _MANAGEMENT:
            signed = SignedRequest(request.method, request.raw_path, request.query, request.lower, request.body)
        if below:
            request = request.at(below)
        call = Call(
            region=destination.region,
            account=self._account,
            request_id=request_id,
            access_key=destination.access_key,
            session_token=_session_token(request) if destination.access_key else "",
            source_ip=request.client,
            user_agent=request.header("user-agent") or "",
            host=request.host,
            scheme=request.scheme,
            trace_id=(request.header("x-amzn-trace-id") or "")[:_TRACE_CHARACTERS],
            signed=signed,
            socket_place=socket_place,
        )
        wire = wire_of(destination.service)
        try:
            if page is not None:
                refuse_page(page, wire.service, request)
            outgoing = await self._run(wire, destination, call, request)
        except AwsError as error:
            outgoing = wire.write_error(error, request_id, request.raw_path)
        except Exception as error:
            _report(error, request)
            internal = AwsError(
                "InternalFailure", "The request failed because of an error inside Freehold.", status=500
            )
            outgoing = wire.write_error(internal, request_id, request.raw_path)
        if page is not None and is_open_to_pages(wire.service):
            outgoing.headers.extend(CORS_HEADERS)
        return Response(outgoing.status, outgoing.headers, outgoing.body, outgoing.stream)

    async def _run(self, wire: Wire, destination: Destination, call: Call, request: Request) -> Outgoing:
        service = self._operations.service(wire.service) or await self._operations.load(wire.service)
        encoding = request.header("content-encoding")
        if encoding is not None and wire.protocol != "rest-xml":  # S3 keeps it with the object.
            request = replace(request, body=decode_body(encoding, request.body, _LARGEST_DOCUMENT_BYTES))
        if service is not None and service.raw_json:
            operation = wire.target(request)
            function, record = self._operations.find(wire.service, operation)
            if len(request.body) > _LARGEST_DOCUMENT_BYTES:
                raise too_large(_LARGEST_DOCUMENT_BYTES)
            told = await function(record, call, _fast_document(request.body))
            answer = wire.write_raw(operation, told, call.request_id)
            accepted = request.header("accept-encoding")
            return answer if accepted is None else _compressed(answer, accepted)
        if destination.bucket:
            request = request.at(f"/{destination.bucket}{request.raw_path}")
        if wire.protocol == "rest-xml":
            body, lower = plain_body(request)
            request = replace(request, body=body, lower=lower)
        if wire.service in _LARGEST_BODIES and len(request.body) > _LARGEST_BODIES[wire.service]:
            raise AwsError("PayloadTooLargeException", "Message too long", status=413)
        operation, document = wire.read(request)
        function, record = self._operations.find(wire.service, operation)
        validate(wire.service, operation, document)
        return wire.write(operation, await function(record, call, document), call.request_id)

    def find_destination(self, request: Request) -> Destination:
        """Which service, in which region, as whom. S3 where nothing says otherwise, as its URLs are free."""
        scope = _scope(request)
        access_key, region, signing_name = scope or ("", "", "")
        host = request.host.rsplit(":", 1)[0].lower()
        bucket_host = _BUCKET_HOST.match(host)
        named = _HOST.match(host)
        if not region:
            found = bucket_host or named
            region = (found["region"] if found else None) or self._region
        target = request.header("x-amz-target")
        if target:
            service = self._target_service(target.rpartition(".")[0])
            if service:
                return Destination(service, region, access_key)
        if bucket_host and signing_name in ("", "s3"):
            return Destination("s3", region, access_key, bucket_host["bucket"])
        if signing_name:
            return Destination(self._signed_service(signing_name, request), region, access_key)
        return Destination(self._unsigned_service(named["service"] if named else "", request), region, access_key)

    def _target_service(self, prefix: str) -> str | None:
        if not self._targets:
            for service in _TARGET_SERVICES:
                if self._operations.has(service):
                    self._targets[service_model(service).metadata["targetPrefix"]] = service
        found = self._targets.get(prefix)
        if found is None:
            # A service that is not here still gets its own name in the error.
            for service in _TARGET_SERVICES:
                if service_model(service).metadata["targetPrefix"] == prefix:
                    return service
        return found

    def _signed_service(self, signing_name: str, request: Request) -> str:
        candidates = _SIGNING_NAMES.get(signing_name, (signing_name,))
        if signing_name == "apigateway":
            return "apigatewayv2" if request.raw_path.startswith("/v2/") else "apigateway"
        try:
            service_model(candidates[0])
        except KeyError:
            return "s3"
        return candidates[0]

    def _unsigned_service(self, host_service: str, request: Request) -> str:
        if host_service and host_service not in ("s3", "localhost"):
            service = _ENDPOINT_PREFIXES.get(host_service, host_service)
            if self._operations.has(service):
                return service
        if (request.header("content-type") or "").startswith(
            "application/x-www-form-urlencoded"
        ) or "Action=" in request.query:
            form = dict(parse_qsl(request.body.decode("latin-1") or request.query))
            service = _FORM_VERSIONS.get(form.get("Version", ""), "")
            if service:
                return service
        for pattern, service in _REST_PATHS:
            if pattern.match(request.raw_path):
                return service
        return "s3"


def _scope(request: Request) -> tuple[str, str, str] | None:
    """(access key, region, signing name) of the signature, in the header or presigned in the query."""
    authorization = request.header("authorization")
    if authorization:
        found = _SCOPE.search(authorization)
        return (found[1], found[2], found[3]) if found else None
    if "X-Amz-Credential=" in request.query:
        for name, value in parse_qsl(request.query):
            if name == "X-Amz-Credential":
                parts = unquote(value).split("/")
                if len(parts) == 5:
                    return parts[0], parts[2], parts[3]
    return None


def _session_token(request: Request) -> str:
    """In the header, or presigned in the query."""
    token = request.header("x-amz-security-token")
    if token is not None or "X-Amz-Security-Token=" not in request.query:
        return token or ""
    return dict(parse_qsl(request.query)).get("X-Amz-Security-Token", "")


def _fast_document(body: bytes) -> Json:
    try:
        document: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        return read_document(body)
    return document if isinstance(document, dict) else read_document(body)


def _compressed(answer: Outgoing, accepted: str) -> Outgoing:
    """The checksum is of the bytes on the wire."""
    found = encode_body(accepted, answer.body)
    if found is None:
        return answer
    encoding, body = found
    headers = [(name, value) for name, value in answer.headers if name != "x-amz-crc32"]
    headers += [("Content-Encoding", encoding), ("x-amz-crc32", str(zlib.crc32(body)))]
    return Outgoing(answer.status, headers, body)


def _report(error: Exception, request: Request) -> None:
    import asyncio

    asyncio.get_running_loop().call_exception_handler(
        {"message": f"{request.method} {request.raw_path} failed", "exception": error}
    )
