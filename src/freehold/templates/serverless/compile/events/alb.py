"""`alb` events: rules of a load balancer's listener. Serverless Framework docs, "Application Load Balancer"."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Any

from freehold.aws.call import Json
from freehold.templates.serverless import names
from freehold.templates.serverless.compile.compilation import Compilation, present, ref, resource
from freehold.templates.serverless.service import Event, Function

_LISTENER = re.compile(r"^arn:aws[\w-]*:elasticloadbalancing:.+:listener/app/[\w-]+/([\w-]+)/([\w-]+)$")
_LONGEST_NAME = 32
_AUTHORIZER_KEYS = {
    "userPoolArn": "UserPoolArn",
    "userPoolClientId": "UserPoolClientId",
    "userPoolDomain": "UserPoolDomain",
    "authorizationEndpoint": "AuthorizationEndpoint",
    "clientId": "ClientId",
    "clientSecret": "ClientSecret",
    "issuer": "Issuer",
    "tokenEndpoint": "TokenEndpoint",
    "userInfoEndpoint": "UserInfoEndpoint",
    "requestExtraParams": "AuthenticationRequestExtraParams",
    "scope": "Scope",
    "sessionCookieName": "SessionCookieName",
    "sessionTimeout": "SessionTimeout",
}
_HEALTH_KEYS = {
    "enabled": "HealthCheckEnabled",
    "intervalSeconds": "HealthCheckIntervalSeconds",
    "path": "HealthCheckPath",
    "timeoutSeconds": "HealthCheckTimeoutSeconds",
    "healthyThresholdCount": "HealthyThresholdCount",
    "unhealthyThresholdCount": "UnhealthyThresholdCount",
}
_HEALTH_DEFAULTS: Json = {
    "HealthCheckPath": "/",
    "HealthCheckIntervalSeconds": 35,
    "HealthCheckTimeoutSeconds": 30,
    "HealthyThresholdCount": 5,
    "UnhealthyThresholdCount": 5,
    "Matcher": {"HttpCode": "200"},
}


@dataclass(frozen=True, slots=True)
class _Rule:
    function: Function
    event: Event
    settings: Json
    balancer: str  # Its id, or the logical id of the listener.
    listener: str

    @property
    def target_group(self) -> str:
        multi = "MultiValue" if self.settings.get("multiValueHeaders") else ""
        return f"{names.resource(self.function.key)}Alb{multi}TargetGroup{self.balancer}"


def compile_events(compilation: Compilation) -> None:
    rules: list[_Rule] = []
    for function in compilation.functions:
        for event in function.of_kind("alb"):
            rule = _read(compilation, function, event)
            for other in rules:
                same_function = other.function is function
                if other.settings["priority"] == rule.settings["priority"] and (
                    same_function != (other.listener == rule.listener)
                ):
                    raise compilation.wrong_event(
                        function, event.position, f"The priority {rule.settings['priority']} is already in use."
                    )
            rules.append(rule)
    for rule in rules:
        _compile_target_group(compilation, rule)
        _compile_rule(compilation, rule)
        _compile_permissions(compilation, rule)


def _read(compilation: Compilation, function: Function, event: Event) -> _Rule:
    settings: Json = event.settings if isinstance(event.settings, dict) else {}
    missing = [key for key in ("listenerArn", "priority", "conditions") if not settings.get(key)]
    if missing:
        raise compilation.wrong_event(function, event.position, f"An alb event needs {' and '.join(missing)}.")
    arn = settings["listenerArn"]
    if isinstance(arn, dict) and arn.get("Ref"):
        return _Rule(function, event, settings, arn["Ref"], arn["Ref"])
    match = _LISTENER.match(str(arn))
    if match is None:
        raise compilation.wrong_event(function, event.position, "listenerArn is not the ARN of an ALB's listener.")
    return _Rule(function, event, settings, match[1], match[2])


def _compile_target_group(compilation: Compilation, rule: _Rule) -> None:
    multi = bool(rule.settings.get("multiValueHeaders"))
    service = compilation.service
    label = f"{service.name}-{rule.function.key}-{rule.balancer}-"
    prefix = (compilation.provider.get("alb") or {}).get("targetGroupPrefix") or ""
    if rule.settings.get("targetGroupName") and prefix:
        raise compilation.wrong_event(
            rule.function, rule.event.position, "Set targetGroupName or provider.alb.targetGroupPrefix, not both."
        )
    hashed = hashlib.md5(f"{label}{'multi-value-' if multi else ''}{service.stage}".encode(), usedforsecurity=False)
    alias = compilation.alias_id(rule.function.key)
    compilation.resources[rule.target_group] = resource(
        "AWS::ElasticLoadBalancingV2::TargetGroup",
        {
            "TargetType": "lambda",
            "Targets": [{"Id": compilation.target(rule.function.key)}],
            "Name": rule.settings.get("targetGroupName") or f"{prefix}{hashed.hexdigest()}"[:_LONGEST_NAME],
            "Tags": [{"Key": "Name", "Value": f"{label}{service.stage}"}],
            "TargetGroupAttributes": [{"Key": "lambda.multi_value_headers.enabled", "Value": multi}],
            **_health_check(rule.settings.get("healthCheck")),
        },
        DependsOn=[names.permission(rule.function.key, "RegisterTarget"), *([alias] if alias else [])],
    )


def _health_check(given: Any) -> Json:
    if not given:
        return {"HealthCheckEnabled": False}
    settings: Json = given if isinstance(given, dict) else {}
    chosen = {new: settings[old] for old, new in _HEALTH_KEYS.items() if settings.get(old) is not None}
    code = (settings.get("matcher") or {}).get("httpCode")
    matcher = {"Matcher": {"HttpCode": code}} if code else {}
    return {**_HEALTH_DEFAULTS, **chosen, **matcher, "HealthCheckEnabled": True}


def _compile_rule(compilation: Compilation, rule: _Rule) -> None:
    actions = _authentications(compilation, rule)
    forward: Json = {"Type": "forward", "TargetGroupArn": ref(rule.target_group)}
    if actions:
        forward["Order"] = len(actions) + 1
    priority = rule.settings["priority"]
    compilation.resources[f"{names.resource(rule.function.key)}AlbListenerRule{priority}"] = resource(
        "AWS::ElasticLoadBalancingV2::ListenerRule",
        {
            "Actions": [*actions, forward],
            "Conditions": _conditions(rule.settings["conditions"]),
            "ListenerArn": rule.settings["listenerArn"],
            "Priority": priority,
        },
    )


def _authentications(compilation: Compilation, rule: _Rule) -> list[Json]:
    known = (compilation.provider.get("alb") or {}).get("authorizers") or {}
    actions: list[Json] = []
    for name in _listed(rule.settings.get("authorizer")):
        authorizer = known.get(name)
        if authorizer is None:
            raise compilation.wrong_event(
                rule.function, rule.event.position, f'The authorizer "{name}" is not in provider.alb.authorizers.'
            )
        config = {new: authorizer[old] for old, new in _AUTHORIZER_KEYS.items() if authorizer.get(old) is not None}
        config["OnUnauthenticatedRequest"] = authorizer.get("onUnauthenticatedRequest") or "deny"
        cognito = authorizer.get("type") == "cognito"
        if not cognito and not authorizer.get("clientSecret"):
            config["UseExistingClientSecret"] = True
        kind, key = (
            ("authenticate-cognito", "AuthenticateCognitoConfig")
            if cognito
            else ("authenticate-oidc", "AuthenticateOidcConfig")
        )
        actions.append({"Type": kind, "Order": len(actions) + 1, key: config})
    return actions


def _conditions(given: Json) -> list[Json]:
    conditions: list[Json] = []

    def add(field: str, **config: Any) -> None:
        conditions.append(present({"Field": field, **config}))

    if given.get("path"):
        add("path-pattern", Values=_listed(given["path"]))
    if given.get("host"):
        add("host-header", HostHeaderConfig={"Values": _listed(given["host"])})
    if given.get("method"):
        add("http-request-method", HttpRequestMethodConfig={"Values": _listed(given["method"])})
    for header in _listed(given.get("header")):
        add("http-header", HttpHeaderConfig={"HttpHeaderName": header["name"], "Values": header["values"]})
    if given.get("query"):
        pairs = [{"Key": key, "Value": value} for key, value in given["query"].items()]
        add("query-string", QueryStringConfig={"Values": pairs})
    if given.get("ip"):
        add("source-ip", SourceIpConfig={"Values": _listed(given["ip"])})
    return conditions


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value] if value else []


def _compile_permissions(compilation: Compilation, rule: _Rule) -> None:
    key = rule.function.key
    alias = compilation.alias_id(key)
    for suffix, more in (("Alb", {"SourceArn": ref(rule.target_group)}), ("RegisterTarget", {})):
        permission = compilation.permission(key, "elasticloadbalancing.amazonaws.com", **more)
        if alias:
            permission["DependsOn"] = [alias]
        compilation.resources[names.permission(key, suffix)] = permission
