"""Change sets: a plan stored, shown, and executed when its maker says so.

Sources: "CreateChangeSet", "DescribeChangeSet", "ExecuteChangeSet". A change set is complete when CreateChangeSet
answers, so nobody has to ask twice.
"""

from __future__ import annotations

from dataclasses import replace

from freehold.aws.call import Call, Json
from freehold.aws.errors import AwsError
from freehold.stacks.change_set import changes
from freehold.stacks.cleanup import is_alive
from freehold.stacks.difference import NO_CHANGES, NOTHING, is_same
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
from freehold.stacks.intrinsics import Scope
from freehold.stacks.operations.stacks import USER, begin_create, begin_update, check_name, on_failure
from freehold.stacks.paging import page
from freehold.stacks.plan import CAPABILITY_EXPAND, Plan, Target, exports, finish_plan
from freehold.stacks.record import Stacks
from freehold.stacks.requests import (
    check_updatable,
    new_stack,
    pack_parameters,
    plan_request,
    planned,
    target_of,
    unpack_parameters,
)
from freehold.stacks.template import read_body
from freehold.stacks.transforms import TransformFailed, transforms_of
from freehold.state.store import Delete, Put, Stored

_SHOWN = (
    "Capabilities",
    "ChangeSetId",
    "ChangeSetName",
    "Changes",
    "CreationTime",
    "Description",
    "ExecutionStatus",
    "IncludeNestedStacks",
    "NotificationARNs",
    "OnStackFailure",
    "Parameters",
    "RollbackConfiguration",
    "StackId",
    "StackName",
    "Status",
    "StatusReason",
    "Tags",
)
_SUMMARY = (
    "ChangeSetId",
    "ChangeSetName",
    "CreationTime",
    "Description",
    "ExecutionStatus",
    "StackId",
    "StackName",
    "Status",
    "StatusReason",
)


async def create_change_set(stacks: Stacks, call: Call, request: Json) -> Json:
    kind = request.get("ChangeSetType", "UPDATE")
    if kind == "IMPORT":
        raise validation_error("Freehold does not support change sets of type IMPORT yet.")
    stored = await look_for_stack(stacks, call, request["StackName"])
    stack, is_new = _stack_for(stacks, call, request, stored.document if stored else None, kind)
    await _refuse_second(stacks, stack, request["ChangeSetName"])
    before = None if kind == "CREATE" else stack
    target = target_of(request, stack["StackId"], stack["StackName"], before)
    name = request["ChangeSetName"]
    identity = f"arn:aws:cloudformation:{call.region}:{call.account}:changeSet/{name}/{stacks.ids.uuid()}"
    document: Json = {
        "ChangeSetId": identity,
        "ChangeSetName": name,
        "StackId": stack["StackId"],
        "StackName": stack["StackName"],
        "CreationTime": stacks.clock.now_s(),
        "Capabilities": sorted(target.capabilities),
        "IncludeNestedStacks": request.get("IncludeNestedStacks", False),
        "NotificationARNs": list(target.notification_arns),
        "RollbackConfiguration": request.get("RollbackConfiguration", {}),
        "Tags": [{"Key": key, "Value": value} for key, value in target.tags],
        "kind": kind,
        "on_failure": on_failure(request),
        **{member: request[member] for member in ("Description", "OnStackFailure", "RoleARN") if member in request},
    }
    try:
        plan = await plan_request(stacks, stacks.bind(call), request, _expanding(target), before)
        document.update(await _outcome(stacks, stack, plan, kind, document))
    except TransformFailed as failed:
        document.update(Status="FAILED", StatusReason=str(failed), ExecutionStatus="UNAVAILABLE", Changes=[])
    writes: list[Put] = [Put(CHANGE_SET, _key(document), document)]
    if is_new:
        stack = {**stack, "StackStatus": "REVIEW_IN_PROGRESS", "StackStatusReason": USER}
        writes += [
            Put(STACK, key_of(stack["StackId"]), stack),
            event(stacks, stack, "REVIEW_IN_PROGRESS", USER),
        ]
    await stacks.store.write(*writes)
    return {"Id": identity, "StackId": stack["StackId"]}


async def describe_change_set(stacks: Stacks, call: Call, request: Json) -> Json:
    document = (await _find(stacks, call, request)).document
    shown = {name: document[name] for name in _SHOWN if name in document}
    shown["Changes"], token = page(document.get("Changes", []), request, 100)
    return {**shown, **token}


async def list_change_sets(stacks: Stacks, call: Call, request: Json) -> Json:
    stack = await find_stack(stacks, call, request["StackName"])
    found = await stacks.store.list_documents(CHANGE_SET, f"{stack.key}/")
    items, token = page([stored.document for stored in found], request, 100)
    return {"Summaries": [{name: item[name] for name in _SUMMARY if name in item} for item in items], **token}


async def delete_change_set(stacks: Stacks, call: Call, request: Json) -> Json:
    try:
        stored = await _find(stacks, call, request)
    except AwsError as error:
        if error.code == "ChangeSetNotFound":
            return {}
        raise
    if stored.document["ExecutionStatus"] == "EXECUTE_IN_PROGRESS":
        raise AwsError(
            "InvalidChangeSetStatus",
            f"ChangeSet [{stored.document['ChangeSetId']}] is being executed and cannot be deleted",
            status=400,
        )
    await stacks.store.write(Delete(CHANGE_SET, stored.key))
    return {}


