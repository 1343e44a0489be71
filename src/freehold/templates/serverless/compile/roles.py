"""The functions' log groups and the role that they share. Serverless Framework documentation, "IAM Permissions"."""

from __future__ import annotations

from typing import Any

from freehold.aws.call import Json
from freehold.templates.serverless import names
from freehold.templates.serverless.compile.compilation import (
    Compilation,
    is_existing_role,
    join,
    present,
    ref,
    resource,
    sub,
    tag_list,
)
from freehold.templates.serverless.service import Function

_ARN = "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:"
_VPC_POLICY = join("arn:", ref("AWS::Partition"), ":iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole")


def compile_log_groups(compilation: Compilation) -> None:
    for function in compilation.functions:
        settings = function.settings
        if settings.get("disableLogs"):
            continue
        group = compilation.log_group(names.log_group_name(function.name))
        for key, property_ in (
            ("logRetentionInDays", "RetentionInDays"),
            ("logDataProtectionPolicy", "DataProtectionPolicy"),
        ):
            if settings.get(key):
                group["Properties"][property_] = settings[key]
        compilation.resources[names.log_group(function.key)] = group


def compile_role(compilation: Compilation) -> None:
    provider = compilation.provider
    role = (provider.get("iam") or {}).get("role") or {}
    if not compilation.functions or is_existing_role(role) or "role" in provider:
        return
    if all("role" in function.settings for function in compilation.functions):
        return
    statements = _log_statements(compilation)
    statements += role.get("statements") or provider.get("iamRoleStatements") or []
    managed = list(role.get("managedPolicies") or provider.get("iamManagedPolicies") or [])
    if provider.get("vpc") or any("vpc" in function.settings for function in compilation.functions):
        managed.append(_VPC_POLICY)
    boundary = (
        role.get("permissionsBoundary") or role.get("permissionBoundary") or provider.get("rolePermissionsBoundary")
    )
    compilation.resources[names.ROLE] = resource(
        "AWS::IAM::Role",
        {
            "AssumeRolePolicyDocument": assume_role("lambda.amazonaws.com"),
            "Policies": [{"PolicyName": _policy_name(compilation), "PolicyDocument": document(statements)}],
            "Path": role.get("path") or "/",
            "RoleName": role.get("name") or _role_name(compilation),
            "Tags": tag_list(role["tags"]) if role.get("tags") else None,
            "PermissionsBoundary": boundary,
            "ManagedPolicyArns": managed or None,
        },
    )


def assume_role(service: str) -> Json:
    statement = {"Effect": "Allow", "Principal": {"Service": [service]}, "Action": ["sts:AssumeRole"]}
    return document([statement])


def document(statements: list[Json]) -> Json:
    return {"Version": "2012-10-17", "Statement": statements}


def _role_name(compilation: Compilation) -> Json:
    service = compilation.service
    return {"Fn::Join": ["-", [service.name, service.stage, ref("AWS::Region"), "lambdaRole"]]}


def _policy_name(compilation: Compilation) -> Json:
    return {"Fn::Join": ["-", [compilation.service.name, compilation.service.stage, "lambda"]]}


def _log_statements(compilation: Compilation) -> list[Json]:
    """Functions with the usual name share a wildcard; each other one has its own line."""
    usual = f"{compilation.service.name}-{compilation.service.stage}"
    logging: list[Function] = []
    silent: list[Function] = []
    prefixes: list[str] = []
    for function in compilation.functions:
        disabled = bool(function.settings.get("disableLogs"))
        if function.name.startswith(usual):
            (silent if disabled else logging).append(function)
        elif not disabled:
            prefixes.append(names.log_group_name(function.name))
    if logging:
        prefixes.append(names.log_group_name(usual) + "*")
    statements = [
        _allow(["logs:CreateLogStream", "logs:CreateLogGroup", "logs:TagResource"], prefixes, ":*"),
        _allow(["logs:PutLogEvents"], prefixes, ":*:*"),
    ]
    if logging and silent:
        groups = [sub(f"{_ARN}{names.log_group_name(function.name)}:*") for function in silent]
        statements.append({"Effect": "Deny", "Action": "logs:PutLogEvents", "Resource": groups})
    return statements


def _allow(actions: list[str], prefixes: list[str], suffix: str) -> Json:
    arns: list[Any] = [sub(f"{_ARN}{prefix}{suffix}") for prefix in prefixes]
    return present({"Effect": "Allow", "Action": actions, "Resource": arns})
