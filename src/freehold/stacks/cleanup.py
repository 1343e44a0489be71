"""Deletes what a stack no longer has: after an update, after a rollback, and when the stack itself is deleted.

Sources: "DeletionPolicy attribute", "UpdateReplacePolicy attribute", "DeleteStack". Deleting goes in the reverse order
of creating; what cannot be deleted leaves standing what it needs.
"""

from __future__ import annotations

from collections.abc import Mapping

from freehold.aws.call import Aws, Json
from freehold.stacks.act import Actor, ResourceFailed
from freehold.stacks.documents import (
    STACK,
    change_stack,
    delete_resource,
    event,
    key_of,
    put_resource,
    read_resources,
    resource_event,
)
from freehold.stacks.graph import Graph, reversed_graph, walk
from freehold.stacks.record import Stacks
from freehold.state.store import Write

_PASSING = ("before", "is_new", "touched", "replacing", "leftovers")  # Members of a document during an update.
_OLD = "#old"  # Marks the physical resource that was replaced, beside the new one of the same logical id.


def is_alive(document: Json) -> bool:
    return bool(document.get("PhysicalResourceId")) and document["ResourceStatus"] not in (
        "DELETE_COMPLETE",
        "DELETE_SKIPPED",
    )


async def clean_up(stacks: Stacks, aws: Aws, stack: Json, end_status: str) -> None:
    """After an update or its rollback: deletes what is left over, settles the documents, then `end_status`.

    The stack's member `kept` lists the logical ids that stay. What cannot be deleted is told and left behind.
    """
    key = key_of(stack["StackId"])
    stored = await stacks.store.read(STACK, key)
    assert stored is not None
    kept = set(stored.document.get("kept", []))
    documents = await read_resources(stacks, key)
    victims: dict[str, Json] = {}
    for logical_id, document in documents.items():
        if logical_id not in kept:
            if is_alive(document):
                victims[logical_id] = {**document, "policy": document.get("deletion_policy", "Delete")}
            continue
        for number, leftover in enumerate(_leftovers(document)):
            victims[f"{logical_id}{_OLD}{number or ''}"] = leftover
    failed = await delete_all(stacks, aws, stack, victims, rollback=end_status.endswith("ROLLBACK_COMPLETE"))
    writes: list[Write] = []
    for logical_id, document in documents.items():
        if logical_id in kept:
            settled = {n: v for n, v in document.items() if n not in _PASSING}
            writes.append(put_resource(key, settled))
        else:
            writes.append(delete_resource(key, logical_id))
    reason = "One or more resources could not be deleted." if failed else ""
    changes: Json = {"StackStatus": end_status, **({"StackStatusReason": reason} if reason else {})}
    await change_stack(
        stacks, key, changes, *writes, event(stacks, stack, end_status, reason), remove=("kept", "previous")
    )


def _leftovers(document: Json) -> list[Json]:
    """Physical resources that this logical id had beside the one it has."""
    found = [{**document, **item, "policy": item.get("policy", "Delete")} for item in document.get("leftovers", [])]
    before = document.get("before")
    if before and before["PhysicalResourceId"] != document["PhysicalResourceId"]:
        found.append({**document, **before, "policy": document.get("update_replace_policy", "Delete")})
    return found


async def delete_all(
    stacks: Stacks,
    aws: Aws,
    stack: Json,
    victims: Mapping[str, Json],
    *,
    rollback: bool = False,
    record: bool = False,
) -> set[str]:
    """Deletes in reverse order of need; returns the names that failed. `record`: their documents tell the status."""
    actor = Actor(stacks, aws, stack)
    key = key_of(stack["StackId"])

    async def tell(document: Json, status: str, reason: str = "") -> None:
        writes: list[Write] = [resource_event(stacks, stack, document, status, reason)]
        if record:
            document.update(
                ResourceStatus=status, ResourceStatusReason=reason, LastUpdatedTimestamp=stacks.clock.now_s()
            )
            writes.append(put_resource(key, document))
        await stacks.store.write(*writes)

    async def visit(name: str) -> bool:
        document = dict(victims[name])
        policy = document.pop("policy", "Delete")
        if policy in ("Retain", "Snapshot") or (policy == "RetainExceptOnCreate" and not rollback):
            await tell(document, "DELETE_SKIPPED")
            return True
        await tell(document, "DELETE_IN_PROGRESS")
        try:
            await actor.delete(document)
        except ResourceFailed as failed:
            await tell(document, "DELETE_FAILED", str(failed))
            return False
        await tell(document, "DELETE_COMPLETE")
        return True

    return await walk(reversed_graph(_graph(victims)), visit, stacks.concurrency, go_on=True)


def _graph(victims: Mapping[str, Json]) -> Graph:
    """The old version of a resource needs the old version of what it needs, where there is one."""
    return {
        name: frozenset(
            other
            for needed in document.get("needs", [])
            for other in (needed, f"{needed}{_OLD}")
            if other in victims and other != name
        )
        for name, document in victims.items()
    }
