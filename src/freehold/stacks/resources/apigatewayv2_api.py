"""AWS::ApiGatewayV2::Api: an HTTP or WebSocket API, by its properties or by an OpenAPI document (`Body`)."""

from __future__ import annotations

import json

from freehold.aws.call import Aws, Json
from freehold.aws.errors import AwsError
from freehold.stacks.resources.s3_text import read_text
from freehold.stacks.resources.types import Created, ResourceType, changed, pick, retag

TYPE = "AWS::ApiGatewayV2::Api"

_SETTINGS = (
    "ApiKeySelectionExpression",
    "CorsConfiguration",
    "CredentialsArn",
    "Description",
    "DisableExecuteApiEndpoint",
    "DisableSchemaValidation",
    "IpAddressType",
    "Name",
    "RouteKey",
    "RouteSelectionExpression",
    "Target",
    "Version",
)


async def create(aws: Aws, properties: Json) -> Created:
    if "Body" not in properties and "BodyS3Location" not in properties:
        request = pick(properties, *_SETTINGS, "ProtocolType", "Tags")
        return _created(await aws("apigatewayv2", "CreateApi", request))
    api = await aws("apigatewayv2", "ImportApi", await _import(aws, properties))
    try:
        await _over_the_body(aws, api["ApiId"], properties)
    except AwsError:
        # Nobody else knows of the API yet: what was half made is taken away here.
        await aws("apigatewayv2", "DeleteApi", {"ApiId": api["ApiId"]})
        raise
    return _created(api)


async def update(aws: Aws, physical_id: str, properties: Json, previous: Json) -> Created:
    different = changed(properties, previous)
    api_id = {"ApiId": physical_id}
    if any(name in different for name in ("Body", "BodyS3Location", "BasePath")) and (
        "Body" in properties or "BodyS3Location" in properties
    ):
        await aws("apigatewayv2", "ReimportApi", {**api_id, **await _import(aws, properties)})
        await _over_the_body(aws, physical_id, properties)
    else:
        request = pick(properties, *(name for name in _SETTINGS if name in different))
        if request:
            await aws("apigatewayv2", "UpdateApi", {**api_id, **request})
    if "CorsConfiguration" in different and "CorsConfiguration" not in properties and "Body" not in properties:
        await aws("apigatewayv2", "DeleteCorsConfiguration", api_id)
    arn = f"arn:aws:apigateway:{aws.call.region}::/apis/{physical_id}"
    await retag(aws, "apigatewayv2", arn, properties, previous, ("ResourceArn", "Tags", "TagKeys"))
    return _created(await aws("apigatewayv2", "GetApi", api_id))


async def delete(aws: Aws, physical_id: str, properties: Json) -> None:
    await aws("apigatewayv2", "DeleteApi", {"ApiId": physical_id})


async def _import(aws: Aws, properties: Json) -> Json:
    body = properties.get("Body")
    if body is None:
        body = await read_text(aws, properties["BodyS3Location"])
    request: Json = {"Body": body if isinstance(body, str) else json.dumps(body)}
    if "BasePath" in properties:
        request["Basepath"] = properties["BasePath"]
    return {**request, **pick(properties, "FailOnWarnings")}


async def _over_the_body(aws: Aws, api_id: str, properties: Json) -> None:
    """Properties beside a body win over what the body says."""
    request = pick(properties, *_SETTINGS)
    if request:
        await aws("apigatewayv2", "UpdateApi", {"ApiId": api_id, **request})
    if properties.get("Tags"):
        arn = f"arn:aws:apigateway:{aws.call.region}::/apis/{api_id}"
        await aws("apigatewayv2", "TagResource", {"ResourceArn": arn, "Tags": properties["Tags"]})


def _created(api: Json) -> Created:
    return Created(api["ApiId"], {"ApiId": api["ApiId"], "ApiEndpoint": api.get("ApiEndpoint", "")})


RESOURCE = ResourceType(TYPE, ("apigatewayv2",), create, delete, update)
