"""Methods, their integrations, and the responses of both. All of them live in their resource's document.

API Gateway API Reference, "Method", "Integration", "MethodResponse", "IntegrationResponse".
"""

from __future__ import annotations

from typing import Any

from freehold.aws.call import Call, Json
from freehold.services.apigateway import patch
from freehold.services.apigateway.record import (
    AUTHORIZER,
    RESOURCE,
    VALIDATOR,
    ApiGateway,
    bad_request,
    conflict,
    find,
    not_found,
    picked,
    put,
)

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "ANY")
TIMEOUT_MIN_MS = 50
TIMEOUT_MAX_MS = 29_000

_METHOD_MEMBERS = (
    "apiKeyRequired",
    "authorizationScopes",
    "authorizationType",
    "authorizerId",
    "httpMethod",
    "operationName",
    "requestModels",
    "requestParameters",
    "requestValidatorId",
)
_INTEGRATION_MEMBERS = (
    "cacheKeyParameters",
    "cacheNamespace",
    "connectionId",
    "connectionType",
    "contentHandling",
    "credentials",
    "passthroughBehavior",
    "requestParameters",
    "requestTemplates",
    "responseTransferMode",
    "timeoutInMillis",
    "tlsConfig",
    "type",
    "uri",
)
_METHOD_RESPONSE_MEMBERS = ("responseModels", "responseParameters", "statusCode")
_INTEGRATION_RESPONSE_MEMBERS = (
    "contentHandling",
    "responseParameters",
    "responseTemplates",
    "selectionPattern",
    "statusCode",
)
_METHOD_PATCHABLE: dict[str, patch.Field] = {
    "apiKeyRequired": patch.boolean,
    "authorizationScopes": patch.texts,
    "authorizationType": patch.text,
    "authorizerId": patch.text,
    "operationName": patch.text,
    "requestModels": patch.members_of(),
    "requestParameters": patch.members_of(patch.as_boolean),
    "requestValidatorId": patch.text,
}
_INTEGRATION_PATCHABLE: dict[str, patch.Field] = {
    "connectionType": patch.text,
    "contentHandling": patch.text,
    "credentials": patch.text,
    "httpMethod": patch.text,
    "passthroughBehavior": patch.text,
    "requestParameters": patch.members_of(),
    "requestTemplates": patch.members_of(),
    "timeoutInMillis": patch.whole,
    "uri": patch.text,
}
_METHOD_RESPONSE_PATCHABLE: dict[str, patch.Field] = {
    "responseModels": patch.members_of(),
    "responseParameters": patch.members_of(patch.as_boolean),
}
_INTEGRATION_RESPONSE_PATCHABLE: dict[str, patch.Field] = {
    "contentHandling": patch.text,
    "responseParameters": patch.members_of(),
    "responseTemplates": patch.members_of(),
    "selectionPattern": patch.text,
}


async def put_method(gateway: ApiGateway, call: Call, request: Json) -> Json:
    resource = await _find_resource(gateway, call, request)
    if request["httpMethod"] in resource.get("resourceMethods", {}):
        raise conflict("Method already exists for this resource")
    method = new_method(request)
    await _check_neighbours(gateway, call, request["restApiId"], method)
    await _write(gateway, call, request, method)
    return method


def new_method(request: Json) -> Json:
    """A checked document of a new method. What it points to is not looked up."""
    method = picked(request, _METHOD_MEMBERS, apiKeyRequired=False)
    if method["httpMethod"] not in METHODS:
        raise bad_request("Invalid HttpMethod specified. Must be one of " + ", ".join(METHODS))
    kind = method["authorizationType"]
    if kind not in ("NONE", "AWS_IAM", "CUSTOM", "COGNITO_USER_POOLS"):
        raise bad_request(
            "Invalid authorization type specified. Setting the authorization type to CUSTOM or COGNITO_USER_POOLS "
            "requires a valid authorizer."
        )
    return method


async def get_method(gateway: ApiGateway, call: Call, request: Json) -> Json:
    return await _find_method(gateway, call, request)


async def update_method(gateway: ApiGateway, call: Call, request: Json) -> Json:
    method = await _find_method(gateway, call, request)
    method = patch.apply_patch(method, request.get("patchOperations"), _METHOD_PATCHABLE)
    if method["authorizationType"] in ("NONE", "AWS_IAM"):
        method.pop("authorizerId", None)
    new_method(method)
    await _check_neighbours(gateway, call, request["restApiId"], method)
    await _write(gateway, call, request, method)
    return method


