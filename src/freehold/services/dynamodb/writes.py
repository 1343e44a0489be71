"""PutItem, UpdateItem, DeleteItem and ConditionCheck up to the moment when the row is known: checked, parsed, ready
to be decided. The single operations, the batch and the transaction all run these.

One decision to know: a request is read in two steps, alone and then with its table, since DynamoDB words what is wrong
with the request alone differently.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from freehold.aws.errors import AwsError
from freehold.services.dynamodb.arguments import NAMES, VALUES, check_mixture, check_used, read_names, read_values
from freehold.services.dynamodb.legacy import read_expected, read_updates
from freehold.services.dynamodb.record import DynamoDB, Json, bad_value, invalid
from freehold.tables.expressions.programs import Update, parse_condition, parse_update
from freehold.tables.items import (
    change_records,
    change_row,
    check_index_keys,
    check_item_keys,
    check_key,
    key_of,
    read_item,
    row_key,
)
from freehold.tables.schema import Table
from freehold.tables.storage import Row, RowChange, StreamRecord
from freehold.tables.values import MAX_ITEM_BYTES, Item, Value, check_item, item_size, value_size

Holds = Callable[[Item], bool]
After = Callable[[Item | None], Item | None]


@dataclass(frozen=True, slots=True)
class Done:
    """What one write came to."""

    table: Table
    before: Item | None
    after: Item | None
    size_before: int | None
    change: RowChange | None  # None: nothing to store.
    records: Sequence[StreamRecord]


@dataclass(frozen=True, slots=True)
class ItemWrite:
    table: Table  # As it was when the request was read; `run` looks again.
    key: bytes
    key_item: Item
    holds: Holds | None  # The condition.
    tells_failure: bool  # ReturnValuesOnConditionCheckFailure: ALL_OLD.
    after: After | None  # None: a mere check.
    size_bytes: int | None  # Of what `after` gives, where it is known.
    is_update: bool = False
    values: Mapping[str, Value] = field(default_factory=dict)  # Of an update.
    update: Update | None = None  # For UPDATED_OLD and UPDATED_NEW.
    updated_names: frozenset[str] = frozenset()  # The same for AttributeUpdates.

    @property
    def payload_bytes(self) -> int:
        """What the request brings, for a transaction's limit."""
        return self.size_bytes or item_size(self.key_item) + sum(map(value_size, self.values.values()))

    def run(self, db: DynamoDB, row: Row | None, now_ms: int) -> Done:
        """Raises ConditionalCheckFailedException and ValidationException."""
        table = self.table
        current = db.catalog.find(table.region, table.name)
        if current is not table:
            if current is None or current.space != table.space:
                raise AwsError("ResourceNotFoundException", "Requested resource not found")
            table = current
        before = read_item(row)
        if self.holds is not None and not self.holds(before if before is not None else {}):
            fields = {"Item": before} if self.tells_failure and before is not None else {}
            raise AwsError("ConditionalCheckFailedException", "The conditional request failed", fields=fields)
        size_before = row.size_bytes if row is not None else None
        if self.after is None:
            return Done(table, before, before, size_before, None, ())
        after = self.after(before)
        size = 0
        if after is not None:
            size = self.size_bytes if self.size_bytes is not None else item_size(after)
            if table.indexes and (self.is_update or table is not self.table):
                check_index_keys(table, after, is_update=self.is_update)
            if size > MAX_ITEM_BYTES:
                raise invalid("Item size to update has exceeded the maximum allowed size")
        elif row is None:
            return Done(table, None, None, None, None, ())
        change = change_row(table, self.key, row, before, after, size)
        records: Sequence[StreamRecord] = ()
        if table.stream is not None or table.history is not None:
            records = change_records(table, self.key, row, before, after, now_ms)
        return Done(table, before, after, size_before, change, records)


Bind = Callable[[Table], ItemWrite]
"""What a request alone says -> what it does to the table. Raises ValidationException."""


