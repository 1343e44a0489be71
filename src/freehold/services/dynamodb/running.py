"""DynamoDB of one server, started and stopped: the storage, the tables, and what goes on in the background."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

from freehold.aws.call import Bind
from freehold.clock import Clock, Ids
from freehold.services.dynamodb import backups, exports, imports
from freehold.services.dynamodb.backups import clear_unfinished
from freehold.services.dynamodb.idempotency import Tokens
from freehold.services.dynamodb.record import DynamoDB
from freehold.services.dynamodb.restores import resume_restores
from freehold.services.dynamodb.update_table import resume_backfills
from freehold.tables.catalog import Catalog
from freehold.tables.expiry import expire_forever
from freehold.tables.history import trim_histories_forever
from freehold.tables.sqlite import SqliteTables
from freehold.tables.storage import StorageBusy, StorageFailed
from freehold.tables.streams import trim_forever

_TIDY_INTERVAL_S = 60.0
_RETRY_S = 10.0
_log = logging.getLogger(__name__)


class RunningDynamoDB:
    """`await start()` before the first request, `await stop()` after the last."""

    def __init__(self, file: Path, clock: Clock, ids: Ids, bind: Bind) -> None:
        """Raises NewerTables and sqlite3.Error: the file is not ours to open."""
        self.storage = SqliteTables(file)
        self.catalog = Catalog(self.storage)
        self.record = DynamoDB(self.catalog, self.storage, Tokens(self.storage, clock), clock, ids, bind)
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        await self.catalog.start()
        self.catalog.in_background(self.record.tokens.load())
        resume_backfills(self.record)
        await clear_unfinished(self.record)
        await resume_restores(self.record)
        await imports.resume_imports(self.record)
        await exports.resume_exports(self.record)
        loop, clock = asyncio.get_running_loop(), self.record.clock
        works: tuple[Callable[[], Awaitable[None]], ...] = (
            lambda: expire_forever(self.catalog, clock),
            lambda: trim_forever(self.storage, clock),
            lambda: trim_histories_forever(self.catalog, clock),
            self._tidy_forever,
        )
        self._tasks = [loop.create_task(keep_at(work, clock)) for work in works]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.catalog.close()
        await self.storage.close()

    async def _tidy_forever(self) -> None:
        while True:
            await backups.expire(self.record)
            await exports.forget(self.record)
            await self.record.clock.sleep(_TIDY_INTERVAL_S)


async def keep_at(work: Callable[[], Awaitable[None]], clock: Clock) -> None:
    """What the storage refuses (a full disk) ends none of the work in the background: it begins again later."""
    while True:
        try:
            await work()
        except (StorageBusy, StorageFailed) as error:
            _log.warning("DynamoDB's work in the background waits %.0f s: %s", _RETRY_S, error.message)
        await clock.sleep(_RETRY_S)
