"""`provider.apiGateway.apiKeys` and `usagePlan`. Serverless Framework docs, "Setting API keys for your Rest API"."""

from __future__ import annotations

from typing import Any

from freehold.aws.call import Json
from freehold.templates.serverless import names
from freehold.templates.serverless.compile.compilation import Compilation, ref, resource
from freehold.templates.serverless.compile.rest_api.endpoints import rest_api_id


def compile_usage(compilation: Compilation, deployment: str) -> None:
    api: Json = compilation.provider.get("apiGateway") or {}
    keys, plans = api.get("apiKeys") or [], api.get("usagePlan")
    if not keys and not plans:
        return
    named: dict[str, Json] = {}
    if isinstance(plans, list):
        for plan in plans:
            named |= {name: settings or {} for name, settings in plan.items()}
    for name, settings in named.items():
        compilation.resources[_plan_id(name)] = _plan(compilation, name, settings, deployment)
    if not named:
        compilation.resources[_plan_id("")] = _plan(compilation, "", plans or {}, deployment)
    _compile_keys(compilation, keys, set(named), deployment)


def _plan_id(name: str) -> str:
    return f"ApiGatewayUsagePlan{names.upper_first(name)}"


def _plan(compilation: Compilation, name: str, settings: Json, deployment: str) -> Json:
    service = compilation.service
    quota, throttle = settings.get("quota"), settings.get("throttle")
    quoted = f' "{name}"' if name else ""
    dashed = f"-{name}" if name else ""
    return resource(
        "AWS::ApiGateway::UsagePlan",
        {
            "ApiStages": [{"ApiId": rest_api_id(compilation), "Stage": service.stage}],
            "Description": f"Usage plan{quoted} for {service.name} {service.stage} stage",
            "UsagePlanName": f"{service.name}{dashed}-{service.stage}",
            "Quota": _renamed(quota, {"limit": "Limit", "offset": "Offset", "period": "Period"}),
            "Throttle": _renamed(throttle, {"burstLimit": "BurstLimit", "rateLimit": "RateLimit"}),
        },
        DependsOn=deployment,
    )


def _renamed(settings: Any, keys: dict[str, str]) -> Json | None:
    return {new: settings[old] for old, new in keys.items() if settings.get(old) is not None} if settings else None


def _compile_keys(compilation: Compilation, keys: list[Any], plans: set[str], deployment: str) -> None:
    number = 0
    for key in keys:
        plan = next(iter(key), "") if isinstance(key, dict) else ""
        if plan in plans:
            for position, each in enumerate(key[plan], 1):
                _compile_key(compilation, each, f"{names.upper_first(plan)}{position}", plan, deployment)
            number = len(key[plan])
            continue
        if isinstance(key, dict) and isinstance(key.get(plan), dict | list):
            raise compilation.wrong(
                f'The API key group "{plan}" has no usage plan of that name.', "provider", "apiGateway", "apiKeys"
            )
        number += 1
        _compile_key(compilation, key, str(number), "", deployment)


def _compile_key(compilation: Compilation, key: Any, suffix: str, plan: str, deployment: str) -> None:
    settings: Json = key if isinstance(key, dict) else {"name": key}
    enabled = settings.get("enabled")
    compilation.resources[f"ApiGatewayApiKey{suffix}"] = resource(
        "AWS::ApiGateway::ApiKey",
        {
            "Enabled": True if enabled is None else enabled,
            "Name": settings.get("name"),
            "Value": settings.get("value") or None,
            "Description": settings.get("description"),
            "CustomerId": settings.get("customerId"),
            "StageKeys": [{"RestApiId": rest_api_id(compilation), "StageName": compilation.service.stage}],
        },
        DependsOn=deployment,
    )
    compilation.resources[f"ApiGatewayUsagePlanKey{suffix}"] = resource(
        "AWS::ApiGateway::UsagePlanKey",
        {"KeyId": ref(f"ApiGatewayApiKey{suffix}"), "KeyType": "API_KEY", "UsagePlanId": ref(_plan_id(plan))},
    )
