"""The files that a SAM or CloudFormation template names, made ready to upload: code built and zipped, documents as they
are, nested templates with their own files placed.

Functions that are built alike from one folder share one zip file, as `sam build` does. Sources: "aws cloudformation
package", "Introduction to building with AWS SAM". Blocks: pip, npm and esbuild may run.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import orjson

from freehold.aws.call import Json
from freehold.templates.building import Build, Method, Progress, plan_build, run_build
from freehold.templates.errors import TemplateError
from freehold.templates.package.artifact import Artifact
from freehold.templates.package.selection import select_files
from freehold.templates.package.zips import Entry, file_digest, make_zip
from freehold.templates.sam.artifacts import Kind, LocalArtifact, S3Location, local_artifacts, with_locations
from freehold.templates.sam.functions import Code, code_of
from freehold.templates.yaml_reader import TemplateSyntaxError, line_of, read_template

_NOT_CODE = ["!.aws-sam/**", "!.freehold/**", "!.git/**", "!**/.DS_Store", "!**/__pycache__/**", "!samconfig.toml"]
_ARCHIVES = (".zip", ".jar")
_NODE_ENDINGS = (".js", ".mjs", ".cjs")
_MOST_NESTED = 8  # A template that names itself as its nested stack ends in a sentence.


@dataclass(frozen=True, slots=True)
class Workshop:
    """Where and with what a template's files are made."""

    output_dir: Path  # A folder a function that is built, and the zip files.
    cache_dir: Path  # Of installed dependencies, by content.
    bucket: str  # What nested templates name.
    pythons: Mapping[str, str]  # Runtime -> the interpreter that will run it: its pip chooses the wheels.
    progress: Progress


@dataclass(frozen=True, slots=True)
class Root:
    """Where the code of a function comes from."""

    logical_id: str
    handler: str
    folder: Path


@dataclass(frozen=True, slots=True)
class File:
    """Something that is uploaded as it is."""

    path: Path
    key: str


@dataclass(slots=True)
class Packed:
    artifacts: list[Artifact] = field(default_factory=list)  # Owners: "function:GetItems", "layer:Shared".
    code: dict[LocalArtifact, str] = field(default_factory=dict)  # Each with its owner.
    roots: dict[str, Root] = field(default_factory=dict)  # By owner; functions whose code is a folder.
    built: dict[LocalArtifact, Path] = field(default_factory=dict)  # The folder (or file) that is the code.
    documents: dict[LocalArtifact, File] = field(default_factory=dict)
    files: list[File] = field(default_factory=list)  # The documents, and all that nested templates need.


def read_file(file: Path) -> Json:
    """Raises TemplateError with file and line."""
    try:
        template = read_template(file.read_text())
    except TemplateSyntaxError as error:
        raise TemplateError(error.reason, file, error.line or None) from error
    except UnicodeDecodeError:
        raise TemplateError("This is no text in UTF-8.", file) from None
    if not isinstance(template, dict):
        raise TemplateError("A template holds sections, of which Resources is one.", file)
    return template


def pack(template: Json, file: Path, workshop: Workshop, depth: int = 0) -> Packed:
    """`file` is where the template was read: its paths are relative to it. Raises TemplateError."""
    packed = Packed()
    codes = {each.logical_id: each for each in code_of(template)}
    groups: dict[str, tuple[Build, list[tuple[LocalArtifact, Code]]]] = {}
    for item in local_artifacts(template):
        path = (file.parent / item.local).resolve()
        if not path.exists():
            line = line_of(file.read_text(), item.path) or line_of(file.read_text(), item.path[:2])
            raise TemplateError(f"{item.logical_id}: there is no {item.local}.", file, line)
        if item.kind is Kind.ZIP:
            code = codes[item.logical_id]
            build = _plan(code, path, file)
            groups.setdefault(_likeness(build), (build, []))[1].append((item, code))
        else:
            place = _nested(item, path, workshop, packed, depth) if item.kind is Kind.TEMPLATE else _as_it_is(path)
            packed.documents[item] = place
            packed.files.append(place)
    for build, members in groups.values():
        _make(build, members, file, workshop, packed)
    return packed


def _plan(code: Code, path: Path, file: Path) -> Build:
    try:
        build = plan_build(code.logical_id, path, code.build_method, code.metadata, is_layer=code.is_layer)
    except TemplateError as error:
        line = line_of(file.read_text(), ["Resources", code.logical_id])
        raise TemplateError(error.message, file, line) from error
    return build


