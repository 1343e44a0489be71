"""A folder's app -> a package that can be deployed: compiled by `freehold.templates`, for both kinds of template."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from freehold.aws.call import Json
from freehold.cli.deployment import Package, Upload
from freehold.cli.env_vars import Overrides, with_env_vars
from freehold.cli.failure import Failure
from freehold.cli.options import read_pairs
from freehold.cli.places import places_of
from freehold.cli.project import Project
from freehold.http.aws_client import AwsClient

if TYPE_CHECKING:
    from freehold.templates.package.artifact import Artifact
    from freehold.templates.serverless import Service


@dataclass(frozen=True, slots=True)
class Source:
    """Where a function's code comes from."""

    logical_id: str
    handler: str
    root: Path  # What the handler's module is looked for under.


Choose = Callable[[Sequence["Artifact"], Mapping[str, Source]], Awaitable[Sequence["Artifact"]]]
"""`dev` keeps functions on older zip files where an edit does not concern them. Sources by an artifact's owner."""


async def all_new(artifacts: Sequence[Artifact], sources: Mapping[str, Source]) -> Sequence[Artifact]:
    return artifacts


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the command line says about an app."""

    stage: str | None = None
    region: str | None = None
    stack_name: str | None = None
    params: tuple[str, ...] = ()  # serverless.yml's ${param:...}: "K=V" each.
    parameters: Mapping[str, str] = field(default_factory=dict)  # The template's own.
    env_vars: Overrides = field(default_factory=dict)  # Other values of the functions' environment variables.


async def make_package(project: Project, wishes: Wishes, aws: AwsClient, choose: Choose = all_new) -> Package:
    """Raises TemplateError, Failure; HttpError where a variable asks a server that does not answer."""
    package = await _make_package(project, wishes, aws, choose)
    return replace(package, template=with_env_vars(package.template, wishes.env_vars)) if wishes.env_vars else package


async def _make_package(project: Project, wishes: Wishes, aws: AwsClient, choose: Choose) -> Package:
    offer_build_tools()
    if project.is_serverless:
        service = await load_service(project, wishes, aws)
        return await package_service(project, service, wishes, choose)
    from freehold.cli.packaging_sam import package_template

    return await package_template(project, wishes, choose)


def offer_build_tools() -> None:
    """esbuild for apps that do not bring it: node, esbuild and the templates look where FREEHOLD_NODE_PATH says."""
    from freehold.runtimes.node_packages import BUILD_TOOLS

    places = [each for each in os.environ.get("FREEHOLD_NODE_PATH", "").split(os.pathsep) if each]
    own = str(BUILD_TOOLS.directory or "")
    if own and own not in places:
        os.environ["FREEHOLD_NODE_PATH"] = os.pathsep.join([*places, own])


async def load_service(project: Project, wishes: Wishes, aws: AwsClient | None) -> Service:
    from freehold.templates.serverless import load

    read_pairs(wishes.params, "--param")
    options = {
        "stage": wishes.stage,
        "region": wishes.region,
        "param": "\n".join(wishes.params) or None,
    }

    async def lookup(service: str, operation: str, request: Json, region: str) -> Json:
        assert aws is not None
        return await aws.in_region(region)(service, operation, request)

    return await load(
        project.directory,
        options={key: value for key, value in options.items() if value is not None},
        environ=os.environ,
        lookup=lookup if aws else None,
        file=project.file,
    )


async def package_service(project: Project, service: Service, wishes: Wishes, choose: Choose) -> Package:
    from freehold.templates.serverless import artifact_key, compile_template, package, stack_settings

    output_dir = project.state_dir / "package" / service.stage
    # pip, npm or esbuild may run: a server in the same process goes on meanwhile.
    made = await asyncio.to_thread(package, service, output_dir)
    sources = {
        f"function:{function.key}": Source(function.logical_id, function.handler or "", project.directory)
        for function in service.functions.values()
    }
    artifacts = await choose(made, sources)
    bucket = bucket_name(service.region)
    template = compile_template(service, artifacts, bucket=bucket)
    return Package(
        stack_name=wishes.stack_name or service.stack_name,
        region=service.region,
        template=template,
        uploads=uploads(bucket, {artifact_key(service, each): each for each in artifacts}, made),
        bucket=bucket,
        functions={function.key: function.logical_id for function in service.functions.values()},
        keep_versions=service.prune,
        warnings=service.warnings,
        places=places_of(service),
        settings=stack_settings(service, template),
    )


def uploads(bucket: str, chosen: Mapping[str, Artifact], made: Sequence[Artifact]) -> tuple[Upload, ...]:
    """Of those just made: an older one lies in the bucket already, and its file may have other content by now."""
    new = {each.sha256 for each in made}
    return tuple(Upload(bucket, key, each.path) for key, each in chosen.items() if each.sha256 in new)


def bucket_name(region: str) -> str:
    return f"freehold-artifacts-{region}"


def template_parameters(package: Package, wishes: Wishes, project: Project) -> dict[str, str]:
    """`--stage` is serverless.yml's; for a template it means the parameter Stage. Raises Failure."""
    parameters = dict(wishes.parameters)
    if wishes.stage and not project.is_serverless and "Stage" not in parameters:
        if "Stage" not in (package.template.get("Parameters") or {}):
            raise Failure(f"{project.file.name} has no parameter Stage, so --stage {wishes.stage} says nothing to it.")
        parameters["Stage"] = wishes.stage
    return parameters
