"""RestoreTableFromBackup, RestoreTableToPointInTime: a new table, filled while nobody may see its items.

One decision to know: where the items come from stands in the new table's document until they are all there, so a
restore that a stop cut off begins anew at the next start, in spaces of its own.
AWS: "Restoring a DynamoDB table from a backup", "Restoring a DynamoDB table to a point in time".
"""

from __future__ import annotations

import copy

from freehold.aws.arn import parse_arn
from freehold.aws.call import Call
from freehold.aws.errors import AwsError
from freehold.aws.raw_requests import check_request
from freehold.services.dynamodb.backups import find_available, index_info, seconds
from freehold.services.dynamodb.record import DynamoDB, Json, bad_value, check_table_name, invalid, table_name
from freehold.services.dynamodb.schemas import check_new_table, used_definitions
from freehold.services.dynamodb.settings import earliest_restorable_s
from freehold.services.dynamodb.tables import new_table
from freehold.tables.history import Past, copy_items
from freehold.tables.schema import Table

_INDEXES = {
    "LocalSecondaryIndexes": "LocalSecondaryIndexOverride",
    "GlobalSecondaryIndexes": "GlobalSecondaryIndexOverride",
}


async def restore_table_from_backup(db: DynamoDB, call: Call, request: Json) -> Json:
    check_request("dynamodb", "RestoreTableFromBackup", request)
    async with db.catalog.shaping():
        key, backup = await find_available(db, request["BackupArn"])
        summary = {
            "SourceBackupArn": request["BackupArn"],
            "SourceTableArn": backup["Description"]["TableArn"],
            "RestoreDateTime": backup["Details"]["BackupCreationDateTime"],
            "RestoreInProgress": True,
        }
        filling = {"Backup": key, "Space": backup["Space"]}
        table = await _create(db, call, request, backup["Description"], summary, filling)
    db.catalog.in_background(fill(db, table))
    return {"TableDescription": table.document["Description"]}


async def restore_table_to_point_in_time(db: DynamoDB, call: Call, request: Json) -> Json:
    check_request("dynamodb", "RestoreTableToPointInTime", request)
    async with db.catalog.shaping():
        source = _source(db, call, request)
        if source.history is None:
            raise AwsError(
                "PointInTimeRecoveryUnavailableException",
                f"Point in time recovery is not enabled for table '{source.name}'",
            )
        moment_s = _moment_s(db, source, request)
        summary = {
            "SourceTableArn": source.document["Description"]["TableArn"],
            "RestoreDateTime": moment_s,
            "RestoreInProgress": True,
        }
        filling = {"Space": source.space, "History": source.history, "AtMs": int(moment_s * 1000)}
        table = await _create(db, call, request, source.document["Description"], summary, filling)
    db.catalog.in_background(fill(db, table))
    return {"TableDescription": table.document["Description"]}


def is_source(db: DynamoDB, table: Table) -> bool:
    """A restore still reads it."""
    fillings = [each.document.get("Filling") or {} for each in db.catalog.tables()]
    return any(filling.get("Space") == table.space for filling in fillings)


async def fill(db: DynamoDB, table: Table) -> None:
    """Until the table is ACTIVE."""
    filling = table.document["Filling"]
    past = Past(filling["History"], filling["AtMs"]) if "History" in filling else None
    await copy_items(db.storage, filling["Space"], table, past)
    async with db.catalog.shaping():
        await db.catalog.put(table.region, filled(table))


def filled(table: Table) -> Json:
    """The document of a table that has got all its items."""
    document = copy.deepcopy(table.document)
    del document["Filling"]
    description = document["Description"]
    description["TableStatus"] = "ACTIVE"
    for index in description.get("GlobalSecondaryIndexes", ()):
        index["IndexStatus"] = "ACTIVE"
    if "RestoreSummary" in description:
        description["RestoreSummary"]["RestoreInProgress"] = False
    return document


async def empty_again(db: DynamoDB, table: Table) -> Table:
    """The same table with spaces that hold nothing: what a cut-off filling has left would be in its way."""
    document = copy.deepcopy(table.document)
    document["Space"] = db.catalog.new_space()
    document["IndexSpaces"] = {name: db.catalog.new_space() for name in document["IndexSpaces"]}
    gone = [table.space, *table.document["IndexSpaces"].values()]
    return await db.catalog.put(table.region, document, dropped=gone)


async def resume_restores(db: DynamoDB) -> None:
    """At a start."""
    for table in db.catalog.tables():
        if "Space" in (table.document.get("Filling") or {}):
            db.catalog.in_background(fill(db, await empty_again(db, table)))


