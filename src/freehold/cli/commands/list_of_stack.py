"""`freehold sam list ...`: what a stack has, as a table or as the SAM CLI's JSON.

AWS SAM Developer Guide, "sam list".
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import click
import orjson

from freehold.aws.call import Json
from freehold.cli import output, stacks
from freehold.cli.failure import run
from freehold.cli.functions import stack_of
from freehold.cli.options import (
    Command,
    endpoint_option,
    ignored_options,
    project_options,
    samconfig_options,
    stack_name_option,
)
from freehold.cli.packaging import Wishes
from freehold.cli.project import find_project
from freehold.cli.target import connected, find_endpoint, find_region
from freehold.http.aws_client import AwsClient

F = TypeVar("F", bound=Callable[..., Any])
Read = Callable[[AwsClient, Json], Awaitable[list[Json]]]


def _options(function: F) -> F:
    for decorate in (
        ignored_options("--profile", value=True),
        ignored_options("--debug"),
        click.option("--output", "form", type=click.Choice(["table", "json"]), default="table", show_default=True),
        endpoint_option,
        stack_name_option,
        samconfig_options,
        project_options,
    ):
        function = decorate(function)
    return function


@click.command(cls=Command, section="list_endpoints")
@_options
def endpoints_command(**options: Any) -> None:
    """List the addresses of a stack's APIs and function URLs, as they work here.

    \b
    Examples:
      freehold sam list endpoints --stack-name my-api-prod
      freehold sam list endpoints --output json
    """
    _show(_endpoints, options)


@click.command(cls=Command, section="list_resources")
@_options
def resources_command(**options: Any) -> None:
    """List the resources of a stack with their physical ids.

    \b
    Examples:
      freehold sam list resources --stack-name my-api-prod
    """
    _show(_resources, options)


@click.command(cls=Command, section="list_stack_outputs")
@_options
def outputs_command(**options: Any) -> None:
    """List the outputs of a stack.

    \b
    Examples:
      freehold sam list stack-outputs --stack-name my-api-prod --output json
    """
    _show(_outputs, options)


def _show(read: Read, options: dict[str, Any]) -> None:
    endpoint = find_endpoint(options["endpoint_url"], options["directory"])
    rows = run(_read(read, endpoint, options), endpoint)
    if options["form"] == "json":
        output.say(orjson.dumps(rows, option=orjson.OPT_INDENT_2).decode())
    elif rows:
        headers = list(rows[0])
        output.say(
            output.table([each.upper() for each in headers], [[_cell(row[name]) for name in headers] for row in rows])
        )
    else:
        output.say("Nothing.")


def _cell(value: Any) -> str:
    return " ".join(value) if isinstance(value, list) else str(value)


async def _read(read: Read, endpoint: str, options: dict[str, Any]) -> list[Json]:
    directory: Path = options["directory"]
    wishes = Wishes(options["stage"], options["region"], options["stack_name"], options["params"])
    async with connected(endpoint, find_region(wishes.region)) as aws:
        await aws.answers()
        name = wishes.stack_name or await stack_of(find_project(directory, options["template"], "sam"), wishes, aws)
        return await read(aws, await stacks.require_stack(aws, name))


async def _endpoints(aws: AwsClient, stack: Json) -> list[Json]:
    found = await stacks.resources(aws, stack["StackId"])
    rows = []
    for api in await stacks.apis(aws, found):
        urls = [api.url(aws.endpoint, stage) for stage in api.stages or ("$default",)]
        methods = [f"{route.path}['{route.method}']" for route in api.routes]
        rows.append(_row(api.logical_id, api.id, CloudEndpoint=urls, Methods=methods))
    for function, url in (await stacks.function_urls(aws, found)).items():
        logical_id = next((each.logical_id for each in found if each.physical_id == function), function)
        rows.append(_row(logical_id, function, CloudEndpoint=[url], Methods=[]))
    return rows


async def _resources(aws: AwsClient, stack: Json) -> list[Json]:
    return [_row(each.logical_id, each.physical_id) for each in await stacks.resources(aws, stack["StackId"])]


async def _outputs(aws: AwsClient, stack: Json) -> list[Json]:
    described = {each["OutputKey"]: each.get("Description", "") for each in stack.get("Outputs") or []}
    return [
        {"OutputKey": key, "OutputValue": value, "Description": described[key]}
        for key, value in stacks.outputs(stack, aws.endpoint)
    ]


def _row(logical_id: str, physical_id: str, **more: Any) -> Json:
    return {"LogicalResourceId": logical_id, "PhysicalResourceId": physical_id, **more}
