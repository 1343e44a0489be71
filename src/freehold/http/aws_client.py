"""Calls AWS operations over HTTP: the client that our own commands use, as any other AWS client would.

One decision to know: no botocore here. Importing it and reading a service's model costs several times what a whole
deploy may take, and the commands need a handful of operations, whose wire is said in the tables below. Numbers and
booleans of an XML answer stay text.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlencode, urlsplit
from xml.etree import ElementTree

import orjson

from freehold.aws.call import DEFAULT_REGION, Call, Json
from freehold.aws.errors import AwsError
from freehold.clock import SystemClock, utc
from freehold.http.client import HttpClient
from freehold.http.messages import Response

# The protocol "query": the API's version. https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference
_QUERY = {"cloudformation": "2010-05-15", "sts": "2011-06-15"}
# The protocol "json": the prefix of X-Amz-Target, and the version.
_JSON = {
    "logs": ("Logs_20140328", "1.1"),
    "ssm": ("AmazonSSM", "1.1"),
    "dynamodb": ("DynamoDB_20120810", "1.0"),
    "events": ("AWSEvents", "1.1"),
}
_V2_PAGE = frozenset({"MaxResults", "NextToken"})
# The protocol "rest-json": method, path with {Members}, and the other members that go into the query string.
_REST: dict[tuple[str, str], tuple[str, str, frozenset[str]]] = {
    ("lambda", "GetFunction"): ("GET", "/2015-03-31/functions/{FunctionName}", frozenset({"Qualifier"})),
    ("lambda", "ListFunctions"): ("GET", "/2015-03-31/functions", frozenset({"Marker", "MaxItems"})),
    ("lambda", "UpdateFunctionCode"): ("PUT", "/2015-03-31/functions/{FunctionName}/code", frozenset()),
    ("lambda", "UpdateFunctionConfiguration"): (
        "PUT",
        "/2015-03-31/functions/{FunctionName}/configuration",
        frozenset(),
    ),
    ("lambda", "ListVersionsByFunction"): (
        "GET",
        "/2015-03-31/functions/{FunctionName}/versions",
        frozenset({"Marker", "MaxItems"}),
    ),
    ("lambda", "ListAliases"): (
        "GET",
        "/2015-03-31/functions/{FunctionName}/aliases",
        frozenset({"Marker", "MaxItems"}),
    ),
    ("lambda", "DeleteFunction"): ("DELETE", "/2015-03-31/functions/{FunctionName}", frozenset({"Qualifier"})),
    ("lambda", "GetFunctionUrlConfig"): (
        "GET",
        "/2021-10-31/functions/{FunctionName}/url",
        frozenset({"Qualifier"}),
    ),
    ("apigatewayv2", "GetApi"): ("GET", "/v2/apis/{ApiId}", frozenset()),
    ("apigatewayv2", "GetRoutes"): ("GET", "/v2/apis/{ApiId}/routes", _V2_PAGE),
    ("apigatewayv2", "GetIntegrations"): ("GET", "/v2/apis/{ApiId}/integrations", _V2_PAGE),
    ("apigatewayv2", "GetStages"): ("GET", "/v2/apis/{ApiId}/stages", _V2_PAGE),
    ("apigateway", "GetResources"): (
        "GET",
        "/restapis/{restApiId}/resources",
        frozenset({"limit", "position", "embed"}),
    ),
    ("apigateway", "GetStages"): ("GET", "/restapis/{restApiId}/stages", frozenset()),
    ("apigateway", "GetStage"): ("GET", "/restapis/{restApiId}/stages/{stageName}", frozenset()),
    ("apigateway", "UpdateStage"): ("PATCH", "/restapis/{restApiId}/stages/{stageName}", frozenset()),
    ("apigateway", "TagResource"): ("PUT", "/tags/{resourceArn}", frozenset()),
    ("apigateway", "UntagResource"): ("DELETE", "/tags/{resourceArn}", frozenset({"tagKeys"})),
}
_SIGNING_NAMES = {"apigatewayv2": "apigateway"}


class AwsClient:
    """Meets `aws.call.Aws` for the operations of the tables above, beside those that have a method of their own.

    Raises AwsError with the code and message of the answer, HttpError when there is none.
    """

    def __init__(self, endpoint: str, region: str = DEFAULT_REGION, http: HttpClient | None = None) -> None:
        self.endpoint = endpoint.rstrip("/")
        self.call = Call(region=region, host=urlsplit(self.endpoint).netloc)
        self.http = http or HttpClient()

    async def __call__(self, service: str, operation: str, request: Json) -> Json:
        if service in _QUERY:
            return await self._query(service, operation, request)
        if service in _JSON:
            return await self._json(service, operation, request)
        if (service, operation) in _REST:
            return await self._rest(service, operation, request)
        if (service, operation) == ("s3", "GetObject"):
            found = await self._send("s3", "GET", _object_path(request["Bucket"], request["Key"]))
            return {"Body": found.body}
        if (service, operation) == ("lambda", "Invoke"):
            return await self._invoke(request)
        raise AwsError("UnknownOperationException", f"This client does not know {service}:{operation}.")

    def in_region(self, region: str) -> AwsClient:
        """The same connections, another region."""
        other = AwsClient(self.endpoint, region, self.http)
        other.call = replace(self.call, region=region)
        return other

    async def answers(self) -> None:
        """Raises HttpError where nobody does."""
        await self.http.send("GET", f"{self.endpoint}/_freehold/health", timeout_s=10.0)

    async def has_object(self, bucket: str, key: str) -> bool:
        try:
            await self._send("s3", "HEAD", _object_path(bucket, key))
        except AwsError as error:
            if error.status in (403, 404):
                return False
            raise
        return True

    async def put_object(self, bucket: str, key: str, body: bytes) -> None:
        """Makes the bucket where it is missing."""
        digest = base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()
        headers = [("Content-Type", "application/octet-stream"), ("Content-MD5", digest)]
        try:
            await self._send("s3", "PUT", _object_path(bucket, key), headers, body)
        except AwsError as error:
            if error.code != "NoSuchBucket":
                raise
            await self._create_bucket(bucket)
            await self._send("s3", "PUT", _object_path(bucket, key), headers, body)

    async def _create_bucket(self, bucket: str) -> None:
        region = self.call.region
        body = b""
        if region != DEFAULT_REGION:
            place = f"<LocationConstraint>{region}</LocationConstraint>"
            body = f"<CreateBucketConfiguration>{place}</CreateBucketConfiguration>".encode()
        try:
            await self._send("s3", "PUT", f"/{bucket}", (), body)
        except AwsError as error:
            # Another deploy made it meanwhile.
            if error.code not in ("BucketAlreadyOwnedByYou", "BucketAlreadyExists"):
                raise

    async def _query(self, service: str, operation: str, request: Json) -> Json:
        form = {"Action": operation, "Version": _QUERY[service], **dict(_flatten("", request))}
        body = urlencode(form).encode()
        headers = [("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")]
        response = await self._send(service, "POST", "/", headers, body)
        root = _parse_xml(response)
        result = root.find(f"{operation}Result")
        found = {} if result is None else _read_xml(result)
        return found if isinstance(found, dict) else {}

    async def _json(self, service: str, operation: str, request: Json) -> Json:
        prefix, version = _JSON[service]
        headers = [("Content-Type", f"application/x-amz-json-{version}"), ("X-Amz-Target", f"{prefix}.{operation}")]
        return _read_json(await self._send(service, "POST", "/", headers, orjson.dumps(request)))

    async def _rest(self, service: str, operation: str, request: Json) -> Json:
        method, template, in_query = _REST[service, operation]
        rest = dict(request)
        path = template
        for name in list(rest):
            if f"{{{name}}}" in path:
                path = path.replace(f"{{{name}}}", quote(str(rest.pop(name)), safe=""))
        query = urlencode({name: rest.pop(name) for name in list(rest) if name in in_query}, doseq=True)
        body = b"" if method in ("GET", "DELETE") else orjson.dumps(rest, default=_base64_text)
        headers = [("Content-Type", "application/json")] if body else []
        return _read_json(await self._send(service, method, path + (f"?{query}" if query else ""), headers, body))

    async def _invoke(self, request: Json) -> Json:
        """Lambda's Invoke: the event is the whole body and the rest travels in headers."""
        path = f"/2015-03-31/functions/{quote(request['FunctionName'], safe='')}/invocations"
        if request.get("Qualifier"):
            path += f"?{urlencode({'Qualifier': request['Qualifier']})}"
        headers = [
            ("X-Amz-Invocation-Type", request.get("InvocationType", "RequestResponse")),
            ("X-Amz-Log-Type", request.get("LogType", "None")),
        ]
        # A function may run for fifteen minutes.
        response = await self._send("lambda", "POST", path, headers, request.get("Payload", b""), timeout_s=920.0)
        answer: Json = {"StatusCode": response.status, "Payload": response.body}
        for member, header in (
            ("FunctionError", "x-amz-function-error"),
            ("LogResult", "x-amz-log-result"),
            ("ExecutedVersion", "x-amz-executed-version"),
        ):
            value = _header(response, header)
            if value is not None:
                answer[member] = value
        return answer

    async def _send(
        self,
        service: str,
        method: str,
        target: str,
        headers: list[tuple[str, str]] | tuple[()] = (),
        body: bytes = b"",
        *,
        timeout_s: float | None = None,
    ) -> Response:
        signed = [*headers, *self._signature(service)]
        response = await self.http.send(method, self.endpoint + target, signed, body, timeout_s=timeout_s)
        if response.status >= 300:
            raise _error(response)
        return response

    def _signature(self, service: str) -> list[tuple[str, str]]:
        """The credential scope tells region and service; the account is the server's own, so there is no secret."""
        date = utc(SystemClock()).strftime("%Y%m%dT%H%M%SZ")
        scope = f"freehold/{date[:8]}/{self.call.region}/{_SIGNING_NAMES.get(service, service)}/aws4_request"
        authorization = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host;x-amz-date, Signature={'0' * 64}"
        return [
            ("X-Amz-Date", date),
            ("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD"),
            ("Authorization", authorization),
            ("User-Agent", "freehold"),
        ]


