"""`freehold deploy`: a folder's app becomes a stack, or its update, shown per resource."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import click

from freehold.aws.call import Json
from freehold.aws.errors import AwsError
from freehold.cli import deployment, interrupts, output, progress, samconfig, stacks, summary
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

F = TypeVar("F", bound=Callable[..., Any])

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
_sam_ignored = ignored_options(
    "--resolve-s3", "--no-resolve-s3", "--no-progressbar", "--force-upload", "--use-json", "--debug"
)
_sam_ignored_values = ignored_options("--s3-bucket", "--s3-prefix", "--profile", "--role-arn", value=True)
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
    confirm: bool = False
    disable_rollback: bool = False
    fail_on_empty: bool = False


def _sam_options(function: F) -> F:
    """What `sam deploy` knows beyond the app, the stack and the server."""
    for decorate in (
        _sam_ignored_values,
        _sam_ignored,
        click.option("--config-file", metavar="FILE", help="Another samconfig.toml."),
        click.option("--config-env", metavar="NAME", help="The environment of samconfig.toml.  [default: default]"),
        click.option("--fail-on-empty-changeset/--no-fail-on-empty-changeset", help="No change: exit code 1."),
        click.option("--disable-rollback/--no-disable-rollback", help="A failed deploy stays as far as it came."),
        click.option("--confirm-changeset/--no-confirm-changeset", help="Show the changes and ask."),
        click.option("--guided", "-g", is_flag=True, help="Ask for what is not said; remember it in samconfig.toml."),
        tags_option,
        capabilities_option,
    ):
        function = decorate(function)
    return function


@click.command(cls=Command, section="deploy", help=_EXAMPLES)
@project_options
@stack_name_option
@endpoint_option
@_sam_options
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


@click.command(cls=Command, section="deploy", help=_EXAMPLES)
@project_options
@stack_name_option
@endpoint_option
@_sam_options
def sam_command(**options: Any) -> None:
    _deploy({**options, "prefer": "sam"})


def _deploy(options: dict[str, Any]) -> None:
    started = time.monotonic()
    asked = _read(options)
    if options.get("guided"):
        asked = _ask(asked, options["config_env"], options["config_file"])
        started = time.monotonic()
    run(_run(asked, started), asked.endpoint)


def _read(options: dict[str, Any]) -> _Deploy:
    directory: Path = options["directory"]
    wishes = Wishes(
        stage=options["stage"],
        region=options["region"],
        stack_name=options["stack_name"],
        params=options["params"],
        parameters=read_pairs(options["parameter_overrides"], "--parameter-overrides"),
    )
    return _Deploy(
        project=find_project(directory, options["template"], options.get("prefer", "serverless")),
        wishes=wishes,
        endpoint=find_endpoint(options["endpoint_url"], directory),
        capabilities=options.get("capabilities") or deployment.ALL_CAPABILITIES,
        tags=read_pairs(options.get("tags") or (), "--tags"),
        confirm=options.get("confirm_changeset", False),
        disable_rollback=options.get("disable_rollback", False),
        fail_on_empty=options.get("fail_on_empty_changeset", False),
    )


def _ask(asked: _Deploy, environment: str | None, file: str | None) -> _Deploy:
    """The questions of `sam deploy --guided`, for a template; a serverless.yml has the answers in it."""
    from freehold.cli.functions import default_stack_name

    project, wishes = asked.project, asked.wishes
    if project.is_serverless:
        stage = click.prompt("Stage", default=wishes.stage or "dev")
        return replace(asked, wishes=replace(wishes, stage=stage))
    from freehold.cli.guided import Answers, ask

    known = Answers(
        stack_name=wishes.stack_name or default_stack_name(project),
        region=find_region(wishes.region),
        parameters=wishes.parameters,
        capabilities=() if asked.capabilities is deployment.ALL_CAPABILITIES else asked.capabilities,
        confirm=asked.confirm,
        disable_rollback=asked.disable_rollback,
    )
    answers = ask(project, known, environment or samconfig.DEFAULT_ENVIRONMENT, file)
    return replace(
        asked,
        wishes=replace(wishes, stack_name=answers.stack_name, region=answers.region, parameters=answers.parameters),
        capabilities=answers.capabilities,
        confirm=answers.confirm,
        disable_rollback=answers.disable_rollback,
    )


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
                    aws,
                    package,
                    parameters,
                    capabilities=asked.capabilities,
                    tags=asked.tags,
                    on_event=on_event,
                    confirm=_confirm if asked.confirm else None,
                    disable_rollback=asked.disable_rollback,
                )
        except (AwsError, Failure) as error:
            raise explained(error, project, package) from error
        if not changed and asked.fail_on_empty:
            raise Failure(f"Nothing to change: the stack {package.stack_name} is up to date.")
        await _prune(aws, package)
        took = output.duration(time.monotonic() - started)
        done = f"Deployed in {took}." if changed else f"Nothing to change ({took})."
        output.say(click.style(done, fg="green"))
        await summary.show(aws, await stacks.require_stack(aws, package.stack_name))


def _confirm(changes: Sequence[Json]) -> bool:
    rows = [[each["Action"], each["LogicalResourceId"], each["ResourceType"], _replaced(each)] for each in changes]
    output.say(output.table(("OPERATION", "RESOURCE", "TYPE", "REPLACEMENT"), rows, indent="  "))
    if not interrupts.is_answered("Deploy this changeset? [y/N]: "):
        output.say()
        return False
    return click.confirm("", default=False, prompt_suffix="", show_default=False)


def _replaced(change: Json) -> str:
    return change.get("Replacement", "") if change["Action"] == "Modify" else ""


async def _prune(aws: AwsClient, package: Package) -> None:
    if package.keep_versions is None:
        return
    found = await stacks.resources(aws, package.stack_name)
    names = [each.physical_id for each in found if each.type == "AWS::Lambda::Function"]
    removed = await prune_versions(aws, names, package.keep_versions)
    if removed:
        output.say(f"Pruned {removed} old version{'s' if removed > 1 else ''} (custom.prune.number).")
