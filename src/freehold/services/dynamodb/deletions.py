"""DeleteTable. AWS: "DeleteTable" in the API reference; a table whose past is kept leaves a backup for 35 days."""

from __future__ import annotations

from freehold.aws.call import Call
from freehold.aws.errors import AwsError
from freehold.aws.raw_requests import check_request
from freehold.services.dynamodb.backups import keep_deleted
from freehold.services.dynamodb.record import DynamoDB, Json, invalid
from freehold.services.dynamodb.restores import is_source
from freehold.services.dynamodb.tables import check_is_ready, describe, named_table, stop_stream


async def delete_table(db: DynamoDB, call: Call, request: Json) -> Json:
    check_request("dynamodb", "DeleteTable", request)
    async with db.catalog.shaping():
        table = named_table(db, call, request, words="Requested resource not found: Table: {} not found")
        description = await describe(db, table)
        if description.get("DeletionProtectionEnabled"):
            raise invalid(
                "Resource cannot be deleted as it is currently protected against deletion. Disable deletion "
                "protection first."
            )
        check_is_ready(table)
        if is_source(db, table):
            raise AwsError("ResourceInUseException", f"The table is being restored to another one: {table.name}")
        backup = await keep_deleted(db, table)
        await db.catalog.delete(table, {**stop_stream(db, table.document), **backup}, keeps_rows=bool(backup))
    kept = (
        "TableName",
        "TableStatus",
        "ProvisionedThroughput",
        "TableSizeBytes",
        "ItemCount",
        "TableArn",
        "TableId",
        "BillingModeSummary",
        "DeletionProtectionEnabled",
        "StreamSpecification",
        "LatestStreamArn",
        "LatestStreamLabel",
        "TableClassSummary",
    )
    return {
        "TableDescription": {
            **{name: description[name] for name in kept if name in description},
            "TableStatus": "DELETING",
        }
    }
