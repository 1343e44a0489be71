"""UpdateTable: billing, throughput, global secondary indexes, the stream, deletion protection, encryption, class.

AWS: "UpdateTable" in the API reference, "Managing Global Secondary Indexes in DynamoDB".
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

from freehold.aws.call import Call
from freehold.aws.errors import AwsError
from freehold.aws.raw_requests import check_request
from freehold.services.dynamodb.backfill import fill
from freehold.services.dynamodb.record import DynamoDB, Json, bad_value, invalid
from freehold.services.dynamodb.schemas import (
    MAX_GLOBAL_INDEXES,
    check_global,
    check_stream,
    check_units,
    refuse_unsupported,
    used_definitions,
)
from freehold.services.dynamodb.tables import (
    check_is_ready,
    describe,
    describe_encryption,
    describe_global,
    describe_throughput,
    named_table,
    start_stream,
    stop_stream,
)
from freehold.tables.schema import Table

_CHANGES = (
    "ProvisionedThroughput",
    "BillingMode",
    "StreamSpecification",
    "GlobalSecondaryIndexUpdates",
    "SSESpecification",
    "TableClass",
    "DeletionProtectionEnabled",
    "OnDemandThroughput",
    "WarmThroughput",
    "ReplicaUpdates",
)


async def update_table(db: DynamoDB, call: Call, request: Json) -> Json:
    check_request("dynamodb", "UpdateTable", request)
    refuse_unsupported(request)
    if all(request.get(name) in (None, []) for name in _CHANGES):
        raise invalid(
            "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates or "
            "SSESpecification or ReplicaUpdates is required"
        )
    async with db.catalog.shaping():
        table = named_table(db, call, request)
        check_is_ready(table)
        document = copy.deepcopy(table.document)
        description = document["Description"]
        _update_billing(db, description, request)
        streams = _update_stream(db, call, document, request)
        created, dropped = _update_indexes(db, document, request)
        if request.get("DeletionProtectionEnabled") is not None:
            description["DeletionProtectionEnabled"] = request["DeletionProtectionEnabled"]
        if request.get("SSESpecification") is not None:
            description.pop("SSEDescription", None)
            encryption = describe_encryption(request["SSESpecification"], call)
            if encryption:
                description["SSEDescription"] = encryption
        if request.get("TableClass"):
            description["TableClassSummary"] = {"TableClass": request["TableClass"]}
        for member in ("OnDemandThroughput", "WarmThroughput"):
            if request.get(member) is not None:
                description[member] = request[member]
        table = await db.catalog.put(call.region, document, dropped=dropped, documents=streams)
    if created:
        db.catalog.in_background(_finish_indexes(db, table, created))
    answer = {**await describe(db, table), "TableStatus": "UPDATING"}
    gone = [
        update["Delete"]["IndexName"]
        for update in request.get("GlobalSecondaryIndexUpdates") or ()
        if update.get("Delete")
    ]
    for index in answer.get("GlobalSecondaryIndexes", ()):
        if index["IndexName"] in gone:
            index["IndexStatus"] = "DELETING"
    return {"TableDescription": answer}


def resume_backfills(db: DynamoDB) -> None:
    """At a start: indexes whose filling a stop has cut off."""
    for table in db.catalog.tables():
        unfinished = [
            index["IndexName"]
            for index in table.document["Description"].get("GlobalSecondaryIndexes", ())
            if index["IndexStatus"] == "CREATING"
        ]
        if unfinished:
            db.catalog.in_background(_finish_indexes(db, table, unfinished))


async def _finish_indexes(db: DynamoDB, table: Table, created: list[str]) -> None:
    await fill(db, table)
    async with db.catalog.shaping():
        current = db.catalog.find(table.region, table.name)
        if current is None or current.space != table.space:
            return
        document = copy.deepcopy(current.document)
        for index in document["Description"].get("GlobalSecondaryIndexes", ()):
            if index["IndexName"] in created:
                index["IndexStatus"] = "ACTIVE"
                index.pop("Backfilling", None)
        await db.catalog.put(table.region, document)


def _update_billing(db: DynamoDB, description: Json, request: Json) -> None:
    throughput = request.get("ProvisionedThroughput")
    before = description.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED")
    mode = request.get("BillingMode") or before
    if throughput is not None and mode == "PAY_PER_REQUEST":
        raise bad_value(
            "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST"
        )
    if request.get("BillingMode") == "PROVISIONED" and throughput is None and before != "PROVISIONED":
        raise bad_value("ProvisionedThroughput must be specified when BillingMode is PROVISIONED")
    check_units(throughput)
    now = db.clock.now_s()
    if mode == "PAY_PER_REQUEST" and before != mode:
        description["BillingModeSummary"] = {"BillingMode": mode, "LastUpdateToPayPerRequestDateTime": now}
        description["ProvisionedThroughput"] = describe_throughput(None)
        for index in description.get("GlobalSecondaryIndexes", ()):
            index["ProvisionedThroughput"] = describe_throughput(None)
    elif mode == "PROVISIONED" and before != mode:
        description["BillingModeSummary"]["BillingMode"] = mode
    if throughput is not None:
        old = description["ProvisionedThroughput"]
        units = ("ReadCapacityUnits", "WriteCapacityUnits")
        if mode == before and all(old[name] == throughput[name] for name in units):
            raise invalid(
                "The provisioned throughput for the table will not change. The requested value equals the current "
                f"value. Current ReadCapacityUnits provisioned for the table: {old['ReadCapacityUnits']}. Requested "
                f"ReadCapacityUnits: {throughput['ReadCapacityUnits']}. Current WriteCapacityUnits provisioned for "
                f"the table: {old['WriteCapacityUnits']}. Requested WriteCapacityUnits: "
                f"{throughput['WriteCapacityUnits']}. Refer to the Amazon DynamoDB Developer Guide for current limits "
                "and how to request higher limits."
            )
        new = description["ProvisionedThroughput"] = {**old, **describe_throughput(throughput)}
        if any(throughput[name] > old[name] for name in units):
            new["LastIncreaseDateTime"] = now
        if any(throughput[name] < old[name] for name in units):
            new["LastDecreaseDateTime"] = now


def _update_stream(db: DynamoDB, call: Call, document: Json, request: Json) -> Json:
    specification = request.get("StreamSpecification")
    if specification is None:
        return {}
    check_stream(specification)
    if specification["StreamEnabled"]:
        if document.get("Stream"):
            raise invalid("Table already has an enabled stream: TableName: " + document["Description"]["TableName"])
        document["Description"]["StreamSpecification"] = specification
        return start_stream(db, call, document)
    if not document.get("Stream"):
        raise invalid("Table does not have a stream to disable: TableName: " + document["Description"]["TableName"])
    ended = stop_stream(db, document)
    document["Stream"] = None
    del document["Description"]["StreamSpecification"]
    return ended


def _update_indexes(db: DynamoDB, document: Json, request: Json) -> tuple[list[str], list[int]]:
    """Names of new indexes; spaces of those that go."""
    updates = request.get("GlobalSecondaryIndexUpdates") or ()
    description = document["Description"]
    created: list[str] = []
    dropped: list[int] = []
    if not updates:
        return created, dropped
    _merge_definitions(description, request.get("AttributeDefinitions") or ())
    seen: set[str] = set()
    if sum(1 for update in updates if update.get("Create") or update.get("Delete")) > 1:
        raise AwsError(
            "LimitExceededException",
            "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table",
        )
    for update in updates:
        given = [kind for kind in ("Update", "Create", "Delete") if update.get(kind)]
        if len(given) > 1:
            raise bad_value("A GlobalSecondaryIndexUpdate can have only one of Update, Create and Delete")
        if not given:
            raise bad_value(
                "One of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create, "
                "GlobalSecondaryIndexUpdate.Delete must not be null"
            )
        name = update[given[0]]["IndexName"]
        if name in seen:
            raise bad_value(
                f"Only one global secondary index update per index is allowed simultaneously. Index: {name}"
            )
        seen.add(name)
        if given[0] == "Create":
            _create_index(db, document, update["Create"], request.get("AttributeDefinitions") or ())
            created.append(name)
        elif given[0] == "Delete":
            dropped.append(_delete_index(document, name))
        else:
            _update_index(description, update["Update"])
    if not description.get("GlobalSecondaryIndexes"):
        description.pop("GlobalSecondaryIndexes", None)
    _drop_unused_definitions(description)
    return created, dropped


def _create_index(db: DynamoDB, document: Json, index: Json, given: Sequence[Json]) -> None:
    description = document["Description"]
    present = description.setdefault("GlobalSecondaryIndexes", [])
    names = {each["IndexName"] for each in (*present, *description.get("LocalSecondaryIndexes", ()))}
    if index["IndexName"] in names:
        raise invalid(f"Attempting to create an index which already exists: {index['IndexName']}")
    mode = description.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED")
    # Those of the request: DynamoDB wants the new index's keys defined there even when it knows them.
    definitions = [each["AttributeName"] for each in given]
    check_global(index, definitions, names, is_on_demand=mode == "PAY_PER_REQUEST")
    if len(present) >= MAX_GLOBAL_INDEXES:
        raise AwsError(
            "LimitExceededException", f"GlobalSecondaryIndex count exceeds the per-table limit of {MAX_GLOBAL_INDEXES}"
        )
    described = describe_global(description["TableArn"], index)
    present.append({**described, "IndexStatus": "CREATING", "Backfilling": True})
    document["IndexSpaces"][index["IndexName"]] = db.catalog.new_space()


def _delete_index(document: Json, name: str) -> int:
    description = document["Description"]
    present = description.get("GlobalSecondaryIndexes", [])
    if not any(each["IndexName"] == name for each in present):
        raise AwsError("ResourceNotFoundException", f"Requested resource not found: Index: {name} not found")
    description["GlobalSecondaryIndexes"] = [each for each in present if each["IndexName"] != name]
    space: int = document["IndexSpaces"].pop(name)
    return space


def _update_index(description: Json, update: Json) -> None:
    for index in description.get("GlobalSecondaryIndexes", ()):
        if index["IndexName"] == update["IndexName"]:
            if update.get("ProvisionedThroughput"):
                check_units(update["ProvisionedThroughput"])
                index["ProvisionedThroughput"] = {
                    **index["ProvisionedThroughput"],
                    **describe_throughput(update["ProvisionedThroughput"]),
                }
            for member in ("OnDemandThroughput", "WarmThroughput"):
                if update.get(member) is not None:
                    index[member] = update[member]
            return
    raise AwsError("ResourceNotFoundException", f"Requested resource not found: Index: {update['IndexName']} not found")


def _merge_definitions(description: Json, definitions: object) -> None:
    assert isinstance(definitions, list | tuple)
    known = {each["AttributeName"]: each["AttributeType"] for each in description["AttributeDefinitions"]}
    for each in definitions:
        if known.get(each["AttributeName"], each["AttributeType"]) != each["AttributeType"]:
            raise bad_value(
                "Attributes cannot be redefined. Please check that your attribute has the same type as previously "
                f"defined. Existing type of {each['AttributeName']}: {known[each['AttributeName']]}, requested type: "
                f"{each['AttributeType']}"
            )
        known[each["AttributeName"]] = each["AttributeType"]
    description["AttributeDefinitions"] = [
        {"AttributeName": name, "AttributeType": kind} for name, kind in known.items()
    ]


def _drop_unused_definitions(description: Json) -> None:
    indexes = (*description.get("GlobalSecondaryIndexes", ()), *description.get("LocalSecondaryIndexes", ()))
    description["AttributeDefinitions"] = used_definitions(
        description["AttributeDefinitions"], description["KeySchema"], indexes
    )