async def execute_change_set(stacks: Stacks, call: Call, request: Json) -> Json:
    """Raises ChangeSetNotFound, InvalidChangeSetStatus."""
    stored = await _find(stacks, call, request)
    document = stored.document
    if document["ExecutionStatus"] != "AVAILABLE":
        raise AwsError(
            "InvalidChangeSetStatus",
            f"ChangeSet [{document['ChangeSetId']}] cannot be executed in its current status of [{document['Status']}]",
            status=400,
        )
    stack = (await find_stack(stacks, call, document["StackId"], deleted=False)).document
    target = Target(
        document["StackId"],
        document["StackName"],
        tuple((tag["Key"], tag["Value"]) for tag in document["Tags"]),
        tuple(document["NotificationARNs"]),
        frozenset(document["Capabilities"]),
    )
    plan = await _read_plan(stacks, call, document, _expanding(target))
    settings = {**request, **planned(plan, document, target)}
    # One execution makes the other change sets of the stack obsolete.
    others = await stacks.store.list_documents(CHANGE_SET, f"{key_of(document['StackId'])}/")
    await stacks.store.write(
        *(Delete(CHANGE_SET, other.key) for other in others if other.key != stored.key),
        Put(CHANGE_SET, stored.key, {**document, "ExecutionStatus": "EXECUTE_COMPLETE"}),
    )
    stack = {**stack, "ChangeSetId": document["ChangeSetId"]}
    if document["kind"] == "CREATE":
        failure = "DO_NOTHING" if request.get("DisableRollback") else document["on_failure"]
        await begin_create(stacks, call, {**stack, **planned(plan, document, target), "on_failure": failure}, plan)
    else:
        check_updatable(stack)
        await change_stack(stacks, key_of(stack["StackId"]), {"ChangeSetId": document["ChangeSetId"]})
        await begin_update(stacks, call, stack, plan, settings)
    return {}


def _expanding(target: Target) -> Target:
    """A change set shows what macros made, so it asks for no acknowledgement of them.

    AWS: CreateChangeSet, "CAPABILITY_AUTO_EXPAND ... doesn't apply to creating change sets".
    """
    return replace(target, capabilities=target.capabilities | {CAPABILITY_EXPAND})


def _stack_for(stacks: Stacks, call: Call, request: Json, stack: Json | None, kind: str) -> tuple[Json, bool]:
    """The stack's document, and whether it is yet to be stored."""
    name = request["StackName"]
    if kind == "CREATE":
        if stack is None:
            return new_stack(stacks, call, check_name(name), request), True
        if stack["StackStatus"] != "REVIEW_IN_PROGRESS":
            raise validation_error(
                f"Stack [{name}] already exists and cannot be created again with the changeSet "
                f"[{request['ChangeSetName']}]."
            )
        return stack, False
    if stack is None or stack["StackStatus"] == "DELETE_COMPLETE":
        raise validation_error(f"Stack [{name}] does not exist")
    check_updatable(stack)
    return stack, False


async def _refuse_second(stacks: Stacks, stack: Json, name: str) -> None:
    for other in await stacks.store.list_documents(CHANGE_SET, f"{key_of(stack['StackId'])}/"):
        if other.document["ChangeSetName"] == name:
            raise AwsError("AlreadyExistsException", f"ChangeSet {name} already exists", status=400)


async def _outcome(stacks: Stacks, stack: Json, plan: Plan, kind: str, document: Json) -> Json:
    resources = await read_resources(stacks, key_of(stack["StackId"])) if kind == "UPDATE" else {}
    current = {name: item for name, item in resources.items() if is_alive(item)}
    found = changes(plan, current)
    outcome: Json = {"Parameters": plan.parameters.shown, "Changes": found}
    if kind == "UPDATE" and is_same(plan, stack, current, found):
        reason = NOTHING if transforms_of(read_body(plan.text)) else NO_CHANGES
        return {**outcome, "Status": "FAILED", "StatusReason": reason, "ExecutionStatus": "UNAVAILABLE"}
    return {
        **outcome,
        "Status": "CREATE_COMPLETE",
        "ExecutionStatus": "AVAILABLE",
        "text": plan.text,
        "processed": plan.processed,
        "parameters": pack_parameters(plan.parameters),
    }


async def _read_plan(stacks: Stacks, call: Call, document: Json, target: Target) -> Plan:
    parameters = unpack_parameters(document["parameters"])
    scope = Scope(
        region=call.region,
        account=call.account,
        stack_name=target.stack_name,
        stack_id=target.stack_id,
        parameters=parameters.values,
        mappings=document["processed"].get("Mappings") or {},
        exports=await exports(stacks, call.region),
        notification_arns=target.notification_arns,
    )
    return finish_plan(stacks, target, document["text"], document["processed"], parameters, scope)


async def _find(stacks: Stacks, call: Call, request: Json) -> Stored:
    name = request["ChangeSetName"]
    if name.startswith("arn:"):
        prefix = f"{call.region}/"
    elif "StackName" not in request:
        raise validation_error("StackName must be specified if ChangeSetName is not specified as an ARN.")
    else:
        prefix = (await find_stack(stacks, call, request["StackName"])).key + "/"
    for stored in await stacks.store.list_documents(CHANGE_SET, prefix):
        if name in (stored.document["ChangeSetId"], stored.document["ChangeSetName"]):
            return stored
    raise AwsError("ChangeSetNotFound", f"ChangeSet [{name}] does not exist", status=404)


def _key(document: Json) -> str:
    return f"{key_of(document['StackId'])}/{document['ChangeSetId'].rpartition('/')[2]}"
