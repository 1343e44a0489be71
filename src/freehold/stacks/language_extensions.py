"""AWS::LanguageExtensions: Fn::ForEach written out, and policies and names that may be functions.

Source: "AWS::LanguageExtensions transform" and "Fn::ForEach". Fn::Length, Fn::ToJsonString and the default of
Fn::FindInMap are functions like others (intrinsics.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from freehold.aws.call import Json
from freehold.stacks.errors import template_error
from freehold.stacks.intrinsics import Scope, is_unknown, resolve

_LOOP = "Fn::ForEach::"
_POLICIES = ("DeletionPolicy", "UpdateReplacePolicy")


def expand_loops(body: Json, scope: Scope) -> Json:
    """The template without Fn::ForEach; deletion policies that are functions are evaluated."""
    expanded: Json = _expand(body, {}, scope)
    for resource in (expanded.get("Resources") or {}).values():
        if isinstance(resource, dict):
            for name in _POLICIES:
                if isinstance(resource.get(name), dict):
                    resource[name] = resolve(resource[name], scope)
    return expanded


def _expand(value: Any, variables: dict[str, str], scope: Scope) -> Any:
    if isinstance(value, str):
        return _fill(value, variables)
    if isinstance(value, list):
        return [_expand(item, variables, scope) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1 and value.get("Ref") in variables:
        return variables[value["Ref"]]
    expanded: Json = {}
    for key, item in value.items():
        if key.startswith(_LOOP):
            for name, made in _rounds(key, item, variables, scope):
                if name in expanded:
                    raise template_error(f"Fn::ForEach produced {name} twice")
                expanded[name] = made
        else:
            expanded[_fill(key, variables)] = _expand(item, variables, scope)
    return expanded


def _rounds(key: str, loop: Any, variables: dict[str, str], scope: Scope) -> Iterator[tuple[str, Any]]:
    if not isinstance(loop, list) or len(loop) != 3 or not isinstance(loop[0], str) or not isinstance(loop[2], dict):
        raise template_error(f"{key} requires a variable, a collection and an object")
    identifier, collection, body = loop
    items = resolve(_expand(collection, variables, scope), scope)
    if isinstance(items, list) and len(items) == 1 and isinstance(items[0], list):
        (items,) = items
    if not isinstance(items, list) or is_unknown(items):
        raise template_error(f"The collection of {key} must be a list that is known before the resources are made")
    for item in items:
        inner = {**variables, identifier: str(item)}
        yield from _expand(body, inner, scope).items()


def _fill(text: str, variables: dict[str, str]) -> str:
    for name, value in variables.items():
        text = text.replace("${" + name + "}", value)
        # &{name} leaves out what a logical id may not hold.
        text = text.replace("&{" + name + "}", "".join(filter(str.isalnum, value)))
    return text
