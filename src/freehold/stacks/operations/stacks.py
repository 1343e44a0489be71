"""Operations on whole stacks: create, update, delete, and what helps one that is stuck.

Sources: the pages of these operations in the CloudFormation API reference.
"""

from __future__ import annotations

import re

from freehold.aws.call import Call, Json
from freehold.aws.errors import AwsError
from freehold.stacks.change_set import changes
from freehold.stacks.cleanup import is_alive
from freehold.stacks.difference import NOTHING, is_same
from freehold.stacks.documents import (
    CHANGE_SET,
    STACK,
    change_stack,
    event,
    find_stack,
    key_of,
    look_for_stack,
    read_resources,
)
from freehold.stacks.errors import validation_error
from freehold.stacks.execute import run_create, run_update
from freehold.stacks.exports import exported, importers
from freehold.stacks.plan import Plan, Target
from freehold.stacks.record import Stacks
from freehold.stacks.requests import check_updatable, new_stack, plan_request, planned, target_of
from freehold.stacks.rollback import RESTORED, finish_update_rollback
from freehold.stacks.rollback import delete_stack as run_delete
from freehold.stacks.transforms import TransformFailed
from freehold.state.store import Delete, Put

USER = "User Initiated"
_NAME = re.compile(r"[a-zA-Z][-a-zA-Z0-9]{0,127}")


async def create_stack(stacks: Stacks, call: Call, request: Json) -> Json:
    """Raises AlreadyExistsException, InsufficientCapabilitiesException, ValidationError."""
    name = check_name(request["StackName"])
    if await look_for_stack(stacks, call, name) is not None:
        raise AwsError("AlreadyExistsException", f"Stack [{name}] already exists", status=400)
    if "OnFailure" in request and "DisableRollback" in request:
        raise validation_error("You can specify either DisableRollback or OnFailure, but not both.")
    stack = new_stack(stacks, call, name, request)
    target = target_of(request, stack["StackId"], name)
    plan = await _plan(stacks, call, request, target, None)
    stack["on_failure"] = on_failure(request)
    await begin_create(stacks, call, {**stack, **planned(plan, request, target)}, plan)
    return {"StackId": stack["StackId"]}


async def update_stack(stacks: Stacks, call: Call, request: Json) -> Json:
    """Raises ValidationError, also when there is nothing to do: "No updates are to be performed."."""
    stored = await find_stack(stacks, call, request["StackName"], deleted=False)
    stack = stored.document
    check_updatable(stack)
    target = target_of(request, stack["StackId"], stack["StackName"], stack)
    plan = await _plan(stacks, call, request, target, stack)
    key = key_of(stack["StackId"])
    current = {name: document for name, document in (await read_resources(stacks, key)).items() if is_alive(document)}
    if is_same(plan, stack, current, changes(plan, current)):
        raise validation_error(NOTHING)
    await begin_update(stacks, call, stack, plan, {**request, **planned(plan, request, target)})
    return {"StackId": stack["StackId"]}


async def delete_stack(stacks: Stacks, call: Call, request: Json) -> Json:
    """A stack that is not there counts as deleted."""
    stored = await look_for_stack(stacks, call, request["StackName"])
    if stored is None or stored.document["StackStatus"] == "DELETE_COMPLETE":
        return {}
    stack = stored.document
    name, status = stack["StackName"], stack["StackStatus"]
    if stack.get("EnableTerminationProtection"):
        raise validation_error(f"Stack [{name}] cannot be deleted while TerminationProtection is enabled")
    if status.endswith("_IN_PROGRESS") and status != "REVIEW_IN_PROGRESS":
        raise validation_error(f"Stack [{stack['StackId']}] cannot be deleted while in status {status}")
    for exported_name in exported(stack.get("Outputs", [])):
        users = await importers(stacks, call.region, exported_name)
        if users:
            raise validation_error(f"Export {exported_name} cannot be deleted as it is in use by {', '.join(users)}")
    retain = request.get("RetainResources", [])
    if retain and status != "DELETE_FAILED":
        raise validation_error(
            f"Invalid operation on stack [{stack['StackId']}]. Retain resources can only be specified for a stack in "
            "DELETE_FAILED state"
        )
    for change_set in await stacks.store.list_documents(CHANGE_SET, f"{stored.key}/"):
        await stacks.store.write(Delete(CHANGE_SET, change_set.key))
    # The status changes before the answer: who describes the stack next sees that it is being deleted.
    await change_stack(stacks, stored.key, {"StackStatus": "DELETE_IN_PROGRESS"})
    stacks.executions.start(stored.key, run_delete(stacks, stacks.bind(call), stack, USER, retain))
    return {}