def _object_path(bucket: str, key: str) -> str:
    return f"/{bucket}/{quote(key, safe='/-_.~')}"


def _flatten(prefix: str, value: Any) -> Iterator[tuple[str, str]]:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference: lists as Name.member.1."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if inner is not None:
                yield from _flatten(f"{prefix}.{name}" if prefix else name, inner)
    elif isinstance(value, list | tuple):
        for number, inner in enumerate(value, 1):
            yield from _flatten(f"{prefix}.member.{number}", inner)
    elif isinstance(value, bool):
        yield prefix, "true" if value else "false"
    else:
        yield prefix, str(value)


def _parse_xml(response: Response) -> ElementTree.Element:
    try:
        root = ElementTree.fromstring(response.body)
    except ElementTree.ParseError as error:
        raise AwsError("InvalidResponse", f"The answer is not XML: {error}", status=response.status) from error
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    return root


def _read_xml(element: ElementTree.Element) -> Any:
    """A list where the children are `member`s, a dict where there are others, else the text. An empty list cannot be
    told from an empty text, so callers write `answer.get("Stacks") or []`."""
    if len(element) == 0:
        return element.text or ""
    if all(child.tag == "member" for child in element):
        return [_read_xml(child) for child in element]
    return {child.tag: _read_xml(child) for child in element}


