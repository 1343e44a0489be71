"""Whether an update would change anything at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from freehold.aws.call import Json
from freehold.stacks.intrinsics import Known, is_unknown, resolve
from freehold.stacks.plan import Plan
from freehold.stacks.schema import text_of

NOTHING = "No updates are to be performed."
NO_CHANGES = "The submitted information didn't contain changes. Submit different information to create a change set."


def is_same(plan: Plan, stack: Json, current: Mapping[str, Json], changes: list[Json]) -> bool:
    """No resource, output or tag differs. `changes` are those of the plan."""
    if changes or [{"Key": key, "Value": value} for key, value in plan.tags] != stack.get("Tags", []):
        return False
    known = {name: Known(document["PhysicalResourceId"], document["attributes"]) for name, document in current.items()}
    scope = replace(plan.scope, resources=known, preview=True)
    new: dict[str, tuple[object, ...]] = {}
    for name, output in plan.outputs.items():
        value = resolve(output["Value"], scope)
        if is_unknown(value):
            return False
        export = resolve(output["Export"]["Name"], scope) if "Export" in output else None
        new[name] = (text_of(value), output.get("Description"), export)
    old = {
        output["OutputKey"]: (output["OutputValue"], output.get("Description"), output.get("ExportName"))
        for output in stack.get("Outputs", [])
    }
    return new == old
