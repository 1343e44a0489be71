"""CreateBackup, DescribeBackup, ListBackups, DeleteBackup; the system's own backup of a table that is deleted.

One decision to know: a backup is a copy of the rows in a space of its own, made from a snapshot while writes go on;
one that a stop cut off never becomes AVAILABLE and is cleared away at the next start.
AWS: "On-demand backup for DynamoDB", "Restoring a deleted table" of "Point-in-time backups for DynamoDB".
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from freehold.aws.arn import parse_arn
from freehold.aws.call import Call
from freehold.aws.errors import AwsError
from freehold.aws.raw_requests import check_request
from freehold.clock import now_ms
from freehold.services.dynamodb.record import DynamoDB, Json, check_table_name, invalid, table_name
from freehold.services.dynamodb.tables import check_is_ready, describe
from freehold.tables.history import bare, copy_items
from freehold.tables.schema import Table

SYSTEM_BACKUP_S = 35 * 86400
_LISTED = 100
_INDEXES = ("LocalSecondaryIndexes", "GlobalSecondaryIndexes")
_INDEX_MEMBERS = ("IndexName", "KeySchema", "Projection", "ProvisionedThroughput", "OnDemandThroughput")


async def create_backup(db: DynamoDB, call: Call, request: Json) -> Json:
    check_request("dynamodb", "CreateBackup", request)
    name = table_name(request["TableName"])
    check_table_name("TableName", name)
    async with db.catalog.shaping():
        table = db.catalog.find(call.region, name)
        if table is None:
            raise AwsError("TableNotFoundException", f"Table not found: {name}")
        check_is_ready(table)
        key, document = await _new_backup(db, table, request["BackupName"], "USER", db.catalog.new_space())
        await db.catalog.store({key: document})
    db.catalog.in_background(_copy(db, table, key, document))
    return {"BackupDetails": document["Details"]}


async def describe_backup(db: DynamoDB, call: Call, request: Json) -> Json:
    check_request("dynamodb", "DescribeBackup", request)
    _, document = await find_backup(db, request["BackupArn"])
    return {"BackupDescription": _describe(document)}


async def delete_backup(db: DynamoDB, call: Call, request: Json) -> Json:
    check_request("dynamodb", "DeleteBackup", request)
    async with db.catalog.shaping():
        key, document = await find_backup(db, request["BackupArn"])
        details = document["Details"]
        if details["BackupStatus"] != "AVAILABLE" or _is_being_restored(db, key):
            raise _in_use(details["BackupArn"])
        await db.catalog.drop(document["Space"], {key: None})
    described = _describe(document)
    described["BackupDetails"] = {**details, "BackupStatus": "DELETED"}
    return {"BackupDescription": described}


async def list_backups(db: DynamoDB, call: Call, request: Json) -> Json:
    check_request("dynamodb", "ListBackups", request)
    wanted, kind = request.get("TableName"), request.get("BackupType") or "ALL"
    low, high = seconds(request.get("TimeRangeLowerBound")), seconds(request.get("TimeRangeUpperBound"))
    if low is not None and high is not None and low >= high:
        raise invalid("Time range lower bound must be less than the upper bound")
    start, limit = request.get("ExclusiveStartBackupArn"), request.get("Limit") or _LISTED
    prefix = f"backup/{call.region}/" + (f"{table_name(wanted)}/" if wanted is not None else "")
    found = [
        _summary(document)
        for document in (await db.storage.documents(prefix)).values()
        if kind in ("ALL", document["Details"]["BackupType"])
        and (low is None or document["Details"]["BackupCreationDateTime"] >= low)
        and (high is None or document["Details"]["BackupCreationDateTime"] < high)
    ]
    if start is not None:
        found = [each for each in found if each["BackupArn"] > start]
    answer: Json = {"BackupSummaries": found[:limit]}
    if len(found) > limit:
        answer["LastEvaluatedBackupArn"] = found[limit - 1]["BackupArn"]
    return answer


async def find_backup(db: DynamoDB, text: str) -> tuple[str, Json]:
    """(its key, its document). Raises BackupNotFoundException."""
    arn = parse_arn(text)
    parts = arn.resource.split("/") if arn is not None else []
    if arn is None or len(parts) != 4 or parts[0] != "table" or parts[2] != "backup":
        raise invalid(f"Invalid BackupArn: {text}")
    key = f"backup/{arn.region}/{parts[1]}/{parts[3]}"
    document = (await db.storage.documents(key)).get(key)
    if document is None:
        raise AwsError("BackupNotFoundException", f"Backup not found: {text}")
    return key, document


async def find_available(db: DynamoDB, text: str) -> tuple[str, Json]:
    """As `find_backup`, for a restore. Raises BackupInUseException while it is being made."""
    key, document = await find_backup(db, text)
    if document["Details"]["BackupStatus"] != "AVAILABLE":
        raise _in_use(text)
    return key, document


async def keep_deleted(db: DynamoDB, table: Table) -> Json:
    """The document, by key, of the backup that a deleted table's rows become: that of one with its past kept."""
    if table.history is None:
        return {}
    key, document = await _new_backup(db, table, f"{table.name}$DeletedTableBackup", "SYSTEM", table.space)
    document["Details"] |= {
        "BackupStatus": "AVAILABLE",
        "BackupExpiryDateTime": db.clock.now_s() + SYSTEM_BACKUP_S,
    }
    return {key: document}