async def delete_method(gateway: ApiGateway, call: Call, request: Json) -> Json:
    await _find_method(gateway, call, request)
    await _write(gateway, call, request, None)
    return {}


async def put_integration(gateway: ApiGateway, call: Call, request: Json) -> Json:
    method = await _find_method(gateway, call, request)
    integration = new_integration(
        {**request, "httpMethod": request.get("integrationHttpMethod")}, request["resourceId"]
    )
    kept = (method.get("methodIntegration") or {}).get("integrationResponses")
    if kept:
        integration["integrationResponses"] = kept
    await _write(gateway, call, request, {**method, "methodIntegration": integration})
    return integration


def new_integration(request: Json, resource_id: str) -> Json:
    """A checked document of a new integration; `httpMethod` is what it calls its backend with."""
    if request.get("integrationTarget"):
        raise bad_request("Freehold does not support integrationTarget of integrations yet.")
    integration = picked(
        request,
        _INTEGRATION_MEMBERS,
        cacheKeyParameters=[],
        cacheNamespace=resource_id,
        passthroughBehavior="WHEN_NO_MATCH",
        timeoutInMillis=TIMEOUT_MAX_MS,
    )
    kind = integration["type"]
    if kind not in ("AWS", "AWS_PROXY", "HTTP", "HTTP_PROXY", "MOCK"):
        raise bad_request("Invalid integration type specified. Must be one of AWS, AWS_PROXY, HTTP, HTTP_PROXY, MOCK")
    if kind != "MOCK":
        if not request.get("httpMethod"):
            raise bad_request("Enumeration value for HttpMethod must be non-empty")
        if not integration.get("uri"):
            raise bad_request("Invalid HTTP endpoint specified for URI")
        integration["httpMethod"] = request["httpMethod"]
        integration.setdefault("connectionType", "INTERNET")
    if integration["passthroughBehavior"] not in ("WHEN_NO_MATCH", "WHEN_NO_TEMPLATES", "NEVER"):
        raise bad_request("Invalid passthrough behavior specified")
    if not TIMEOUT_MIN_MS <= integration["timeoutInMillis"] <= TIMEOUT_MAX_MS:
        raise bad_request(f"Timeout should be between {TIMEOUT_MIN_MS} ms and {TIMEOUT_MAX_MS} ms")
    return integration


async def get_integration(gateway: ApiGateway, call: Call, request: Json) -> Json:
    return _integration_of(await _find_method(gateway, call, request))


async def update_integration(gateway: ApiGateway, call: Call, request: Json) -> Json:
    method = await _find_method(gateway, call, request)
    old = _integration_of(method)
    integration = patch.apply_patch(old, request.get("patchOperations"), _INTEGRATION_PATCHABLE)
    new_integration(integration, request["resourceId"])
    await _write(gateway, call, request, {**method, "methodIntegration": integration})
    return integration


async def delete_integration(gateway: ApiGateway, call: Call, request: Json) -> Json:
    method = await _find_method(gateway, call, request)
    _integration_of(method)
    without = {name: value for name, value in method.items() if name != "methodIntegration"}
    await _write(gateway, call, request, without)
    return {}


async def put_method_response(gateway: ApiGateway, call: Call, request: Json) -> Json:
    method = await _find_method(gateway, call, request)
    if request["statusCode"] in method.get("methodResponses", {}):
        raise conflict("Response already exists for this resource")
    response = picked(request, _METHOD_RESPONSE_MEMBERS)
    await _write(gateway, call, request, _with_response(method, "methodResponses", response))
    return response


async def get_method_response(gateway: ApiGateway, call: Call, request: Json) -> Json:
    return _response_of(await _find_method(gateway, call, request), "methodResponses", request["statusCode"])


async def update_method_response(gateway: ApiGateway, call: Call, request: Json) -> Json:
    method = await _find_method(gateway, call, request)
    old = _response_of(method, "methodResponses", request["statusCode"])
    response = patch.apply_patch(old, request.get("patchOperations"), _METHOD_RESPONSE_PATCHABLE)
    await _write(gateway, call, request, _with_response(method, "methodResponses", response))
    return response


