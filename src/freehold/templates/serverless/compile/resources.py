"""The end of the compiler: exports, the user's `resources` and `extensions`, and no empty properties.

Serverless Framework documentation, "AWS - Resources", sections "Configuration" and "Override AWS CloudFormation
Resource".
"""

from __future__ import annotations

from typing import Any

from freehold.aws.call import Json
from freehold.templates.serverless.compile.compilation import Compilation

_REPLACED = {"Condition", "CreationPolicy", "DeletionPolicy", "UpdatePolicy", "UpdateReplacePolicy"}


def add_exports(compilation: Compilation) -> None:
    service = compilation.service
    for name, output in compilation.outputs.items():
        output.setdefault("Export", {"Name": f"sls-{service.name}-{service.stage}-{name}"})


def merge_resources(compilation: Compilation) -> None:
    user: Json = dict(compilation.service.configuration.get("resources") or {})
    extensions = user.pop("extensions", None) or {}
    for section in ("Resources", "Outputs"):
        if not user.get(section):
            user.pop(section, None)
    merge(compilation.template, user)
    for name, attributes in extensions.items():
        resource = compilation.resources.get(name)
        if resource is None:
            raise compilation.wrong(
                f'resources.extensions names "{name}", which is not in the stack.', "resources", "extensions", name
            )
        for attribute, value in (attributes or {}).items():
            _extend(compilation, name, resource, attribute, value)


def _extend(compilation: Compilation, name: str, resource: Json, attribute: str, value: Any) -> None:
    if attribute in _REPLACED:
        resource[attribute] = value
    elif attribute in ("Properties", "Metadata"):
        resource[attribute] = {**resource.get(attribute, {}), **value}
    elif attribute == "DependsOn":
        before = resource.get("DependsOn") or []
        resource["DependsOn"] = [*([before] if isinstance(before, str) else before), *value]
    else:
        raise compilation.wrong(
            f'resources.extensions cannot change "{attribute}" of {name}.', "resources", "extensions", name, attribute
        )


def merge(target: Json, source: Json) -> Json:
    """`source` into `target`: mappings by key, lists by position, everything else replaced."""
    for key, value in source.items():
        target[key] = _merged(target[key], value) if key in target else value
    return target


def _merged(old: Any, new: Any) -> Any:
    if isinstance(old, dict) and isinstance(new, dict):
        return merge(old, new)
    if isinstance(old, list) and isinstance(new, list):
        return [_merged(a, b) for a, b in zip(old, new, strict=False)] + old[len(new) :] + new[len(old) :]
    return new


def without_nulls(template: Json) -> Json:
    for resource in template["Resources"].values():
        if not isinstance(resource, dict):
            continue
        if resource.get("Properties"):
            _strip(resource["Properties"])
        elif resource.get("Properties", ...) is None:
            del resource["Properties"]
    return template


def _strip(value: Any) -> None:
    if isinstance(value, list):
        for item in value:
            _strip(item)
    elif isinstance(value, dict):
        for key in [key for key, item in value.items() if item is None]:
            del value[key]
        for item in value.values():
            _strip(item)
