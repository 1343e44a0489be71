"""`{{resolve:ssm:...}}` and `{{resolve:secretsmanager:...}}` in property values.

Source: "Get values stored in other services using dynamic references". They are resolved when a resource is made or
changed and the values go nowhere else: a stack's documents keep the reference, not the secret.
"""

from __future__ import annotations

import re
from typing import Any

import orjson

from freehold.aws.call import Aws
from freehold.aws.errors import AwsError
from freehold.stacks.errors import validation_error

_REFERENCE = re.compile(r"\{\{resolve:(ssm|ssm-secure|secretsmanager):([^{}]+)\}\}")


async def resolve_references(value: Any, aws: Aws) -> Any:
    """The value with each reference replaced. Raises ValidationError where there is nothing to find."""
    if isinstance(value, dict):
        return {key: await resolve_references(item, aws) for key, item in value.items()}
    if isinstance(value, list):
        return [await resolve_references(item, aws) for item in value]
    if not isinstance(value, str) or "{{resolve:" not in value:
        return value
    result, end = [], 0
    for match in _REFERENCE.finditer(value):
        result.append(value[end : match.start()])
        result.append(await _fetch(match[1], match[2], aws))
        end = match.end()
    return "".join(result) + value[end:]


async def _fetch(service: str, text: str, aws: Aws) -> str:
    if service == "secretsmanager":
        return await _secret(text, aws)
    name, _, version = text.partition(":")
    request = {"Name": f"{name}:{version}" if version else name, "WithDecryption": service == "ssm-secure"}
    try:
        parameter = (await aws("ssm", "GetParameter", request))["Parameter"]
    except AwsError as error:
        raise validation_error(f"Parameters: [{service}:{text}] could not be resolved: {error.message}") from error
    if parameter.get("Type") == "SecureString" and service == "ssm":
        raise validation_error(f"SSM Secure reference is not supported in: [{text}]; use ssm-secure")
    return str(parameter["Value"])


async def _secret(text: str, aws: Aws) -> str:
    # secret-id:secret-string:json-key:version-stage:version-id, where the id may be an ARN with colons of its own.
    if text.startswith("arn:"):
        parts = text.split(":")
        secret, rest = ":".join(parts[:7]), parts[7:]
    else:
        secret, *rest = text.split(":")
    kind, key, stage, version = (*rest, "", "", "", "")[:4]
    if kind not in ("", "SecretString"):
        raise validation_error(f"The dynamic reference to {secret} must name SecretString, not {kind}")
    request = {"SecretId": secret}
    if stage:
        request["VersionStage"] = stage
    if version:
        request["VersionId"] = version
    try:
        value = (await aws("secretsmanager", "GetSecretValue", request))["SecretString"]
    except AwsError as error:
        raise validation_error(f"Could not resolve the secret {secret}: {error.message}") from error
    if not key:
        return str(value)
    try:
        return str(orjson.loads(value)[key])
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise validation_error(
            f"Could not find a value associated with JSONKey in SecretString ({secret}: {key})"
        ) from error
