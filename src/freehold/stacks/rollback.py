"""Back to where a stack was: after a create that failed, and after an update that failed.

Sources: "Stack failure options", "Continue rolling back an update". The words of the reasons are CloudFormation's.
"""

from __future__ import annotations

from collections.abc import Sequence

from freehold.aws.call import Aws, Json
from freehold.stacks.act import Actor, ResourceFailed
from freehold.stacks.cleanup import clean_up, delete_all, is_alive
from freehold.stacks.documents import STACK, change_stack, event, key_of, put_resource, read_resources, resource_event
from freehold.stacks.graph import Graph, reversed_graph, walk
from freehold.stacks.record import Stacks
from freehold.state.store import Write

# What the stack's document gets back when its update is undone.
RESTORED = (
    "text",
    "processed",
    "given",
    "Parameters",
    "Tags",
    "Description",
    "Capabilities",
    "NotificationARNs",
    "RoleARN",
)


async def roll_back_create(stacks: Stacks, aws: Aws, stack: Json, reason: str) -> None:
    """As the stack's `on_failure` says: ROLLBACK, DELETE or DO_NOTHING."""
    key = key_of(stack["StackId"])
    choice = stack.get("on_failure", "ROLLBACK")
    if choice == "DO_NOTHING":
        changes: Json = {"StackStatus": "CREATE_FAILED", "StackStatusReason": reason}
        await change_stack(stacks, key, changes, event(stacks, stack, "CREATE_FAILED", reason))
        return
    if choice == "DELETE":
        await delete_stack(stacks, aws, stack, f"{reason.rstrip()} Delete requested by user.")
        return
    reason = f"{reason.rstrip()} Rollback requested by user." if "Rollback requested" not in reason else reason
    changes = {"StackStatus": "ROLLBACK_IN_PROGRESS", "StackStatusReason": reason, "DeletionTime": stacks.clock.now_s()}
    await change_stack(stacks, key, changes, event(stacks, stack, "ROLLBACK_IN_PROGRESS", reason))
    await finish_create_rollback(stacks, aws, stack)


async def finish_create_rollback(stacks: Stacks, aws: Aws, stack: Json) -> None:
    """From ROLLBACK_IN_PROGRESS on."""
    key = key_of(stack["StackId"])
    failed = await delete_all(stacks, aws, stack, await _living(stacks, key), rollback=True, record=True)
    if failed:
        reason = f"The following resource(s) failed to delete: [{', '.join(sorted(failed))}]. "
        changes: Json = {"StackStatus": "ROLLBACK_FAILED", "StackStatusReason": reason}
        await change_stack(stacks, key, changes, event(stacks, stack, "ROLLBACK_FAILED", reason))
        return
    changes = {"StackStatus": "ROLLBACK_COMPLETE", "Outputs": []}
    await change_stack(stacks, key, changes, event(stacks, stack, "ROLLBACK_COMPLETE"))


async def roll_back_update(stacks: Stacks, aws: Aws, stack: Json, reason: str) -> None:
    key = key_of(stack["StackId"])
    if stack.get("update_disable_rollback"):
        changes = {"StackStatus": "UPDATE_FAILED", "StackStatusReason": reason}
        await change_stack(stacks, key, changes, event(stacks, stack, "UPDATE_FAILED", reason))
        return
    status = "UPDATE_ROLLBACK_IN_PROGRESS"
    changes = {"StackStatus": status, "StackStatusReason": reason}
    await change_stack(stacks, key, changes, event(stacks, stack, status, reason))
    await finish_update_rollback(stacks, aws, stack)


async def finish_update_rollback(stacks: Stacks, aws: Aws, stack: Json, skip: Sequence[str] = ()) -> None:
    """From UPDATE_ROLLBACK_IN_PROGRESS on; `skip` are logical ids that the user gives up."""
    key = key_of(stack["StackId"])
    documents = await read_resources(stacks, key)
    undo = _Undo(stacks, aws, stack, key, documents, frozenset(skip))
    graph: Graph = {name: frozenset(document.get("needs", [])) for name, document in documents.items()}
    failed = await walk(reversed_graph(graph), undo, stacks.concurrency, go_on=True)
    if failed:
        reason = f"The following resource(s) failed to update: [{', '.join(sorted(failed))}]. "
        changes: Json = {"StackStatus": "UPDATE_ROLLBACK_FAILED", "StackStatusReason": reason}
        await change_stack(stacks, key, changes, event(stacks, stack, "UPDATE_ROLLBACK_FAILED", reason))
        return
    status = "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS"
    kept = sorted(name for name, document in documents.items() if not document.get("is_new"))
    stored = await stacks.store.read(STACK, key)
    assert stored is not None
    previous = stored.document.get("previous", {})
    gone = tuple(name for name in RESTORED if name not in previous) if previous else ()
    changes = {**previous, "StackStatus": status, "kept": kept}
    await change_stack(stacks, key, changes, event(stacks, stack, status), remove=(*gone, "previous"))
    await clean_up(stacks, aws, stack, "UPDATE_ROLLBACK_COMPLETE")


