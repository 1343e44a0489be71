"""Stages of REST APIs: a name, the deployment that it serves, variables and settings. API Reference, "Stage"."""

from __future__ import annotations

import re
from typing import Any

from freehold.aws.call import Call, Json
from freehold.services.apigateway import patch
from freehold.services.apigateway.record import (
    DEPLOYMENT,
    DOCUMENTATION_VERSION,
    STAGE,
    ApiGateway,
    bad_request,
    conflict,
    find,
    find_api,
    key,
    parts,
    picked,
    put,
)
from freehold.services.apigateway.usage_plans import without_stages
from freehold.state.store import Delete

_MEMBERS = (
    "cacheClusterEnabled",
    "cacheClusterSize",
    "canarySettings",
    "deploymentId",
    "description",
    "documentationVersion",
    "stageName",
    "tags",
    "tracingEnabled",
    "variables",
)
_NAME = re.compile(r"^[a-zA-Z0-9_-]{1,128}$")
_CACHE_SIZES = ("0.5", "1.6", "6.1", "13.5", "28.4", "58.2", "118", "237")  # In GB; the first where none is said.
_VARIABLE_VALUE = re.compile(r"^[A-Za-z0-9\-._~:/?#&=,]*$")

# `/{resource}/{method}/logging/loglevel`, where the first two may be "*": part of the path -> member, its type.
_METHOD_SETTINGS: dict[str, tuple[str, type[bool] | type[int] | type[float] | type[str]]] = {
    "metrics/enabled": ("metricsEnabled", bool),
    "logging/loglevel": ("loggingLevel", str),
    "logging/dataTrace": ("dataTraceEnabled", bool),
    "throttling/burstLimit": ("throttlingBurstLimit", int),
    "throttling/rateLimit": ("throttlingRateLimit", float),
    "caching/enabled": ("cachingEnabled", bool),
    "caching/ttlInSeconds": ("cacheTtlInSeconds", int),
    "caching/dataEncrypted": ("cacheDataEncrypted", bool),
    "caching/requireAuthorizationForCacheControl": ("requireAuthorizationForCacheControl", bool),
    "caching/unauthorizedCacheControlHeaderStrategy": ("unauthorizedCacheControlHeaderStrategy", str),
}


def _canary_setting(document: Json, member: str, rest: list[str], op: str, value: str) -> None:
    """`/canarySettings/percentTraffic`, `/canarySettings/stageVariableOverrides/color`."""
    settings = dict(document.get(member) or _NO_CANARY)
    if not rest and op == "remove":
        document.pop(member, None)
        return
    if rest and rest[0] == "stageVariableOverrides":
        patch.members_of()(settings, rest[0], rest[1:], op, value)
    elif rest and rest[0] in _CANARY_FIELDS:
        _CANARY_FIELDS[rest[0]](settings, rest[0], rest[1:], op, value)
    else:
        raise bad_request(f"Invalid patch path '/{'/'.join([member, *rest])}' specified for op '{op}'")
    document[member] = settings


def _percent(document: Json, member: str, rest: list[str], op: str, value: str) -> None:
    patch.text(document, member, rest, op, value)
    document[member] = patch.as_number(value, float) if op != "remove" else 0.0


_NO_CANARY: Json = {"percentTraffic": 0.0, "stageVariableOverrides": {}, "useStageCache": False}
_CANARY_FIELDS: dict[str, patch.Field] = {
    "deploymentId": patch.text,
    "percentTraffic": _percent,
    "useStageCache": patch.boolean,
}
# What promotes a canary: copied from there to here.
_COPIES = {
    "/canarySettings/deploymentId": "/deploymentId",
    "/canarySettings/stageVariableOverrides": "/variables",
}
_PATCHABLE: dict[str, patch.Field] = {
    "accessLogSettings": patch.members_of(),
    "cacheClusterEnabled": patch.boolean,
    "cacheClusterSize": patch.text,
    "canarySettings": _canary_setting,
    "clientCertificateId": patch.text,
    "deploymentId": patch.text,
    "description": patch.text,
    "documentationVersion": patch.text,
    "tracingEnabled": patch.boolean,
    "variables": patch.members_of(),
}


async def create_stage(gateway: ApiGateway, call: Call, request: Json) -> Json:
    api_id = request["restApiId"]
    await _check_neighbours(gateway, call, api_id, request)
    if await gateway.store.read(STAGE, key(call, api_id, request["stageName"])):
        raise conflict("Stage already exists")
    stage = new_stage(gateway, request)
    await gateway.store.write(put(call, STAGE, api_id, stage["stageName"], stage))
    return stage


def new_stage(gateway: ApiGateway, request: Json) -> Json:
    """A checked document of a new stage."""
    now_s = gateway.clock.now_s()
    stage = picked(
        request,
        _MEMBERS,
        cacheClusterEnabled=False,
        cacheClusterStatus="NOT_AVAILABLE",
        createdDate=now_s,
        lastUpdatedDate=now_s,
        methodSettings={},
        tracingEnabled=False,
    )
    return finished(gateway, stage)


def finished(gateway: ApiGateway, stage: Json) -> Json:
    """Checked, and with what follows from its settings."""
    _check(gateway, stage)
    canary = stage.get("canarySettings")
    if canary is not None:
        if not 0 <= canary.get("percentTraffic", 0) <= 100:
            raise bad_request("Invalid percentTraffic of canary settings: it must be between 0 and 100")
        _check_variables(canary.get("stageVariableOverrides") or {})
        canary = {**_NO_CANARY, "deploymentId": stage["deploymentId"], **canary}
        stage = {**stage, "canarySettings": canary}
    if not stage.get("cacheClusterEnabled"):
        return {**stage, "cacheClusterStatus": "NOT_AVAILABLE"}
    size = stage.get("cacheClusterSize") or _CACHE_SIZES[0]
    if size not in _CACHE_SIZES:
        raise bad_request(f"Invalid cache cluster size. Must be one of: {', '.join(_CACHE_SIZES)}")
    return {**stage, "cacheClusterSize": size, "cacheClusterStatus": "AVAILABLE"}


