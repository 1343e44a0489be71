"""The documents of CloudFormation: stacks, their resources, events and change sets; keys, reading and writing.

One decision to know: PascalCase members are what AWS's operations answer, snake_case ones are ours. Keys begin with
"region/stack name/unique part of the stack's id", so a listing by prefix gives what belongs to one stack.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from freehold.aws.call import Call, Json
from freehold.stacks.errors import validation_error
from freehold.stacks.record import Stacks
from freehold.state.store import Conflict, Delete, Put, Stored, Write

STACK = "cloudformation.stack"
RESOURCE = "cloudformation.resource"
EVENT = "cloudformation.event"
CHANGE_SET = "cloudformation.changeset"
STACK_TYPE = "AWS::CloudFormation::Stack"

_sequence = itertools.count()


def stack_arn(call: Call, name: str, unique: str) -> str:
    return f"arn:aws:cloudformation:{call.region}:{call.account}:stack/{name}/{unique}"


def key_of(stack_id: str) -> str:
    """The stack's key from its ARN."""
    region = stack_id.split(":")[3]
    name, unique = stack_id.split(":", 5)[5].split("/")[1:3]
    return f"{region}/{name}/{unique}"


async def find_stack(stacks: Stacks, call: Call, name_or_id: str, *, deleted: bool = True) -> Stored:
    """By id, also a deleted one; by name, the living one. Raises ValidationError."""
    found = await look_for_stack(stacks, call, name_or_id)
    if found is None or (not deleted and found.document["StackStatus"] == "DELETE_COMPLETE"):
        raise validation_error(f"Stack with id {name_or_id} does not exist")
    return found


async def look_for_stack(stacks: Stacks, call: Call, name_or_id: str) -> Stored | None:
    if name_or_id.startswith("arn:"):
        try:
            return await stacks.store.read(STACK, key_of(name_or_id))
        except (IndexError, ValueError):
            return None
    found = await stacks.store.list_documents(STACK, f"{call.region}/{name_or_id}/")
    return next((stored for stored in found if stored.document["StackStatus"] != "DELETE_COMPLETE"), None)


async def change_stack(stacks: Stacks, key: str, changes: Json, *writes: Write, remove: Sequence[str] = ()) -> Json:
    """Sets members of a stack's document, together with other writes; other writers' members stay."""
    while True:
        stored = await stacks.store.read(STACK, key)
        assert stored is not None, key
        document = {name: value for name, value in stored.document.items() if name not in remove} | changes
        try:
            await stacks.store.write(Put(STACK, key, document, if_revision=stored.revision), *writes)
        except Conflict:
            continue
        return document


async def read_resources(stacks: Stacks, key: str) -> dict[str, Json]:
    """The resource documents of a stack by logical id."""
    found = await stacks.store.list_documents(RESOURCE, f"{key}/")
    return {stored.document["LogicalResourceId"]: dict(stored.document) for stored in found}


def put_resource(key: str, document: Json) -> Put:
    # A copy: the document goes on changing while the write waits for its turn.
    return Put(RESOURCE, f"{key}/{document['LogicalResourceId']}", dict(document))


def delete_resource(key: str, logical_id: str) -> Delete:
    return Delete(RESOURCE, f"{key}/{logical_id}")


def event(
    stacks: Stacks,
    stack: Json,
    status: str,
    reason: str = "",
    *,
    logical_id: str = "",
    physical_id: str = "",
    type_name: str = STACK_TYPE,
    properties: str = "",
) -> Put:
    """The write of one stack event; without a logical id, of the stack itself."""
    now = stacks.clock.now_s()
    document: dict[str, Any] = {
        "StackId": stack["StackId"],
        "EventId": f"{logical_id}-{status}-{stacks.ids.uuid()}" if logical_id else stacks.ids.uuid(),
        "StackName": stack["StackName"],
        "LogicalResourceId": logical_id or stack["StackName"],
        "PhysicalResourceId": physical_id if logical_id else stack["StackId"],
        "ResourceType": type_name,
        "Timestamp": now,
        "ResourceStatus": status,
    }
    if reason:
        document["ResourceStatusReason"] = reason
    if properties:
        document["ResourceProperties"] = properties
    if stack.get("client_request_token"):
        document["ClientRequestToken"] = stack["client_request_token"]
    order = f"{int(now * 1_000_000):020d}{next(_sequence) % 1_000_000:06d}"
    return Put(EVENT, f"{key_of(stack['StackId'])}/{order}", document)


def resource_event(stacks: Stacks, stack: Json, document: Json, status: str, reason: str = "") -> Put:
    return event(
        stacks,
        stack,
        status,
        reason,
        logical_id=document["LogicalResourceId"],
        physical_id=document["PhysicalResourceId"],
        type_name=document["ResourceType"],
    )
