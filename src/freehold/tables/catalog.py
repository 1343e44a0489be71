"""Which tables there are: their documents in the storage, their compiled copies in memory.

One decision to know: what changes a table's shape is done one at a time, and reads and writes of items see a copy
only after its document is on disk. Space numbers are never given twice while anything of the old one is left.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from freehold.aws.errors import AwsError
from freehold.tables.schema import Json, Table, compile_table
from freehold.tables.storage import Changes, Document, Row, TableStorage

_NOTHING: Mapping[str, Document | None] = {}
_CLEARED_AT_ONCE = 500  # Rows of a deleted table in one transaction.


class Catalog:
    """`start` loads it; `close` before the storage's."""

    def __init__(self, storage: TableStorage) -> None:
        self.storage = storage
        self._tables: dict[tuple[str, str], Table] = {}
        self._last_space = 0
        self._shape = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        for key, document in (await self.storage.documents("table/")).items():
            _, region, name = key.split("/", 2)
            table = compile_table(region, document)
            self._tables[region, name] = table
            self._last_space = max(self._last_space, *spaces_of(table))
        left = await self.storage.documents("dropped/")
        others = [*left.values(), *(await self.storage.documents("backup/")).values()]
        self._last_space = max([self._last_space, *(document["Space"] for document in others)])
        # A stream outlives its table, and its number with it.
        streams = (await self.storage.documents("stream/")).values()
        self._last_space = max([self._last_space, *(document["Number"] for document in streams)])
        for document in left.values():
            self.in_background(self._clear(document["Space"]))

    async def close(self) -> None:
        """Ends what goes on in the background; the next start goes on with it."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def find(self, region: str, name: str) -> Table | None:
        return self._tables.get((region, name))

    def get(self, region: str, name: str) -> Table:
        """Raises ResourceNotFoundException, as operations on items say it, also while the table is being filled."""
        table = self._tables.get((region, name))
        if table is None or not table.is_ready:
            raise AwsError("ResourceNotFoundException", "Requested resource not found")
        return table

    def names(self, region: str) -> list[str]:
        return sorted(name for where, name in self._tables if where == region)

    def tables(self) -> list[Table]:
        return list(self._tables.values())

    @asynccontextmanager
    async def shaping(self) -> AsyncIterator[None]:
        """Around what looks at tables and then changes their shape."""
        async with self._shape:
            yield

    def new_space(self) -> int:
        self._last_space += 1
        return self._last_space

    async def put(
        self,
        region: str,
        document: Json,
        dropped: Sequence[int] = (),
        documents: Mapping[str, Document | None] = _NOTHING,
    ) -> Table:
        """Stores the table's document, and `documents` with it, and follows it; the spaces that it no longer has are
        cleared in the background.

        When it returns, every write that was decided by the table's old shape is on disk.
        """
        name = document["Description"]["TableName"]
        await self._write([(f"table/{region}/{name}", document), *documents.items(), *_drops(dropped)])
        table = self._tables[region, name] = compile_table(region, document)
        await self._write([])
        for space in dropped:
            self.in_background(self._clear(space))
        return table

    async def delete(
        self, table: Table, documents: Mapping[str, Document | None] = _NOTHING, *, keeps_rows: bool = False
    ) -> None:
        """`keeps_rows`: one of the `documents` is their owner from now on."""
        spaces = [space for space in spaces_of(table) if not (keeps_rows and space == table.space)]
        await self._write([(f"table/{table.region}/{table.name}", None), *documents.items(), *_drops(spaces)])
        del self._tables[table.region, table.name]
        await self._write([])
        for space in spaces:
            self.in_background(self._clear(space))

    async def drop(self, space: int, documents: Mapping[str, Document | None]) -> None:
        """A space that is no table's: its owner's document goes, or changes, with it."""
        await self._write([*documents.items(), *_drops([space])])
        self.in_background(self._clear(space))

    @asynccontextmanager
    async def scratch(self) -> AsyncIterator[int]:
        """A space that is cleared afterwards, or at the next start if a stop comes first."""
        space = self.new_space()
        await self._write(_drops([space]))
        yield space
        self.in_background(self._clear(space))

    async def store(self, documents: Mapping[str, Document | None]) -> None:
        """What is no table's."""
        await self._write(list(documents.items()))

    async def _write(self, documents: Sequence[tuple[str, Document | None]]) -> None:
        def decide(rows: Sequence[Row | None]) -> tuple[Changes, None]:
            return Changes(documents=documents), None

        await self.storage.write((), decide)

    def in_background(self, work: Coroutine[Any, Any, None]) -> None:
        """Until it ends or the catalog is closed."""
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _clear(self, space: int) -> None:
        while not await self.storage.clear(space, _CLEARED_AT_ONCE):
            pass
        await self._write([(f"dropped/{space}", None)])


def spaces_of(table: Table) -> list[int]:
    """All that are the table's; its stream, which outlives it, is not among them."""
    spaces = [table.space, *table.document["IndexSpaces"].values()]
    if table.expiry is not None:
        spaces.append(table.expiry.space)
    if table.history is not None:
        spaces.append(table.history)
    return spaces


def _drops(spaces: Sequence[int]) -> list[tuple[str, Document | None]]:
    return [(f"dropped/{space}", {"Space": space}) for space in spaces]
