"""`freehold deploy`: a folder's app becomes a stack, or its update, shown per resource."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from freehold.aws.errors import AwsError
from freehold.cli import deployment, output, progress, samconfig, stacks, summary
from freehold.cli.deployment import Package
from freehold.cli.failure import Failure, run
from freehold.cli.options import (
    Command,
    Many,
    endpoint_option,
    ignored_options,
    project_options,
    read_pairs,
    stack_name_option,
)
from freehold.cli.packaging import Wishes, make_package, template_parameters
from freehold.cli.places import explained
from freehold.cli.project import Project, find_project
from freehold.cli.prune import prune_versions
from freehold.cli.target import connected, find_endpoint, find_region
from freehold.http.aws_client import AwsClient

_EXAMPLES = """Deploy a folder's serverless.yml, SAM or CloudFormation template as a stack.

\b
Examples:
  freehold deploy
  freehold deploy examples/items-serverless --stage prod
  freehold deploy --stack-name my-api-prod --parameter-overrides Stage=prod Size=2
  freehold deploy --guided                 asks, and remembers in samconfig.toml
  freehold deploy function -f getItems     the code of one function, nothing else
"""

capabilities_option = click.option(
    "--capabilities", cls=Many, takes=re.compile(r"CAPABILITY_\w+"), metavar="NAME...", help="What the template may do."
)
tags_option = click.option("--tags", cls=Many, metavar="K=V...", help="Tags for the stack.")
_sam_only = ignored_options(
    "--resolve-s3",
    "--no-resolve-s3",
    "--confirm-changeset",
    "--no-confirm-changeset",
    "--no-progressbar",
    "--force-upload",
    "--no-fail-on-empty-changeset",
    "--fail-on-empty-changeset",
    "--disable-rollback",
    "--no-disable-rollback",
    "--use-json",
    "--debug",
)
_sam_only_values = ignored_options("--s3-bucket", "--s3-prefix", "--profile", "--config-file", "--role-arn", value=True)
_serverless_only = ignored_options("--verbose", "--force", "--conceal", "--debug", "--aws-s3-accelerate")
_serverless_only_values = ignored_options("--aws-profile", "--package -p", "--org", "--app", value=True)


@dataclass(frozen=True, slots=True)
class _Deploy:
    """What was asked for, from flags, samconfig.toml or answers."""

    project: Project
    wishes: Wishes
    endpoint: str
    capabilities: Sequence[str]
    tags: Mapping[str, str]


@click.command(cls=Command, help=_EXAMPLES)
@project_options
@stack_name_option
@endpoint_option
@capabilities_option
@tags_option
@click.option("--guided", "-g", is_flag=True, help="Ask for what is not said, and remember it in samconfig.toml.")
@click.option("--config-env", default="default", show_default=True, help="The section of samconfig.toml.")
@_sam_only
@_sam_only_values
def command(**options: Any) -> None:
    _deploy(options)


@click.command(cls=Command, help=_EXAMPLES)
@project_options
@stack_name_option
@endpoint_option
@_serverless_only
@_serverless_only_values
def serverless_command(**options: Any) -> None:
    _deploy({**options, "prefer": "serverless"})


@click.command(cls=Command, help=_EXAMPLES)
@project_options
@stack_name_option
@endpoint_option
@capabilities_option
@tags_option
@click.option("--guided", "-g", is_flag=True, help="Ask for what is not said, and remember it in samconfig.toml.")
@click.option("--config-env", default="default", show_default=True, help="The section of samconfig.toml.")
@_sam_only
@_sam_only_values
def sam_command(**options: Any) -> None:
    _deploy({**options, "prefer": "sam"})


def _deploy(options: dict[str, Any]) -> None:
    started = time.monotonic()
    asked = _read(options)
    if options.get("guided"):
        asked = _ask(asked, options["config_env"])
    run(_run(asked, started), asked.endpoint)


def _read(options: dict[str, Any]) -> _Deploy:
    directory: Path = options["directory"]
    project = find_project(directory, options["template"], options.get("prefer", "serverless"))
    environment = options.get("config_env", "default")
    remembered = {} if project.is_serverless else samconfig.read(project.directory, environment)
    parameters = read_pairs(samconfig.parameter_words(remembered.get("parameter_overrides")), samconfig.FILE)
    parameters |= read_pairs(options["parameter_overrides"], "--parameter-overrides")
    capabilities = options.get("capabilities") or samconfig.capability_words(remembered.get("capabilities"))
    wishes = Wishes(
        stage=options["stage"],
        region=options["region"] or remembered.get("region"),
        stack_name=options["stack_name"] or remembered.get("stack_name"),
        params=options["params"],
        parameters=parameters,
    )
    return _Deploy(
        project=project,
        wishes=wishes,
        endpoint=find_endpoint(options["endpoint_url"], directory),
        capabilities=capabilities or deployment.ALL_CAPABILITIES,
        tags=read_pairs(options.get("tags") or (), "--tags"),
    )


def _ask(asked: _Deploy, environment: str) -> _Deploy:
    """The questions of `sam deploy --guided`, for a template; a serverless.yml has the answers in it."""
    from freehold.cli.functions import default_stack_name

    project, wishes = asked.project, asked.wishes
    if project.is_serverless:
        stage = click.prompt("Stage", default=wishes.stage or "dev")
        return replace(asked, wishes=replace(wishes, stage=stage))
    from freehold.cli.packaging_sam import declared_parameters

    stack_name = click.prompt("Stack Name", default=wishes.stack_name or default_stack_name(project))
    region = click.prompt("AWS Region", default=find_region(wishes.region))
    parameters = dict(wishes.parameters)
    for name, settings in declared_parameters(project).items():
        known = parameters.get(name, settings.get("Default"))
        choices = [str(each) for each in settings.get("AllowedValues") or []]
        question = f"Parameter {name}"
        if choices:
            answer = click.prompt(question, default=known, type=click.Choice(choices))
        else:
            answer = click.prompt(question, default=known, hide_input=settings.get("NoEcho") in (True, "true"))
        parameters[name] = str(answer)
    if click.confirm(f"Save these answers to {samconfig.FILE}", default=True):
        values: dict[str, str | bool] = {"stack_name": stack_name, "region": region, "capabilities": "CAPABILITY_IAM"}
        if parameters:
            values["parameter_overrides"] = samconfig.write_pairs(parameters)
        samconfig.write(project.directory, values, environment)
    return replace(asked, wishes=replace(wishes, stack_name=stack_name, region=region, parameters=parameters))


async def _run(asked: _Deploy, started: float) -> None:
    project = asked.project
    async with connected(asked.endpoint, find_region(asked.wishes.region)) as aws:
        # A compile may take seconds (npm, esbuild): where no server answers, that is said first.
        await aws.answers()
        package = await make_package(project, asked.wishes, aws)
        for words in package.warnings:
            output.warn(words)
        parameters = template_parameters(package, asked.wishes, project)
        aws = aws.in_region(package.region)
        output.say(f"Deploying {output.heading(package.stack_name)} ({package.region}) to {aws.endpoint}")
        try:
            with progress.shown() as on_event:
                changed = await deployment.deploy(
                    aws, package, parameters, capabilities=asked.capabilities, tags=asked.tags, on_event=on_event
                )
        except (AwsError, Failure) as error:
            raise explained(error, project, package) from error
        await _prune(aws, package)
        took = output.duration(time.monotonic() - started)
        done = f"Deployed in {took}." if changed else f"Nothing to change ({took})."
        output.say(click.style(done, fg="green"))
        await summary.show(aws, await stacks.require_stack(aws, package.stack_name))


async def _prune(aws: AwsClient, package: Package) -> None:
    if package.keep_versions is None:
        return
    found = await stacks.resources(aws, package.stack_name)
    names = [each.physical_id for each in found if each.type == "AWS::Lambda::Function"]
    removed = await prune_versions(aws, names, package.keep_versions)
    if removed:
        output.say(f"Pruned {removed} old version{'s' if removed > 1 else ''} (custom.prune.number).")
