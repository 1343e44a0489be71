"""Fills a new index, or the expiries of a table, from the items that are there already.

One decision to know: the table follows its new shape first, so from then on every write keeps the new entries; then
each item is looked at again inside a write of its own, so nothing that changes meanwhile can be missed or revived.
"""

from __future__ import annotations

from collections.abc import Sequence

from freehold.services.dynamodb.record import DynamoDB
from freehold.tables.items import entries_of, read_item
from freehold.tables.keys import Range, all_with, space_prefix
from freehold.tables.schema import Table
from freehold.tables.storage import Changes, Row, RowChange

_AT_ONCE = 50  # Items in one write; others' writes go between.


async def fill(db: DynamoDB, table: Table) -> None:
    """Returns when every item has all the entries that the table's shape asks for, or the table is gone."""
    span = all_with(space_prefix(table.space))
    while True:
        page = await db.storage.read_range(span, _AT_ONCE)
        if page.keys:
            await db.storage.write(page.keys, lambda rows: _entries(db, table, rows))
        if page.is_last:
            return
        span = Range(page.keys[-1] + b"\x00", span.high)


def _entries(db: DynamoDB, table: Table, rows: Sequence[Row | None]) -> tuple[Changes, None]:
    current = db.catalog.find(table.region, table.name)
    if current is None or current.space != table.space:
        return Changes(), None
    changes = []
    for row in rows:
        item = read_item(row)
        if row is not None and item is not None:
            entries = tuple(entries_of(current, item, row.key))
            if entries:
                changes.append(
                    RowChange(table.space, row.key, row.body, row.size_bytes, row.size_bytes, entries=entries)
                )
    return Changes(changes), None
