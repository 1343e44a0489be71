"""A page of a query or scan: rows in order, filtered and projected, up to a limit or 1 MB.

One decision to know: a page is read in slices on the event loop, with a turn for everybody else between them. A slice
is short (a hundred rows or so), and threads would not make it faster: what takes time is Python, not the disk.
AWS: "Paginating table query results in DynamoDB", "Filter expressions for the Query operation".
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import orjson

from freehold.tables.keys import Range
from freehold.tables.storage import TableStorage
from freehold.tables.values import Item

PAGE_BYTES = 1024 * 1024
_FIRST_SLICE = 32
_LARGEST_SLICE = 128


@dataclass(frozen=True, slots=True)
class PageRequest:
    span: Range
    is_index: bool
    descending: bool
    limit: int | None  # Items looked at, not items that pass.
    keeps: Callable[[Item], bool] | None  # The filter.
    shape: Callable[[Item], Item] | None  # The index's projection, then the request's.
    size_of: Callable[[Item], int] | None = None  # What an item counts for, where not by its row.
    counts_only: bool = False


@dataclass(frozen=True, slots=True)
class ItemPage:
    items: list[Item]
    count: int
    scanned: int
    size_bytes: int  # Of what was looked at.
    last: Item | None  # The last item looked at, whole, when there may be more.


async def read_page(storage: TableStorage, request: PageRequest) -> ItemPage:
    span, left = request.span, request.limit
    items: list[Item] = []
    count = scanned = size = 0
    slice_rows = _FIRST_SLICE
    while True:
        wanted = slice_rows if left is None else min(slice_rows, left)
        page = await storage.read_range(span, wanted, descending=request.descending, index=request.is_index)
        item: Item = {}
        for position, row in enumerate(page.rows):
            item = orjson.loads(row.body)
            scanned += 1
            size += row.size_bytes if request.size_of is None else request.size_of(item)
            if request.keeps is None or request.keeps(item):
                count += 1
                if not request.counts_only:
                    items.append(item if request.shape is None else request.shape(item))
            if size >= PAGE_BYTES:
                is_end = page.is_last and position == len(page.rows) - 1
                return ItemPage(items, count, scanned, size, None if is_end else item)
        if left is not None:
            left -= len(page.rows)
            if left == 0:
                return ItemPage(items, count, scanned, size, item)
        if page.is_last:
            return ItemPage(items, count, scanned, size, None)
        last = page.keys[-1]
        span = Range(span.low, last) if request.descending else Range(last + b"\x00", span.high)
        slice_rows = max(1, min(_LARGEST_SLICE, (PAGE_BYTES - size) * scanned // max(size, 1) + 1))
        await asyncio.sleep(0)
