"""AWS::ApiGateway::Authorizer"""

from __future__ import annotations

from freehold.aws.call import Aws, Json
from freehold.stacks.resources.apigateway_patch import members, patch, scalars
from freehold.stacks.resources.types import Created, ResourceType, camel, without

TYPE = "AWS::ApiGateway::Authorizer"

_PATHS = {
    "AuthType": "/authType",
    "AuthorizerCredentials": "/authorizerCredentials",
    "AuthorizerResultTtlInSeconds": "/authorizerResultTtlInSeconds",
    "AuthorizerUri": "/authorizerUri",
    "IdentitySource": "/identitySource",
    "IdentityValidationExpression": "/identityValidationExpression",
    "Name": "/name",
    "Type": "/type",
}
_DEFAULTS = {"AuthorizerResultTtlInSeconds": 300}


async def create(aws: Aws, properties: Json) -> Created:
    request = camel(without(properties, "ProviderARNs"))
    if "ProviderARNs" in properties:
        request["providerARNs"] = properties["ProviderARNs"]
    return _created((await aws("apigateway", "CreateAuthorizer", request))["id"])


async def update(aws: Aws, physical_id: str, properties: Json, previous: Json) -> Created:
    patches = scalars({**_DEFAULTS, **properties}, {**_DEFAULTS, **previous}, _PATHS)
    patches += members(properties.get("ProviderARNs"), previous.get("ProviderARNs"), "/providerARNs")
    target = {"restApiId": properties["RestApiId"], "authorizerId": physical_id}
    await patch(aws, "UpdateAuthorizer", target, patches)
    return _created(physical_id)


async def delete(aws: Aws, physical_id: str, properties: Json) -> None:
    request = {"restApiId": properties["RestApiId"], "authorizerId": physical_id}
    await aws("apigateway", "DeleteAuthorizer", request)


def _created(identity: str) -> Created:
    return Created(identity, {"AuthorizerId": identity})


RESOURCE = ResourceType(TYPE, ("apigateway",), create, delete, update)
