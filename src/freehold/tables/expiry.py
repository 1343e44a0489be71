"""Time to live: deletes the items whose moment has passed, by the entries that say when.

One decision to know: an item is looked at again inside the write that deletes it, so one whose moment was moved
meanwhile stays. AWS: "Using time to live (TTL) in DynamoDB".
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from freehold.clock import Clock, now_ms
from freehold.tables.catalog import Catalog
from freehold.tables.items import change_records, change_row, expiry_key, read_item
from freehold.tables.keys import Range, space_prefix
from freehold.tables.schema import Table
from freehold.tables.storage import Changes, Row, RowChange, StreamRecord

INTERVAL_S = 5.0  # AWS takes days; tests and people need not wait so long.
_AT_ONCE = 50  # Items in one write.
_TOO_OLD_S = 5 * 365 * 86400  # DynamoDB leaves alone what should have gone more than five years ago.


async def expire_forever(catalog: Catalog, clock: Clock) -> None:
    while True:
        for table in catalog.tables():
            if table.expiry is not None:
                await expire(catalog, table, clock)
        await clock.sleep(INTERVAL_S)


async def expire(catalog: Catalog, table: Table, clock: Clock) -> int:
    """Deletes what has expired by now; how many items."""
    assert table.expiry is not None
    prefix = space_prefix(table.expiry.space)
    now = now_ms(clock)
    span = Range(prefix + _second(now // 1000 - _TOO_OLD_S), prefix + _second(now // 1000 + 1))
    deleted = 0
    while True:
        page = await catalog.storage.read_range(span, _AT_ONCE, index=True)
        if not page.keys:
            return deleted

        def decide(rows: Sequence[Row | None]) -> tuple[Changes, int]:
            return _delete(catalog, table, rows, now)

        deleted += await catalog.storage.write([row.key for row in page.rows], decide)
        span = Range(page.keys[-1] + b"\x00", span.high)
        await asyncio.sleep(0)


def _delete(catalog: Catalog, table: Table, rows: Sequence[Row | None], now: int) -> tuple[Changes, int]:
    current = catalog.find(table.region, table.name)
    if current is None or current.space != table.space or current.expiry != table.expiry or current.expiry is None:
        return Changes(), 0
    limit = space_prefix(current.expiry.space) + _second(now // 1000 + 1)
    changes: list[RowChange] = []
    records: list[StreamRecord] = []
    for row in rows:
        item = read_item(row)
        if row is None or item is None:
            continue
        entry = expiry_key(current, item, row.key)
        if entry is not None and entry < limit:
            changes.append(change_row(current, row.key, row, item, None, 0))
            records.extend(change_records(current, row.key, row, item, None, now, is_expired=True))
    return Changes(changes, records), len(changes)


def _second(second: int) -> bytes:
    return max(second, 0).to_bytes(5, "big")
