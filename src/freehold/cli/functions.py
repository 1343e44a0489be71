"""Which function a person means: by its own name, its logical id, or its key in serverless.yml."""

from __future__ import annotations

import re
from pathlib import Path

from freehold.aws.errors import AwsError
from freehold.cli import samconfig, stacks
from freehold.cli.deployment import find_stack
from freehold.cli.failure import Failure
from freehold.cli.packaging import Wishes, load_service
from freehold.cli.project import Project, find_project
from freehold.http.aws_client import AwsClient


async def find_function(aws: AwsClient, name: str, directory: Path, wishes: Wishes) -> str:
    """Its FunctionName. Looks in the named stack, else in that of the folder, else for a function of this name, else in
    every stack. Raises Failure."""
    if wishes.stack_name:
        stack = await stacks.require_stack(aws, wishes.stack_name)
        found = await _in_stack(aws, stack["StackId"], name)
        if found is None:
            raise Failure(
                f"The stack {wishes.stack_name} has no function {name}{await _choice(aws, stack['StackId'])}."
            )
        return found
    own_stack = await stack_of_folder(directory, wishes, aws)
    if own_stack and await find_stack(aws, own_stack):
        found = await _in_stack(aws, own_stack, name)
        if found is not None:
            return found
    if await _exists(aws, name):
        return name
    everywhere = await _in_all_stacks(aws, name)
    if len(everywhere) > 1:
        raise Failure(f"Several stacks have a function {name}: {', '.join(everywhere)}. Choose one with --stack-name.")
    if everywhere:
        return next(iter(everywhere.values()))
    choice = await _choice(aws, own_stack) if own_stack and await find_stack(aws, own_stack) else ""
    raise Failure(f"There is no function {name} at {aws.endpoint}{choice}.")


async def stack_of_folder(directory: Path, wishes: Wishes, aws: AwsClient | None) -> str | None:
    """The stack that `freehold deploy` makes of the folder; None where it holds no app."""
    try:
        project = find_project(directory)
    except Failure:
        return None
    return await stack_of(project, wishes, aws)


async def stack_of(project: Project, wishes: Wishes, aws: AwsClient | None) -> str:
    if wishes.stack_name:
        return wishes.stack_name
    if project.is_serverless:
        return (await load_service(project, wishes, aws)).stack_name
    return default_stack_name(project)


def default_stack_name(project: Project) -> str:
    """For a template: what samconfig.toml says, else the folder's name."""
    configured = samconfig.read(project.directory).get("stack_name")
    return str(configured) if configured else valid_stack_name(project.directory.name)


def valid_stack_name(text: str) -> str:
    """Letters, digits and hyphens, the first a letter, at most 128."""
    name = re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-")
    return (name if name[:1].isalpha() else f"app-{name}".rstrip("-"))[:128]


def logical_ids(name: str) -> tuple[str, str]:
    """What the person's name may be as a logical id: itself, or what the Serverless Framework makes of a key."""
    from freehold.templates.serverless.names import lambda_function

    return name, lambda_function(name)


async def _in_stack(aws: AwsClient, stack_name: str, name: str) -> str | None:
    ids = logical_ids(name)
    for each in await stacks.resources(aws, stack_name):
        if each.type == "AWS::Lambda::Function" and (each.logical_id in ids or each.physical_id == name):
            return each.physical_id
    return None


async def _in_all_stacks(aws: AwsClient, name: str) -> dict[str, str]:
    found = {}
    for stack in await stacks.all_stacks(aws):
        function = await _in_stack(aws, stack["StackId"], name)
        if function:
            found[stack["StackName"]] = function
    return found


async def _exists(aws: AwsClient, name: str) -> bool:
    try:
        await aws("lambda", "GetFunction", {"FunctionName": name})
    except AwsError as error:
        # A name of another shape than a function's is answered with a validation error.
        if error.code in ("ResourceNotFoundException", "ValidationException", "InvalidParameterValueException"):
            return False
        raise
    return True


async def _choice(aws: AwsClient, stack_name: str) -> str:
    names = [
        each.logical_id for each in await stacks.resources(aws, stack_name) if each.type == "AWS::Lambda::Function"
    ]
    return f"; the stack has {', '.join(names)}" if names else ""
