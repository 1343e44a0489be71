"""The functions and layers of a SAM or CloudFormation template, with Globals applied: what building needs to know."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from freehold.aws.call import Json
from freehold.templates.sam.artifacts import local_artifacts

_FUNCTIONS = {"AWS::Serverless::Function": "CodeUri", "AWS::Lambda::Function": "Code"}
_LAYERS = {"AWS::Serverless::LayerVersion": "ContentUri", "AWS::Lambda::LayerVersion": "Content"}


@dataclass(frozen=True, slots=True)
class Code:
    """One function or layer. Texts are as written: a value that is a function of CloudFormation is left out."""

    logical_id: str
    is_layer: bool
    source: str  # Folder or file, relative to the template's folder; empty: inline, in S3 or an image.
    runtime: str  # Of a layer: its BuildMethod.
    handler: str
    metadata: Json = field(default_factory=dict)  # BuildMethod, BuildProperties, SkipBuild ...
    has_layers: bool = False

    @property
    def build_method(self) -> str:
        return str(self.metadata.get("BuildMethod") or self.runtime)


def code_of(template: Json) -> list[Code]:
    """In the template's order."""
    found = []
    resources = template.get("Resources")
    for logical_id, resource in (resources if isinstance(resources, dict) else {}).items():
        kind = resource.get("Type") if isinstance(resource, dict) else None
        if kind in _FUNCTIONS or kind in _LAYERS:
            found.append(_code(template, logical_id, resource, str(kind)))
    return found


def _code(template: Json, logical_id: str, resource: Json, kind: str) -> Code:
    is_layer = kind in _LAYERS
    properties = dict(resource.get("Properties") or {})
    if kind == "AWS::Serverless::Function":
        shared = (template.get("Globals") or {}).get("Function") or {}
        properties = {**shared, **properties}
    given = resource.get("Metadata")
    metadata: Json = given if isinstance(given, dict) else {}
    only = {**template, "Resources": {logical_id: resource}}
    source = next((item.local for item in local_artifacts(only) if item.resource_type == kind), "")
    runtime = _text(metadata.get("BuildMethod")) if is_layer else _text(properties.get("Runtime"))
    handler, has_layers = _text(properties.get("Handler")), bool(properties.get("Layers"))
    return Code(logical_id, is_layer, source, runtime, handler, metadata, has_layers)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