def read_put(request: Json) -> Bind:
    check_mixture(request, ("ConditionExpression",), ("Expected", "ConditionalOperator"))
    item = request["Item"]
    size = check_item(item)
    holds = _read_condition(request)

    def bind(table: Table) -> ItemWrite:
        check_item_keys(table, item)
        if size > MAX_ITEM_BYTES:
            raise invalid("Item size has exceeded the maximum allowed size")
        return ItemWrite(
            table=table,
            key=row_key(table, item),
            key_item=key_of(table.schema, item),
            holds=holds,
            tells_failure=_tells_failure(request),
            after=lambda before: item,
            size_bytes=size,
        )

    return bind


def read_delete(request: Json) -> Bind:
    check_mixture(request, ("ConditionExpression",), ("Expected", "ConditionalOperator"))
    return _of_key(request, lambda before: None)


def read_check(request: Json) -> Bind:
    """A transaction's ConditionCheck."""
    return _of_key(request, None)


def _of_key(request: Json, after: After | None) -> Bind:
    holds = _read_condition(request)

    def bind(table: Table) -> ItemWrite:
        key = check_key(table.schema, request["Key"])
        return ItemWrite(table, row_key(table, key), key, holds, _tells_failure(request), after, None)

    return bind


def read_update(request: Json) -> Bind:
    check_mixture(
        request,
        ("UpdateExpression", "ConditionExpression"),
        ("AttributeUpdates", "Expected", "ConditionalOperator"),
    )
    names, values = read_names(request), read_values(request)
    text, updates = request.get("UpdateExpression"), request.get("AttributeUpdates")
    program = parse_update(text, names) if text is not None else None
    condition_text = request.get("ConditionExpression")
    condition = parse_condition("ConditionExpression", condition_text, names) if condition_text is not None else None
    check_used((program, condition), names, values)
    legacy = read_updates(updates) if updates is not None else None
    holds = (lambda item: condition.evaluate(item, values)) if condition is not None else _read_expected(request)
    changed = {str(path[0]) for path in program.paths} if program is not None else set(updates or ())

    def bind(table: Table) -> ItemWrite:
        key = check_key(table.schema, request["Key"])
        for name in table.schema.names:
            if name in changed:
                raise bad_value(f"Cannot update attribute {name}. This attribute is part of the key")
        return ItemWrite(
            table=table,
            key=row_key(table, key),
            key_item=key,
            holds=holds,
            tells_failure=_tells_failure(request),
            after=_updating(key, program, values, legacy, updates),
            size_bytes=None,
            is_update=True,
            values=values,
            update=program,
            updated_names=frozenset(updates or ()),
        )

    return bind


def _updating(
    key: Item,
    program: Update | None,
    values: Mapping[str, Value],
    legacy: Callable[[Item], Item] | None,
    updates: Json | None,
) -> After:
    """An update that only takes away makes no item where there is none; any other does, even one that does nothing."""
    if program is not None:
        if program.only_removes:
            return lambda before: program.apply(before, values) if before is not None else None
        return lambda before: program.apply(before if before is not None else key, values)
    if legacy is not None:
        if updates and all(update.get("Action") == "DELETE" for update in updates.values()):
            return lambda before: legacy(before) if before is not None else None
        return lambda before: legacy(before if before is not None else key)
    return lambda before: before if before is not None else key


def _read_condition(request: Json) -> Holds | None:
    text = request.get("ConditionExpression")
    if text is None:
        if request.get("Expected") is None and request.get("ConditionalOperator") is None:
            return None
        return _read_expected(request)
    names, values = read_names(request), read_values(request)
    condition = parse_condition("ConditionExpression", text, names)
    if names is not NAMES or values is not VALUES or condition.values:
        check_used((condition,), names, values)
    return lambda item: condition.evaluate(item, values)


def _read_expected(request: Json) -> Holds | None:
    expected = read_expected(request)
    if expected is None:
        return None
    return lambda item: expected.condition.evaluate(item, expected.values)


def _tells_failure(request: Json) -> bool:
    return request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