async def get_stage(gateway: ApiGateway, call: Call, request: Json) -> Json:
    return await find(gateway, call, STAGE, request["restApiId"], request["stageName"])


async def get_stages(gateway: ApiGateway, call: Call, request: Json) -> Json:
    """The answer's member is `item`, not `items`."""
    await find_api(gateway, call, request["restApiId"])
    stages = await parts(gateway, call, STAGE, request["restApiId"])
    wanted = request.get("deploymentId")
    return {"item": [stage for stage in stages if not wanted or stage["deploymentId"] == wanted]}


async def update_stage(gateway: ApiGateway, call: Call, request: Json) -> Json:
    api_id = request["restApiId"]
    stage = await find(gateway, call, STAGE, api_id, request["stageName"])
    plain = []
    for operation in request.get("patchOperations") or ():
        if operation.get("op") == "copy":
            plain += _copied(stage, operation)
            continue
        path = patch.split_path(operation.get("path") or "")
        if len(path) >= 2 and path[0] not in _PATCHABLE:
            stage = _with_method_setting(stage, operation, operation["path"])
        else:
            plain.append(operation)
    stage = patch.apply_patch(stage, plain, _PATCHABLE)
    await _check_neighbours(gateway, call, api_id, stage)
    stage["lastUpdatedDate"] = gateway.clock.now_s()
    stage = finished(gateway, stage)
    await gateway.store.write(put(call, STAGE, api_id, stage["stageName"], stage))
    return stage


async def delete_stage(gateway: ApiGateway, call: Call, request: Json) -> Json:
    await find(gateway, call, STAGE, request["restApiId"], request["stageName"])
    writes = await without_stages(gateway, call, request["restApiId"], request["stageName"])
    await gateway.store.write(Delete(STAGE, key(call, request["restApiId"], request["stageName"])), *writes)
    return {}


async def flush_stage_cache(gateway: ApiGateway, call: Call, request: Json) -> Json:
    """As with authorizers below."""
    return await flush_stage_authorizers_cache(gateway, call, request)


async def flush_stage_authorizers_cache(gateway: ApiGateway, call: Call, request: Json) -> Json:
    """Writing the stage again makes the gateway compile it again, and a fresh copy has an empty cache."""
    stage = await find(gateway, call, STAGE, request["restApiId"], request["stageName"])
    await gateway.store.write(put(call, STAGE, request["restApiId"], stage["stageName"], stage))
    return {}


async def _check_neighbours(gateway: ApiGateway, call: Call, api_id: str, stage: Json) -> None:
    """The deployments of a stage and of its canary are there, and its documentation."""
    await find(gateway, call, DEPLOYMENT, api_id, stage["deploymentId"])
    canary = (stage.get("canarySettings") or {}).get("deploymentId")
    if canary:
        await find(gateway, call, DEPLOYMENT, api_id, canary)
    if stage.get("documentationVersion"):
        await find(gateway, call, DOCUMENTATION_VERSION, api_id, stage["documentationVersion"])


def _copied(stage: Json, operation: Json) -> list[Json]:
    """A copy as the replacements that it means."""
    source, path = operation.get("from") or "", operation.get("path") or ""
    if _COPIES.get(source) != path:
        raise bad_request(f"Invalid patch path '{path}' specified for op 'copy' from '{source}'")
    found = (stage.get("canarySettings") or _NO_CANARY).get(source.removeprefix("/canarySettings/"))
    if not isinstance(found, dict):
        return [{"op": "replace", "path": path, "value": found}] if found else []
    return [{"op": "replace", "path": f"{path}/{name}", "value": value} for name, value in found.items()]


def _with_method_setting(stage: Json, operation: Json, path: str) -> Json:
    """The resource's path keeps its `~1` in the key, as AWS shows it."""
    segments = path.strip("/").split("/")
    settings = dict(stage.get("methodSettings") or {})
    if operation.get("op") == "remove" and len(segments) == 2:
        settings.pop("/".join(segments), None)
        return {**stage, "methodSettings": settings}
    if len(segments) != 4 or "/".join(segments[2:]) not in _METHOD_SETTINGS:
        raise bad_request(f"Invalid patch path  '{path}' specified for op '{operation.get('op')}'")
    method = "/".join(segments[:2])
    member, kind = _METHOD_SETTINGS["/".join(segments[2:])]
    value: Any = operation.get("value") or ""
    if kind is bool:
        value = patch.as_boolean(value)
    elif kind is int or kind is float:
        value = patch.as_number(value, kind)
    settings[method] = {**settings.get(method, {}), member: value}
    return {**stage, "methodSettings": settings}


def _check(gateway: ApiGateway, stage: Json) -> None:
    if not _NAME.match(stage["stageName"]):
        raise bad_request("Stage name only allows a-zA-Z0-9_-")
    _check_variables(stage.get("variables") or {})
    gateway.check_stage(stage)


def _check_variables(variables: Json) -> None:
    for name, value in variables.items():
        if not re.fullmatch(r"[A-Za-z0-9_]+", name) or not _VARIABLE_VALUE.match(value):
            raise bad_request(f"Stage variable {name} has characters that are not allowed")