async def clear_unfinished(db: DynamoDB) -> None:
    """At a start: what a stop has cut off is no backup."""
    for key, document in (await db.storage.documents("backup/")).items():
        if document["Details"]["BackupStatus"] != "AVAILABLE":
            await db.catalog.drop(document["Space"], {key: None})


async def expire(db: DynamoDB) -> None:
    """Deletes the system's backups whose time is over."""
    for key, document in (await db.storage.documents("backup/")).items():
        until = document["Details"].get("BackupExpiryDateTime")
        if until is not None and until <= db.clock.now_s() and not _is_being_restored(db, key):
            await db.catalog.drop(document["Space"], {key: None})


async def _copy(db: DynamoDB, table: Table, key: str, document: Json) -> None:
    tally = await copy_items(db.storage, table.space, bare(table, document["Space"]))
    details = {**document["Details"], "BackupStatus": "AVAILABLE", "BackupSizeBytes": tally.size_bytes}
    description = {**document["Description"], "ItemCount": tally.rows, "TableSizeBytes": tally.size_bytes}
    await db.catalog.store({key: {**document, "Details": details, "Description": description}})


async def _new_backup(db: DynamoDB, table: Table, name: str, kind: str, space: int) -> tuple[str, Json]:
    description = await describe(db, table)
    backup_id = f"{now_ms(db.clock):014d}-{db.ids.hex(8)}"
    details: Json = {
        "BackupArn": f"{description['TableArn']}/backup/{backup_id}",
        "BackupName": name,
        "BackupSizeBytes": description["TableSizeBytes"],
        "BackupStatus": "CREATING",
        "BackupType": kind,
        "BackupCreationDateTime": db.clock.now_s(),
    }
    return f"backup/{table.region}/{table.name}/{backup_id}", {
        "Space": space,
        "Details": details,
        "Description": description,
        "ExpiryAttribute": table.expiry.attribute if table.expiry is not None else None,
    }


def _describe(document: Json) -> Json:
    description = document["Description"]
    source: Json = {
        "TableName": description["TableName"],
        "TableId": description["TableId"],
        "TableArn": description["TableArn"],
        "TableSizeBytes": description["TableSizeBytes"],
        "KeySchema": description["KeySchema"],
        "TableCreationDateTime": description["CreationDateTime"],
        "ProvisionedThroughput": {
            name: description["ProvisionedThroughput"][name] for name in ("ReadCapacityUnits", "WriteCapacityUnits")
        },
        "ItemCount": description["ItemCount"],
        "BillingMode": description.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED"),
    }
    if "OnDemandThroughput" in description:
        source["OnDemandThroughput"] = description["OnDemandThroughput"]
    features: Json = {}
    for member in _INDEXES:
        if member in description:
            features[member] = [index_info(index) for index in description[member]]
    if "SSEDescription" in description:
        features["SSEDescription"] = description["SSEDescription"]
    if "StreamSpecification" in description:
        features["StreamDescription"] = description["StreamSpecification"]
    if document["ExpiryAttribute"] is not None:
        features["TimeToLiveDescription"] = {
            "TimeToLiveStatus": "ENABLED",
            "AttributeName": document["ExpiryAttribute"],
        }
    return {
        "BackupDetails": document["Details"],
        "SourceTableDetails": source,
        "SourceTableFeatureDetails": features,
    }


def index_info(index: Json) -> Json:
    """Of a described index, what a backup keeps and a restore makes it anew from."""
    info = {name: index[name] for name in _INDEX_MEMBERS if name in index}
    if "ProvisionedThroughput" in info:
        units = info["ProvisionedThroughput"]
        info["ProvisionedThroughput"] = {name: units[name] for name in ("ReadCapacityUnits", "WriteCapacityUnits")}
    return info


def _summary(document: Json) -> Json:
    description = document["Description"]
    source = {name: description[name] for name in ("TableName", "TableId", "TableArn")}
    return {**source, **document["Details"]}


def _is_being_restored(db: DynamoDB, key: str) -> bool:
    return any((table.document.get("Filling") or {}).get("Backup") == key for table in db.catalog.tables())


def _in_use(arn: str) -> AwsError:
    return AwsError("BackupInUseException", f"Backup is being created, deleted or restored to a table: {arn}")


def seconds(moment: Any) -> float | None:
    """A timestamp of a request: the JSON wire has numbers, a call from inside may bring a datetime."""
    if moment is None:
        return None
    return moment.timestamp() if isinstance(moment, datetime) else float(moment)
