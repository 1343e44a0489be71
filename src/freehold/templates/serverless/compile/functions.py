"""A function: AWS::Lambda::Function, its version, alias, URL and what becomes of its asynchronous invocations.

Serverless Framework documentation, "AWS Lambda Functions".
"""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from freehold.aws.call import Json
from freehold.templates.package.artifact import Artifact
from freehold.templates.serverless import names
from freehold.templates.serverless.compile.compilation import (
    Compilation,
    alias_of,
    get_att,
    present,
    ref,
    resource,
    tag_list,
)
from freehold.templates.serverless.compile.destinations import compile_event_invoke_config
from freehold.templates.serverless.compile.function_urls import compile_url
from freehold.templates.serverless.service import Function

_RUNTIME_UPDATES = {"auto": "Auto", "onFunctionUpdate": "FunctionUpdate", "manual": "Manual"}
_LOGGING = {
    "applicationLogLevel": "ApplicationLogLevel",
    "logFormat": "LogFormat",
    "logGroup": "LogGroup",
    "systemLogLevel": "SystemLogLevel",
}


def compile_functions(compilation: Compilation) -> None:
    for function in compilation.functions:
        artifact = compilation.artifact(f"function:{function.key}")
        definition = resource(
            "AWS::Lambda::Function",
            _properties(compilation, function, artifact),
            Condition=function.settings.get("condition"),
            DependsOn=_dependencies(compilation, function) or None,
        )
        compilation.resources[function.logical_id] = definition
        _compile_version(compilation, function, artifact, definition["Properties"])
        # Not part of what makes a new version, as in the framework.
        logs = function.settings.get("logs") or (compilation.provider.get("logs") or {}).get("lambda")
        if logs:
            definition["Properties"]["LoggingConfig"] = {_LOGGING[key]: value for key, value in logs.items() if value}
        compile_url(compilation, function)
        compile_event_invoke_config(compilation, function)


def _properties(compilation: Compilation, function: Function, artifact: Artifact | None) -> Json:
    settings, provider = function.settings, compilation.provider
    properties = {
        "Code": _code(compilation, artifact),
        **_runtime(compilation, function),
        "FunctionName": function.name,
        "MemorySize": function.memory_mb,
        "Timeout": function.timeout_s,
        "Architectures": _listed(settings.get("architecture") or provider.get("architecture")),
        "Description": settings.get("description") or None,
        "SnapStart": {"ApplyOn": "PublishedVersions"} if settings.get("snapStart") else None,
        "Tags": _tags(compilation, settings),
        "EphemeralStorage": _sized(settings.get("ephemeralStorageSize")),
        "RecursiveLoop": settings.get("recursiveLoop"),
        "Role": _role(compilation.role_of(function)),
        "VpcConfig": _vpc(compilation, settings),
        "ReservedConcurrentExecutions": settings.get("reservedConcurrency"),
        "Layers": settings.get("layers") or (list(provider["layers"]) if provider.get("layers") else None),
    }
    if settings.get("environment") is not None or provider.get("environment") is not None:
        properties["Environment"] = {"Variables": dict(function.environment)}
    _add_dead_letters(compilation, function, properties)
    _add_key(compilation, function, properties)
    _add_tracing(compilation, function, properties)
    _add_file_system(compilation, function, properties)
    return properties


def _code(compilation: Compilation, artifact: Artifact | None) -> Json:
    if artifact is None:
        return {}
    return {"S3Bucket": compilation.bucket, "S3Key": compilation.s3_key(artifact)}


def _runtime(compilation: Compilation, function: Function) -> Json:
    properties: Json = {"Handler": function.handler, "Runtime": function.runtime}
    wish: Json = {"mode": "auto"}
    for given in (compilation.provider.get("runtimeManagement"), function.settings.get("runtimeManagement")):
        wish |= {"mode": given} if isinstance(given, str) else given or {}
    if wish["mode"] != "auto":
        config: Json = {"UpdateRuntimeOn": _RUNTIME_UPDATES[wish["mode"]]}
        if wish["mode"] == "manual":
            config["RuntimeVersionArn"] = wish.get("arn")
        properties["RuntimeManagementConfig"] = config
    return properties


def _listed(value: Any) -> list[Any] | None:
    return [value] if value else None


def _sized(size: Any) -> Json | None:
    return {"Size": size} if size else None


def _tags(compilation: Compilation, settings: Json) -> list[Json] | None:
    if not settings.get("tags") and not compilation.provider.get("tags"):
        return None
    return tag_list({**(compilation.provider.get("tags") or {}), **(settings.get("tags") or {})})


def _role(role: Any) -> Any:
    """A role is an ARN, the logical id of one, or one of CloudFormation's functions."""
    role = role or names.ROLE
    if not isinstance(role, str) or role.startswith("arn:"):
        return role
    return get_att(role, "Arn")


