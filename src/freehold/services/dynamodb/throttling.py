"""Provisioned throughput as a limit, where the server was told to keep it; tables on demand have none.

One decision to know: the operations know nothing of it. They are wrapped, told to count what they consume, and the
answer is given as the caller asked for it; so a server that does not throttle pays nothing. As on AWS a request is let
in while there is anything left and pays afterwards what it took; what is left unused is kept for five minutes.
AWS: "Provisioned capacity mode", "Burst capacity", "Error handling with DynamoDB".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from freehold.aws.call import Call, Operation
from freehold.aws.errors import AwsError
from freehold.clock import Clock
from freehold.services.dynamodb.partiql_syntax import read_statement
from freehold.services.dynamodb.record import DynamoDB, Json, table_name
from freehold.services.dynamodb.transactions import cancelled
from freehold.tables.schema import Table

Kind = Literal["Read", "Write"]

BURST_S = 300
_MAX_BUCKETS = 10_000
_SINGLE: Mapping[str, Kind] = {
    "GetItem": "Read",
    "Query": "Read",
    "Scan": "Read",
    "PutItem": "Write",
    "UpdateItem": "Write",
    "DeleteItem": "Write",
}
_BATCHES: Mapping[str, tuple[Kind, str]] = {  # What an answer calls the requests that were left out.
    "BatchGetItem": ("Read", "UnprocessedKeys"),
    "BatchWriteItem": ("Write", "UnprocessedItems"),
}
_TRANSACTIONS: Mapping[str, Kind] = {"TransactGetItems": "Read", "TransactWriteItems": "Write"}
_STATEMENTS: Mapping[str, str] = {
    "ExecuteStatement": "",
    "BatchExecuteStatement": "Statements",
    "ExecuteTransaction": "TransactStatements",
}


@dataclass(slots=True)
class _Bucket:
    units: float
    at_s: float


class Throughput:
    """What is left of each table's and each global index's provisioned capacity."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._buckets: dict[tuple[int, Kind], _Bucket] = {}

    def is_left(self, table: Table, kind: Kind, index: str | None = None) -> bool:
        """A write asks the table's indexes too, a read the one that it reads."""
        if index is not None and index in table.indexes and not table.indexes[index].is_local:
            return self._left(table, kind, index) > 0
        others = [each.name for each in table.indexes.values() if not each.is_local] if kind == "Write" else []
        return all(self._left(table, kind, name) > 0 for name in (None, *others))

    def pay(self, table: Table, kind: Kind, consumed: Json) -> None:
        """`consumed`: ConsumedCapacity with its indexes."""
        local = sum(each["CapacityUnits"] for each in consumed.get("LocalSecondaryIndexes", {}).values())
        self._take(table, kind, None, consumed["Table"]["CapacityUnits"] + local)
        for name, each in consumed.get("GlobalSecondaryIndexes", {}).items():
            self._take(table, kind, name, each["CapacityUnits"])

    def _left(self, table: Table, kind: Kind, index: str | None) -> float:
        bucket = self._bucket(table, kind, index)
        return 1.0 if bucket is None else bucket.units

    def _take(self, table: Table, kind: Kind, index: str | None, units: float) -> None:
        bucket = self._bucket(table, kind, index)
        if bucket is not None:
            bucket.units -= units

    def _bucket(self, table: Table, kind: Kind, index: str | None) -> _Bucket | None:
        """As it is by now. None: on demand."""
        rate = _rate(table, kind, index)
        if rate is None:
            return None
        key = (table.space if index is None else table.document["IndexSpaces"][index], kind)
        now = self._clock.now_s()
        bucket = self._buckets.get(key)
        if bucket is None:
            if len(self._buckets) >= _MAX_BUCKETS:  # Of tables that are gone, for the most part.
                self._buckets.clear()
            bucket = self._buckets[key] = _Bucket(rate, now)
        bucket.units = min(rate * BURST_S, bucket.units + rate * max(0.0, now - bucket.at_s))
        bucket.at_s = now
        return bucket


def throttled(operations: Mapping[str, Operation], clock: Clock) -> dict[str, Operation]:
    """The same operations, those on items kept to what their tables have provisioned."""
    throughput = Throughput(clock)
    wrapped: dict[str, Operation] = dict(operations)
    for name, kind in _SINGLE.items():
        wrapped[name] = _single(operations[name], kind, throughput)
    for name, (kind, left) in _BATCHES.items():
        wrapped[name] = _batch(operations[name], kind, left, throughput)
    for name, kind in _TRANSACTIONS.items():
        wrapped[name] = _transaction(operations[name], kind, throughput)
    for name, member in _STATEMENTS.items():
        wrapped[name] = _statements(operations[name], member, throughput)
    return wrapped


def _single(operation: Operation, kind: Kind, throughput: Throughput) -> Operation:
    async def run(db: DynamoDB, call: Call, request: Json) -> Json:
        table = _find(db, call, request.get("TableName"))
        if table is not None and not throughput.is_left(table, kind, request.get("IndexName")):
            raise _exceeded()
        return await _counted(operation, db, call, request, [(table, kind)], throughput)

    return run


