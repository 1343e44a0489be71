"""`freehold sam local invoke` and `serverless invoke local`: one invocation of the folder's code as it is now."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import click

from freehold.cli.commands.invoke import read_event, show_result
from freehold.cli.deployment import Package
from freehold.cli.env_vars import read_env_vars
from freehold.cli.failure import Failure, run
from freehold.cli.functions import find_function, stack_of
from freehold.cli.options import (
    Command,
    env_vars_option,
    ignored_options,
    parameters_option,
    params_option,
    read_pairs,
    region_option,
    samconfig_options,
    stack_name_option,
    stage_option,
    template_option,
)
from freehold.cli.packaging import Wishes, make_package, template_parameters
from freehold.cli.project import Project, find_project
from freehold.cli.target import find_region, find_running
from freehold.http.aws_client import AwsClient
from freehold.http.client import HttpClient


@click.command(cls=Command, section="local_invoke")
@samconfig_options
@click.argument("name", required=False)
@click.option("-f", "--function", metavar="NAME", help="The same as NAME.")
@click.option("-e", "--event", "-p", "--path", metavar="FILE", help='A file that holds the event; "-" is stdin.')
@click.option("-d", "--data", metavar="JSON", help="The event itself.")
@click.option("-C", "--dir", "directory", type=click.Path(path_type=Path), default=Path("."), help="The app's folder.")
@template_option
@stack_name_option
@stage_option
@region_option
@parameters_option
@params_option
@ignored_options("--log -l", "--debug", "--skip-pull-image", "--no-event")
@env_vars_option
@ignored_options("--docker-network", "--profile", "--aws-profile", value=True)
def command(name: str | None, function: str | None, event: str | None, data: str | None, **options: Any) -> None:
    """Invoke a function from the files of this folder, without a server: its log on stderr, its result on stdout.

    The app is brought up in the folder's .freehold, with its tables and their data; a running `freehold dev` of the
    folder is used instead where there is one.

    \b
    Examples:
      freehold sam local invoke GetItemsFunction --event events/get.json
      freehold serverless invoke local -f getItems --data '{}'
    """
    payload = read_event(event, data)
    project = find_project(options["directory"], options["template"])
    wishes = Wishes(
        stage=options["stage"],
        region=options["region"],
        stack_name=options["stack_name"],
        params=options["params"],
        parameters=read_pairs(options["parameter_overrides"], "--parameter-overrides"),
        env_vars=read_env_vars(options["env_vars"]),
    )
    run(_run(project, wishes, name or function, payload))


async def _run(project: Project, wishes: Wishes, name: str | None, payload: bytes) -> None:
    from dataclasses import replace

    async with AsyncExitStack() as leaving:
        http = HttpClient()
        leaving.push_async_callback(http.close)
        aws = await _server(project, wishes, http, leaving)
        wishes = replace(wishes, stack_name=await stack_of(project, wishes, aws))
        package = await _bring_up(aws, project, wishes)
        function = await find_function(aws, name or _only(package), project.directory, wishes)
        request = {"FunctionName": function, "LogType": "Tail", "Payload": payload}
        show_result(await aws("lambda", "Invoke", request))


async def _server(project: Project, wishes: Wishes, http: HttpClient, leaving: AsyncExitStack) -> AwsClient:
    """That of a running `freehold dev`, else one of our own for as long as this takes."""
    running = find_running(project.directory)
    if running:
        return AwsClient(running.endpoint, running.region, http)
    from freehold.cli.dev import embedded

    app = await embedded.start(project, 0, wishes)
    leaving.push_async_callback(app.stop)
    return AwsClient(app.endpoint, find_region(wishes.region), http)


async def _bring_up(aws: AwsClient, project: Project, wishes: Wishes) -> Package:
    from freehold.cli import deployment

    package = await make_package(project, wishes, aws)
    parameters = template_parameters(package, wishes, project)
    await deployment.deploy(aws.in_region(package.region), package, parameters)
    return package


def _only(package: Package) -> str:
    """As SAM has it: where there is one function, nobody has to name it. Raises Failure."""
    if len(package.functions) != 1:
        raise Failure(f"Which function? The app has {', '.join(package.functions) or 'none'}.")
    return next(iter(package.functions))
