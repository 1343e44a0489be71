"""Patch operations of API Gateway's REST API: what changed in a property, as `replace`, `add` and `remove`.

Source: "Patch operations" of the Amazon API Gateway API reference.
"""

from __future__ import annotations

from typing import Any

from freehold.aws.call import Aws, Json
from freehold.stacks.resources.types import tag_changes
from freehold.stacks.schema import text_of

Patches = list[dict[str, str]]


def scalars(properties: Json, previous: Json, paths: dict[str, str]) -> Patches:
    """For properties that are one value: `paths` maps each to its path."""
    patches: Patches = []
    for name, path in paths.items():
        new, old = properties.get(name), previous.get(name)
        if new != old:
            # There is no "remove" for most scalars: an empty value takes them away.
            patches.append({"op": "replace", "path": path, "value": "" if new is None else text_of(new)})
    return patches


def mapping(new: Json | None, old: Json | None, path: str) -> Patches:
    """For a mapping whose entries have paths of their own."""
    new, old = new or {}, old or {}
    patches: Patches = [{"op": "remove", "path": f"{path}/{pointer(key)}"} for key in old if key not in new]
    for key, value in new.items():
        if old.get(key) != value:
            patches.append({"op": "replace", "path": f"{path}/{pointer(key)}", "value": text_of(value)})
    return patches


def members(new: list[Any] | None, old: list[Any] | None, path: str) -> Patches:
    """For a set of texts, each with a path of its own."""
    new, old = new or [], old or []
    patches: Patches = [{"op": "remove", "path": f"{path}/{pointer(item)}"} for item in old if item not in new]
    patches += [{"op": "add", "path": f"{path}/{pointer(item)}"} for item in new if item not in old]
    return patches


def pointer(text: str) -> str:
    """A step of a path, with JSON Pointer's escapes."""
    return str(text).replace("~", "~0").replace("/", "~1")


async def patch(aws: Aws, operation: str, target: Json, patches: Patches) -> None:
    if patches:
        await aws("apigateway", operation, {**target, "patchOperations": patches})


async def retag(aws: Aws, path: str, properties: Json, previous: Json) -> None:
    """`path` is the resource's in its ARN: "/restapis/abc"."""
    gone, put = tag_changes(properties, previous)
    arn = f"arn:aws:apigateway:{aws.call.region}::{path}"
    if gone:
        await aws("apigateway", "UntagResource", {"resourceArn": arn, "tagKeys": gone})
    if put:
        await aws("apigateway", "TagResource", {"resourceArn": arn, "tags": put})
