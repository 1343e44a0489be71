"""The helper functions behind the template's `Custom::` resources; their code is in serverless/custom_resources.

The framework's helpers are in JavaScript, ours in Python; names, role and permissions are the framework's.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from freehold.aws.call import Json
from freehold.templates.serverless import names
from freehold.templates.serverless.compile.compilation import Compilation, get_att, resource, sub
from freehold.templates.serverless.compile.roles import assume_role, document
from freehold.templates.serverless.service import Service

CODE = Path(__file__).parent.parent / "custom_resources"
OWNER = "custom-resources"
_RUNTIME = "python3.13"
_LONGEST_NAME = 64
_LOG_ARN = "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:"


@dataclass(frozen=True, slots=True)
class Helper:
    name: str
    handler: str


HELPERS = {
    "s3": Helper("custom-resource-existing-s3", "existing_bucket.handler"),
    "cognitoUserPool": Helper("custom-resource-existing-cup", "existing_user_pool.handler"),
}


def needs_helpers(service: Service) -> bool:
    return any(
        isinstance(event.settings, dict) and event.settings.get("existing") and event.kind in HELPERS
        for function in service.functions.values()
        for event in function.events
    )


def add_helper(compilation: Compilation, kind: str, statements: list[Json]) -> None:
    helper, provider = HELPERS[kind], compilation.provider
    prefix = f"{compilation.service.name}-{compilation.service.stage}"
    name = f"{prefix}-{helper.name}"
    if len(name) > _LONGEST_NAME:
        name = name[:32] + hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()
    artifact = compilation.artifact(OWNER)
    key = compilation.s3_key(artifact) if artifact else "custom-resources.zip"
    role = (provider.get("iam") or {}).get("deploymentRole") or provider.get("cfnRole")
    waits = []
    logs = (provider.get("logs") or {}).get("frameworkLambda")
    if not role:
        waits.append(names.CUSTOM_RESOURCES_ROLE)
        _add_role(compilation, statements, prefix, logs=bool(logs))
    if logs:
        group = names.log_group(helper.name)
        waits.append(group)
        compilation.resources[group] = compilation.log_group(names.log_group_name(name))
    compilation.resources[names.lambda_function(names.resource(helper.name))] = resource(
        "AWS::Lambda::Function",
        {
            "Code": {"S3Bucket": compilation.bucket, "S3Key": key},
            "FunctionName": name,
            "Handler": helper.handler,
            "MemorySize": 1024,
            "Runtime": _RUNTIME,
            "Timeout": 180,
            "Architectures": [provider["architecture"]] if provider.get("architecture") else None,
            "Role": role or get_att(names.CUSTOM_RESOURCES_ROLE, "Arn"),
        },
        DependsOn=waits,
    )


def _add_role(compilation: Compilation, statements: list[Json], prefix: str, *, logs: bool) -> None:
    service = compilation.service
    role = compilation.resources.get(names.CUSTOM_RESOURCES_ROLE)
    if role is None:
        name = {"Fn::Join": ["-", [service.stage, service.name, "custom-resources-lambda"]]}
        role = resource(
            "AWS::IAM::Role",
            {
                "AssumeRolePolicyDocument": assume_role("lambda.amazonaws.com"),
                "Policies": [{"PolicyName": name, "PolicyDocument": document(_log_statements(prefix) if logs else [])}],
            },
        )
        compilation.resources[names.CUSTOM_RESOURCES_ROLE] = role
    known: list[Json] = role["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    for statement in statements:
        same = isinstance(statement["Resource"], str) and any(
            statement["Resource"] == each["Resource"] for each in known
        )
        if not same:
            known.append(statement)


def _log_statements(prefix: str) -> list[Json]:
    group = f"{_LOG_ARN}{names.log_group_name(prefix)}*"
    create = ["logs:CreateLogStream", "logs:CreateLogGroup", "logs:TagResource"]
    return [
        {"Effect": "Allow", "Action": create, "Resource": [sub(f"{group}:*")]},
        {"Effect": "Allow", "Action": ["logs:PutLogEvents"], "Resource": [sub(f"{group}:*:*")]},
    ]
