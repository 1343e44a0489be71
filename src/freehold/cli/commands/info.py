"""`freehold info`: a stack's endpoints, functions and outputs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from freehold.cli import output, summary
from freehold.cli.failure import run
from freehold.cli.functions import stack_of
from freehold.cli.options import Command, endpoint_option, ignored_options, project_options, stack_name_option
from freehold.cli.packaging import Wishes
from freehold.cli.project import find_project
from freehold.cli.stacks import require_stack
from freehold.cli.target import connected, find_endpoint, find_region


@click.command(cls=Command)
@project_options
@stack_name_option
@endpoint_option
@ignored_options("--verbose", "--conceal")
@ignored_options("--aws-profile", value=True)
def command(directory: Path, endpoint_url: str | None, **options: Any) -> None:
    """Show a stack's endpoints with URLs that work, its functions and its outputs.

    \b
    Examples:
      freehold info
      freehold info --stack-name my-api-prod
    """
    endpoint = find_endpoint(endpoint_url, directory)
    run(_run(directory, endpoint, options), endpoint)


async def _run(directory: Path, endpoint: str, options: dict[str, Any]) -> None:
    wishes = Wishes(options["stage"], options["region"], options["stack_name"], options["params"])
    async with connected(endpoint, find_region(wishes.region)) as aws:
        await aws.answers()
        name = wishes.stack_name or await stack_of(find_project(directory, options["template"]), wishes, aws)
        stack = await require_stack(aws, name)
        output.say(f"{output.heading(name)}  {stack['StackStatus']}  ({aws.call.region}, {aws.endpoint})")
        await summary.show(aws, stack, with_functions=True)
