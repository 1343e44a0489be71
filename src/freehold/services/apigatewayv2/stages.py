"""Stages and deployments.

A stage with AutoDeploy serves the API as it stands: its deployment holds no copy. Any other stage serves the copy of
routes, integrations and authorizers that its deployment took. API Gateway V2 API Reference, "Stages", "Deployments".
"""

from __future__ import annotations

import re

from freehold.aws.call import Call, Json
from freehold.services.apigatewayv2.record import (
    AUTHORIZER,
    DEPLOYMENT,
    INTEGRATION,
    INTEGRATION_RESPONSE,
    MODEL,
    ROUTE,
    ROUTE_RESPONSE,
    STAGE,
    WEBSOCKET,
    ApiGatewayV2,
    bad_request,
    changed,
    conflict,
    find,
    find_api,
    key,
    page,
    parts,
    picked,
    put,
)
from freehold.state.store import Delete, Write

_MEMBERS = (
    "AccessLogSettings",
    "AutoDeploy",
    "ClientCertificateId",
    "DefaultRouteSettings",
    "DeploymentId",
    "Description",
    "RouteSettings",
    "StageName",
    "StageVariables",
    "Tags",
)
_UPDATABLE = tuple(member for member in _MEMBERS if member not in ("StageName", "Tags"))
_NAME = re.compile(r"^(\$default|[a-zA-Z0-9_-]{1,128})$")
_VARIABLE_NAME = re.compile(r"^[a-zA-Z0-9_]+$")
_VARIABLE_VALUE = re.compile(r"^[A-Za-z0-9\-._~:/?#&=,]+$")


async def create_stage(gateway: ApiGatewayV2, call: Call, request: Json) -> Json:
    api_id = request["ApiId"]
    api = await find_api(gateway, call, api_id)
    if api["ProtocolType"] == WEBSOCKET and request["StageName"] == "$default":
        raise bad_request("Stage name only allows a-zA-Z0-9_-")
    if await gateway.store.read(STAGE, key(call, api_id, request["StageName"])):
        raise conflict("Stage already exists")
    if request.get("DeploymentId"):
        await find(gateway, call, DEPLOYMENT, api_id, request["DeploymentId"])
    stage, writes = new_stage(gateway, call, api_id, request, api["ProtocolType"])
    await gateway.store.write(put(call, STAGE, api_id, stage["StageName"], stage), *writes)
    return stage


def new_stage(
    gateway: ApiGatewayV2, call: Call, api_id: str, request: Json, protocol: str = "HTTP"
) -> tuple[Json, list[Write]]:
    """The checked document of a new stage, and the writes that go with it (the deployment of AutoDeploy)."""
    now_s = gateway.clock.now_s()
    stage = picked(
        request,
        _MEMBERS,
        CreatedDate=now_s,
        DefaultRouteSettings={"DetailedMetricsEnabled": False},
        LastUpdatedDate=now_s,
        RouteSettings={},
        StageVariables={},
        Tags={},
    )
    _check(gateway, stage, protocol)
    if not stage.get("AutoDeploy"):
        return stage, []
    if "DeploymentId" in request:
        raise bad_request("DeploymentId cannot be given for a stage with AutoDeploy")
    deployment = _new_deployment(gateway, {}, auto=True)
    return _deployed(stage, deployment), [put(call, DEPLOYMENT, api_id, deployment["DeploymentId"], deployment)]


async def get_stage(gateway: ApiGatewayV2, call: Call, request: Json) -> Json:
    return await find(gateway, call, STAGE, request["ApiId"], request["StageName"])


async def get_stages(gateway: ApiGatewayV2, call: Call, request: Json) -> Json:
    await find_api(gateway, call, request["ApiId"])
    return page(await parts(gateway, call, STAGE, request["ApiId"]), request)


async def update_stage(gateway: ApiGatewayV2, call: Call, request: Json) -> Json:
    api_id = request["ApiId"]
    old = await find(gateway, call, STAGE, api_id, request["StageName"])
    stage = changed(old, request, _UPDATABLE)
    stage["LastUpdatedDate"] = gateway.clock.now_s()
    _check(gateway, stage, (await find_api(gateway, call, api_id))["ProtocolType"])
    writes: list[Write] = []
    if request.get("DeploymentId"):
        if stage.get("AutoDeploy"):
            raise bad_request("DeploymentId cannot be given for a stage with AutoDeploy")
        await find(gateway, call, DEPLOYMENT, api_id, request["DeploymentId"])
    elif bool(old.get("AutoDeploy")) != bool(stage.get("AutoDeploy")):
        # Switched off, it goes on serving what was in force at that moment.
        auto = bool(stage.get("AutoDeploy"))
        deployment = _new_deployment(gateway, {} if auto else await _copy(gateway, call, api_id), auto=auto)
        stage = _deployed(stage, deployment)
        writes.append(put(call, DEPLOYMENT, api_id, deployment["DeploymentId"], deployment))
    await gateway.store.write(put(call, STAGE, api_id, stage["StageName"], stage), *writes)
    return stage


async def delete_stage(gateway: ApiGatewayV2, call: Call, request: Json) -> Json:
    await find(gateway, call, STAGE, request["ApiId"], request["StageName"])
    await gateway.store.write(Delete(STAGE, key(call, request["ApiId"], request["StageName"])))
    return {}


