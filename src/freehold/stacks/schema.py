"""What AWS publishes of a resource type: its properties, attributes, and what replaces it; checks against it.

One decision to know: the check runs on the template, before anything is made, so where a property is a function
(`Ref`, `Fn::If`, ...) its value is taken on trust; when the value is known, `coerce` gives it the type that the AWS
operation wants, as CloudFormation does ("5" for an integer, true for a string).
"""

from __future__ import annotations

import functools
import importlib.resources
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from freehold.aws.call import Json

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Schema:
    properties: dict[str, Json]
    required: frozenset[str]
    attributes: frozenset[str]  # Of Fn::GetAtt; nested ones with dots.
    replaced_by: frozenset[str]  # Properties (dotted when nested) whose change makes a new physical resource.
    definitions: dict[str, Json]
    tags: str  # The property that takes tags; empty: not taggable.

    @property
    def tags_as_map(self) -> bool:
        shape = _follow(self, self.properties.get(self.tags, {}))
        return str(shape.get("type")) in {"object", "json"}


@dataclass(frozen=True, slots=True)
class Problem:
    path: Path
    message: str

    def __str__(self) -> str:
        return f"#{''.join(f'/{step}' for step in self.path)}: {self.message}"


@functools.cache
def load_schema(type_name: str) -> Schema:
    """Of a type in the table of `resources`; a tidy test holds that each has its file."""
    file = importlib.resources.files("freehold.stacks.resources") / "schemas" / f"{type_name.replace('::', '-')}.json"
    data = orjson.loads(file.read_bytes())
    return Schema(
        data["properties"],
        frozenset(data["required"]),
        frozenset(data["attributes"]),
        frozenset(data["replaced_by"]),
        data["definitions"],
        data.get("tags", ""),
    )


def problems(schema: Schema, properties: Any) -> Iterator[Problem]:
    """What is wrong with a resource's properties as they stand in the template."""
    shape: Json = {"type": "object", "properties": schema.properties, "required": schema.required}
    yield from _check(schema, shape, properties, ())


def coerce(schema: Schema, properties: Json) -> Json:
    """The resolved properties with the types of the schema; what cannot be is left for the operation to refuse."""
    return {name: _coerce(schema, schema.properties.get(name, {}), value) for name, value in properties.items()}


def is_function(value: Any) -> bool:
    if not isinstance(value, dict) or len(value) != 1:
        return False
    (name,) = value
    return bool(name == "Ref" or name.startswith("Fn::"))


def _check(schema: Schema, shape: Json, value: Any, path: Path) -> Iterator[Problem]:
    shape = _follow(schema, shape)
    if is_function(value):
        branches = value.get("Fn::If")
        if isinstance(branches, list) and len(branches) == 3:
            for branch in branches[1:]:
                yield from _check(schema, shape, branch, path)
        return
    kind = shape.get("type")
    if isinstance(value, str) and "{{resolve:" in value:
        return
    if kind == "object" or "properties" in shape:
        yield from _check_object(schema, shape, value, path)
    elif kind == "array":
        if not isinstance(value, list):
            yield Problem(path, f"expected type: JSONArray, found: {_type_name(value)}")
            return
        for index, item in enumerate(value):
            yield from _check(schema, shape.get("items", {}), item, (*path, index))
    elif kind is not None and kind != "json" and not _is(kind, value):
        yield Problem(path, f"expected type: {kind.title()}, found: {_type_name(value)}")


def _check_object(schema: Schema, shape: Json, value: Any, path: Path) -> Iterator[Problem]:
    if not isinstance(value, dict):
        yield Problem(path, f"expected type: JSONObject, found: {_type_name(value)}")
        return
    known = shape.get("properties")
    if known is None:
        for name, item in value.items():
            yield from _check(schema, shape.get("values", {}), item, (*path, name))
        return
    if "Fn::Transform" in value or any(key.startswith("Fn::ForEach") for key in value):
        return
    for name in shape.get("required", ()):
        if name not in value:
            yield Problem(path, f"required key [{name}] not found")
    for name, item in value.items():
        if name not in known:
            yield Problem((*path, name), f"extraneous key [{name}] is not permitted")
        else:
            yield from _check(schema, known[name], item, (*path, name))


def _follow(schema: Schema, shape: Json) -> Json:
    for _ in range(10):
        if "ref" not in shape:
            return shape
        shape = schema.definitions.get(shape["ref"], {})
    return shape


def _is(kind: str, value: Any) -> bool:
    """Whether CloudFormation can make a `kind` of it."""
    if isinstance(value, dict | list) or value is None:
        return False
    if kind == "string":
        return True
    if kind == "boolean":
        return isinstance(value, bool) or str(value).lower() in ("true", "false")
    return not isinstance(value, bool) and _number(value) is not None


def _number(value: Any) -> int | float | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    try:
        return int(value)
    except (TypeError, ValueError):
        pass
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _coerce(schema: Schema, shape: Json, value: Any) -> Any:
    shape = _follow(schema, shape)
    kind = shape.get("type")
    if isinstance(value, dict):
        known = shape.get("properties")
        if known is not None:
            return {name: _coerce(schema, known.get(name, {}), item) for name, item in value.items()}
        if kind == "object":
            return {name: _coerce(schema, shape.get("values", {}), item) for name, item in value.items()}
        return value
    if isinstance(value, list):
        return [_coerce(schema, shape.get("items", {}), item) for item in value] if kind == "array" else value
    return _coerce_scalar(kind, value)


def _coerce_scalar(kind: str | None, value: Any) -> Any:
    if kind == "string" and isinstance(value, int | float):
        return text_of(value)
    if kind == "boolean" and isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    if kind in ("integer", "number") and isinstance(value, str):
        number = _number(value)
        return value if number is None else number
    return value


def text_of(value: Any) -> str:
    """A scalar as CloudFormation writes it into text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _type_name(value: Any) -> str:
    if isinstance(value, bool):
        return "Boolean"
    if isinstance(value, int):
        return "Integer"
    if isinstance(value, float):
        return "Number"
    if isinstance(value, list):
        return "JSONArray"
    if isinstance(value, dict):
        return "JSONObject"
    return "Null" if value is None else "String"
