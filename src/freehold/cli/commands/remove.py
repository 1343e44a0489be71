"""`freehold remove`: deletes a stack and everything that it made."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import click

from freehold.cli import deployment, output, progress
from freehold.cli.failure import Failure, run
from freehold.cli.functions import stack_of
from freehold.cli.options import (
    Command,
    endpoint_option,
    ignored_options,
    project_options,
    samconfig_options,
    stack_name_option,
)
from freehold.cli.packaging import Wishes, load_service
from freehold.cli.project import find_project
from freehold.cli.target import connected, find_endpoint, find_region


@click.command(cls=Command)
@project_options
@stack_name_option
@endpoint_option
@ignored_options("--no-prompts", "--verbose", "--force", "--debug")
@ignored_options("--aws-profile", "--profile", "--s3-bucket", "--s3-prefix", value=True)
def command(directory: Path, endpoint_url: str | None, **options: Any) -> None:
    """Delete a stack: its functions, APIs, and tables with their data (unless a DeletionPolicy keeps them).

    \b
    Examples:
      freehold remove
      freehold remove --stack-name my-api-prod
      freehold serverless remove --stage dev
    """
    endpoint = find_endpoint(endpoint_url, directory)
    run(_run(directory, endpoint, options), endpoint)


@click.command(cls=Command, section="delete")
@project_options
@samconfig_options
@stack_name_option
@endpoint_option
@click.option("--no-prompts", is_flag=True, help="Do not ask on a terminal.")
@ignored_options("--debug", "--use-json")
@ignored_options("--profile", "--s3-bucket", "--s3-prefix", value=True)
def sam_command(directory: Path, endpoint_url: str | None, no_prompts: bool, **options: Any) -> None:
    """Delete the stack that `sam deploy` made, with all that it holds; asks first where a person sits before it.

    \b
    Examples:
      freehold sam delete
      freehold sam delete --stack-name my-api-prod --no-prompts
    """
    endpoint = find_endpoint(endpoint_url, directory)
    if not no_prompts and sys.stdin.isatty():
        which = f"the stack {options['stack_name']}" if options["stack_name"] else "the stack of this folder"
        if not click.confirm(f"Are you sure you want to delete {which}?", default=False):
            raise Failure("Not deleted.")
    run(_run(directory, endpoint, {**options, "prefer": "sam"}), endpoint)


async def _run(directory: Path, endpoint: str, options: dict[str, Any]) -> None:
    started = time.monotonic()
    wishes = Wishes(options["stage"], options["region"], options["stack_name"], options["params"])
    async with connected(endpoint, find_region(wishes.region)) as aws:
        await aws.answers()
        name, region = options["stack_name"], wishes.region
        if not name:
            project = find_project(directory, options["template"], options.get("prefer", "serverless"))
            if project.is_serverless:
                service = await load_service(project, wishes, aws)
                name, region = service.stack_name, service.region
            else:
                name = await stack_of(project, wishes, aws)
        if region:
            aws = aws.in_region(region)
        output.say(f"Removing {output.heading(name)} ({aws.call.region}) from {aws.endpoint}")
        with progress.shown() as on_event:
            found = await deployment.remove(aws, name, on_event=on_event)
        if not found:
            raise Failure(f"There is no stack {name} at {aws.endpoint}: nothing to remove.")
        output.say(click.style(f"Removed in {output.duration(time.monotonic() - started)}.", fg="green"))
