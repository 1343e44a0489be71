"""serverless-iam-roles-per-function: a function with `iamRoleStatements` has a role of its own.

`custom.serverless-iam-roles-per-function`: defaultInherit, iamGlobalPermissionsBoundary.
"""

from __future__ import annotations

from typing import Any

from freehold.aws.call import Json
from freehold.templates.serverless import names
from freehold.templates.serverless.compile.compilation import Compilation, get_att, join, ref, resource, sub
from freehold.templates.serverless.compile.roles import assume_role, document
from freehold.templates.serverless.plugins.plugin import Plugin
from freehold.templates.serverless.service import Function

_LOG_ARN = "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:"
_VPC_POLICY = ":iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole"
_SOURCES: dict[str, list[str]] = {
    "sqs": ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
    "dynamodb": ["dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:DescribeStream", "dynamodb:ListStreams"],
    "kinesis": ["kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:DescribeStream", "kinesis:ListStreams"],
}
_LONGEST_NAME = 64


def after_compile(compilation: Compilation) -> None:
    for function in compilation.functions:
        if "iamRoleStatements" not in function.settings or function.settings.get("role"):
            continue
        role_id = f"{names.resource(function.key)}IamRoleLambdaExecution"
        compilation.resources[role_id] = _role(compilation, function)
        definition = compilation.resources[function.logical_id]
        definition["Properties"]["Role"] = get_att(role_id, "Arn")
        waits = [each for each in definition.get("DependsOn") or [] if each != names.ROLE]
        definition["DependsOn"] = [*waits, role_id]
        for each in compilation.resources.values():
            calls = (each.get("Properties") or {}).get("FunctionName") == compilation.target(function.key)
            if each["Type"] == "AWS::Lambda::EventSourceMapping" and calls:
                each["DependsOn"] = [role_id if name == names.ROLE else name for name in each.get("DependsOn") or []]


def _role(compilation: Compilation, function: Function) -> Json:
    settings = function.settings
    options: Json = compilation.service.custom.get("serverless-iam-roles-per-function") or {}
    inherit = settings.get("iamRoleStatementsInherit")
    statements: list[Any] = _log_statements(function) + _source_statements(function)
    if inherit if inherit is not None else options.get("defaultInherit"):
        role = (compilation.provider.get("iam") or {}).get("role")
        shared = role.get("statements") if isinstance(role, dict) else None
        statements += shared or compilation.provider.get("iamRoleStatements") or []
    statements += settings["iamRoleStatements"] or []
    in_network = settings.get("vpc") or compilation.provider.get("vpc")
    managed = [join("arn:", ref("AWS::Partition"), _VPC_POLICY)] if in_network else []
    service = compilation.service
    usual = f"{service.name}-{service.stage}-{function.key}-{service.region}-lambdaRole"
    return resource(
        "AWS::IAM::Role",
        {
            "Path": "/",
            "AssumeRolePolicyDocument": assume_role("lambda.amazonaws.com"),
            "ManagedPolicyArns": managed or None,
            "Policies": [
                {
                    "PolicyName": f"{service.name}-{service.stage}-{function.key}",
                    "PolicyDocument": document(statements),
                }
            ],
            "RoleName": settings.get("iamRoleStatementsName") or (usual if len(usual) <= _LONGEST_NAME else None),
            "PermissionsBoundary": settings.get("iamPermissionsBoundary")
            or options.get("iamGlobalPermissionsBoundary"),
        },
    )


def _log_statements(function: Function) -> list[Json]:
    group = f"{_LOG_ARN}{names.log_group_name(function.name)}"
    create = ["logs:CreateLogStream", "logs:CreateLogGroup", "logs:TagResource"]
    return [
        {"Effect": "Allow", "Action": create, "Resource": [sub(f"{group}:*")]},
        {"Effect": "Allow", "Action": ["logs:PutLogEvents"], "Resource": [sub(f"{group}:*:*")]},
    ]


def _source_statements(function: Function) -> list[Json]:
    arns: dict[str, list[Any]] = {kind: [] for kind in _SOURCES}
    for event in function.of_kind("sqs") + function.of_kind("stream"):
        settings: Json = event.settings if isinstance(event.settings, dict) else {"arn": event.settings}
        kind = "sqs" if event.kind == "sqs" else settings.get("type") or str(settings["arn"]).split(":")[2]
        arns[kind].append(settings["arn"])
    return [{"Effect": "Allow", "Action": _SOURCES[kind], "Resource": each} for kind, each in arns.items() if each]


PLUGIN = Plugin(after_compile=after_compile)
