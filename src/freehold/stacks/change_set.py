"""What executing a plan would change: the entries of a change set, told before anything is done.

Source: "DescribeChangeSet", shape ResourceChange. Where AWS has to guess from the template's text whether a referenced
value will change, we compare values: only what a new resource will tell is unknown, and is "Dynamic" with us as there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from freehold.aws.call import Json
from freehold.stacks.errors import validation_error
from freehold.stacks.graph import Graph, references
from freehold.stacks.intrinsics import KNOWN_AFTER_APPLY, Known, Scope, is_unknown
from freehold.stacks.plan import Plan
from freehold.stacks.resources import find_type, is_custom
from freehold.stacks.resources.types import changed
from freehold.stacks.template import attributes_used


def changes(plan: Plan, current: Mapping[str, Json]) -> list[Json]:
    """`current` are the resource documents of the stack. Raises ValidationError for a change that is not allowed."""
    _check_types(plan, current)
    known: dict[str, Known] = {}
    found: list[Json] = []
    for logical_id in in_order(plan.graph):
        scope = replace(plan.scope, resources=known, preview=True)
        old = current.get(logical_id)
        if old is None:
            found.append(_added(plan, logical_id))
            known[logical_id] = Known(KNOWN_AFTER_APPLY, {}, any_attribute=True)
            continue
        change, known[logical_id] = _modified(plan, logical_id, old, scope)
        if change is not None:
            found.append(change)
    found += [_removed(old) for logical_id, old in sorted(current.items()) if logical_id not in plan.resources]
    return [{"Type": "Resource", "ResourceChange": change} for change in found]


def in_order(graph: Graph) -> Iterator[str]:
    """Each after what it depends on; the template's order otherwise."""
    done: set[str] = set()
    left = list(graph)
    while left:
        ready = [name for name in left if graph[name] <= done]
        assert ready, "the graph was checked for cycles"
        yield from ready
        done.update(ready)
        left = [name for name in left if name not in done]


def _check_types(plan: Plan, current: Mapping[str, Json]) -> None:
    other = [
        name
        for name, resource in plan.resources.items()
        if name in current and current[name]["ResourceType"] != resource["Type"]
    ]
    if other:
        raise validation_error(
            "Update of resource type is not permitted. The new template modifies resource type of the following "
            f"resources: [{', '.join(other)}]"
        )


def _added(plan: Plan, logical_id: str) -> Json:
    return {
        "Action": "Add",
        "LogicalResourceId": logical_id,
        "ResourceType": plan.resources[logical_id]["Type"],
        "Scope": [],
        "Details": [],
    }


def _removed(old: Json) -> Json:
    policy = old.get("deletion_policy", "Delete")
    return {
        "Action": "Remove",
        "PolicyAction": "Retain" if policy.startswith("Retain") and policy != "RetainExceptOnCreate" else "Delete",
        "LogicalResourceId": old["LogicalResourceId"],
        "PhysicalResourceId": old.get("PhysicalResourceId", ""),
        "ResourceType": old["ResourceType"],
        "Scope": [],
        "Details": [],
    }


def _modified(plan: Plan, logical_id: str, old: Json, scope: Scope) -> tuple[Json | None, Known]:
    resource = plan.resources[logical_id]
    properties = plan.properties(logical_id, scope)
    names = changed(properties, old["properties"])
    same = Known(old["PhysicalResourceId"], old["attributes"])
    other_metadata = resource.get("Metadata") != old.get("metadata")
    if not names and not other_metadata:
        return None, same
    found = find_type(resource["Type"])
    assert found is not None
    replaced_by = found.is_replaced(properties, old["properties"])
    unknown = [name for name in names if is_unknown(properties.get(name))]
    certain = [name for name in replaced_by if name.split(".")[0] not in unknown]
    replacement = "True" if certain else "Conditional" if replaced_by else "False"
    change: Json = {
        "Action": "Modify",
        "LogicalResourceId": logical_id,
        "PhysicalResourceId": old["PhysicalResourceId"],
        "ResourceType": resource["Type"],
        "Replacement": replacement,
        "Scope": [*(["Properties"] if names else []), *(["Metadata"] if other_metadata else [])],
        "Details": [
            detail
            for name in names
            for detail in _details(
                plan, resource, name, name in unknown, any(r.split(".")[0] == name for r in replaced_by)
            )
        ],
    }
    if other_metadata:
        target = {"Attribute": "Metadata", "RequiresRecreation": "Never"}
        change["Details"].append({"Target": target, "Evaluation": "Static", "ChangeSource": "DirectModification"})
    if replacement != "False":
        return change, Known(KNOWN_AFTER_APPLY, {}, any_attribute=True)
    return change, Known(same.physical_id, {}, any_attribute=True) if is_custom(resource["Type"]) else same


def _details(plan: Plan, resource: Json, name: str, is_dynamic: bool, recreates: bool) -> Iterator[Json]:
    recreation = "Never" if not recreates else "Conditionally" if is_dynamic else "Always"
    target = {"Attribute": "Properties", "Name": name, "RequiresRecreation": recreation}
    evaluation = "Dynamic" if is_dynamic else "Static"
    causes = list(_causes(plan, resource.get("Properties", {}).get(name)))
    for source, entity in causes:
        detail = {"Target": target, "Evaluation": evaluation, "ChangeSource": source}
        yield {**detail, "CausingEntity": entity}
    if not causes:
        yield {"Target": target, "Evaluation": evaluation, "ChangeSource": "DirectModification"}


def _causes(plan: Plan, value: Any) -> Iterator[tuple[str, str]]:
    attributes = dict.fromkeys(attributes_used(value))
    for logical_id, attribute in attributes:
        yield "ResourceAttribute", f"{logical_id}.{attribute}"
    by_attribute = {logical_id for logical_id, _ in attributes}
    for name in dict.fromkeys(references(value)):
        if name in plan.parameters.values:
            yield "ParameterReference", name
        elif name in plan.resources and name not in by_attribute:
            yield "ResourceReference", name