def _batch(operation: Operation, kind: Kind, left_out: str, throughput: Throughput) -> Operation:
    async def run(db: DynamoDB, call: Call, request: Json) -> Json:
        asked = request.get("RequestItems")
        if not isinstance(asked, dict):
            return await operation(db, call, request)
        tables = {name: _find(db, call, name) for name in asked}
        out = {
            name: asked[name]
            for name, table in tables.items()
            if table is not None and not throughput.is_left(table, kind)
        }
        if out and len(out) == len(asked):
            raise _exceeded()
        wanted = {**request, "RequestItems": {name: each for name, each in asked.items() if name not in out}}
        paying = [(table, kind) for table in tables.values()]
        answer = await _counted(operation, db, call, wanted, paying, throughput)
        answer[left_out] = {**answer[left_out], **out}
        return answer

    return run


def _transaction(operation: Operation, kind: Kind, throughput: Throughput) -> Operation:
    async def run(db: DynamoDB, call: Call, request: Json) -> Json:
        named = [
            _find(db, call, inner.get("TableName"))
            for each in _dicts(request.get("TransactItems"))
            for inner in _dicts(list(each.values()))
        ]
        full = [table is not None and not throughput.is_left(table, kind) for table in named]
        if any(full):
            raise cancelled(_reasons(full))
        return await _counted(operation, db, call, request, [(table, kind) for table in named], throughput)

    return run


def _statements(operation: Operation, member: str, throughput: Throughput) -> Operation:
    async def run(db: DynamoDB, call: Call, request: Json) -> Json:
        tables: list[tuple[Table | None, Kind]] = []
        full = []
        for each in _dicts(request.get(member)) if member else [request]:
            table, kind, index = _of_statement(db, call, each)
            tables.append((table, kind))
            full.append(table is not None and not throughput.is_left(table, kind, index))
        if any(full):
            raise cancelled(_reasons(full)) if member == "TransactStatements" else _exceeded()
        return await _counted(operation, db, call, request, tables, throughput)

    return run


def _of_statement(db: DynamoDB, call: Call, request: Json) -> tuple[Table | None, Kind, str | None]:
    try:
        statement = read_statement(request["Statement"], request.get("Parameters") or ())
    except (AwsError, KeyError, TypeError):
        return None, "Read", None  # The operation says what is wrong with it.
    kind: Kind = "Read" if statement.kind == "SELECT" else "Write"
    return _find(db, call, statement.table), kind, statement.index


async def _counted(
    operation: Operation,
    db: DynamoDB,
    call: Call,
    request: Json,
    tables: Sequence[tuple[Table | None, Kind]],
    throughput: Throughput,
) -> Json:
    wanted = request.get("ReturnConsumedCapacity")
    if wanted not in (None, "NONE", "TOTAL", "INDEXES"):
        return await operation(db, call, request)  # It refuses the word.
    answer = await operation(db, call, {**request, "ReturnConsumedCapacity": "INDEXES"})
    told = answer.get("ConsumedCapacity")
    by_name = {table.name: (table, kind) for table, kind in tables if table is not None}
    for each in _dicts(told if isinstance(told, list) else [told]):
        if each["TableName"] in by_name:
            throughput.pay(*by_name[each["TableName"]], each)
        if wanted == "TOTAL":
            for member in ("Table", "LocalSecondaryIndexes", "GlobalSecondaryIndexes"):
                each.pop(member, None)
    if wanted in (None, "NONE"):
        answer.pop("ConsumedCapacity", None)
    return answer


def _find(db: DynamoDB, call: Call, name: object) -> Table | None:
    return db.catalog.find(call.region, table_name(name)) if isinstance(name, str) else None


def _rate(table: Table, kind: Kind, index: str | None) -> float | None:
    """Units a second; None on demand."""
    described: Json = table.document["Description"]
    if described.get("BillingModeSummary", {}).get("BillingMode") == "PAY_PER_REQUEST":
        return None
    if index is not None:
        named = [each for each in described.get("GlobalSecondaryIndexes", ()) if each["IndexName"] == index]
        described = named[0] if named else described
    return float(described["ProvisionedThroughput"][f"{kind}CapacityUnits"])


def _dicts(values: Any) -> Iterator[Json]:
    """What a request has in the place of a list, as far as it is one."""
    return (each for each in values if isinstance(each, dict)) if isinstance(values, list) else iter(())


def _exceeded() -> AwsError:
    return AwsError(
        "ProvisionedThroughputExceededException",
        "The level of configured provisioned throughput for the table was exceeded. Consider increasing your "
        "provisioning level with the UpdateTable API.",
    )


def _reasons(full: Sequence[bool]) -> list[Json]:
    exceeded = {"Code": "ProvisionedThroughputExceeded", "Message": _exceeded().message}
    return [exceeded if each else {"Code": "None"} for each in full]
