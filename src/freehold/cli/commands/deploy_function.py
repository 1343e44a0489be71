"""`freehold deploy function -f NAME`: the code and the plain settings of one function, without a change set.

Serverless Framework documentation, "Deploy Function". Settings that the template computes are left as they are.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click

from freehold.aws.call import Json
from freehold.cli import deployment, output
from freehold.cli.deployment import Package, Upload
from freehold.cli.failure import Failure, run
from freehold.cli.functions import logical_ids
from freehold.cli.options import Command, endpoint_option, ignored_options, project_options, stack_name_option
from freehold.cli.packaging import Wishes, make_package
from freehold.cli.project import Project, find_project
from freehold.cli.stacks import require_stack, resources
from freehold.cli.target import connected, find_endpoint, find_region
from freehold.http.aws_client import AwsClient

_SETTINGS = ("Handler", "Runtime", "MemorySize", "Timeout", "Description")


@click.command(cls=Command)
@click.option(
    "-f", "--function", "name", required=True, metavar="NAME", help="Its key in serverless.yml or logical id."
)
@project_options
@stack_name_option
@endpoint_option
@ignored_options("--force", "--verbose", "--update-config -u")
@ignored_options("--aws-profile", value=True)
def command(name: str, directory: Path, template: str | None, endpoint_url: str | None, **options: Any) -> None:
    """Replace the code of one deployed function, in well under a second.

    \b
    Examples:
      freehold deploy function -f getItems
      freehold serverless deploy function -f getItems --stage dev
    """
    project = find_project(directory, template)
    wishes = Wishes(options["stage"], options["region"], options["stack_name"], options["params"])
    endpoint = find_endpoint(endpoint_url, directory)
    run(_run(project, wishes, name, endpoint), endpoint)


async def _run(project: Project, wishes: Wishes, name: str, endpoint: str) -> None:
    started = time.monotonic()
    async with connected(endpoint, find_region(wishes.region)) as aws:
        await aws.answers()
        package = await make_package(project, wishes, aws)
        aws = aws.in_region(package.region)
        await require_stack(aws, package.stack_name)
        function, properties = await _find(aws, package, name)
        changed = await _update(aws, function, properties, package)
    took = output.duration(time.monotonic() - started)
    output.say(f"{function}: {'deployed' if changed else 'nothing to change'} ({took}).")


async def _find(aws: AwsClient, package: Package, name: str) -> tuple[str, Json]:
    """The deployed function's name, and its properties in the template."""
    ids = logical_ids(name)
    described = package.template["Resources"]
    for each in await resources(aws, package.stack_name):
        if each.type == "AWS::Lambda::Function" and each.logical_id in ids and each.logical_id in described:
            return each.physical_id, described[each.logical_id]["Properties"]
    known = ", ".join(package.functions) or "none"
    if name in package.functions:
        raise Failure(f"The function {name} is not deployed yet: deploy the whole stack {package.stack_name} first.")
    raise Failure(f"There is no function {name}: the functions are {known}.")


async def _update(aws: AwsClient, function: str, properties: Json, package: Package) -> bool:
    found = await aws("lambda", "GetFunction", {"FunctionName": function})
    current = found["Configuration"]
    changed = False
    location = code_location(properties)
    code = next((each for each in package.uploads if location == (each.bucket, each.key)), None)
    if code is None:
        raise Failure(f"The code of {function} is no zip file that this folder makes.")
    if _digest(code) != current.get("CodeSha256"):
        await deployment.upload(aws, [code])
        request = {"FunctionName": function, "S3Bucket": code.bucket, "S3Key": code.key}
        await aws("lambda", "UpdateFunctionCode", request)
        changed = True
    settings = {
        key: properties[key]
        for key in _SETTINGS
        if isinstance(properties.get(key), str | int) and properties[key] != current.get(key)
    }
    if settings:
        await aws("lambda", "UpdateFunctionConfiguration", {"FunctionName": function, **settings})
    return changed or bool(settings)


def code_location(properties: Json) -> tuple[str, str] | None:
    """Where CloudFormation's `Code` or SAM's `CodeUri` of a packaged template points: (bucket, key)."""
    code = properties.get("Code") or properties.get("CodeUri")
    if isinstance(code, str) and code.startswith("s3://"):
        bucket, _, key = code.removeprefix("s3://").partition("/")
        return bucket, key
    if isinstance(code, dict):
        found = code.get("S3Bucket") or code.get("Bucket"), code.get("S3Key") or code.get("Key")
        if isinstance(found[0], str) and isinstance(found[1], str):
            return found[0], found[1]
    return None


def _digest(upload: Upload) -> str:
    """As Lambda's CodeSha256."""
    import base64
    import hashlib

    return base64.b64encode(hashlib.sha256(upload.path.read_bytes()).digest()).decode()