async def delete_stack(stacks: Stacks, aws: Aws, stack: Json, reason: str, retain: Sequence[str] = ()) -> None:
    """To DELETE_COMPLETE or DELETE_FAILED."""
    key = key_of(stack["StackId"])
    changes = {"StackStatus": "DELETE_IN_PROGRESS", "StackStatusReason": reason, "retain": list(retain)}
    await change_stack(stacks, key, changes, event(stacks, stack, "DELETE_IN_PROGRESS", reason))
    await finish_delete(stacks, aws, stack, retain)


async def finish_delete(stacks: Stacks, aws: Aws, stack: Json, retain: Sequence[str] = ()) -> None:
    """From DELETE_IN_PROGRESS on."""
    key = key_of(stack["StackId"])
    victims = await _living(stacks, key)
    for logical_id in retain:
        if logical_id in victims:
            victims[logical_id]["policy"] = "Retain"
    failed = await delete_all(stacks, aws, stack, victims, record=True)
    if failed:
        reason = f"The following resource(s) failed to delete: [{', '.join(sorted(failed))}]. "
        changes: Json = {"StackStatus": "DELETE_FAILED", "StackStatusReason": reason}
        await change_stack(stacks, key, changes, event(stacks, stack, "DELETE_FAILED", reason))
        return
    now = stacks.clock.now_s()
    changes = {"StackStatus": "DELETE_COMPLETE", "DeletionTime": now, "Outputs": [], "imports": []}
    await change_stack(
        stacks, key, changes, event(stacks, stack, "DELETE_COMPLETE"), remove=("StackStatusReason", "retain")
    )


async def _living(stacks: Stacks, key: str) -> dict[str, Json]:
    """Every physical resource of the stack, those that an unfinished update replaced too."""
    found: dict[str, Json] = {}
    for name, document in (await read_resources(stacks, key)).items():
        if not is_alive(document):
            continue
        found[name] = {**document, "policy": document.get("deletion_policy", "Delete")}
        before = document.get("before")
        if before and before["PhysicalResourceId"] != document["PhysicalResourceId"]:
            found[f"{name}#old"] = {**document, **before, "policy": document.get("update_replace_policy", "Delete")}
    return found


class _Undo:
    """Takes one resource back to what it was before the update."""

    def __init__(
        self, stacks: Stacks, aws: Aws, stack: Json, key: str, documents: dict[str, Json], skip: frozenset[str]
    ) -> None:
        self._stacks = stacks
        self._stack = stack
        self._key = key
        self._documents = documents
        self._skip = skip
        self._actor = Actor(stacks, aws, stack)

    async def __call__(self, name: str) -> bool:
        document = self._documents[name]
        before = document.get("before")
        if before is None:
            return True
        restored = {n: v for n, v in document.items() if n not in ("before", "touched", "replacing")} | before
        if not document.get("touched"):
            await self._stacks.store.write(put_resource(self._key, restored))
            return True
        await self._tell(document, "UPDATE_IN_PROGRESS")
        if document["PhysicalResourceId"] != before["PhysicalResourceId"]:
            made = {
                n: document[n]
                for n in ("PhysicalResourceId", "properties", "attributes", "generation")
                if n in document
            }
            restored["leftovers"] = [*document.get("leftovers", []), made]
        elif name not in self._skip and not document.get("replacing"):
            try:
                created = await self._actor.update(restored, document["properties"])
            except ResourceFailed as failed:
                await self._tell(document, "UPDATE_FAILED", str(failed))
                return False
            restored.update(attributes=created.attributes)
        await self._tell(restored, "UPDATE_COMPLETE")
        return True

    async def _tell(self, document: Json, status: str, reason: str = "") -> None:
        document.update(ResourceStatus=status, ResourceStatusReason=reason)
        document["LastUpdatedTimestamp"] = self._stacks.clock.now_s()
        writes: list[Write] = [
            put_resource(self._key, document),
            resource_event(self._stacks, self._stack, document, status, reason),
        ]
        await self._stacks.store.write(*writes)
