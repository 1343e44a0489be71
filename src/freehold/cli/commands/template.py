"""`freehold serverless print` and `freehold sam validate`: what a folder's app compiles to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import orjson

from freehold.cli import output
from freehold.cli.deployment import Package
from freehold.cli.failure import run
from freehold.cli.options import Command, endpoint_option, ignored_options, project_options, stack_name_option
from freehold.cli.packaging import Wishes, make_package
from freehold.cli.project import Project, find_project
from freehold.cli.target import connected, find_endpoint, find_region


@click.command(cls=Command)
@project_options
@stack_name_option
@endpoint_option
@ignored_options("--path --transform", "--format", value=True)
def command(directory: Path, endpoint_url: str | None, **options: Any) -> None:
    """Print the CloudFormation template that a deploy would send, as JSON.

    \b
    Examples:
      freehold serverless print --stage prod
    """
    package = _package(directory, endpoint_url, options)
    output.say(orjson.dumps(package.template, option=orjson.OPT_INDENT_2).decode())


@click.command(cls=Command)
@project_options
@stack_name_option
@endpoint_option
@ignored_options("--lint", "--debug")
def validate_command(directory: Path, endpoint_url: str | None, **options: Any) -> None:
    """Check a folder's template and the files that it names.

    \b
    Examples:
      freehold sam validate
      freehold sam validate -t template.yaml
    """
    package = _package(directory, endpoint_url, options)
    count = len(package.template.get("Resources") or {})
    output.say(f"{find_project(directory, options['template']).file.name} is valid: {count} resources.")


def _package(directory: Path, endpoint_url: str | None, options: dict[str, Any]) -> Package:
    project = find_project(directory, options["template"])
    wishes = Wishes(options["stage"], options["region"], options["stack_name"], options["params"])
    endpoint = find_endpoint(endpoint_url, directory)
    return run(_compile(project, wishes, endpoint), endpoint)


async def _compile(project: Project, wishes: Wishes, endpoint: str) -> Package:
    async with connected(endpoint, find_region(wishes.region)) as aws:
        return await make_package(project, wishes, aws)
