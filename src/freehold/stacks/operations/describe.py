"""Looking at stacks, their resources and their events.

Sources: "DescribeStacks", "DescribeStackEvents", "DescribeStackResources", "ListStackResources".
"""

from __future__ import annotations

import orjson

from freehold.aws.call import Call, Json
from freehold.stacks.documents import EVENT, RESOURCE, STACK, find_stack, look_for_stack, read_resources
from freehold.stacks.errors import validation_error
from freehold.stacks.paging import page
from freehold.stacks.record import Stacks
from freehold.state.store import Stored

# Who describes one stack while something runs mostly waits for its end, and the waiters of AWS's tools ask again only
# after 5 to 30 s: a short pause before the answer saves them that round.
_PATIENCE_S = 1.0

_STACK = (
    "Capabilities",
    "ChangeSetId",
    "CreationTime",
    "DeletionTime",
    "Description",
    "DisableRollback",
    "DriftInformation",
    "EnableTerminationProtection",
    "LastUpdatedTime",
    "NotificationARNs",
    "Outputs",
    "Parameters",
    "ParentId",
    "RoleARN",
    "RollbackConfiguration",
    "RootId",
    "StackId",
    "StackName",
    "StackStatus",
    "StackStatusReason",
    "Tags",
    "TimeoutInMinutes",
)
_SUMMARY = (
    "CreationTime",
    "DeletionTime",
    "DriftInformation",
    "LastUpdatedTime",
    "ParentId",
    "RootId",
    "StackId",
    "StackName",
    "StackStatus",
    "StackStatusReason",
)


async def describe_stacks(stacks: Stacks, call: Call, request: Json) -> Json:
    if "StackName" in request:
        stored = await find_stack(stacks, call, request["StackName"])
        if stored.document["StackStatus"].endswith("_IN_PROGRESS"):
            await stacks.executions.settled(stored.key, _PATIENCE_S)
            stored = await stacks.store.read(STACK, stored.key) or stored
        return {"Stacks": [_shown(stored.document)]}
    found = [stored.document for stored in await stacks.store.list_documents(STACK, f"{call.region}/")]
    living = sorted(
        (document for document in found if document["StackStatus"] != "DELETE_COMPLETE"),
        key=lambda document: -float(document["CreationTime"]),
    )
    items, token = page(living, request, 100)
    return {"Stacks": [_shown(document) for document in items], **token}


async def list_stacks(stacks: Stacks, call: Call, request: Json) -> Json:
    wanted = request.get("StackStatusFilter")
    found = [stored.document for stored in await stacks.store.list_documents(STACK, f"{call.region}/")]
    found = [document for document in found if not wanted or document["StackStatus"] in wanted]
    found.sort(key=lambda document: -float(document["CreationTime"]))
    items, token = page(found, request, 100)
    summaries = []
    for document in items:
        summary = {name: document[name] for name in _SUMMARY if name in document}
        if "Description" in document:
            summary["TemplateDescription"] = document["Description"]
        summaries.append(summary)
    return {"StackSummaries": summaries, **token}


async def describe_stack_events(stacks: Stacks, call: Call, request: Json) -> Json:
    if "StackName" not in request:
        raise validation_error("StackName must be specified.")
    stack = await find_stack(stacks, call, request["StackName"])
    found = await stacks.store.list_documents(EVENT, f"{stack.key}/")
    items, token = page([stored.document for stored in reversed(found)], request, 100)
    return {"StackEvents": items, **token}


async def describe_stack_resource(stacks: Stacks, call: Call, request: Json) -> Json:
    stack = await find_stack(stacks, call, request["StackName"])
    name = request["LogicalResourceId"]
    document = (await read_resources(stacks, stack.key)).get(name)
    if document is None:
        raise validation_error(f"Resource {name} does not exist for stack {request['StackName']}")
    detail = {**_resource(document), **_of_stack(stack.document)}
    detail["LastUpdatedTimestamp"] = document["LastUpdatedTimestamp"]
    if document.get("metadata") is not None:
        detail["Metadata"] = orjson.dumps(document["metadata"]).decode()
    return {"StackResourceDetail": detail}


async def describe_stack_resources(stacks: Stacks, call: Call, request: Json) -> Json:
    if "StackName" in request:
        stack = await find_stack(stacks, call, request["StackName"])
        documents = await read_resources(stacks, stack.key)
    else:
        found = await _stack_of(stacks, call, request.get("PhysicalResourceId", ""))
        if found is None:
            raise validation_error(f"Stack for {request.get('PhysicalResourceId')} does not exist")
        stack = found
        documents = await read_resources(stacks, stack.key)
    wanted = request.get("LogicalResourceId")
    return {
        "StackResources": [
            {**_resource(document), **_of_stack(stack.document), "Timestamp": document["LastUpdatedTimestamp"]}
            for name, document in sorted(documents.items())
            if wanted in (None, name)
        ]
    }


async def list_stack_resources(stacks: Stacks, call: Call, request: Json) -> Json:
    stack = await find_stack(stacks, call, request["StackName"])
    documents = [document for _, document in sorted((await read_resources(stacks, stack.key)).items())]
    items, token = page(documents, request, 100)
    summaries = [{**_resource(item), "LastUpdatedTimestamp": item["LastUpdatedTimestamp"]} for item in items]
    return {"StackResourceSummaries": summaries, **token}


def _shown(document: Json) -> Json:
    return {name: document[name] for name in _STACK if name in document}


def _of_stack(document: Json) -> Json:
    return {"StackId": document["StackId"], "StackName": document["StackName"]}


def _resource(document: Json) -> Json:
    shown = {
        "LogicalResourceId": document["LogicalResourceId"],
        "ResourceType": document["ResourceType"],
        "ResourceStatus": document["ResourceStatus"],
        "DriftInformation": {"StackResourceDriftStatus": "NOT_CHECKED"},
    }
    if document.get("PhysicalResourceId"):
        shown["PhysicalResourceId"] = document["PhysicalResourceId"]
    if document.get("ResourceStatusReason"):
        shown["ResourceStatusReason"] = document["ResourceStatusReason"]
    return shown


async def _stack_of(stacks: Stacks, call: Call, physical_id: str) -> Stored | None:
    for stored in await stacks.store.list_documents(RESOURCE, f"{call.region}/"):
        if stored.document.get("PhysicalResourceId") == physical_id:
            key = stored.key.rpartition("/")[0]
            return await stacks.store.read(STACK, key)
    return await look_for_stack(stacks, call, physical_id) if physical_id else None
