"""A template in the making: what every part of the compiler reads and adds to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from freehold.aws.call import Json
from freehold.templates.errors import TemplateError
from freehold.templates.package.artifact import Artifact
from freehold.templates.serverless import names
from freehold.templates.serverless.service import Function, Service


class Compilation:
    def __init__(self, service: Service, template: Json, artifacts: Mapping[str, Artifact]) -> None:
        self.service = service
        self.template = template
        self._artifacts = artifacts  # By owner, as in Artifact.owners.
        self.resources: Json = template["Resources"]
        self.outputs: Json = template["Outputs"]
        self.functions = list(service.functions.values())
        self.provider = service.provider
        self.custom_resources: set[str] = set()  # Helpers of ours that the stack needs: "s3", ...

    @property
    def bucket(self) -> Any:
        """The bucket with the zip files: a name, or the one of the stack."""
        return self.template["Outputs"][names.BUCKET_OUTPUT]["Value"]

    def artifact(self, owner: str) -> Artifact | None:
        return self._artifacts.get(owner)

    def s3_key(self, artifact: Artifact) -> str:
        return artifact_key(self.service, artifact)

    @property
    def role_statements(self) -> list[Json] | None:
        """The statements of the role that all functions share; None when the stack has no such role."""
        role = self.resources.get(names.ROLE)
        if role is None:
            return None
        statements: list[Json] = role["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
        return statements

    def allow(self, action: str | list[str], resource: Any) -> None:
        if self.role_statements is not None:
            self.role_statements.append({"Effect": "Allow", "Action": action, "Resource": resource})

    def allow_once(self, action: str | list[str], resource: Any) -> None:
        statement = {"Effect": "Allow", "Action": action, "Resource": resource}
        if self.role_statements is not None and statement not in self.role_statements:
            self.role_statements.append(statement)

    def function(self, key: str, *where: str | int) -> Function:
        found = self.service.functions.get(key)
        if found is None:
            raise self.wrong(f'There is no function "{key}".', *where)
        return found

    def target(self, key: str) -> Json:
        """The ARN that events call: the function's, or that of its alias (provisioned concurrency, SnapStart)."""
        arn = get_att(names.lambda_function(key), "Arn")
        alias = alias_of(self.service.functions[key])
        return {"Fn::Join": [":", [arn, alias[0]]]} if alias else arn

    def alias_id(self, key: str) -> str | None:
        alias = alias_of(self.service.functions[key])
        return alias[1] if alias else None

    def permission(self, key: str, principal: Any, **more: Any) -> Json:
        """Lets `principal` invoke a function."""
        return resource(
            "AWS::Lambda::Permission",
            {
                "FunctionName": self.target(key),
                "Action": "lambda:InvokeFunction",
                "Principal": principal,
                **more,
            },
            DependsOn=self.alias_id(key),
        )

    def role_of(self, function: Function) -> Any:
        """The role that the user names for a function, or None for the shared one."""
        if function.settings.get("role"):
            return function.settings["role"]
        role = (self.provider.get("iam") or {}).get("role")
        if is_existing_role(role):
            return role
        return self.provider.get("role")

    def role_dependency(self, function: Function) -> list[str]:
        """The logical id that an event source mapping must wait for, so that the role may read the source."""
        role = self.role_of(function)
        if not role:
            return [names.ROLE]
        if isinstance(role, str):
            return [] if ":" in role else [role]
        get = role.get("Fn::GetAtt")
        if isinstance(get, list) and len(get) == 2 and get[1] == "Arn" and isinstance(get[0], str):
            return [get[0]]
        return [] if {"Fn::ImportValue", "Ref", "Fn::Sub"} & set(role) else [names.ROLE]

    def source_dependencies(self, function: Function) -> list[str]:
        alias = self.alias_id(function.key)
        return self.role_dependency(function) + ([alias] if alias else [])

    def log_group(self, name: str) -> Json:
        return resource(
            "AWS::Logs::LogGroup",
            {
                "LogGroupName": name,
                "RetentionInDays": self.provider.get("logRetentionInDays"),
                "DataProtectionPolicy": self.provider.get("logDataProtectionPolicy"),
            },
        )

    def wrong(self, message: str, *path: str | int) -> TemplateError:
        return self.service.wrong(message, *path)

    def wrong_event(self, function: Function, position: int, message: str) -> TemplateError:
        return self.wrong(message, "functions", function.key, "events", position)


def artifact_key(service: Service, artifact: Artifact) -> str:
    """The S3 key under which a service's template expects a zip file."""
    root = service.provider.get("deploymentPrefix")
    return f"{'serverless' if root is None else root}/{service.name}/{service.stage}/{artifact.key}"


def alias_of(function: Function) -> tuple[str, str] | None:
    """(name, logical id) of the alias that stands before a function."""
    if function.settings.get("provisionedConcurrency"):
        return "provisioned", f"{names.resource(function.key)}ProvConcLambdaAlias"
    if function.settings.get("snapStart"):
        return "snapstart", f"{names.resource(function.key)}SnapStartLambdaAlias"
    return None


def is_existing_role(role: Any) -> bool:
    return isinstance(role, str) or (isinstance(role, dict) and any("::" in key for key in role))


def resource(type_: str, properties: Json, **attributes: Any) -> Json:
    """A resource; what is None is left out."""
    return {"Type": type_, "Properties": present(properties), **present(attributes)}


def present(mapping: Json) -> Json:
    return {key: value for key, value in mapping.items() if value is not None}


def ref(name: str) -> Json:
    return {"Ref": name}


def get_att(name: str, attribute: str) -> Json:
    return {"Fn::GetAtt": [name, attribute]}


def join(*parts: Any) -> Json:
    return {"Fn::Join": ["", list(parts)]}


def sub(text: str) -> Json:
    return {"Fn::Sub": text}


PARTITION, REGION, ACCOUNT, SUFFIX = (ref(f"AWS::{name}") for name in ("Partition", "Region", "AccountId", "URLSuffix"))


def tag_list(tags: Json) -> list[Json]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]
