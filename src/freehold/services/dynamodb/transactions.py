"""TransactGetItems and TransactWriteItems.

AWS: "Managing complex workflows with DynamoDB transactions", "TransactWriteItems" in the API reference.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from freehold.aws.call import Call
from freehold.aws.errors import AwsError
from freehold.aws.raw_requests import check_request
from freehold.clock import now_ms
from freehold.services.dynamodb.batches import together
from freehold.services.dynamodb.capacity import Used, tell_all
from freehold.services.dynamodb.items import collection_metrics, read_projection
from freehold.services.dynamodb.record import DynamoDB, Json, find_table, invalid
from freehold.services.dynamodb.writes import Bind, Done, ItemWrite, read_check, read_delete, read_put, read_update
from freehold.tables.items import UnfitKey, check_key, read_item, row_key
from freehold.tables.storage import Changes, Row

MAX_BYTES = 4 * 1024 * 1024

_READERS: dict[str, Callable[[Json], Bind]] = {
    "ConditionCheck": read_check,
    "Put": read_put,
    "Delete": read_delete,
    "Update": read_update,
}
_REASONS = {
    "ConditionalCheckFailedException": "ConditionalCheckFailed",
    "ValidationException": "ValidationError",
}


async def transact_get_items(db: DynamoDB, call: Call, request: Json) -> Json:
    check_request("dynamodb", "TransactGetItems", request)
    gets = [each["Get"] for each in request["TransactItems"]]
    tables, keys, projections = [], [], []
    for get in gets:
        projections.append(read_projection(get))
        table = find_table(db, call, get)
        tables.append(table)
        keys.append(row_key(table, check_key(table.schema, get["Key"])))
    if len(set(keys)) != len(keys):
        raise invalid("Transaction request cannot include multiple operations on one item")
    rows = await db.storage.read(keys)
    responses: list[Json] = []
    used: dict[str, Used] = {}
    for table, projection, row in zip(tables, projections, rows, strict=True):
        item = read_item(row)
        if item is not None and projection is not None:
            item = projection.apply(item)
        responses.append({"Item": item} if item is not None else {})
        size = row.size_bytes if row is not None else 0
        used.setdefault(table.name, Used()).add_read(size, consistent=True, times=2)
    if sum(row.size_bytes for row in rows if row is not None) > MAX_BYTES:
        raise invalid("Collection size of items in the transaction cannot exceed 4MB")
    answer: Json = {"Responses": responses}
    told = tell_all(request, used, transactional=True)
    if told:
        answer["ConsumedCapacity"] = told
    return answer


async def transact_write_items(db: DynamoDB, call: Call, request: Json) -> Json:
    check_request("dynamodb", "TransactWriteItems", request)
    token = request.get("ClientRequestToken")
    key = f"token/{call.region}/{token}"
    # The request is made canonical while it is read; the token stands for it as it was sent, and for each retry.
    writes = _read_all(db, call, request["TransactItems"])
    if sum(write.payload_bytes for write in writes) > MAX_BYTES:
        raise invalid(f"Transaction payload size cannot exceed {MAX_BYTES} bytes")
    if len({write.key for write in writes}) != len(writes):
        raise invalid("Transaction request cannot include multiple operations on one item")
    now = now_ms(db.clock)
    if token is not None:
        await db.tokens.recall(key)

    def run(rows: Sequence[Row | None]) -> tuple[Changes, Json]:
        if token is not None:
            earlier = db.tokens.find(key, request)
            if earlier is not None:
                return Changes(), earlier
        done = _run_all(db, writes, rows, now)
        changes = together(done)
        answer = _answer(request, writes, done)
        if token is not None:
            changes = Changes(changes.rows, changes.records, db.tokens.remember(key, request, answer))
        return changes, answer

    try:
        return await db.storage.write([write.key for write in writes], run)
    except AwsError as error:
        if error.status == 500:
            db.tokens.forget(key)
        raise


def _read_all(db: DynamoDB, call: Call, items: Sequence[Json]) -> list[ItemWrite]:
    writes: list[ItemWrite] = []
    for position, each in enumerate(items):
        try:
            writes.append(_read_one(db, call, each))
        except UnfitKey as error:
            reasons = [{"Code": "None"} for _ in items]
            reasons[position] = {"Code": "ValidationError", "Message": error.message}
            raise cancelled(reasons) from None
    return writes


def _read_one(db: DynamoDB, call: Call, each: Json) -> ItemWrite:
    given = [name for name in _READERS if each.get(name) is not None]
    if len(given) != 1:
        raise invalid(
            "TransactItems can only contain one of Check, Put, Update or Delete"
            if given
            else "Invalid Request: TransactWriteRequest should contain Delete or Put or Update request"
        )
    request = each[given[0]]
    bind = _READERS[given[0]](request)
    return bind(find_table(db, call, request))


def _run_all(db: DynamoDB, writes: Sequence[ItemWrite], rows: Sequence[Row | None], now: int) -> list[Done]:
    """Raises TransactionCanceledException with a reason for each."""
    done: list[Done] = []
    reasons: list[Json] = []
    for write, row in zip(writes, rows, strict=True):
        try:
            done.append(write.run(db, row, now))
            reasons.append({"Code": "None"})
        except AwsError as error:
            code = _REASONS.get(error.code)
            if code is None:
                raise
            reasons.append({"Code": code, "Message": error.message, **error.fields})
    if len(done) != len(writes):
        raise cancelled(reasons)
    return done


def cancelled(reasons: list[Json]) -> AwsError:
    codes = ", ".join(reason["Code"] for reason in reasons)
    return AwsError(
        "TransactionCanceledException",
        f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]",
        fields={"CancellationReasons": reasons},
    )


def _answer(request: Json, writes: Sequence[ItemWrite], done: Sequence[Done]) -> Json:
    answer: Json = {}
    used: dict[str, Used] = {}
    metrics: dict[str, list[Json]] = {}
    for write, each in zip(writes, done, strict=True):
        used.setdefault(each.table.name, Used()).add_write(each.table, each.size_before, each.change, times=2)
        told = collection_metrics(request, each.table, write.key_item)
        if told is not None and told not in metrics.setdefault(each.table.name, []):
            metrics[each.table.name].append(told)
    costs = tell_all(request, used, transactional=True)
    if costs:
        answer["ConsumedCapacity"] = costs
    if metrics:
        answer["ItemCollectionMetrics"] = metrics
    return answer
