"""Authorizers of REST APIs: TOKEN, REQUEST, COGNITO_USER_POOLS. API Gateway API Reference, "Authorizer"."""

from __future__ import annotations

import re

from freehold.aws.call import Call, Json
from freehold.services.apigateway import patch
from freehold.services.apigateway.record import (
    AUTHORIZER,
    RESOURCE,
    ApiGateway,
    bad_request,
    conflict,
    find,
    find_api,
    key,
    page,
    parts,
    picked,
    put,
)
from freehold.state.store import Delete

TTL_DEFAULT_S = 300
_TTL_MAX_S = 3600

_MEMBERS = (
    "authType",
    "authorizerCredentials",
    "authorizerResultTtlInSeconds",
    "authorizerUri",
    "identitySource",
    "identityValidationExpression",
    "name",
    "providerARNs",
    "type",
)
_PATCHABLE: dict[str, patch.Field] = {
    "authType": patch.text,
    "authorizerCredentials": patch.text,
    "authorizerResultTtlInSeconds": patch.whole,
    "authorizerUri": patch.text,
    "identitySource": patch.text,
    "identityValidationExpression": patch.text,
    "name": patch.text,
    "providerARNs": patch.texts,
    "type": patch.text,
}


async def create_authorizer(gateway: ApiGateway, call: Call, request: Json) -> Json:
    await find_api(gateway, call, request["restApiId"])
    authorizer = new_authorizer(gateway, request)
    for other in await parts(gateway, call, AUTHORIZER, request["restApiId"]):
        if other["name"] == authorizer["name"]:
            raise bad_request(
                f"Authorizer name must be unique. Authorizer {authorizer['name']} already exists in this RestApi."
            )
    await gateway.store.write(put(call, AUTHORIZER, request["restApiId"], authorizer["id"], authorizer))
    return authorizer


def new_authorizer(gateway: ApiGateway, request: Json) -> Json:
    """A checked document of a new authorizer."""
    if request.get("jwtConfiguration"):
        raise bad_request("Freehold does not support JWT authorizers of REST APIs yet.")
    authorizer = picked(
        request, _MEMBERS, authType="custom", authorizerResultTtlInSeconds=TTL_DEFAULT_S, id=gateway.ids.short(6)
    )
    if authorizer["type"] == "COGNITO_USER_POOLS":
        authorizer["authType"] = "cognito_user_pools"
    _check(authorizer)
    return authorizer


async def get_authorizer(gateway: ApiGateway, call: Call, request: Json) -> Json:
    return await find(gateway, call, AUTHORIZER, request["restApiId"], request["authorizerId"])


async def get_authorizers(gateway: ApiGateway, call: Call, request: Json) -> Json:
    await find_api(gateway, call, request["restApiId"])
    return page(await parts(gateway, call, AUTHORIZER, request["restApiId"]), request)


async def update_authorizer(gateway: ApiGateway, call: Call, request: Json) -> Json:
    authorizer = await find(gateway, call, AUTHORIZER, request["restApiId"], request["authorizerId"])
    authorizer = patch.apply_patch(authorizer, request.get("patchOperations"), _PATCHABLE)
    _check(authorizer)
    await gateway.store.write(put(call, AUTHORIZER, request["restApiId"], authorizer["id"], authorizer))
    return authorizer


async def delete_authorizer(gateway: ApiGateway, call: Call, request: Json) -> Json:
    authorizer_id = request["authorizerId"]
    await find(gateway, call, AUTHORIZER, request["restApiId"], authorizer_id)
    for resource in await parts(gateway, call, RESOURCE, request["restApiId"]):
        for method in resource.get("resourceMethods", {}).values():
            if method.get("authorizerId") == authorizer_id:
                raise conflict("Cannot delete authorizer '" + authorizer_id + "', it is used by a method")
    await gateway.store.write(Delete(AUTHORIZER, key(call, request["restApiId"], authorizer_id)))
    return {}


def _check(authorizer: Json) -> None:
    kind = authorizer["type"]
    if kind == "COGNITO_USER_POOLS":
        if not authorizer.get("providerARNs"):
            raise bad_request("Invalid Provider ARNs: at least one Cognito user pool is required")
    elif kind in ("TOKEN", "REQUEST"):
        if not authorizer.get("authorizerUri"):
            raise bad_request("Invalid Authorizer URI: it is required for authorizers of type " + kind)
    else:
        raise bad_request("Invalid authorizer type specified. Must be one of TOKEN, REQUEST, COGNITO_USER_POOLS")
    if not 0 <= authorizer["authorizerResultTtlInSeconds"] <= _TTL_MAX_S:
        raise bad_request(f"Authorizer result TTL must be between 0 and {_TTL_MAX_S} seconds")
    if kind == "REQUEST" and authorizer["authorizerResultTtlInSeconds"] and not authorizer.get("identitySource"):
        raise bad_request("Identity source is required when caching of authorizer results is enabled")
    try:
        re.compile(authorizer.get("identityValidationExpression") or "")
    except re.error as error:
        raise bad_request(f"Invalid identity validation expression: {error}") from None
