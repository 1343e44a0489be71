"""The sources that ask an AWS API: `aws:accountId`, `ssm:`, `cf:`, `s3:`, all through the caller's lookup."""

from __future__ import annotations

import json
from typing import Any

from freehold.aws.call import DEFAULT_REGION, Json
from freehold.aws.errors import AwsError
from freehold.templates.serverless.variables.resolve import MissingSource, Request

_NOT_THERE = {"ParameterNotFound", "NoSuchKey", "NoSuchBucket"}


async def aws_(request: Request) -> Any:
    match request.address:
        case "accountId":
            return (await _ask(request, "sts", "GetCallerIdentity", {}))["Account"]
        case "region":
            return await _region(request)
    raise MissingSource("aws: knows only accountId and region.")


async def ssm(request: Request) -> Any:
    """`${ssm:/path}`, `${ssm(region):/path}`; `raw` keeps a list or JSON as text, `noDecrypt` does not decrypt."""
    name = _address(request)
    wishes = [str(param) for param in request.params]
    found = await _ask(
        request, "ssm", "GetParameter", {"Name": name, "WithDecryption": "noDecrypt" not in wishes}, wishes
    )
    if found is None:
        return None
    value, kind = found["Parameter"]["Value"], found["Parameter"]["Type"]
    if "raw" in wishes:
        return value
    if kind == "StringList":
        return value.split(",")
    if kind == "SecureString" and value.startswith("{"):
        try:
            return json.loads(value)
        except json.JSONDecodeError:
            return value
    return value


async def cf(request: Request) -> Any:
    """`${cf:stack.Output}`, `${cf(region):stack.Output}`."""
    stack, dot, output = _address(request).partition(".")
    if not dot:
        raise MissingSource("cf: takes the name of a stack and of its output, like cf:my-stack.TableName.")
    try:
        found = await _ask(request, "cloudformation", "DescribeStacks", {"StackName": stack}, request.params)
    except AwsError as error:
        if error.code == "ValidationError" and "does not exist" in error.message:
            return None
        raise MissingSource(f"the stack {stack} cannot be read: {error.message}") from None
    outputs = {each["OutputKey"]: each["OutputValue"] for each in found["Stacks"][0].get("Outputs") or []}
    return outputs.get(output)


async def s3(request: Request) -> Any:
    """`${s3:bucket/key}`: the object's text."""
    bucket, slash, key = _address(request).partition("/")
    if not slash:
        raise MissingSource("s3: takes a bucket and a key, like s3:my-bucket/settings.txt.")
    found = await _ask(request, "s3", "GetObject", {"Bucket": bucket, "Key": key})
    if found is None:
        return None
    body = found["Body"]
    return body.decode("utf-8") if isinstance(body, bytes) else str(body)


async def _ask(request: Request, service: str, operation: str, what: Json, params: Any = ()) -> Any:
    lookup = request.surroundings.lookup
    if lookup is None:
        raise MissingSource(f"it needs a running server, to ask {service} for it.")
    wanted = [str(param) for param in params if param not in (None, "raw", "noDecrypt")]
    try:
        return await lookup(service, operation, what, wanted[0] if wanted else await _region(request))
    except AwsError as error:
        if error.code in _NOT_THERE:
            return None
        if service == "cloudformation":
            raise
        raise MissingSource(f"{service} answered {error.code}: {error.message}") from None


async def _region(request: Request) -> str:
    given = request.surroundings.options.get("region") or await request.resolver.resolve(("provider", "region"))
    return str(given or DEFAULT_REGION)


def _address(request: Request) -> str:
    if request.address is None:
        raise MissingSource("the address after the colon is missing.")
    return request.address