def _dependencies(compilation: Compilation, function: Function) -> list[str]:
    settings = function.settings
    dependencies = [] if settings.get("disableLogs") else [names.log_group(function.key)]
    wanted = settings.get("dependsOn") or []
    dependencies += [wanted] if isinstance(wanted, str) else wanted
    role = compilation.role_of(function)
    if isinstance(role, str) and not role.startswith("arn:") and role != names.ROLE:
        dependencies.append(role)
    elif isinstance(role, dict) and "Fn::GetAtt" in role:
        dependencies.append(role["Fn::GetAtt"][0])
    return dependencies


def _vpc(compilation: Compilation, settings: Json) -> Json | None:
    if "vpc" in settings and settings["vpc"] in (None, False):
        return None  # The function leaves the provider's network.
    vpc = {**(compilation.provider.get("vpc") or {}), **(settings.get("vpc") or {})}
    if not vpc.get("securityGroupIds") or not vpc.get("subnetIds"):
        return None
    return present(
        {
            "Ipv6AllowedForDualStack": vpc.get("ipv6AllowedForDualStack"),
            "SecurityGroupIds": vpc["securityGroupIds"],
            "SubnetIds": vpc["subnetIds"],
        }
    )


def _add_dead_letters(compilation: Compilation, function: Function, properties: Json) -> None:
    target = function.settings.get("onError")
    if target:
        properties["DeadLetterConfig"] = {"TargetArn": target}
        if isinstance(target, str):
            compilation.allow(["sns:Publish"], [target])


def _add_key(compilation: Compilation, function: Function, properties: Json) -> None:
    key = function.settings.get("kmsKeyArn") or compilation.provider.get("kmsKeyArn")
    if key:
        properties["KmsKeyArn"] = key
        if isinstance(key, str):
            compilation.allow_once(["kms:Decrypt"], [key])


def _add_tracing(compilation: Compilation, function: Function, properties: Json) -> None:
    mode = function.settings.get("tracing") or (compilation.provider.get("tracing") or {}).get("lambda")
    if mode:
        properties["TracingConfig"] = {"Mode": "Active" if mode is True else mode}
        compilation.allow_once(["xray:PutTraceSegments", "xray:PutTelemetryRecords"], ["*"])


def _add_file_system(compilation: Compilation, function: Function, properties: Json) -> None:
    config = function.settings.get("fileSystemConfig")
    if not config:
        return
    if not properties["VpcConfig"]:
        raise compilation.wrong(
            f'The function "{function.key}" has a fileSystemConfig, which needs a vpc of the function or the provider.',
            "functions",
            function.key,
            "fileSystemConfig",
        )
    compilation.allow(["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"], [config["arn"]])
    properties["FileSystemConfigs"] = [{"Arn": config["arn"], "LocalMountPath": config["localMountPath"]}]


def _compile_version(
    compilation: Compilation,
    function: Function,
    artifact: Artifact | None,
    properties: Json,
) -> None:
    settings = function.settings
    versioned = settings.get("versionFunction")
    if versioned is None:
        versioned = compilation.provider.get("versionFunctions") is not False
    alias = alias_of(function)
    if settings.get("provisionedConcurrency") and settings.get("snapStart"):
        raise compilation.wrong(
            f'The function "{function.key}" has both snapStart and provisionedConcurrency: choose one.',
            "functions",
            function.key,
        )
    if not versioned and alias is None:
        return
    digest = _version_digest(compilation, properties, artifact)
    version_id = names.lambda_version(function.key, digest)
    compilation.resources[version_id] = resource(
        "AWS::Lambda::Version",
        {
            "FunctionName": ref(function.logical_id),
            "CodeSha256": artifact.sha256 if artifact else None,
            "Description": settings.get("description") or None,
        },
        DeletionPolicy="Retain" if versioned else None,  # A version outlives the stack's next update.
    )
    compilation.outputs[f"{function.logical_id}QualifiedArn"] = {
        "Description": "Current Lambda function version",
        "Value": ref(version_id),
    }
    if alias is not None:
        amount = settings.get("provisionedConcurrency")
        compilation.resources[alias[1]] = resource(
            "AWS::Lambda::Alias",
            {
                "FunctionName": ref(function.logical_id),
                "FunctionVersion": get_att(version_id, "Version"),
                "Name": alias[0],
                "ProvisionedConcurrencyConfig": {"ProvisionedConcurrentExecutions": amount} if amount else None,
            },
            DependsOn=function.logical_id,
        )


def _version_digest(compilation: Compilation, properties: Json, artifact: Artifact | None) -> str:
    """Changes when the code or the configuration of a function does: then the stack makes a new version.

    The place of the code and what is not a version's (tags, reserved concurrency) do not count; the function's layers
    of this service do.
    """
    apart = {"Code", "Tags", "ReservedConcurrentExecutions"}
    counted = {key: value for key, value in properties.items() if key not in apart and value is not None}
    layers = {
        layer.logical_id: compilation.artifact(f"layer:{key}") for key, layer in compilation.service.layers.items()
    }
    code = [artifact.sha256 if artifact else ""]
    for layer in properties.get("Layers") or []:
        used = layers.get(str(layer.get("Ref"))) if isinstance(layer, dict) else None
        code += [used.sha256] if used else []
    text = json.dumps([code, counted], sort_keys=True)
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
