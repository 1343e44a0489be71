"""AWS_PROXY of HTTP APIs with an IntegrationSubtype: one operation of another service, its parameters mapped.

API Gateway Developer Guide, "Create AWS service integrations for HTTP APIs" and "Integration subtype reference". What
SQS answers is XML, as its query protocol has it (recorded); what EventBridge answers is JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from freehold.aws.call import Json
from freehold.aws.errors import AwsError
from freehold.aws.model import Shape, operation_model, service_model
from freehold.gateway.exchange import Exchange
from freehold.gateway.integrations import query_forms
from freehold.gateway.integrations.function import route_arn
from freehold.gateway.integrations.own_aws import ROLE, Place, call_aws, write_request
from freehold.gateway.integrations.roles import require_role
from freehold.gateway.parameter_changes import compile_value, request_value
from freehold.gateway.selection import Selection
from freehold.gateway.unsupported import unsupported
from freehold.http.messages import Response

# Name -> service, operation, parameters that must be there. Others are the operation's own.
_SUBTYPES = {
    "EventBridge-PutEvents": ("events", "PutEvents", ("Detail", "DetailType", "Source")),
    "SQS-SendMessage": ("sqs", "SendMessage", ("QueueUrl", "MessageBody")),
    "SQS-ReceiveMessage": ("sqs", "ReceiveMessage", ("QueueUrl",)),
    "SQS-DeleteMessage": ("sqs", "DeleteMessage", ("QueueUrl", "ReceiptHandle")),
    "SQS-PurgeQueue": ("sqs", "PurgeQueue", ("QueueUrl",)),
}
_NOT_YET = (
    "AppConfig-GetConfiguration",
    "Kinesis-PutRecord",
    "StepFunctions-StartExecution",
    "StepFunctions-StartSyncExecution",
    "StepFunctions-StopExecution",
)
_REGION = "Region"
_ENTRY = "Entries"  # Of PutEvents, which takes a list: an integration sends one.


@dataclass(frozen=True, slots=True)
class AwsSubtype:
    service: str
    operation: str
    role_arn: str
    parameters: Mapping[str, Selection]
    region: Selection | None
    timeout_s: float

    async def answer(self, exchange: Exchange) -> Response:
        region = request_value(exchange, self.region) if self.region is not None else None
        place = Place(self.service, region or exchange.api.region)
        request = self._request(exchange)
        resource = _resource(exchange, place, request)
        require_role(exchange, self.role_arn, route_arn(exchange), f"{self.service}:{self.operation}", resource)
        metadata = service_model(self.service).metadata
        headers = [
            ("X-Amz-Target", f"{metadata['targetPrefix']}.{self.operation}"),
            ("Content-Type", f"application/x-amz-json-{metadata.get('jsonVersion', '1.0')}"),
        ]
        sent = write_request(exchange, place, "POST", "/", "", headers, orjson.dumps(request))
        response = await call_aws(exchange, sent, self.timeout_s)
        request_id = next((value for name, value in response.headers if name.lower() == "x-amzn-requestid"), "")
        body, content_type = response.body, headers[1][1]
        if self.service == query_forms.SERVICE:
            body, content_type = query_forms.write_xml(self.operation, response.status, body, request_id), "text/xml"
        return Response(response.status, [("Content-Type", content_type), ("x-amzn-RequestId", request_id)], body)

    def _request(self, exchange: Exchange) -> Json:
        shape = _shape(self.service, self.operation)
        request: Json = {}
        for name, value in self.parameters.items():
            text = request_value(exchange, value)
            if text is not None:
                request[name] = _typed(shape.members[name], text)
        return {_ENTRY: [request]} if self.service == "events" else request


def compile_aws_subtype(integration: Json, timeout_s: float) -> AwsSubtype:
    """Raises AwsError, BadRequestException."""
    subtype = integration["IntegrationSubtype"]
    if subtype in _NOT_YET:
        raise unsupported(f"the integration subtype {subtype}")
    if subtype not in _SUBTYPES:
        raise _bad(f"Invalid IntegrationSubtype {subtype}")
    service, operation, required = _SUBTYPES[subtype]
    role_arn = integration.get("CredentialsArn") or ""
    if not ROLE.match(role_arn) or "*" in role_arn:
        raise _bad(f"CredentialsArn must be the ARN of a role for the integration subtype {subtype}")
    parameters = dict(integration.get("RequestParameters") or {})
    region = parameters.pop(_REGION, None)
    known = _shape(service, operation).members
    for name in required:
        if not parameters.get(name):
            raise _bad(f"The parameter {name} is required for the integration subtype {subtype}")
    for name in parameters:
        if name not in known:
            raise _bad(f"The parameter {name} is not supported by the integration subtype {subtype}")
    return AwsSubtype(
        service,
        operation,
        role_arn,
        {name: compile_value(text) for name, text in parameters.items()},
        None if region is None else compile_value(region),
        timeout_s,
    )


def _shape(service: str, operation: str) -> Shape:
    shape = operation_model(service, operation).input_shape
    return shape.members[_ENTRY].member if service == "events" else shape


def _typed(shape: Shape, text: str) -> Any:
    """As the operation takes it; what does not fit goes as it is, and the service says what is wrong."""
    if shape.type_name in ("structure", "map", "list"):
        try:
            found = orjson.loads(text)
        except orjson.JSONDecodeError:
            found = text
        return [found] if shape.type_name == "list" and not isinstance(found, list) else found
    if shape.type_name in ("integer", "long"):
        return int(text) if text.removeprefix("-").isascii() and text.removeprefix("-").isdigit() else text
    return text


def _resource(exchange: Exchange, place: Place, request: Json) -> str:
    """The ARN that the role must be allowed to use."""
    start = f"arn:aws:{place.signing_name}:{place.region}"
    if place.signing_name == "sqs":
        account, _, name = str(request.get("QueueUrl", "")).rpartition("/")
        return f"{start}:{account.rpartition('/')[2]}:{name}"
    bus = str(request[_ENTRY][0].get("EventBusName") or "default")
    return bus if bus.startswith("arn:") else f"{start}:{exchange.api.account}:event-bus/{bus}"


def _bad(message: str) -> AwsError:
    return AwsError("BadRequestException", message, status=400)
