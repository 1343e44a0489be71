"""A folder's SAM or CloudFormation template -> a package that can be deployed, and what `sam build` leaves behind.

One decision to know: builds lie where `sam build` puts them, in .aws-sam/build, and what did not change is not made
again. So `deploy` and `dev` always build, and nobody deploys what an older build left there.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable
from pathlib import Path

import yaml

from freehold.aws.call import Json
from freehold.cli.deployment import Package, Upload
from freehold.cli.functions import default_stack_name
from freehold.cli.packaging import Choose, Source, Wishes, bucket_name, offer_build_tools
from freehold.cli.project import Project
from freehold.cli.target import find_region
from freehold.templates.errors import TemplateError
from freehold.templates.sam.artifacts import LocalArtifact, S3Location, with_locations, with_paths
from freehold.templates.sam.functions import Code, code_of
from freehold.templates.sam.packaging import Packed, Workshop, pack, read_file
from freehold.templates.yaml_reader import line_of

_BUILD = Path(".aws-sam/build")
_CACHE = Path(".aws-sam/cache")
_SECTIONS = ("Resources", "Parameters", "Outputs", "Conditions", "Mappings")


def declared_parameters(project: Project) -> dict[str, Json]:
    """The template's parameters with their settings. Raises TemplateError."""
    found = read_file(project.file).get("Parameters")
    declared = found if isinstance(found, dict) else {}
    return {name: settings for name, settings in declared.items() if isinstance(settings, dict)}


async def package_template(project: Project, wishes: Wishes, choose: Choose) -> Package:
    """Raises TemplateError."""
    region = find_region(wishes.region)
    bucket = bucket_name(region)
    template = read_file(project.file)
    codes = code_of(template)
    workshop = await _workshop(project, codes, bucket)
    # pip, npm or esbuild may run: a server in the same process goes on meanwhile.
    packed = await asyncio.to_thread(pack, template, project.file, workshop)
    chosen = await choose(
        packed.artifacts,
        {owner: Source(root.logical_id, root.handler, root.folder) for owner, root in packed.roots.items()},
    )
    by_owner = {owner: artifact for artifact in chosen for owner in artifact.owners}
    places = {item: S3Location(bucket, file.key) for item, file in packed.documents.items()}
    places |= {item: S3Location(bucket, by_owner[owner].key) for item, owner in packed.code.items()}
    # Of those just made: an older one lies in the bucket already, and its file may have other content by now.
    new = {artifact.sha256 for artifact in packed.artifacts}
    uploads = [Upload(bucket, file.key, file.path) for file in packed.files]
    uploads += [Upload(bucket, each.key, each.path) for each in by_owner.values() if each.sha256 in new]
    return Package(
        stack_name=wishes.stack_name or default_stack_name(project),
        region=region,
        template=with_locations(template, places),
        uploads=tuple(dict.fromkeys(uploads)),
        bucket=bucket,
        functions={each.logical_id: each.logical_id for each in codes if not each.is_layer},
    )


async def build(project: Project, wishes: Wishes, progress: Callable[[str], None]) -> Path:
    """`sam build`: the built code and a template that names it, in .aws-sam/build. Raises TemplateError."""
    offer_build_tools()
    template = read_file(project.file)
    workshop = await _workshop(project, code_of(template), bucket_name(find_region(wishes.region)), progress)
    packed = await asyncio.to_thread(pack, template, project.file, workshop)
    target = project.directory / _BUILD / "template.yaml"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(yaml.safe_dump(with_paths(template, _relative(packed, target.parent)), sort_keys=False))
    return target


def located(message: str, project: Project) -> str:
    """The server's sentence with the file and the line of the first part of the template that it names."""
    text = project.file.read_text()
    template = read_file(project.file)
    words = set(_words(message))
    for section in _SECTIONS:
        names = template.get(section)
        for name in names if isinstance(names, dict) else ():
            if name in words and (line := line_of(text, [section, name])) is not None:
                return f"{project.file.name}:{line}: {message}"
    return f"{project.file.name}: {message}"


def _words(message: str) -> Iterable[str]:
    return "".join(letter if letter.isalnum() else " " for letter in message).split()


async def _workshop(
    project: Project, codes: Iterable[Code], bucket: str, progress: Callable[[str], None] = lambda _: None
) -> Workshop:
    root = project.directory
    return Workshop(root / _BUILD, root / _CACHE, bucket, await _pythons(codes), progress)


async def _pythons(codes: Iterable[Code]) -> dict[str, str]:
    from freehold.runtimes.interpreters import Interpreters, NoInterpreter
    from freehold.runtimes.names import find_runtime

    interpreters = Interpreters(lambda _: None)
    found: dict[str, str] = {}
    for method in dict.fromkeys(each.build_method for each in codes):
        runtime = find_runtime(method)
        if runtime is not None and runtime.language == "python":
            try:
                found[method] = (await interpreters.find(runtime)).path
            except NoInterpreter as error:
                raise TemplateError(str(error)) from error
    return found


def _relative(packed: Packed, start: Path) -> dict[LocalArtifact, str]:
    paths = dict(packed.built)
    paths |= {item: file.path for item, file in packed.documents.items()}
    return {item: os.path.relpath(path, start) for item, path in paths.items()}
