"""The variable sources, one function each. Serverless Framework documentation, "Variables"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from freehold.templates.serverless.variables.aws_sources import aws_, cf, s3, ssm
from freehold.templates.serverless.variables.files import file_
from freehold.templates.serverless.variables.resolve import MissingSource, Request, SourceFunction


async def opt(request: Request) -> Any:
    if request.address is None:
        return dict(request.surroundings.options)
    return request.surroundings.options.get(request.address)


async def env(request: Request) -> Any:
    return request.surroundings.environ.get(_address(request))


async def self_(request: Request) -> Any:
    return await request.resolver.resolve(tuple(request.address.split(".")) if request.address else ())


async def sls(request: Request) -> Any:
    match _address(request):
        case "stage":
            return await stage(request)
        case "instanceId":
            return request.surroundings.instance_id
    raise MissingSource("sls: knows only stage and instanceId.")


async def param(request: Request) -> Any:
    """`--param name=value` first, then `params:` of the stage, then of `default`."""
    name = _address(request)
    for pair in request.surroundings.options.get("param", "").split("\n"):
        given, equals, value = pair.partition("=")
        if equals and given == name:
            return value
    for group in (await stage(request), "default"):
        value = await request.resolver.resolve(("params", group, name))
        if value is not None:
            return value
    return None


async def str_to_bool(request: Request) -> Any:
    given = request.params[0] if request.params else None
    if isinstance(given, bool):
        return given
    known = {"true": True, "1": True, "false": False, "0": False}
    if str(given).strip().lower() not in known:
        raise MissingSource(f'strToBool takes "true", "false", "1" or "0", not "{given}".')
    return known[str(given).strip().lower()]


async def stage(request: Request) -> str:
    """The stage: --stage, else provider.stage, else dev."""
    given = request.surroundings.options.get("stage") or await request.resolver.resolve(("provider", "stage"))
    return str(given or "dev")


def _address(request: Request) -> str:
    if request.address is None:
        raise MissingSource("the address after the colon is missing.")
    return request.address


SOURCES: Mapping[str, SourceFunction] = {
    "opt": opt,
    "self": self_,
    "env": env,
    "file": file_,
    "sls": sls,
    "param": param,
    "strToBool": str_to_bool,
    "aws": aws_,
    "ssm": ssm,
    "cf": cf,
    "s3": s3,
}
