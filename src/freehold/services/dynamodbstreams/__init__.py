"""Amazon DynamoDB Streams: what changed in a table's items, in order, for a day.

Owns:    shards, iterators and records as the Streams API shows them.
Not:     writing records (tables, in the item's own transaction), turning a stream on (services/dynamodb).
Imports: aws tables
Start:   streams.py
Add:     an operation: a function (record, call, request) and its line in OPERATIONS.
"""

from __future__ import annotations

from freehold.aws.call import Operation
from freehold.services.dynamodbstreams import streams
from freehold.services.dynamodbstreams.streams import DynamoDBStreams

__all__ = ["OPERATIONS", "DynamoDBStreams"]

OPERATIONS: dict[str, Operation] = {
    "DescribeStream": streams.describe_stream,
    "GetRecords": streams.get_records,
    "GetShardIterator": streams.get_shard_iterator,
    "ListStreams": streams.list_streams,
}
