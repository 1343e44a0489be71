"""Exports and imports between stacks of a region: who exports a name, who uses it, what may not change.

Source: "Get exported outputs from a deployed CloudFormation stack".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from freehold.aws.call import Json
from freehold.stacks.documents import STACK
from freehold.stacks.errors import validation_error
from freehold.stacks.intrinsics import KNOWN_AFTER_APPLY, Known, Scope, resolve
from freehold.stacks.record import Stacks


async def check_exports(stacks: Stacks, region: str, stack: Json, outputs: list[Json]) -> None:
    """Raises ValidationError when a name is taken by another stack, or one in use is gone or changed."""
    new = exported(outputs)
    for stored in await stacks.store.list_documents(STACK, f"{region}/"):
        other = stored.document
        if other["StackStatus"] == "DELETE_COMPLETE" or other["StackId"] == stack["StackId"]:
            continue
        for name in exported(other.get("Outputs", [])):
            if name in new:
                raise validation_error(f"Export with name {name} is already exported by stack {other['StackName']}.")
    for name, value in exported(stack.get("Outputs", [])).items():
        if new.get(name) != value:
            users = await importers(stacks, region, name)
            if users:
                verb = "updated" if name in new else "deleted"
                raise validation_error(f"Export {name} cannot be {verb} as it is in use by {', '.join(users)}")


async def importers(stacks: Stacks, region: str, name: str) -> list[str]:
    """Names of the stacks that import it."""
    found = await stacks.store.list_documents(STACK, f"{region}/")
    return [
        stored.document["StackName"]
        for stored in found
        if name in stored.document.get("imports", []) and stored.document["StackStatus"] != "DELETE_COMPLETE"
    ]


def exported(outputs: list[Json]) -> dict[str, str]:
    return {output["ExportName"]: output["OutputValue"] for output in outputs if "ExportName" in output}


def imported(sections: list[Mapping[str, Json]], scope: Scope) -> list[str]:
    """The names that these resources and outputs import."""
    return sorted({name for section in sections for name in _imports(dict(section), replace(scope, preview=True))})


def _imports(value: Any, scope: Scope) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _imports(item, scope)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key == "Fn::ImportValue" and len(value) == 1:
                name = resolve(item, replace(scope, resources=_Anything()))
                if isinstance(name, str) and KNOWN_AFTER_APPLY not in name:
                    yield name
            else:
                yield from _imports(item, scope)


class _Anything(dict[str, Known]):
    """Every resource, none of them known yet."""

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> Known:
        return Known(KNOWN_AFTER_APPLY, {}, any_attribute=True)
