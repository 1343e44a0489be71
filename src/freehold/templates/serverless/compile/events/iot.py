"""`iot` and `iotFleetProvisioning` events. Serverless Framework documentation, "IoT" and "IoT Fleet Provisioning"."""

from __future__ import annotations

from freehold.aws.call import Json
from freehold.templates.serverless import names
from freehold.templates.serverless.compile.compilation import (
    ACCOUNT,
    PARTITION,
    REGION,
    Compilation,
    join,
    present,
    ref,
    resource,
)
from freehold.templates.serverless.compile.inputs import to_json


def compile_events(compilation: Compilation) -> None:
    _compile_rules(compilation)
    _compile_provisioning(compilation)


def _compile_rules(compilation: Compilation) -> None:
    for function in compilation.functions:
        for number, event in enumerate(function.of_kind("iot"), 1):
            settings: Json = event.settings
            if not isinstance(settings, dict) or not settings.get("sql"):
                raise compilation.wrong_event(function, event.position, "An iot event needs sql.")
            rule = f"{names.resource(function.key)}IotTopicRule{number}"
            payload = {
                "RuleDisabled": settings.get("enabled") is False,
                "Sql": _one_line(settings["sql"]),
                "Actions": [{"Lambda": {"FunctionArn": compilation.target(function.key)}}],
                "Description": _one_line(settings.get("description")),
                "AwsIotSqlVersion": _one_line(settings.get("sqlVersion")),
            }
            compilation.resources[rule] = resource(
                "AWS::IoT::TopicRule",
                {"TopicRulePayload": present(payload), "RuleName": _one_line(settings.get("name"))},
                DependsOn=compilation.alias_id(function.key),
            )
            source = join("arn:", PARTITION, ":iot:", REGION, ":", ACCOUNT, ":rule/", ref(rule))
            compilation.resources[names.permission(function.key, f"IotTopicRule{number}")] = compilation.permission(
                function.key, "iot.amazonaws.com", SourceArn=source
            )


def _one_line(text: str | None) -> str | None:
    return text.replace("\r\n", "").replace("\n", "") if text else None


def _compile_provisioning(compilation: Compilation) -> None:
    for function in compilation.functions:
        events = function.of_kind("iotFleetProvisioning")
        if len(events) > 1:
            raise compilation.wrong_event(
                function, events[1].position, f'The function "{function.key}" can have one iotFleetProvisioning event.'
            )
        for event in events:
            settings: Json = event.settings
            alias = compilation.alias_id(function.key)
            permission = names.permission(function.key, "IotProvisioningTemplate")
            compilation.resources[permission] = compilation.permission(function.key, "iot.amazonaws.com")
            compilation.resources[f"{names.resource(function.key)}IotProvisioningTemplate"] = resource(
                "AWS::IoT::ProvisioningTemplate",
                {
                    "Enabled": settings.get("enabled", True),
                    "PreProvisioningHook": {"TargetArn": compilation.target(function.key)},
                    "ProvisioningRoleArn": settings.get("provisioningRoleArn"),
                    "TemplateBody": to_json(settings.get("templateBody")),
                    "TemplateName": settings.get("templateName") or None,
                },
                DependsOn=[permission, *([alias] if alias else [])],
            )