async def delete_method_response(gateway: ApiGateway, call: Call, request: Json) -> Json:
    method = await _find_method(gateway, call, request)
    _response_of(method, "methodResponses", request["statusCode"])
    await _write(gateway, call, request, _without_response(method, "methodResponses", request["statusCode"]))
    return {}


async def put_integration_response(gateway: ApiGateway, call: Call, request: Json) -> Json:
    method = await _find_method(gateway, call, request)
    integration = _integration_of(method)
    response = new_integration_response(request)
    integration = _with_response(integration, "integrationResponses", response)
    await _write(gateway, call, request, {**method, "methodIntegration": integration})
    return response


def new_integration_response(request: Json) -> Json:
    return picked(request, _INTEGRATION_RESPONSE_MEMBERS)


async def get_integration_response(gateway: ApiGateway, call: Call, request: Json) -> Json:
    integration = _integration_of(await _find_method(gateway, call, request))
    return _response_of(integration, "integrationResponses", request["statusCode"])


async def update_integration_response(gateway: ApiGateway, call: Call, request: Json) -> Json:
    method = await _find_method(gateway, call, request)
    integration = _integration_of(method)
    old = _response_of(integration, "integrationResponses", request["statusCode"])
    response = patch.apply_patch(old, request.get("patchOperations"), _INTEGRATION_RESPONSE_PATCHABLE)
    integration = _with_response(integration, "integrationResponses", response)
    await _write(gateway, call, request, {**method, "methodIntegration": integration})
    return response


async def delete_integration_response(gateway: ApiGateway, call: Call, request: Json) -> Json:
    method = await _find_method(gateway, call, request)
    integration = _integration_of(method)
    _response_of(integration, "integrationResponses", request["statusCode"])
    integration = _without_response(integration, "integrationResponses", request["statusCode"])
    await _write(gateway, call, request, {**method, "methodIntegration": integration})
    return {}


async def _find_resource(gateway: ApiGateway, call: Call, request: Json) -> Json:
    return await find(gateway, call, RESOURCE, request["restApiId"], request["resourceId"])


async def _find_method(gateway: ApiGateway, call: Call, request: Json) -> Json:
    resource = await _find_resource(gateway, call, request)
    method: Json | None = resource.get("resourceMethods", {}).get(request["httpMethod"])
    if method is None:
        raise not_found("Invalid Method identifier specified")
    return method


def _integration_of(method: Json) -> Json:
    integration: Json | None = method.get("methodIntegration")
    if integration is None:
        raise not_found("Invalid Integration identifier specified")
    return integration


def _response_of(owner: Json, member: str, status_code: str) -> Json:
    response: Json | None = owner.get(member, {}).get(status_code)
    if response is None:
        raise not_found("Invalid Response status code specified")
    return response


def _with_response(owner: Json, member: str, response: Json) -> Json:
    responses: dict[str, Any] = {**owner.get(member, {}), response["statusCode"]: response}
    return {**owner, member: responses}


def _without_response(owner: Json, member: str, status_code: str) -> Json:
    responses = {status: response for status, response in owner[member].items() if status != status_code}
    return {**owner, member: responses}


async def _check_neighbours(gateway: ApiGateway, call: Call, api_id: str, method: Json) -> None:
    if method["authorizationType"] in ("CUSTOM", "COGNITO_USER_POOLS"):
        if not method.get("authorizerId"):
            raise bad_request(
                "Invalid authorizer ID specified. Setting the authorization type to CUSTOM or COGNITO_USER_POOLS "
                "requires a valid authorizer."
            )
        await find(gateway, call, AUTHORIZER, api_id, method["authorizerId"])
    if method.get("requestValidatorId"):
        await find(gateway, call, VALIDATOR, api_id, method["requestValidatorId"])


async def _write(gateway: ApiGateway, call: Call, request: Json, method: Json | None) -> None:
    """Puts the method into its resource's document, as it stands now; None takes it out."""
    resource = await _find_resource(gateway, call, request)
    methods = dict(resource.get("resourceMethods", {}))
    if method is None:
        methods.pop(request["httpMethod"], None)
    else:
        methods[request["httpMethod"]] = method
    changed = {**resource, "resourceMethods": methods}
    await gateway.store.write(put(call, RESOURCE, request["restApiId"], resource["id"], changed))
