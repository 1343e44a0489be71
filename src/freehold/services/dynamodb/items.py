"""GetItem, PutItem, UpdateItem, DeleteItem."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from freehold.aws.call import Call
from freehold.aws.errors import AwsError
from freehold.aws.raw_requests import check_request
from freehold.clock import now_ms
from freehold.services.dynamodb.arguments import NAMES, check_mixture, check_used, read_names
from freehold.services.dynamodb.capacity import Used, tell
from freehold.services.dynamodb.legacy import read_attributes_to_get
from freehold.services.dynamodb.record import DETECTED, DynamoDB, Json, find_table, invalid
from freehold.services.dynamodb.writes import Bind, Done, ItemWrite, read_delete, read_put, read_update
from freehold.tables.expressions.programs import Projection, parse_projection
from freehold.tables.items import check_key, read_item, row_key
from freehold.tables.schema import Table
from freehold.tables.storage import Changes, Row
from freehold.tables.values import Item


async def get_item(db: DynamoDB, call: Call, request: Json) -> Json:
    check_request("dynamodb", "GetItem", request)
    projection = read_projection(request)
    table = find_table(db, call, request)
    key = check_key(table.schema, request["Key"])
    (row,) = await db.storage.read((row_key(table, key),))
    answer: Json = {}
    item = read_item(row)
    if item is not None:
        answer["Item"] = item if projection is None else projection.apply(item)
    if "ReturnConsumedCapacity" in request:
        used = Used()
        used.add_read(row.size_bytes if row is not None else 0, consistent=bool(request.get("ConsistentRead")))
        told = tell(request, table.name, used)
        if told is not None:
            answer["ConsumedCapacity"] = told
    return answer


async def put_item(db: DynamoDB, call: Call, request: Json) -> Json:
    check_request("dynamodb", "PutItem", request)
    wanted = _return_values(request, ("NONE", "ALL_OLD"))
    write = _read(read_put, request)(find_table(db, call, request))
    done = await _decide(db, write)
    answer: Json = {}
    if wanted == "ALL_OLD" and done.before is not None:
        answer["Attributes"] = done.before
    return _with_costs(answer, request, write, done)


async def delete_item(db: DynamoDB, call: Call, request: Json) -> Json:
    check_request("dynamodb", "DeleteItem", request)
    wanted = _return_values(request, ("NONE", "ALL_OLD"))
    write = _read(read_delete, request)(find_table(db, call, request))
    done = await _decide(db, write)
    answer: Json = {}
    if wanted == "ALL_OLD" and done.before is not None:
        answer["Attributes"] = done.before
    return _with_costs(answer, request, write, done)


async def update_item(db: DynamoDB, call: Call, request: Json) -> Json:
    check_request("dynamodb", "UpdateItem", request)
    wanted = _return_values(request, ("NONE", "ALL_OLD", "UPDATED_OLD", "ALL_NEW", "UPDATED_NEW"))
    write = _read(read_update, request)(find_table(db, call, request))
    done = await _decide(db, write)
    answer: Json = {}
    attributes = _updated_attributes(wanted, write, done)
    if attributes:
        answer["Attributes"] = attributes
    return _with_costs(answer, request, write, done)


def read_projection(request: Json) -> Projection | None:
    """ProjectionExpression or AttributesToGet of a request that has no other expression."""
    if (
        request.get("ProjectionExpression") is None
        and request.get("AttributesToGet") is None
        and request.get("ExpressionAttributeNames") is None
    ):
        return None
    check_mixture(request, ("ProjectionExpression",), ("AttributesToGet",))
    names = read_names(request)
    text = request.get("ProjectionExpression")
    if text is None:
        return read_attributes_to_get(request)
    projection = parse_projection(text, names)
    if names is not NAMES:
        check_used((projection,), names, {})
    return projection


def collection_metrics(request: Json, table: Table, key: Item) -> Json | None:
    """ItemCollectionMetrics, of tables that have collections: those with a local secondary index."""
    if request.get("ReturnItemCollectionMetrics") != "SIZE":
        return None
    if not any(index.is_local for index in table.indexes.values()):
        return None
    name = table.schema.hash_name
    # AWS estimates too, in whole gigabytes; a collection here is never near its limit of ten.
    return {"ItemCollectionKey": {name: key[name]}, "SizeEstimateRangeGB": [0.0, 1.0]}


def _read(reader: Callable[[Json], Bind], request: Json) -> Bind:
    try:
        return reader(request)
    except AwsError as error:
        if error.code != "ValidationException":
            raise
        raise invalid(DETECTED + error.message) from None


async def _decide(db: DynamoDB, write: ItemWrite) -> Done:
    now = now_ms(db.clock)

    def run(rows: Sequence[Row | None]) -> tuple[Changes, Done]:
        done = write.run(db, rows[0], now)
        if done.change is None:
            return Changes(), done
        return Changes((done.change,), done.records), done

    return await db.storage.write((write.key,), run)


def _return_values(request: Json, allowed: tuple[str, ...]) -> str:
    wanted: str = request.get("ReturnValues") or "NONE"
    if wanted not in allowed:
        raise invalid("Return values set to invalid value")
    return wanted


def _updated_attributes(wanted: str, write: ItemWrite, done: Done) -> Mapping[str, object] | None:
    if wanted == "NONE":
        return None
    item = done.before if wanted.endswith("_OLD") else done.after
    if item is None or wanted.startswith("ALL"):
        return item
    if write.update is not None:
        return write.update.touched(item)
    return {name: value for name, value in item.items() if name in write.updated_names}


def _with_costs(answer: Json, request: Json, write: ItemWrite, done: Done) -> Json:
    if "ReturnConsumedCapacity" in request:
        used = Used()
        used.add_write(done.table, done.size_before, done.change)
        told = tell(request, done.table.name, used)
        if told is not None:
            answer["ConsumedCapacity"] = told
    if "ReturnItemCollectionMetrics" in request:
        metrics = collection_metrics(request, done.table, write.key_item)
        if metrics is not None:
            answer["ItemCollectionMetrics"] = metrics
    return answer
