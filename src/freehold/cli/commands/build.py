"""`freehold build`: makes the code of a folder's functions ready, as `deploy` and `dev` do by themselves."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click

from freehold.cli import output
from freehold.cli.deployment import Package
from freehold.cli.failure import run
from freehold.cli.options import (
    Command,
    endpoint_option,
    ignored_options,
    project_options,
    samconfig_options,
    stack_name_option,
)
from freehold.cli.packaging import Wishes, make_package
from freehold.cli.project import Project, find_project
from freehold.cli.target import connected, find_endpoint, find_region


@click.command(cls=Command, section="build")
@project_options
@samconfig_options
@stack_name_option
@endpoint_option
@ignored_options("--use-container -u", "--parallel", "--cached", "--no-cached", "--debug", "--verbose")
@ignored_options("--build-dir -b", "--cache-dir", "--base-dir", "--s3-bucket", "--package -p", value=True)
def command(directory: Path, endpoint_url: str | None, **options: Any) -> None:
    """Build a folder's functions and layers: pip, npm and esbuild where the app asks for them, then zip files.

    `deploy` and `dev` do this by themselves; what did not change since the last time is not built again. Nothing is
    deployed and no server is needed, unless a variable of serverless.yml asks one.

    \b
    Examples:
      freehold build
      freehold sam build
      freehold build examples/items-serverless --stage prod
    """
    started = time.monotonic()
    project = find_project(directory, options["template"], options.get("prefer", "serverless"))
    wishes = Wishes(options["stage"], options["region"], options["stack_name"], options["params"])
    endpoint = find_endpoint(endpoint_url, directory)
    if not project.is_serverless:
        from freehold.cli.packaging_sam import build

        made = run(build(project, wishes, output.say))
        output.say(f"Built artifacts: {made.parent}\nBuilt template:  {made}")
        output.say(click.style(f"Build succeeded in {output.duration(time.monotonic() - started)}.", fg="green"))
        return
    package = run(_build(project, wishes, endpoint), endpoint)
    rows = [
        [each.path.name, _size(each.path.stat().st_size), str(each.path)] for each in dict.fromkeys(package.uploads)
    ]
    for words in package.warnings:
        output.warn(words)
    if rows:
        output.say(output.table(("ARTIFACT", "SIZE", "FILE"), sorted(rows)))
    output.say(click.style(f"Built in {output.duration(time.monotonic() - started)}.", fg="green"))


async def _build(project: Project, wishes: Wishes, endpoint: str) -> Package:
    async with connected(endpoint, find_region(wishes.region)) as aws:
        return await make_package(project, wishes, aws)


def _size(size_bytes: int) -> str:
    if size_bytes < 1024:
        return f"{size_bytes} B"
    if size_bytes < 1024 * 1024:
        return f"{size_bytes / 1024:.1f} KB"
    return f"{size_bytes / 1024 / 1024:.1f} MB"
