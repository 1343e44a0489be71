"""AWS::ApiGateway::RestApi: by its properties, or by an OpenAPI document (`Body`)."""

from __future__ import annotations

import json

from freehold.aws.call import Aws, Json
from freehold.aws.errors import AwsError
from freehold.stacks.resources.apigateway_patch import Patches, members, patch, retag, scalars
from freehold.stacks.resources.s3_text import read_text
from freehold.stacks.resources.types import Created, ResourceType, camel, changed, json_text, pick, tag_map

TYPE = "AWS::ApiGateway::RestApi"

_PATHS = {
    "ApiKeySourceType": "/apiKeySource",
    "Description": "/description",
    "DisableExecuteApiEndpoint": "/disableExecuteApiEndpoint",
    "MinimumCompressionSize": "/minimumCompressionSize",
    "EndpointAccessMode": "/endpointAccessMode",
    "Name": "/name",
    "SecurityPolicy": "/securityPolicy",
}
# What a property that the template no longer has goes back to, where an empty value is not it.
_DEFAULTS = {"ApiKeySourceType": "HEADER", "DisableExecuteApiEndpoint": False}


async def create(aws: Aws, properties: Json) -> Created:
    if "Body" not in properties and "BodyS3Location" not in properties:
        api = await aws("apigateway", "CreateRestApi", _request(properties))
        return await _created(aws, api["id"])
    api = await aws("apigateway", "ImportRestApi", await _import(aws, properties))
    try:
        await patch(aws, "UpdateRestApi", {"restApiId": api["id"]}, _patches(properties, {}))
        await retag(aws, f"/restapis/{api['id']}", properties, {})
    except AwsError:
        # Nobody else knows of the API yet: what was half made is taken away here.
        await aws("apigateway", "DeleteRestApi", {"restApiId": api["id"]})
        raise
    return await _created(aws, api["id"])


async def update(aws: Aws, physical_id: str, properties: Json, previous: Json) -> Created:
    target = {"restApiId": physical_id}
    different = changed(properties, previous)
    has_body = "Body" in properties or "BodyS3Location" in properties
    if has_body and any(name in different for name in ("Body", "BodyS3Location", "Mode", "Parameters")):
        request = {**target, "mode": properties.get("Mode", "overwrite"), **await _import(aws, properties)}
        await aws("apigateway", "PutRestApi", request)
        # The document has set everything anew: properties beside it are said again.
        previous = {}
    await patch(aws, "UpdateRestApi", target, _patches(properties, previous))
    await retag(aws, f"/restapis/{physical_id}", properties, previous)
    return await _created(aws, physical_id)


async def delete(aws: Aws, physical_id: str, properties: Json) -> None:
    await aws("apigateway", "DeleteRestApi", {"restApiId": physical_id})


def _request(properties: Json) -> Json:
    request = camel(
        pick(
            properties,
            "BinaryMediaTypes",
            "CloneFrom",
            "Description",
            "DisableExecuteApiEndpoint",
            "EndpointAccessMode",
            "MinimumCompressionSize",
            "Name",
            "SecurityPolicy",
        )
    )
    if "ApiKeySourceType" in properties:
        request["apiKeySource"] = properties["ApiKeySourceType"]
    if "EndpointConfiguration" in properties:
        request["endpointConfiguration"] = camel(properties["EndpointConfiguration"])
    if "Policy" in properties:
        request["policy"] = json_text(properties["Policy"])
    if properties.get("Tags"):
        request["tags"] = tag_map(properties["Tags"])
    return request


async def _import(aws: Aws, properties: Json) -> Json:
    body = properties.get("Body")
    if body is None:
        body = await read_text(aws, properties["BodyS3Location"])
    text = body if isinstance(body, str) else json.dumps(body)
    request: Json = {"body": text.encode()}
    if "Parameters" in properties:
        request["parameters"] = properties["Parameters"]
    if "FailOnWarnings" in properties:
        request["failOnWarnings"] = properties["FailOnWarnings"]
    return request


def _patches(properties: Json, previous: Json) -> Patches:
    patches = scalars({**_DEFAULTS, **properties}, {**_DEFAULTS, **previous}, _PATHS)
    patches += members(properties.get("BinaryMediaTypes"), previous.get("BinaryMediaTypes"), "/binaryMediaTypes")
    new, old = properties.get("Policy"), previous.get("Policy")
    if new != old:
        patches.append({"op": "replace", "path": "/policy", "value": json_text(new) if new else ""})
    configured = properties.get("EndpointConfiguration") or {}
    before = previous.get("EndpointConfiguration") or {}
    patches += scalars(configured, before, {"IpAddressType": "/endpointConfiguration/ipAddressType"})
    patches += members(
        configured.get("VpcEndpointIds"), before.get("VpcEndpointIds"), "/endpointConfiguration/vpcEndpointIds"
    )
    types = configured.get("Types")
    if types and types != before.get("Types"):
        patches.append({"op": "replace", "path": "/endpointConfiguration/types/0", "value": types[0]})
    return patches


async def _created(aws: Aws, api_id: str) -> Created:
    api = await aws("apigateway", "GetRestApi", {"restApiId": api_id})
    return Created(api_id, {"RestApiId": api_id, "RootResourceId": api.get("rootResourceId", "")})


RESOURCE = ResourceType(TYPE, ("apigateway",), create, delete, update)
