"""Carries a plan out: makes, changes and replaces resources; what follows is in cleanup.py and rollback.py.

Sources: "Stack status codes" and "Update behaviors of stack resources". The order of events and their words are
CloudFormation's.

One decision to know: from before the first change of an update until the update's end a resource's document holds what
the resource was (`before`). A rollback needs nothing else, so it works as well after the server was stopped in between.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from freehold.aws.call import Aws, Json
from freehold.aws.errors import AwsError
from freehold.stacks.act import Actor, ResourceFailed, reason_of
from freehold.stacks.cleanup import clean_up, is_alive
from freehold.stacks.documents import (
    change_stack,
    event,
    key_of,
    put_resource,
    read_resources,
    resource_event,
)
from freehold.stacks.exports import check_exports, imported
from freehold.stacks.graph import walk
from freehold.stacks.intrinsics import Known, Scope, resolve
from freehold.stacks.plan import Plan
from freehold.stacks.record import Stacks
from freehold.stacks.resources import ResourceType, find_type
from freehold.stacks.resources.types import changed
from freehold.stacks.rollback import roll_back_create, roll_back_update
from freehold.stacks.schema import text_of
from freehold.state.store import Write

# Members of a resource's document that an update changes and a rollback restores.
REMEMBERED = (
    "PhysicalResourceId",
    "properties",
    "attributes",
    "generation",
    "needs",
    "deletion_policy",
    "update_replace_policy",
    "metadata",
)
_REPLACING = "Requested update requires the creation of a new physical resource; hence creating one."
_INITIATED = "Resource creation Initiated"


async def run_create(stacks: Stacks, aws: Aws, stack: Json, plan: Plan) -> None:
    """To the end: CREATE_COMPLETE, or what `on_failure` of the stack says."""
    execution = Execution(stacks, aws, stack, plan, {})
    failure = await execution.run()
    key = key_of(stack["StackId"])
    if not failure:
        changes = {"StackStatus": "CREATE_COMPLETE", **execution.result}
        await change_stack(stacks, key, changes, event(stacks, stack, "CREATE_COMPLETE"), remove=("StackStatusReason",))
        return
    await roll_back_create(stacks, aws, stack, failure)


async def run_update(stacks: Stacks, aws: Aws, stack: Json, plan: Plan) -> None:
    """To the end: UPDATE_COMPLETE or UPDATE_ROLLBACK_COMPLETE."""
    key = key_of(stack["StackId"])
    current = {
        name: {member: value for member, value in document.items() if member != "is_new"}
        for name, document in (await read_resources(stacks, key)).items()
        if is_alive(document)
    }
    await stacks.store.write(*(put_resource(key, document) for document in current.values()))
    execution = Execution(stacks, aws, stack, plan, current)
    failure = await execution.run()
    if failure:
        await roll_back_update(stacks, aws, stack, failure)
        return
    status = "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"
    changes = {"StackStatus": status, "kept": sorted(plan.resources), **execution.result}
    await change_stack(stacks, key, changes, event(stacks, stack, status), remove=("StackStatusReason", "previous"))
    await clean_up(stacks, aws, stack, "UPDATE_COMPLETE")


class Execution:
    """One run over the plan's graph. `documents` are the living resources, and those that the run makes."""

    def __init__(self, stacks: Stacks, aws: Aws, stack: Json, plan: Plan, documents: dict[str, Json]) -> None:
        self._stacks = stacks
        self._stack = stack
        self._key = key_of(stack["StackId"])
        self._plan = plan
        self._documents = documents
        self._actor = Actor(stacks, aws, stack)
        self.result: Json = {}  # Members of the stack's document once all went well.

    async def run(self) -> str:
        """The reason why the stack rolls back, or nothing."""
        failed = await walk(self._plan.graph, self._visit, self._stacks.concurrency)
        if self._stacks.executions.is_rollback_requested(self._key):
            return "User Initiated"
        if failed:
            return self._failure(sorted(failed))
        try:
            outputs = self._outputs()
            await check_exports(self._stacks, self._plan.scope.region, self._stack, outputs)
        except AwsError as error:
            return reason_of(error, self._stacks.ids.uuid())
        imports = imported([self._plan.resources, self._plan.outputs], self._plan.scope)
        self.result = {"Outputs": outputs, "imports": imports}
        return ""

    def _failure(self, failed: Sequence[str]) -> str:
        created = [name for name in failed if self._documents[name]["ResourceStatus"] == "CREATE_FAILED"]
        updated = [name for name in failed if name not in created]
        reasons = []
        if created:
            reasons.append(f"The following resource(s) failed to create: [{', '.join(created)}]. ")
        if updated:
            reasons.append(f"The following resource(s) failed to update: [{', '.join(updated)}]. ")
        return "".join(reasons)

    async def _visit(self, logical_id: str) -> bool:
        if self._stacks.executions.is_rollback_requested(self._key):
            return False
        old = self._documents.get(logical_id)
        document = self._document(logical_id, old)
        creating = old is None
        try:
            document["properties"] = self._plan.properties(logical_id, self._scope())
        except AwsError as error:
            return await self._fail(document, creating, reason_of(error, ""))
        if old is None:
            return await self._create(document)
        self._documents[logical_id] = document
        if not changed(document["properties"], old["properties"]):
            # Dependencies, policies and metadata are CloudFormation's own: nobody else is asked.
            await self._write(document)
            return True
        return await self._change(document, old)

    async def _create(self, document: Json) -> bool:
        self._documents[document["LogicalResourceId"]] = document
        await self._move(document, "CREATE_IN_PROGRESS")
        try:
            created = await self._actor.create(document)
        except ResourceFailed as failed:
            return await self._fail(document, True, str(failed))
        document.update(PhysicalResourceId=created.physical_id, attributes=created.attributes)
        initiated = self._event(document, "CREATE_IN_PROGRESS", _INITIATED)
        await self._move(document, "CREATE_COMPLETE", "", initiated)
        return True

    async def _change(self, document: Json, old: Json) -> bool:
        found = find_type(document["ResourceType"])
        assert found is not None
        document["touched"] = True
        replaces = found.is_replaced(document["properties"], old["properties"])
        if replaces:
            return await self._replace(document, old)
        await self._move(document, "UPDATE_IN_PROGRESS")
        try:
            created = await self._actor.update(document, old["properties"])
        except ResourceFailed as failed:
            return await self._fail(document, False, str(failed))
        document.update(PhysicalResourceId=created.physical_id, attributes=created.attributes)
        await self._move(document, "UPDATE_COMPLETE")
        return True

    async def _replace(self, document: Json, old: Json) -> bool:
        document["replacing"] = True
        await self._move(document, "UPDATE_IN_PROGRESS", _REPLACING)
        if self._keeps_its_name(document, old):
            reason = (
                "CloudFormation cannot update a stack when a custom-named resource requires replacing. Rename "
                f"{old['PhysicalResourceId']} and update the stack again."
            )
            return await self._fail(document, False, reason)
        document["generation"] = old.get("generation", 0) + 1
        try:
            created = await self._actor.create(document)
        except ResourceFailed as failed:
            return await self._fail(document, False, str(failed))
        document.update(PhysicalResourceId=created.physical_id, attributes=created.attributes)
        initiated = self._event(document, "UPDATE_IN_PROGRESS", _INITIATED)
        await self._move(document, "UPDATE_COMPLETE", "", initiated)
        return True

    def _keeps_its_name(self, document: Json, old: Json) -> bool:
        found = find_type(document["ResourceType"])
        if not isinstance(found, ResourceType) or found.name is None or found.update is None:
            return False
        name = document["properties"].get(found.name.property)
        return name is not None and name == old["properties"].get(found.name.property)

    def _document(self, logical_id: str, old: Json | None) -> Json:
        resource = self._plan.resources[logical_id]
        document: Json = {
            **(old or {"LogicalResourceId": logical_id, "is_new": True, "PhysicalResourceId": "", "attributes": {}}),
            "ResourceType": resource["Type"],
            "properties": {},
            "needs": sorted(self._plan.graph[logical_id]),
            "deletion_policy": resource.get("DeletionPolicy", "Delete"),
            "update_replace_policy": resource.get("UpdateReplacePolicy", "Delete"),
            "metadata": resource.get("Metadata"),
        }
        if old is not None:
            document["before"] = {name: old[name] for name in REMEMBERED if name in old}
        return document

    def _scope(self) -> Scope:
        known = {
            name: Known(document["PhysicalResourceId"], document["attributes"])
            for name, document in self._documents.items()
            if name in self._plan.resources
        }
        return replace(self._plan.scope, resources=known)

    def _outputs(self) -> list[Json]:
        scope = self._scope()
        outputs = []
        for name, output in self._plan.outputs.items():
            entry = {"OutputKey": name, "OutputValue": text_of(resolve(output["Value"], scope))}
            if "Description" in output:
                entry["Description"] = output["Description"]
            if "Export" in output:
                entry["ExportName"] = text_of(resolve(output["Export"]["Name"], scope))
            outputs.append(entry)
        return outputs

    async def _fail(self, document: Json, creating: bool, reason: str) -> bool:
        self._documents[document["LogicalResourceId"]] = document
        await self._move(document, "CREATE_FAILED" if creating else "UPDATE_FAILED", reason)
        return False

    async def _move(self, document: Json, status: str, reason: str = "", *events: Write) -> None:
        document["ResourceStatus"] = status
        document["ResourceStatusReason"] = reason
        await self._write(document, *events, self._event(document, status, reason))

    def _event(self, document: Json, status: str, reason: str) -> Write:
        return resource_event(self._stacks, self._stack, document, status, reason)

    async def _write(self, document: Json, *events: Write) -> None:
        document["LastUpdatedTimestamp"] = self._stacks.clock.now_s()
        await self._stacks.store.write(put_resource(self._key, document), *events)
