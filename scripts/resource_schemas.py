"""Writes `src/freehold/stacks/resources/schemas/*.json`: what AWS publishes of each resource type, reduced to names.

Run it by hand when a type is added or AWS adds a property: `python scripts/resource_schemas.py`. It reads
CloudFormation's resource provider schemas from an installed `cfn-lint` (a tool of this script only) and keeps names of
properties, their JSON types, which are required, which replace the resource, and the attributes of `Fn::GetAtt`.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

Json = dict[str, Any]

_OUT = Path(__file__).parent.parent / "src/freehold/stacks/resources/schemas"
_REGION = "us-east-1"
# Types that AWS publishes no schema of.
_UNPUBLISHED: dict[str, Json] = {"AWS::CDK::Metadata": {"properties": {"Analytics": {"type": "string"}}}}


def main() -> None:
    from cfnlint.schema.manager import ProviderSchemaManager  # type: ignore[import-not-found,unused-ignore]

    schemas = ProviderSchemaManager()
    for type_name in sorted(resource_types()):
        schema = _UNPUBLISHED.get(type_name) or schemas.get_resource_schema(_REGION, type_name).schema
        reduced = reduce(schema)
        file = _OUT / f"{type_name.replace('::', '-')}.json"
        file.write_text(json.dumps(reduced, indent=1, sort_keys=True) + "\n")


def resource_types() -> set[str]:
    """The `TYPE` of every module in `stacks/resources`."""
    found = set()
    for module in _OUT.parent.glob("*.py"):
        match = re.search(r'^TYPE = "(AWS::[A-Za-z0-9:]+)"$', module.read_text(), re.MULTILINE)
        if match:
            found.add(match[1])
    return found


def reduce(schema: Json) -> Json:
    definitions = schema.get("definitions", {})
    read_only = [_name(pointer) for pointer in schema.get("readOnlyProperties", [])]
    properties = {
        name: _shape(value, definitions) for name, value in schema["properties"].items() if name not in read_only
    }
    result: Json = {
        "properties": properties,
        "required": sorted(schema.get("required", [])),
        "attributes": sorted(set(read_only)),
        "replaced_by": sorted(
            {_name(pointer) for pointer in schema.get("createOnlyProperties", [])}
            | {_name(pointer) for pointer in schema.get("conditionalCreateOnlyProperties", [])}
        ),
        "definitions": {
            name: shape for name, shape in ((n, _shape(d, definitions)) for n, d in definitions.items()) if shape
        },
    }
    tagging = schema.get("tagging") or {}
    if tagging.get("taggable", True) and "Tags" in properties:
        result["tags"] = "Tags"
    result["definitions"] = _reachable(result)
    return result


def _name(pointer: str) -> str:
    return pointer.removeprefix("/properties/").replace("/properties/", ".").replace("/", ".")


def _shape(value: Any, definitions: Json) -> Json:
    """{"ref"}, or {"type", "properties", "required", "items", "values"}; {} where anything goes."""
    if not isinstance(value, dict):
        return {}
    if "$ref" in value:
        return {"ref": value["$ref"].rsplit("/", 1)[-1]}
    if any(key in value for key in ("oneOf", "anyOf")) and "properties" not in value:
        choices = [_shape(choice, definitions) for choice in value.get("oneOf") or value["anyOf"]]
        typed = [choice for choice in choices if choice.get("type") or choice.get("ref")]
        return typed[0] if len(choices) == 1 and typed else {}
    shape: Json = {}
    kind = value.get("type")
    if isinstance(kind, list):
        # "object or string" is a JSON document that may be given as text; with patterns, a map in most templates.
        if {"string", "number", "boolean"} <= set(kind):
            return {"type": "string"}  # Any scalar, which becomes text.
        if "object" not in kind:
            return {}
        if "patternProperties" not in value:
            return {"type": "json"}
        kind = "object"
    if kind:
        shape["type"] = kind
    if "properties" in value:
        shape["properties"] = {name: _shape(item, definitions) for name, item in value["properties"].items()}
        if value.get("required"):
            shape["required"] = sorted(value["required"])
    elif kind == "object":
        patterns = list((value.get("patternProperties") or {}).values())
        shape["values"] = _shape(patterns[0], definitions) if patterns else {}
    if "items" in value:
        shape["items"] = _shape(value["items"], definitions)
    return shape


def _reachable(schema: Json) -> Json:
    seen: set[str] = set()
    waiting = [schema["properties"]]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            name = item.get("ref")
            if isinstance(name, str) and name not in seen:
                seen.add(name)
                waiting.append(schema["definitions"].get(name, {}))
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
    return {name: shape for name, shape in schema["definitions"].items() if name in seen}


if __name__ == "__main__":
    main()
