"""Deployments: a copy of the whole API, frozen; and stages, which each serve one. Edits are invisible until the next.

API Gateway API Reference, "Deployment" and "Stage". What the gateway could not honour is refused here, by name.
"""

from __future__ import annotations

from freehold.aws.call import Call, Json
from freehold.services.apigateway import patch
from freehold.services.apigateway.record import (
    AUTHORIZER,
    DEPLOYMENT,
    GATEWAY_RESPONSE,
    MODEL,
    RESOURCE,
    STAGE,
    VALIDATOR,
    ApiGateway,
    bad_request,
    find,
    find_api,
    key,
    page,
    parts,
    picked,
    put,
)
from freehold.services.apigateway.stages import finished, new_stage
from freehold.state.store import Delete, Write


async def create_deployment(gateway: ApiGateway, call: Call, request: Json) -> Json:
    api_id = request["restApiId"]
    copy: Json = {
        "api": await find_api(gateway, call, api_id),
        "authorizers": await parts(gateway, call, AUTHORIZER, api_id),
        "gatewayResponses": await parts(gateway, call, GATEWAY_RESPONSE, api_id),
        "models": await parts(gateway, call, MODEL, api_id),
        "requestValidators": await parts(gateway, call, VALIDATOR, api_id),
        "resources": await parts(gateway, call, RESOURCE, api_id),
    }
    if not any(resource.get("resourceMethods") for resource in copy["resources"]):
        raise bad_request("The REST API doesn't contain any methods")
    gateway.check_copy(copy)
    if request.get("canarySettings") is not None and not request.get("stageName"):
        raise bad_request("A canary release deployment needs a stage that exists")
    deployment: Json = {"id": gateway.ids.short(6), "createdDate": gateway.clock.now_s(), "copy": copy}
    if request.get("description"):
        deployment["description"] = request["description"]
    writes: list[Write] = [put(call, DEPLOYMENT, api_id, deployment["id"], deployment)]
    if request.get("stageName"):
        stage = await _stage_of(gateway, call, request, deployment["id"])
        writes.append(put(call, STAGE, api_id, stage["stageName"], stage))
    await gateway.store.write(*writes)
    return _answer(deployment, {})


async def get_deployment(gateway: ApiGateway, call: Call, request: Json) -> Json:
    return _answer(await find(gateway, call, DEPLOYMENT, request["restApiId"], request["deploymentId"]), request)


async def get_deployments(gateway: ApiGateway, call: Call, request: Json) -> Json:
    await find_api(gateway, call, request["restApiId"])
    deployments = await parts(gateway, call, DEPLOYMENT, request["restApiId"])
    return page([_answer(deployment, {}) for deployment in deployments], request)


async def update_deployment(gateway: ApiGateway, call: Call, request: Json) -> Json:
    deployment = await find(gateway, call, DEPLOYMENT, request["restApiId"], request["deploymentId"])
    deployment = patch.apply_patch(deployment, request.get("patchOperations"), {"description": patch.text})
    await gateway.store.write(put(call, DEPLOYMENT, request["restApiId"], deployment["id"], deployment))
    return _answer(deployment, {})


async def delete_deployment(gateway: ApiGateway, call: Call, request: Json) -> Json:
    await find(gateway, call, DEPLOYMENT, request["restApiId"], request["deploymentId"])
    for stage in await parts(gateway, call, STAGE, request["restApiId"]):
        canary = (stage.get("canarySettings") or {}).get("deploymentId")
        if request["deploymentId"] in (stage["deploymentId"], canary):
            raise bad_request("Active stages pointing to this deployment must be moved or deleted")
    await gateway.store.write(Delete(DEPLOYMENT, key(call, request["restApiId"], request["deploymentId"])))
    return {}


async def _stage_of(gateway: ApiGateway, call: Call, request: Json, deployment_id: str) -> Json:
    """The stage that the deployment names: the one that is there, moved; or a new one."""
    wanted = picked(request, ("cacheClusterEnabled", "cacheClusterSize", "tracingEnabled"))
    if request.get("stageDescription"):
        wanted["description"] = request["stageDescription"]
    if request.get("variables"):
        wanted["variables"] = request["variables"]
    stored = await gateway.store.read(STAGE, key(call, request["restApiId"], request["stageName"]))
    canary = request.get("canarySettings")
    if canary is not None:
        if stored is None:
            raise bad_request("A canary release deployment needs a stage that exists")
        # The stage goes on with its own deployment.
        settings = {**(stored.document.get("canarySettings") or {}), **canary, "deploymentId": deployment_id}
        wanted |= {"canarySettings": settings, "deploymentId": stored.document["deploymentId"]}
    if stored is None:
        return new_stage(gateway, {**wanted, "stageName": request["stageName"], "deploymentId": deployment_id})
    stage = {**stored.document, "deploymentId": deployment_id, **wanted, "lastUpdatedDate": gateway.clock.now_s()}
    return finished(gateway, stage)


def _answer(deployment: Json, request: Json) -> Json:
    answer = {name: value for name, value in deployment.items() if name != "copy"}
    if "apisummary" in (request.get("embed") or ()):
        answer["apiSummary"] = {
            resource["path"]: {
                method: {"authorizationType": each["authorizationType"], "apiKeyRequired": each["apiKeyRequired"]}
                for method, each in resource["resourceMethods"].items()
            }
            for resource in deployment["copy"]["resources"]
            if resource.get("resourceMethods")
        }
    return answer
