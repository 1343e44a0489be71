"""Gateway responses: the words of refusals. API Reference, "GatewayResponse"."""

from __future__ import annotations

from freehold.aws.call import Call, Json
from freehold.services.apigateway import patch
from freehold.services.apigateway.record import (
    GATEWAY_RESPONSE,
    ApiGateway,
    bad_request,
    find_api,
    key,
    not_found,
    page,
    parts,
    picked,
    put,
)
from freehold.state.store import Delete

_MEMBERS = ("responseParameters", "responseTemplates", "responseType", "statusCode")
_DEFAULT_TEMPLATES = {"application/json": '{"message":$context.error.messageString}'}
# Type -> its status by default; None: that of the refusal itself.
_TYPES: dict[str, str | None] = {
    "ACCESS_DENIED": "403",
    "API_CONFIGURATION_ERROR": "500",
    "AUTHORIZER_CONFIGURATION_ERROR": "500",
    "AUTHORIZER_FAILURE": "500",
    "BAD_REQUEST_BODY": "400",
    "BAD_REQUEST_PARAMETERS": "400",
    "DEFAULT_4XX": None,
    "DEFAULT_5XX": None,
    "EXPIRED_TOKEN": "403",
    "INTEGRATION_FAILURE": "504",
    "INTEGRATION_TIMEOUT": "504",
    "INVALID_API_KEY": "403",
    "INVALID_SIGNATURE": "403",
    "MISSING_AUTHENTICATION_TOKEN": "403",
    "QUOTA_EXCEEDED": "429",
    "REQUEST_TOO_LARGE": "413",
    "RESOURCE_NOT_FOUND": "404",
    "THROTTLED": "429",
    "UNAUTHORIZED": "401",
    "UNSUPPORTED_MEDIA_TYPE": "415",
    "WAF_FILTERED": "403",
}


async def put_gateway_response(gateway: ApiGateway, call: Call, request: Json) -> Json:
    await find_api(gateway, call, request["restApiId"])
    response = new_gateway_response(request)
    await gateway.store.write(put(call, GATEWAY_RESPONSE, request["restApiId"], response["responseType"], response))
    return response


def new_gateway_response(request: Json) -> Json:
    if request["responseType"] not in _TYPES:
        raise bad_request(f"Invalid gateway response type: {request['responseType']}")
    response = picked(request, _MEMBERS, defaultResponse=False, responseParameters={}, responseTemplates={})
    status = response.get("statusCode")
    if status is not None and not (status.isdigit() and 100 <= int(status) <= 599):
        raise bad_request(f"Invalid status code {status} of a gateway response")
    return response


async def get_gateway_response(gateway: ApiGateway, call: Call, request: Json) -> Json:
    await find_api(gateway, call, request["restApiId"])
    name = request["responseType"]
    if name not in _TYPES:
        raise not_found("Invalid gateway response type specified")
    stored = await gateway.store.read(GATEWAY_RESPONSE, key(call, request["restApiId"], name))
    return stored.document if stored else _default(name)


async def get_gateway_responses(gateway: ApiGateway, call: Call, request: Json) -> Json:
    await find_api(gateway, call, request["restApiId"])
    own = {each["responseType"]: each for each in await parts(gateway, call, GATEWAY_RESPONSE, request["restApiId"])}
    return page([own.get(name) or _default(name) for name in _TYPES], request)


async def update_gateway_response(gateway: ApiGateway, call: Call, request: Json) -> Json:
    response = await get_gateway_response(gateway, call, request)
    fields: dict[str, patch.Field] = {
        "responseParameters": patch.members_of(),
        "responseTemplates": patch.members_of(),
        "statusCode": patch.text,
    }
    patched = patch.apply_patch(response, request.get("patchOperations"), fields)
    response = new_gateway_response(patched)
    await gateway.store.write(put(call, GATEWAY_RESPONSE, request["restApiId"], response["responseType"], response))
    return response


async def delete_gateway_response(gateway: ApiGateway, call: Call, request: Json) -> Json:
    await find_api(gateway, call, request["restApiId"])
    document_key = key(call, request["restApiId"], request["responseType"])
    if not await gateway.store.read(GATEWAY_RESPONSE, document_key):
        raise not_found("Gateway response type not defined on api")
    await gateway.store.write(Delete(GATEWAY_RESPONSE, document_key))
    return {}


def _default(name: str) -> Json:
    response: Json = {
        "defaultResponse": True,
        "responseParameters": {},
        "responseTemplates": _DEFAULT_TEMPLATES,
        "responseType": name,
    }
    status = _TYPES[name]
    return response if status is None else {**response, "statusCode": status}