def _likeness(build: Build) -> str:
    """Builds with the same text make the same folder; `make` is told its function's name."""
    if build.method is Method.MAKE:
        return build.logical_id
    return repr(replace(build, logical_id=""))


def _make(
    build: Build, members: list[tuple[LocalArtifact, Code]], file: Path, workshop: Workshop, packed: Packed
) -> None:
    first = members[0][1]
    python = workshop.pythons.get(first.build_method)
    built = run_build(
        build,
        workshop.output_dir / build.logical_id,
        workshop.cache_dir,
        workshop.progress,
        **({"python": python} if python else {}),
    )
    owners = tuple(f"{'layer' if code.is_layer else 'function'}:{code.logical_id}" for _, code in members)
    if built.is_file() and built.suffix in _ARCHIVES:
        artifact = Artifact(built.name, built, file_digest(built), built.stat().st_size, owners)
    else:
        folder = built.parent if built.is_file() else built
        names = [built.name] if built.is_file() else select_files(built, _NOT_CODE)
        for item, code in members:
            if not code.is_layer:
                _check_handler(code, names, item, file)
        if not names:
            raise TemplateError(f"{first.logical_id}: {members[0][0].local} holds no file.", file)
        entries = [Entry(name, folder / name) for name in names]
        artifact = make_zip(entries, workshop.output_dir / f"{build.logical_id}.zip", owners)
    packed.artifacts.append(artifact)
    for (item, code), owner in zip(members, owners, strict=True):
        packed.code[item] = owner
        packed.built[item] = built
        if not code.is_layer and build.source.is_dir():
            packed.roots[owner] = Root(code.logical_id, code.handler, build.source)


def _check_handler(code: Code, names: list[str], item: LocalArtifact, file: Path) -> None:
    """Only what is surely wrong: a layer may bring the handler, and so may an absolute path."""
    module, dot, _ = code.handler.rpartition(".")
    is_managed = code.runtime.startswith(("python", "nodejs"))
    if is_managed and code.handler and not dot:
        line = line_of(file.read_text(), ["Resources", code.logical_id, "Properties", "Handler"])
        words = "which names no function: a handler is FILE.FUNCTION."
        raise TemplateError(f"{code.logical_id} has the handler {code.handler}, {words}", file, line)
    if code.has_layers or not module or code.handler.startswith("/"):
        return
    if code.runtime.startswith("python"):
        wanted, ending = {module.replace(".", "/")}, ".py"
        found = any(name.startswith((f"{each}.", f"{each}/")) for each in wanted for name in names)
    elif code.runtime.startswith("nodejs"):
        ending = ".js"
        found = any(f"{os.path.normpath(module)}{each}" in names for each in (*_NODE_ENDINGS, "/index.js"))
    else:
        return
    if not found:
        line = line_of(file.read_text(), ["Resources", code.logical_id, "Properties", "Handler"])
        raise TemplateError(
            f"{code.logical_id} has the handler {code.handler}, but {item.local} has no file "
            f"{module.replace('.', '/') if ending == '.py' else module}{ending}.",
            file,
            line,
        )


def _as_it_is(path: Path) -> File:
    if path.is_dir():
        raise TemplateError(f"{path} is a folder, where a document is needed.")
    return File(path, f"{hashlib.sha256(path.read_bytes()).hexdigest()[:32]}/{path.name}")


def _nested(item: LocalArtifact, path: Path, workshop: Workshop, packed: Packed, depth: int) -> File:
    if depth >= _MOST_NESTED:
        raise TemplateError(f"{item.local}: templates are nested more than {_MOST_NESTED} deep.")
    if path.is_dir():
        raise TemplateError(f"{item.logical_id}: {item.local} is a folder, where a template is needed.")
    template = read_file(path)
    inner = pack(template, path, replace(workshop, output_dir=workshop.output_dir / item.logical_id), depth + 1)
    by_owner = {owner: artifact for artifact in inner.artifacts for owner in artifact.owners}
    packed.files += [*inner.files, *(File(each.path, each.key) for each in inner.artifacts)]
    places = {each: S3Location(workshop.bucket, place.key) for each, place in inner.documents.items()}
    places |= {each: S3Location(workshop.bucket, by_owner[owner].key) for each, owner in inner.code.items()}
    target = workshop.output_dir / f"{item.logical_id}.template.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(orjson.dumps(with_locations(template, places)))
    return _as_it_is(target)
