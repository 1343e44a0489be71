"""What is set on a table or told of the account: time to live, continuous backups, limits, endpoints.

AWS: "Using time to live (TTL) in DynamoDB"; UpdateContinuousBackups, DescribeLimits, DescribeEndpoints.
"""

from __future__ import annotations

from freehold.aws.call import Call
from freehold.aws.errors import AwsError
from freehold.aws.raw_requests import check_request
from freehold.services.dynamodb.backfill import fill
from freehold.services.dynamodb.record import DynamoDB, Json, invalid, table_name
from freehold.services.dynamodb.tables import check_is_ready, named_table
from freehold.tables.schema import Table

MAX_RECOVERY_DAYS = 35


async def update_time_to_live(db: DynamoDB, call: Call, request: Json) -> Json:
    check_request("dynamodb", "UpdateTimeToLive", request)
    specification = request["TimeToLiveSpecification"]
    attribute, is_on = specification["AttributeName"], specification["Enabled"]
    async with db.catalog.shaping():
        table = named_table(db, call, request)
        check_is_ready(table)
        now = table.expiry
        if is_on and now is not None:
            if now.attribute == attribute:
                raise invalid("TimeToLive is already enabled")
            raise invalid(
                f"TimeToLive is active on a different AttributeName: current AttributeName is {now.attribute}"
            )
        if not is_on and now is None:
            raise invalid("TimeToLive is already disabled")
        if not is_on and now is not None and now.attribute != attribute:
            raise invalid(
                f"TimeToLive is active on a different AttributeName: current AttributeName is {now.attribute}"
            )
        ttl = {"AttributeName": attribute, "Space": db.catalog.new_space()} if is_on else None
        dropped = [now.space] if now is not None else []
        table = await db.catalog.put(call.region, {**table.document, "TimeToLive": ttl}, dropped=dropped)
    if is_on:
        await fill(db, table)
    return {"TimeToLiveSpecification": {"Enabled": is_on, "AttributeName": attribute}}


async def describe_time_to_live(db: DynamoDB, call: Call, request: Json) -> Json:
    check_request("dynamodb", "DescribeTimeToLive", request)
    expiry = named_table(db, call, request).expiry
    if expiry is None:
        return {"TimeToLiveDescription": {"TimeToLiveStatus": "DISABLED"}}
    return {"TimeToLiveDescription": {"TimeToLiveStatus": "ENABLED", "AttributeName": expiry.attribute}}


async def describe_continuous_backups(db: DynamoDB, call: Call, request: Json) -> Json:
    check_request("dynamodb", "DescribeContinuousBackups", request)
    return _continuous_backups(_backed_up(db, call, request), db)


async def update_continuous_backups(db: DynamoDB, call: Call, request: Json) -> Json:
    check_request("dynamodb", "UpdateContinuousBackups", request)
    wanted = request["PointInTimeRecoverySpecification"]
    is_on, days = wanted["PointInTimeRecoveryEnabled"], wanted.get("RecoveryPeriodInDays")
    if days is not None and not is_on:
        raise invalid("RecoveryPeriodInDays cannot be specified when PointInTimeRecoveryEnabled is false")
    async with db.catalog.shaping():
        table = _backed_up(db, call, request)
        before = table.document.get("PointInTimeRecovery")
        if not is_on:
            dropped = [table.history] if table.history is not None else []
            table = await db.catalog.put(call.region, {**table.document, "PointInTimeRecovery": None}, dropped=dropped)
        elif before and table.history is not None:
            setting = {**before, "Days": days or before["Days"]}
            table = await db.catalog.put(call.region, {**table.document, "PointInTimeRecovery": setting})
        else:
            table = await _begin_history(db, call, table, days or MAX_RECOVERY_DAYS)
    return _continuous_backups(table, db)


async def _begin_history(db: DynamoDB, call: Call, table: Table, days: int) -> Table:
    setting = {"History": db.catalog.new_space(), "Days": days, "SinceS": db.clock.now_s()}
    table = await db.catalog.put(call.region, {**table.document, "PointInTimeRecovery": setting})
    # Only now does every write keep what was before it: from here on the past can be told.
    setting = {**setting, "SinceS": db.clock.now_s()}
    return await db.catalog.put(call.region, {**table.document, "PointInTimeRecovery": setting})


async def describe_limits(db: DynamoDB, call: Call, request: Json) -> Json:
    return {
        "AccountMaxReadCapacityUnits": 80_000,
        "AccountMaxWriteCapacityUnits": 80_000,
        "TableMaxReadCapacityUnits": 40_000,
        "TableMaxWriteCapacityUnits": 40_000,
    }


async def describe_endpoints(db: DynamoDB, call: Call, request: Json) -> Json:
    host = call.host or f"dynamodb.{call.region}.amazonaws.com"
    return {"Endpoints": [{"Address": host, "CachePeriodInMinutes": 1440}]}


def earliest_restorable_s(table: Table, db: DynamoDB) -> float:
    """Of a table with point-in-time recovery."""
    setting = table.document["PointInTimeRecovery"]
    return max(float(setting["SinceS"]), db.clock.now_s() - int(setting["Days"]) * 86400)


def _backed_up(db: DynamoDB, call: Call, request: Json) -> Table:
    name = table_name(request["TableName"])
    table = db.catalog.find(call.region, name)
    if table is None:
        raise AwsError("TableNotFoundException", f"Table not found: {name}")
    if not table.is_ready:
        raise AwsError("ContinuousBackupsUnavailableException", f"The table is being created: {name}")
    return table


def _continuous_backups(table: Table, db: DynamoDB) -> Json:
    setting = table.document.get("PointInTimeRecovery")
    recovery: Json = {"PointInTimeRecoveryStatus": "DISABLED"}
    if setting:
        recovery = {
            "PointInTimeRecoveryStatus": "ENABLED",
            "RecoveryPeriodInDays": setting["Days"],
            "EarliestRestorableDateTime": earliest_restorable_s(table, db),
            "LatestRestorableDateTime": db.clock.now_s(),  # AWS's is some minutes behind; here there is no delay.
        }
    return {
        "ContinuousBackupsDescription": {
            "ContinuousBackupsStatus": "ENABLED",
            "PointInTimeRecoveryDescription": recovery,
        }
    }
