"""A stage's properties as patch operations: shared by AWS::ApiGateway::Stage and a deployment's StageDescription.

Source: "UpdateStage", patch operations of a stage.
"""

from __future__ import annotations

from freehold.aws.call import Json
from freehold.stacks.resources.apigateway_patch import Patches, mapping, pointer, scalars
from freehold.stacks.schema import text_of

_PATHS = {
    "CacheClusterEnabled": "/cacheClusterEnabled",
    "CacheClusterSize": "/cacheClusterSize",
    "ClientCertificateId": "/clientCertificateId",
    "DeploymentId": "/deploymentId",
    "Description": "/description",
    "DocumentationVersion": "/documentationVersion",
    "TracingEnabled": "/tracingEnabled",
}
_DEFAULTS = {"CacheClusterEnabled": False, "TracingEnabled": False}
_CANARY = ("DeploymentId", "PercentTraffic", "UseStageCache")
_NO_CANARY = {"PercentTraffic": 0, "UseStageCache": False}
_METHOD_PATHS = {
    "CacheDataEncrypted": "caching/dataEncrypted",
    "CacheTtlInSeconds": "caching/ttlInSeconds",
    "CachingEnabled": "caching/enabled",
    "DataTraceEnabled": "logging/dataTrace",
    "LoggingLevel": "logging/loglevel",
    "MetricsEnabled": "metrics/enabled",
    "ThrottlingBurstLimit": "throttling/burstLimit",
    "ThrottlingRateLimit": "throttling/rateLimit",
}


def stage_patches(properties: Json, previous: Json) -> Patches:
    patches = scalars({**_DEFAULTS, **properties}, {**_DEFAULTS, **previous}, _PATHS)
    patches += mapping(properties.get("Variables"), previous.get("Variables"), "/variables")
    patches += _access_log(properties, previous)
    patches += _canary(properties.get("CanarySetting"), previous.get("CanarySetting"))
    new, old = _method_settings(properties), _method_settings(previous)
    patches += [
        {"op": "replace", "path": path, "value": value} for path, value in new.items() if old.get(path) != value
    ]
    # A method's settings can be removed as a whole only.
    methods = {path.split("/")[1] + "/" + path.split("/")[2] for path in new}
    gone = {path.split("/")[1] + "/" + path.split("/")[2] for path in old} - methods
    return patches + [{"op": "remove", "path": f"/{method}"} for method in sorted(gone)]


def _canary(new: Json | None, old: Json | None) -> Patches:
    if old and not new:
        return [{"op": "remove", "path": "/canarySettings"}]
    new, old = {**_NO_CANARY, **new} if new else {}, {**_NO_CANARY, **old} if old else {}
    paths = {name: f"/canarySettings/{name[:1].lower()}{name[1:]}" for name in _CANARY}
    overrides = "StageVariableOverrides"
    return scalars(new, old, paths) + mapping(
        new.get(overrides), old.get(overrides), "/canarySettings/stageVariableOverrides"
    )


def _access_log(properties: Json, previous: Json) -> Patches:
    new, old = properties.get("AccessLogSetting") or {}, previous.get("AccessLogSetting") or {}
    if old and not new:
        return [{"op": "remove", "path": "/accessLogSettings"}]
    return scalars(
        new, old, {"DestinationArn": "/accessLogSettings/destinationArn", "Format": "/accessLogSettings/format"}
    )


def _method_settings(properties: Json) -> dict[str, str]:
    """Path -> value of every setting of every method."""
    found = {}
    for setting in properties.get("MethodSettings") or []:
        resource, method = setting.get("ResourcePath", "/*"), setting.get("HttpMethod", "*")
        prefix = "/*" if resource == "/*" else f"/{pointer(resource)}"
        for name, path in _METHOD_PATHS.items():
            if name in setting:
                found[f"{prefix}/{method}/{path}"] = text_of(setting[name])
    return found
