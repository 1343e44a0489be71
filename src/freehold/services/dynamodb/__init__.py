"""Amazon DynamoDB: tables and items. This table is the API: to find an operation, look here.

Owns:    requests and answers of the DynamoDB API; which parameters go together, in DynamoDB's words.
Not:     what expressions mean, how items are stored (tables); the Streams API (services/dynamodbstreams).
Imports: aws engine state tables
Start:   items.py, then writes.py and queries.py
Add:     an operation: a function (record, call, request) and its line in OPERATIONS.
"""

from __future__ import annotations

from freehold.aws.call import Operation
from freehold.services.dynamodb import (
    backups,
    batches,
    deletions,
    exports,
    imports,
    items,
    partiql,
    queries,
    restores,
    settings,
    tables,
    tagging,
    transactions,
    update_table,
)
from freehold.services.dynamodb.record import DynamoDB

__all__ = ["OPERATIONS", "DynamoDB"]

OPERATIONS: dict[str, Operation] = {
    "BatchExecuteStatement": partiql.batch_execute_statement,
    "BatchGetItem": batches.batch_get_item,
    "BatchWriteItem": batches.batch_write_item,
    "CreateBackup": backups.create_backup,
    "CreateTable": tables.create_table,
    "DeleteBackup": backups.delete_backup,
    "DeleteItem": items.delete_item,
    "DeleteTable": deletions.delete_table,
    "DescribeBackup": backups.describe_backup,
    "DescribeContinuousBackups": settings.describe_continuous_backups,
    "DescribeEndpoints": settings.describe_endpoints,
    "DescribeExport": exports.describe_export,
    "DescribeImport": imports.describe_import,
    "DescribeLimits": settings.describe_limits,
    "DescribeTable": tables.describe_table,
    "DescribeTimeToLive": settings.describe_time_to_live,
    "ExecuteStatement": partiql.execute_statement,
    "ExecuteTransaction": partiql.execute_transaction,
    "ExportTableToPointInTime": exports.export_table_to_point_in_time,
    "GetItem": items.get_item,
    "ImportTable": imports.import_table,
    "ListBackups": backups.list_backups,
    "ListExports": exports.list_exports,
    "ListImports": imports.list_imports,
    "ListTables": tables.list_tables,
    "ListTagsOfResource": tagging.list_tags_of_resource,
    "PutItem": items.put_item,
    "Query": queries.query,
    "RestoreTableFromBackup": restores.restore_table_from_backup,
    "RestoreTableToPointInTime": restores.restore_table_to_point_in_time,
    "Scan": queries.scan,
    "TagResource": tagging.tag_resource,
    "TransactGetItems": transactions.transact_get_items,
    "TransactWriteItems": transactions.transact_write_items,
    "UntagResource": tagging.untag_resource,
    "UpdateContinuousBackups": settings.update_continuous_backups,
    "UpdateItem": items.update_item,
    "UpdateTable": update_table.update_table,
    "UpdateTimeToLive": settings.update_time_to_live,
}