def _read_json(response: Response) -> Json:
    if not response.body:
        return {}
    try:
        found = orjson.loads(response.body)
    except orjson.JSONDecodeError as error:
        raise AwsError("InvalidResponse", f"The answer is not JSON: {error}", status=response.status) from error
    return found if isinstance(found, dict) else {}


def _base64_text(value: Any) -> str:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    raise TypeError(f"{type(value).__name__} is not JSON")


def _error(response: Response) -> AwsError:
    """AWS says the code in a header, in JSON's `__type` or `code`, or in XML's Code, by protocol."""
    code = (_header(response, "x-amzn-errortype") or "").partition(":")[0]
    message = ""
    if response.body.lstrip().startswith(b"<"):
        root = _parse_xml(response)
        code = code or root.findtext(".//Code") or ""
        message = root.findtext(".//Message") or ""
    elif response.body:
        try:
            body = orjson.loads(response.body)
        except orjson.JSONDecodeError:
            message = response.body[:200].decode(errors="replace")
        else:
            if isinstance(body, dict):
                code = code or str(body.get("__type") or body.get("code") or "")
                message = str(body.get("message") or body.get("Message") or "")
    code = code.rpartition("#")[2] or f"HTTP {response.status}"
    return AwsError(code, message or f"The answer was HTTP {response.status}.", status=response.status)


def _header(response: Response, name: str) -> str | None:
    return next((value for key, value in response.headers if key.lower() == name), None)
