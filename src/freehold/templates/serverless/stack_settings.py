"""What serverless.yml says about the stack and the REST API's stage, beside the template.

Serverless Framework documentation, "Serverless.yml Reference": `stackTags`, `stackParameters`, `stackPolicy`,
`notificationArns`, `rollbackConfiguration`, `disableRollback`; `logs.restApi`, `tracing.apiGateway`,
`apiGateway.metrics` and `tags`, which the framework puts on the stage after the deployment, through API Gateway's own
API.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from freehold.aws.call import Json
from freehold.templates.serverless import names
from freehold.templates.serverless.service import Service

_LOG_FORMAT = ", ".join(
    f"{name}: $context.{variable}"
    for name, variable in (
        ("requestId", "requestId"),
        ("ip", "identity.sourceIp"),
        ("caller", "identity.caller"),
        ("user", "identity.user"),
        ("requestTime", "requestTime"),
        ("httpMethod", "httpMethod"),
        ("resourcePath", "resourcePath"),
        ("status", "status"),
        ("protocol", "protocol"),
        ("responseLength", "responseLength"),
    )
)


@dataclass(frozen=True, slots=True)
class RestStage:
    """What the REST API's stage gets: operations of UpdateStage, and all of its tags."""

    api: str  # Logical id.
    name: str
    patches: tuple[Json, ...]
    tags: Mapping[str, str] | None  # None: left as they are.
    log_group: str | None  # That the access log goes to.


@dataclass(frozen=True, slots=True)
class StackSettings:
    tags: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    policy: str | None = None  # A stack policy, in JSON.
    request: Json = field(default_factory=dict)  # Further members of CreateChangeSet.
    disable_rollback: bool = False  # Of ExecuteChangeSet.
    rest_stage: RestStage | None = None


def stack_settings(service: Service, template: Json) -> StackSettings:
    provider = service.provider
    given = {str(key): str(value) for key, value in (provider.get("stackTags") or {}).items()}
    own = {} if any(key.lower() == "stage" for key in given) else {"STAGE": service.stage}
    request = {
        "NotificationARNs": provider.get("notificationArns"),
        "RollbackConfiguration": provider.get("rollbackConfiguration"),
    }
    policy = provider.get("stackPolicy")
    return StackSettings(
        tags={**own, **given},
        parameters={
            str(each["ParameterKey"]): str(each.get("ParameterValue", ""))
            for each in provider.get("stackParameters") or []
            if "ParameterKey" in each
        },
        policy=json.dumps({"Statement": policy}) if policy else None,
        request={key: value for key, value in request.items() if value},
        disable_rollback=bool(provider.get("disableRollback")),
        rest_stage=_rest_stage(service, template),
    )


def _rest_stage(service: Service, template: Json) -> RestStage | None:
    """None where there is nothing to say, or no REST API of the service's own."""
    provider = service.provider
    api = provider.get("apiGateway") or {}
    if names.REST_API not in template["Resources"]:
        return None
    tracing, metrics = (provider.get("tracing") or {}).get("apiGateway"), api.get("metrics")
    logs = (provider.get("logs") or {}).get("restApi")
    tags = {**(provider.get("stackTags") or {}), **(provider.get("tags") or {})}
    patches: list[Json] = []
    if tracing is not None:
        patches.append(_replace("/tracingEnabled", bool(tracing)))
    if metrics is not None:
        patches.append(_replace("/*/*/metrics/enabled", bool(metrics)))
    name = str(api.get("stage") or service.stage)
    log_group = None
    if logs is not None:
        settings = logs if isinstance(logs, dict) else {}
        if logs and settings.get("accessLogging") is not False:
            log_group = f"/aws/api-gateway/{service.name}-{name}"
            patches.append(_replace("/accessLogSettings/format", str(settings.get("format") or _LOG_FORMAT)))
        elif logs:
            patches.append({"op": "remove", "path": "/accessLogSettings"})
        executes = logs and settings.get("executionLogging") is not False
        full = logs and settings.get("fullExecutionData") is not False
        patches.append(_replace("/*/*/logging/dataTrace", bool(full)))
        patches.append(_replace("/*/*/logging/loglevel", settings.get("level") or "INFO" if executes else "OFF"))
    if not patches and not tags:
        return None
    texts = {str(key): str(value) for key, value in tags.items()} if tags else None
    return RestStage(names.REST_API, name, tuple(patches), texts, log_group)


def _replace(path: str, value: Any) -> Json:
    return {"op": "replace", "path": path, "value": str(value).lower() if isinstance(value, bool) else value}