def being_filled(document: Json, filling: Json) -> Json:
    """A new table's document while its items are on their way."""
    description = document["Description"]
    description["TableStatus"] = "CREATING"
    for index in description.get("GlobalSecondaryIndexes", ()):
        index["IndexStatus"] = "CREATING"
    return {**document, "Filling": filling}


async def _create(db: DynamoDB, call: Call, request: Json, description: Json, summary: Json, filling: Json) -> Table:
    name = table_name(request["TargetTableName"])
    check_table_name("TargetTableName", name)
    if db.catalog.find(call.region, name) is not None:
        raise AwsError("TableAlreadyExistsException", f"Table already exists: {name}")
    wanted = _table_request(request, description)
    check_new_table(wanted)
    document = new_table(db, call, name, wanted)
    document["Description"]["RestoreSummary"] = summary
    if "SSESpecificationOverride" not in request and "SSEDescription" in description:
        document["Description"]["SSEDescription"] = description["SSEDescription"]
    return await db.catalog.put(call.region, being_filled(document, filling))


def _table_request(request: Json, description: Json) -> Json:
    """What CreateTable would be asked: the source's table with the request's overrides. Tags, streams, time to live,
    deletion protection and point-in-time recovery are not restored, as on AWS."""
    if request.get("VectorIndexOverride"):
        raise invalid("Freehold does not support vector indexes yet.")
    before = description.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED")
    mode = request.get("BillingModeOverride") or before
    wanted: Json = {"KeySchema": description["KeySchema"], "BillingMode": mode}
    if mode == "PROVISIONED":
        units = description["ProvisionedThroughput"]
        kept = {name: units[name] for name in ("ReadCapacityUnits", "WriteCapacityUnits")}
        wanted["ProvisionedThroughput"] = request.get("ProvisionedThroughputOverride") or kept
    elif request.get("ProvisionedThroughputOverride"):
        raise bad_value("ProvisionedThroughputOverride cannot be specified when the table is PAY_PER_REQUEST")
    limits = request.get("OnDemandThroughputOverride") or description.get("OnDemandThroughput")
    if limits and mode == "PAY_PER_REQUEST":
        wanted["OnDemandThroughput"] = limits
    if "TableClassSummary" in description:
        wanted["TableClass"] = description["TableClassSummary"]["TableClass"]
    if request.get("SSESpecificationOverride"):
        wanted["SSESpecification"] = request["SSESpecificationOverride"]
    for member, override in _INDEXES.items():
        indexes = _restored(description.get(member, []), request.get(override), mode)
        if indexes:
            wanted[member] = indexes
    indexes = [*wanted.get("LocalSecondaryIndexes", ()), *wanted.get("GlobalSecondaryIndexes", ())]
    wanted["AttributeDefinitions"] = used_definitions(
        description["AttributeDefinitions"], description["KeySchema"], indexes
    )
    return wanted


def _restored(indexes: list[Json], override: list[Json] | None, mode: str) -> list[Json]:
    """Those of the source, or of them the ones that the request still wants."""
    present = {index["IndexName"]: index_info(index) for index in indexes}
    chosen = list(present.values()) if override is None else override
    for index in chosen:
        known = present.get(index["IndexName"])
        if known is None or known["KeySchema"] != index["KeySchema"] or known["Projection"] != index["Projection"]:
            raise bad_value(f"Index {index['IndexName']} is not one of the source table's")
    if mode == "PAY_PER_REQUEST":
        return [{name: part for name, part in index.items() if name != "ProvisionedThroughput"} for index in chosen]
    return chosen


def _source(db: DynamoDB, call: Call, request: Json) -> Table:
    given = [name for name in ("SourceTableArn", "SourceTableName") if request.get(name)]
    if len(given) != 1:
        raise invalid("One and only one of SourceTableArn and SourceTableName must be specified")
    text = request[given[0]]
    arn = parse_arn(text) if text.startswith("arn:") else None
    name = table_name(text)
    table = db.catalog.find(arn.region if arn is not None else call.region, name)
    if table is None or not table.is_ready:
        raise AwsError("TableNotFoundException", f"Table not found: {name}")
    return table


def _moment_s(db: DynamoDB, table: Table, request: Json) -> float:
    latest = db.clock.now_s()
    wanted = seconds(request.get("RestoreDateTime"))
    if request.get("UseLatestRestorableTime"):
        if wanted is not None:
            raise invalid("RestoreDateTime cannot be specified when UseLatestRestorableTime is true")
        return latest
    if wanted is None:
        raise invalid("Either RestoreDateTime or UseLatestRestorableTime must be specified")
    if not int(earliest_restorable_s(table, db)) <= wanted <= latest:
        raise AwsError(
            "InvalidRestoreTimeException",
            "An invalid restore time was specified. RestoreDateTime must be between EarliestRestorableDateTime and "
            "LatestRestorableDateTime.",
        )
    return wanted
