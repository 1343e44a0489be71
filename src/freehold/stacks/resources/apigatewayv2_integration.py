"""AWS::ApiGatewayV2::Integration"""

from __future__ import annotations

from freehold.aws.call import Aws, Json
from freehold.stacks.resources.types import Created, ResourceType, pick

TYPE = "AWS::ApiGatewayV2::Integration"


async def create(aws: Aws, properties: Json) -> Created:
    made = await aws("apigatewayv2", "CreateIntegration", _request(properties))
    return Created(made["IntegrationId"], {"IntegrationId": made["IntegrationId"]})


async def update(aws: Aws, physical_id: str, properties: Json, previous: Json) -> Created:
    request, before = _request(properties), _request(previous)
    # UpdateIntegration merges: what the template no longer says is taken back by its empty value.
    for member, empty in (("RequestParameters", ""), ("ResponseParameters", {})):
        gone: Json = {name: empty for name in before.get(member) or {} if name not in (request.get(member) or {})}
        if gone:
            request[member] = {**gone, **(request.get(member) or {})}
    for member in ("CredentialsArn", "Description"):
        if member in before:
            request.setdefault(member, "")
    await aws("apigatewayv2", "UpdateIntegration", {**request, "IntegrationId": physical_id})
    return Created(physical_id, {"IntegrationId": physical_id})


async def delete(aws: Aws, physical_id: str, properties: Json) -> None:
    await aws("apigatewayv2", "DeleteIntegration", {**pick(properties, "ApiId"), "IntegrationId": physical_id})


def _request(properties: Json) -> Json:
    """CloudFormation lists the parameters of a response; the API maps them."""
    request = dict(properties)
    if "ResponseParameters" in request:
        request["ResponseParameters"] = {
            status: {item["Destination"]: item["Source"] for item in response.get("ResponseParameters") or []}
            for status, response in request["ResponseParameters"].items()
        }
    return request


RESOURCE = ResourceType(TYPE, ("apigatewayv2",), create, delete, update)
