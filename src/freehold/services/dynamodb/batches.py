"""BatchGetItem and BatchWriteItem.

One decision to know: a batch of writes is one transaction here, though AWS promises less; so it costs one fsync.
AWS: "BatchGetItem", "BatchWriteItem" in the API reference.
"""

from __future__ import annotations

from collections.abc import Sequence

from freehold.aws.call import Call
from freehold.aws.raw_requests import check_request
from freehold.clock import now_ms
from freehold.services.dynamodb.arguments import check_mixture
from freehold.services.dynamodb.capacity import Used, tell_all
from freehold.services.dynamodb.items import collection_metrics, read_projection
from freehold.services.dynamodb.record import DynamoDB, Json, find_table, invalid
from freehold.services.dynamodb.writes import Done, ItemWrite, read_delete, read_put
from freehold.tables.expressions.programs import Projection
from freehold.tables.items import check_key, read_item, row_key
from freehold.tables.schema import Table
from freehold.tables.storage import Changes, Row

MAX_GETS = 100
MAX_WRITES = 25
MAX_ANSWER_BYTES = 16 * 1024 * 1024


async def batch_get_item(db: DynamoDB, call: Call, request: Json) -> Json:
    check_request("dynamodb", "BatchGetItem", request)
    wanted: list[tuple[str, Table, Projection | None, Json, bytes, bool]] = []
    if sum(len(each["Keys"]) for each in request["RequestItems"].values()) > MAX_GETS:
        raise invalid("Too many items requested for the BatchGetItem call")
    for name, each in request["RequestItems"].items():
        check_mixture(each, ("ProjectionExpression",), ("AttributesToGet",))
        projection = read_projection(each)
        table = find_table(db, call, {"TableName": name})
        seen: set[bytes] = set()
        for key in each["Keys"]:
            encoded = row_key(table, check_key(table.schema, key))
            if encoded in seen:
                raise invalid("Provided list of item keys contains duplicates")
            seen.add(encoded)
            wanted.append((name, table, projection, key, encoded, bool(each.get("ConsistentRead"))))
    rows = await db.storage.read([each[4] for each in wanted])
    responses: dict[str, list[Json]] = {name: [] for name in request["RequestItems"]}
    unprocessed: Json = {}
    used: dict[str, Used] = {}
    size = 0
    for (name, table, projection, key, _, consistent), row in zip(wanted, rows, strict=True):
        size += row.size_bytes if row is not None else 0
        if size > MAX_ANSWER_BYTES:
            left = unprocessed.setdefault(name, {**request["RequestItems"][name], "Keys": []})
            left["Keys"].append(key)
            continue
        used.setdefault(table.name, Used()).add_read(row.size_bytes if row is not None else 0, consistent=consistent)
        item = read_item(row)
        if item is not None:
            responses[name].append(item if projection is None else projection.apply(item))
    answer: Json = {"Responses": responses, "UnprocessedKeys": unprocessed}
    told = tell_all(request, used)
    if told:
        answer["ConsumedCapacity"] = told
    return answer


async def batch_write_item(db: DynamoDB, call: Call, request: Json) -> Json:
    check_request("dynamodb", "BatchWriteItem", request)
    writes = _read_writes(db, call, request["RequestItems"])
    now = now_ms(db.clock)

    def run(rows: Sequence[Row | None]) -> tuple[Changes, list[Done]]:
        done = [write.run(db, row, now) for write, row in zip(writes, rows, strict=True)]
        return together(done), done

    done = await db.storage.write([write.key for write in writes], run)
    answer: Json = {"UnprocessedItems": {}}
    used: dict[str, Used] = {}
    metrics: dict[str, list[Json]] = {}
    for write, each in zip(writes, done, strict=True):
        used.setdefault(each.table.name, Used()).add_write(each.table, each.size_before, each.change)
        told = collection_metrics(request, each.table, write.key_item)
        if told is not None and told not in metrics.setdefault(each.table.name, []):
            metrics[each.table.name].append(told)
    if metrics:
        answer["ItemCollectionMetrics"] = metrics
    costs = tell_all(request, used)
    if costs:
        answer["ConsumedCapacity"] = costs
    return answer


def together(done: Sequence[Done]) -> Changes:
    return Changes(
        [each.change for each in done if each.change is not None],
        [record for each in done for record in each.records],
    )


def _read_writes(db: DynamoDB, call: Call, tables: Json) -> list[ItemWrite]:
    if sum(map(len, tables.values())) > MAX_WRITES:
        raise invalid("Too many items requested for the BatchWriteItem call")
    writes: list[ItemWrite] = []
    for name, requests in tables.items():
        table = find_table(db, call, {"TableName": name})
        for each in requests:
            put, delete = each.get("PutRequest"), each.get("DeleteRequest")
            if put is not None and delete is not None:
                raise invalid(
                    "Supplied AttributeValue has more than one datatypes set, "
                    "must contain exactly one of the supported datatypes"
                )
            if put is not None:
                writes.append(read_put({"Item": put["Item"]})(table))
            elif delete is not None:
                writes.append(read_delete({"Key": delete["Key"]})(table))
            else:
                raise invalid("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes")
    if len({write.key for write in writes}) != len(writes):
        raise invalid("Provided list of item keys contains duplicates")
    return writes
