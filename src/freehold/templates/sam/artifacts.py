"""The local files that a SAM or CloudFormation template names, and the template with their places in S3 instead.

Source: "aws cloudformation package", the list of properties that may hold local paths, and SAM's Globals. What is an
S3 address, a URL, inline code or an image already is left alone.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from freehold.aws.call import Json

Path = tuple[str | int, ...]


class Kind(Enum):
    ZIP = "zip"  # A folder (or a single file) that is uploaded as a zip file; a .zip file goes as it is.
    FILE = "file"  # A document that is uploaded as it is.
    TEMPLATE = "template"  # A template with local files of its own.


@dataclass(frozen=True, slots=True)
class S3Location:
    bucket: str
    key: str

    @property
    def uri(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


@dataclass(frozen=True, slots=True)
class LocalArtifact:
    path: Path  # Where in the template it is written.
    local: str  # The file or folder, relative to the template's folder.
    kind: Kind
    logical_id: str  # Of the resource; empty: an AWS::Include outside of resources.
    resource_type: str


@dataclass(frozen=True, slots=True)
class _Property:
    name: tuple[str, ...]
    kind: Kind
    form: str  # How a place in S3 is written there: a key of _FORMS.


_FORMS: dict[str, Callable[[S3Location], Any]] = {
    "uri": lambda place: place.uri,
    "url": lambda place: f"https://s3.amazonaws.com/{place.bucket}/{place.key}",
    "bucket": lambda place: {"Bucket": place.bucket, "Key": place.key},
    "s3bucket": lambda place: {"S3Bucket": place.bucket, "S3Key": place.key},
}

_PROPERTIES: dict[str, tuple[_Property, ...]] = {
    "AWS::ApiGateway::RestApi": (_Property(("BodyS3Location",), Kind.FILE, "bucket"),),
    "AWS::ApiGatewayV2::Api": (_Property(("BodyS3Location",), Kind.FILE, "bucket"),),
    "AWS::CloudFormation::Stack": (_Property(("TemplateURL",), Kind.TEMPLATE, "url"),),
    "AWS::Lambda::Function": (_Property(("Code",), Kind.ZIP, "s3bucket"),),
    "AWS::Lambda::LayerVersion": (_Property(("Content",), Kind.ZIP, "s3bucket"),),
    "AWS::Serverless::Api": (_Property(("DefinitionUri",), Kind.FILE, "uri"),),
    "AWS::Serverless::Application": (_Property(("Location",), Kind.TEMPLATE, "url"),),
    "AWS::Serverless::Function": (_Property(("CodeUri",), Kind.ZIP, "uri"),),
    "AWS::Serverless::HttpApi": (_Property(("DefinitionUri",), Kind.FILE, "uri"),),
    "AWS::Serverless::LayerVersion": (_Property(("ContentUri",), Kind.ZIP, "uri"),),
    "AWS::Serverless::StateMachine": (_Property(("DefinitionUri",), Kind.FILE, "uri"),),
    "AWS::StepFunctions::StateMachine": (_Property(("DefinitionS3Location",), Kind.FILE, "bucket"),),
}
# These run the code of the current folder when they name none.
_DEFAULT_FOLDER = {"AWS::Serverless::Function": ("CodeUri", "InlineCode", "ImageUri")}


def local_artifacts(template: Json) -> list[LocalArtifact]:
    """In the template's order; each once for each place that names it."""
    found: list[LocalArtifact] = []
    resources = template.get("Resources")
    for logical_id, resource in (resources if isinstance(resources, dict) else {}).items():
        if isinstance(resource, dict):
            found += _of_resource(template, logical_id, resource)
    found += [
        LocalArtifact(path, local, Kind.FILE, str(path[1]) if path[0] == "Resources" else "", "AWS::Include")
        for path, local in _includes(template, ())
    ]
    return found


def with_locations(template: Json, locations: Mapping[LocalArtifact, S3Location]) -> Json:
    """A copy of the template that names the places in S3."""
    result = copy.deepcopy(template)
    for artifact, place in locations.items():
        if artifact.resource_type == "AWS::Include":
            _set(result, artifact.path, place.uri)
            continue
        form = next(p.form for p in _PROPERTIES[artifact.resource_type] if p.name[-1] == artifact.path[-1])
        _set(result, artifact.path, _FORMS[form](place))
    return _without_local_globals(result)


def with_paths(template: Json, paths: Mapping[LocalArtifact, str]) -> Json:
    """A copy of the template that names these local files instead."""
    result = copy.deepcopy(template)
    for artifact, path in paths.items():
        _set(result, artifact.path, path)
    return result


def is_local(value: Any) -> bool:
    """Whether a property's value is a path of this machine."""
    if not isinstance(value, str) or not value:
        return False
    return not value.startswith(("s3://", "http://", "https://", "arn:", "{{resolve:"))


def _of_resource(template: Json, logical_id: str, resource: Json) -> Iterator[LocalArtifact]:
    kind = str(resource.get("Type"))
    properties = resource.get("Properties")
    properties = properties if isinstance(properties, dict) else {}
    if properties.get("PackageType") == "Image" or _globals(template, kind).get("PackageType") == "Image":
        return
    for each in _PROPERTIES.get(kind, ()):
        name = each.name[-1]
        value = properties.get(name)
        if value is None:
            value = _default(template, kind, properties, name)
        if is_local(value):
            yield LocalArtifact(("Resources", logical_id, "Properties", name), value, each.kind, logical_id, kind)


def _default(template: Json, kind: str, properties: Json, name: str) -> Any:
    default_folder = _DEFAULT_FOLDER.get(kind, ())
    if name not in default_folder or any(other in properties for other in default_folder):
        return None
    return _globals(template, kind).get(name, ".")


def _globals(template: Json, kind: str) -> Json:
    if not kind.startswith("AWS::Serverless::"):
        return {}
    section = template.get("Globals")
    values = section.get(kind.rsplit("::", 1)[-1]) if isinstance(section, dict) else None
    return values if isinstance(values, dict) else {}


def _includes(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _includes(item, (*path, index))
    elif isinstance(value, dict):
        for key in ("Fn::Transform", "Transform"):
            call = value.get(key)
            if isinstance(call, dict) and call.get("Name") == "AWS::Include":
                location = (call.get("Parameters") or {}).get("Location")
                if isinstance(location, str) and is_local(location):
                    yield (*path, key, "Parameters", "Location"), location
        for key, item in value.items():
            yield from _includes(item, (*path, key))


def _set(template: Json, path: Path, value: Any) -> None:
    here: Any = template
    for step in path[:-1]:
        if isinstance(here, dict) and step not in here:
            here[step] = {}  # A function without Properties of its own.
        here = here[step]
    here[path[-1]] = value


def _without_local_globals(template: Json) -> Json:
    """Each function has its own place now; a folder left in Globals would be read as an S3 address."""
    section = (template.get("Globals") or {}).get("Function")
    if isinstance(section, dict) and is_local(section.get("CodeUri")):
        del section["CodeUri"]
    return template
