"""Copies of a table's items, as they are or as they were: backups, restores and exports are made of these.

One decision to know: with point-in-time recovery each write also keeps what the item was before it, so the past is the
present with those changes undone, the newest first. AWS: "Point-in-time backups for DynamoDB", "On-demand backup".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import orjson

from freehold.clock import Clock, now_ms
from freehold.tables.catalog import Catalog
from freehold.tables.items import change_row, read_history, read_item
from freehold.tables.keys import Range, all_with, space_prefix
from freehold.tables.schema import Table
from freehold.tables.storage import Changes, Row, Snapshot, TableStorage, Tally
from freehold.tables.streams import trim_stream

_AT_ONCE = 64  # Rows in one write; others' writes go between.
_INTERVAL_S = 60.0


@dataclass(frozen=True, slots=True)
class Past:
    """Up to which moment a table's changes are undone."""

    history: int
    at_ms: int


_Given = tuple[bytes, int, bytes | None]  # A key without its space, the item's size, its body. None: there is none.


def bare(table: Table, space: int) -> Table:
    """The table's items in another space, with nothing that leads to them or listens."""
    return replace(table, space=space, indexes={}, stream=None, expiry=None, history=None)


async def copy_items(storage: TableStorage, source: int, target: Table, past: Past | None = None) -> Tally:
    """All items of the space `source` into the target's, which was empty, with its index entries; how many."""
    async with storage.snapshot() as snapshot:
        await _copy(storage, snapshot, source, target)
        if past is not None:
            await _undo(storage, snapshot, past, target)
    return await storage.tally(target.space)


async def trim_histories_forever(catalog: Catalog, clock: Clock) -> None:
    while True:
        for table in catalog.tables():
            if table.history is not None:
                days = table.document["PointInTimeRecovery"]["Days"]
                await trim_stream(catalog.storage, table.history, now_ms(clock) - days * 86_400_000)
        await clock.sleep(_INTERVAL_S)


async def _copy(storage: TableStorage, snapshot: Snapshot, source: int, target: Table) -> None:
    span = all_with(space_prefix(source))
    while True:
        page = await snapshot.read_range(span, _AT_ONCE)
        await _put(storage, target, [(row.key[4:], row.size_bytes, row.body) for row in page.rows])
        if page.is_last:
            return
        span = Range(page.keys[-1] + b"\x00", span.high)


async def _undo(storage: TableStorage, snapshot: Snapshot, past: Past, target: Table) -> None:
    before: int | None = None
    while True:
        records = await snapshot.read_records_back(past.history, before, _AT_ONCE)
        later = [record for record in records if record.created_ms > past.at_ms]
        # Of several changes of one item in these records the oldest is the last to be undone, and so decides.
        given = {key: (key, size, body) for key, size, body in (read_history(record.body) for record in later)}
        await _put(storage, target, list(given.values()))
        if len(later) < _AT_ONCE:
            return
        before = later[-1].sequence


async def _put(storage: TableStorage, target: Table, given: Sequence[_Given]) -> None:
    prefix = space_prefix(target.space)

    def decide(rows: Sequence[Row | None]) -> tuple[Changes, None]:
        changes = []
        for (key, size, body), row in zip(given, rows, strict=True):
            after = orjson.loads(body) if body is not None else None
            if row is not None or after is not None:
                changes.append(change_row(target, prefix + key, row, read_item(row), after, size))
        return Changes(changes), None

    if given:
        await storage.write([prefix + key for key, _, _ in given], decide)
