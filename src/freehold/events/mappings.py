"""Runs every enabled event source mapping: a task each, started and ended as the mappings' documents change.

A mapping whose task fails is started again after a pause, from its position on disk: one broken mapping stops no other.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from freehold.aws.arn import parse_arn
from freehold.aws.call import Json
from freehold.clock import Clock
from freehold.events.batches import POSITION
from freehold.state.store import Change, Delete, Store

MAPPING = "lambda.event_source_mapping"
_AGAIN_S = 5.0

_log = logging.getLogger(__name__)


class Source(Protocol):
    async def serve(self, key: str, mapping: Json) -> None:
        """Reads the source and delivers to the function until it is cancelled."""
        ...


class Mappings:
    """`sources`: by the service of the source's ARN, "dynamodb"."""

    def __init__(self, store: Store, clock: Clock, sources: Mapping[str, Source]) -> None:
        self._store = store
        self._clock = clock
        self._sources = sources
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._unfollow: Callable[[], None] = lambda: None

    def start(self) -> None:
        self._unfollow = self._store.follow([MAPPING], self._on_changes)

    async def stop(self) -> None:
        self._unfollow()
        tasks = list(self._tasks.values())
        self._tasks.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _on_changes(self, changes: Sequence[Change]) -> None:
        for change in changes:
            running = self._tasks.pop(change.key, None)
            if running is not None:
                running.cancel()
            if change.document is None:
                work = self._forget(change.key, running)
                self._tasks[change.key] = asyncio.get_running_loop().create_task(work)
            elif change.document["State"] == "Enabled":
                work = self._serve(change.key, change.document, running)
                self._tasks[change.key] = asyncio.get_running_loop().create_task(work)

    async def _forget(self, key: str, running: asyncio.Task[None] | None) -> None:
        if running is not None:
            await asyncio.gather(running, return_exceptions=True)
        await self._store.write(Delete(POSITION, key))
        self._tasks.pop(key, None)

    async def _serve(self, key: str, mapping: Json, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            # Its last batch ends before the first of the new settings: no batch is delivered by both.
            await asyncio.gather(before, return_exceptions=True)
        arn = parse_arn(mapping["EventSourceArn"])
        source = self._sources.get(arn.service) if arn else None
        if source is None:
            _log.warning("Nobody here reads %s, the source of a mapping.", mapping["EventSourceArn"])
            return
        while True:
            try:
                await source.serve(key, mapping)
            except Exception:
                _log.exception("The event source mapping %s failed; it goes on in %s s.", key, _AGAIN_S)
            await self._clock.sleep(_AGAIN_S)
