"""AWS::ApiGateway::Method, with its integration and responses.

One decision to know: a changed method is deleted and put anew. API Gateway serves deployments, which are snapshots, so
nobody sees the moment in between.
"""

from __future__ import annotations

from freehold.aws.call import Aws, Json
from freehold.aws.errors import AwsError
from freehold.stacks.resources.types import Created, ResourceType, camel, pick, without

TYPE = "AWS::ApiGateway::Method"


async def create(aws: Aws, properties: Json) -> Created:
    target = _target(properties)
    request = camel(without(properties, "Integration", "MethodResponses"))
    _flags(request, "requestParameters")
    await aws("apigateway", "PutMethod", {"authorizationType": "NONE", **request})
    try:
        await _put_parts(aws, target, properties)
    except AwsError:
        await aws("apigateway", "DeleteMethod", target)
        raise
    return Created("|".join(target.values()))


async def update(aws: Aws, physical_id: str, properties: Json, previous: Json) -> Created:
    await aws("apigateway", "DeleteMethod", _target(previous))
    return await create(aws, properties)


async def delete(aws: Aws, physical_id: str, properties: Json) -> None:
    await aws("apigateway", "DeleteMethod", _target(properties))


def _target(properties: Json) -> dict[str, str]:
    return camel(pick(properties, "RestApiId", "ResourceId", "HttpMethod"))


def _flags(request: Json, name: str) -> None:
    """Whether a parameter is required; templates say it as text as well."""
    if name in request:
        request[name] = {key: str(value).lower() == "true" for key, value in request[name].items()}


async def _put_parts(aws: Aws, target: Json, properties: Json) -> None:
    for response in properties.get("MethodResponses") or []:
        made = camel(response)
        _flags(made, "responseParameters")
        await aws("apigateway", "PutMethodResponse", {**target, **made})
    integration = properties.get("Integration")
    if not integration:
        return
    request = camel(without(integration, "IntegrationResponses", "IntegrationHttpMethod"))
    if "tlsConfig" in request:
        request["tlsConfig"] = camel(request["tlsConfig"])
    if "IntegrationHttpMethod" in integration:
        request["integrationHttpMethod"] = integration["IntegrationHttpMethod"]
    await aws("apigateway", "PutIntegration", {**target, **request})
    for response in integration.get("IntegrationResponses") or []:
        await aws("apigateway", "PutIntegrationResponse", {**target, **camel(response)})


RESOURCE = ResourceType(TYPE, ("apigateway",), create, delete, update)