async def cancel_update_stack(stacks: Stacks, call: Call, request: Json) -> Json:
    stored = await find_stack(stacks, call, request["StackName"], deleted=False)
    if stored.document["StackStatus"] != "UPDATE_IN_PROGRESS":
        raise validation_error("CancelUpdateStack cannot be called from current stack status")
    stacks.executions.request_rollback(stored.key)
    return {}


async def continue_update_rollback(stacks: Stacks, call: Call, request: Json) -> Json:
    stored = await find_stack(stacks, call, request["StackName"], deleted=False)
    stack = stored.document
    if stack["StackStatus"] != "UPDATE_ROLLBACK_FAILED":
        raise validation_error(
            f"Stack:{stack['StackId']} is in {stack['StackStatus']} state and can not continue update rollback."
        )
    status = "UPDATE_ROLLBACK_IN_PROGRESS"
    await change_stack(stacks, stored.key, {"StackStatus": status}, event(stacks, stack, status, USER))
    skip = request.get("ResourcesToSkip", [])
    stacks.executions.start(stored.key, finish_update_rollback(stacks, stacks.bind(call), stack, skip))
    return {}


async def begin_create(stacks: Stacks, call: Call, stack: Json, plan: Plan) -> None:
    """Stores the stack as CREATE_IN_PROGRESS and lets the execution run."""
    key = key_of(stack["StackId"])
    status = "CREATE_IN_PROGRESS"
    stack = {**stack, "StackStatus": status, "StackStatusReason": USER}
    await stacks.store.write(Put(STACK, key, stack), event(stacks, stack, status, USER))
    stacks.executions.start(key, run_create(stacks, stacks.bind(call), stack, plan))


async def begin_update(stacks: Stacks, call: Call, stack: Json, plan: Plan, request: Json) -> None:
    """`request` holds the members of the stack's document that the update sets, beside the request's own."""
    key = key_of(stack["StackId"])
    status = "UPDATE_IN_PROGRESS"
    new = {name: request[name] for name in RESTORED if name in request}
    document = await change_stack(
        stacks,
        key,
        {
            **new,
            "StackStatus": status,
            "StackStatusReason": USER,
            "LastUpdatedTime": stacks.clock.now_s(),
            "previous": {name: stack[name] for name in RESTORED if name in stack},
            "update_disable_rollback": request.get("DisableRollback", False),
            "client_request_token": request.get("ClientRequestToken", ""),
            "endpoint": {"host": call.host, "scheme": call.scheme},
        },
        event(stacks, {**stack, "client_request_token": request.get("ClientRequestToken", "")}, status, USER),
    )
    stacks.executions.start(key, run_update(stacks, stacks.bind(call), document, plan))


def on_failure(request: Json) -> str:
    if request.get("DisableRollback"):
        return "DO_NOTHING"
    return str(request.get("OnFailure") or request.get("OnStackFailure") or "ROLLBACK")


def check_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise validation_error(
            f"1 validation error detected: Value '{name}' at 'stackName' failed to satisfy constraint: Member must "
            "satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*"
        )
    return name


async def _plan(stacks: Stacks, call: Call, request: Json, target: Target, stack: Json | None) -> Plan:
    try:
        return await plan_request(stacks, stacks.bind(call), request, target, stack)
    except TransformFailed as failed:
        raise validation_error(str(failed)) from failed