async def delete_access_log_settings(gateway: ApiGatewayV2, call: Call, request: Json) -> Json:
    stage = await find(gateway, call, STAGE, request["ApiId"], request["StageName"])
    without = {name: value for name, value in stage.items() if name != "AccessLogSettings"}
    await gateway.store.write(put(call, STAGE, request["ApiId"], stage["StageName"], without))
    return {}


async def delete_route_settings(gateway: ApiGatewayV2, call: Call, request: Json) -> Json:
    stage = await find(gateway, call, STAGE, request["ApiId"], request["StageName"])
    settings = {route: value for route, value in stage["RouteSettings"].items() if route != request["RouteKey"]}
    await gateway.store.write(
        put(call, STAGE, request["ApiId"], stage["StageName"], {**stage, "RouteSettings": settings})
    )
    return {}


async def create_deployment(gateway: ApiGatewayV2, call: Call, request: Json) -> Json:
    api_id = request["ApiId"]
    api = await find_api(gateway, call, api_id)
    copy = await _copy(gateway, call, api_id)
    if not copy["Routes"]:
        raise bad_request("At least one route is required before deploying the Api.")
    gateway.check({**copy, "ProtocolType": api["ProtocolType"]})
    deployment = _new_deployment(gateway, copy, auto=False)
    if "Description" in request:
        deployment["Description"] = request["Description"]
    writes: list[Write] = [put(call, DEPLOYMENT, api_id, deployment["DeploymentId"], deployment)]
    if request.get("StageName"):
        stage = await find(gateway, call, STAGE, api_id, request["StageName"])
        if stage.get("AutoDeploy"):
            raise bad_request("Deployment ID cannot be set on a stage with AutoDeploy")
        writes.append(put(call, STAGE, api_id, stage["StageName"], _deployed(stage, deployment)))
    await gateway.store.write(*writes)
    return _without_copy(deployment)


async def get_deployment(gateway: ApiGatewayV2, call: Call, request: Json) -> Json:
    return _without_copy(await find(gateway, call, DEPLOYMENT, request["ApiId"], request["DeploymentId"]))


async def get_deployments(gateway: ApiGatewayV2, call: Call, request: Json) -> Json:
    await find_api(gateway, call, request["ApiId"])
    deployments = await parts(gateway, call, DEPLOYMENT, request["ApiId"])
    return page([_without_copy(deployment) for deployment in deployments], request)


async def update_deployment(gateway: ApiGatewayV2, call: Call, request: Json) -> Json:
    deployment = await find(gateway, call, DEPLOYMENT, request["ApiId"], request["DeploymentId"])
    deployment = changed(deployment, request, ("Description",))
    await gateway.store.write(put(call, DEPLOYMENT, request["ApiId"], request["DeploymentId"], deployment))
    return _without_copy(deployment)


async def delete_deployment(gateway: ApiGatewayV2, call: Call, request: Json) -> Json:
    await find(gateway, call, DEPLOYMENT, request["ApiId"], request["DeploymentId"])
    for stage in await parts(gateway, call, STAGE, request["ApiId"]):
        if stage.get("DeploymentId") == request["DeploymentId"]:
            raise bad_request(
                "Active stages pointing to this deployment must be moved or deleted before it can be deleted"
            )
    await gateway.store.write(Delete(DEPLOYMENT, key(call, request["ApiId"], request["DeploymentId"])))
    return {}


def _check(gateway: ApiGatewayV2, stage: Json, protocol: str) -> None:
    if not _NAME.match(stage["StageName"]):
        raise bad_request("Stage name only allows a-zA-Z0-9_- or $default")
    for name, value in stage["StageVariables"].items():
        if not _VARIABLE_NAME.match(name) or not _VARIABLE_VALUE.match(value):
            raise bad_request(f"Invalid stage variable {name}: see the allowed characters for names and values")
    gateway.check({"ProtocolType": protocol, "Stages": [stage]})


async def _copy(gateway: ApiGatewayV2, call: Call, api_id: str) -> Json:
    """What a deployment freezes."""
    copy: Json = {
        "Routes": await parts(gateway, call, ROUTE, api_id),
        "Integrations": await parts(gateway, call, INTEGRATION, api_id),
        "Authorizers": await parts(gateway, call, AUTHORIZER, api_id),
    }
    prefix = key(call, api_id) + "/"
    for kind in (INTEGRATION_RESPONSE, ROUTE_RESPONSE, MODEL):  # Of WebSocket APIs. By key: it tells whose they are.
        found = await gateway.store.list_documents(kind, prefix)
        if found:
            copy[kind] = {stored.key.removeprefix(prefix): stored.document for stored in found}
    return copy


def _new_deployment(gateway: ApiGatewayV2, copy: Json, *, auto: bool) -> Json:
    deployment = {
        "AutoDeployed": auto,
        "CreatedDate": gateway.clock.now_s(),
        "DeploymentId": gateway.ids.short(6),
        "DeploymentStatus": "DEPLOYED",
    }
    if auto:
        deployment["Description"] = "Automatic deployment triggered by changes to the Api configuration"
    else:
        deployment["Copy"] = copy
    return deployment


def _deployed(stage: Json, deployment: Json) -> Json:
    stage = {**stage, "DeploymentId": deployment["DeploymentId"]}
    if deployment["AutoDeployed"]:
        stage["LastDeploymentStatusMessage"] = (
            f"Successfully deployed stage with deployment ID '{deployment['DeploymentId']}'"
        )
    return stage


def _without_copy(deployment: Json) -> Json:
    return {name: value for name, value in deployment.items() if name != "Copy"}
