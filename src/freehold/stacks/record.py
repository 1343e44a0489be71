"""What CloudFormation's operations may touch, and the executions that run behind them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from freehold.aws.call import Bind
from freehold.clock import Clock, Ids
from freehold.state.store import Store

_log = logging.getLogger(__name__)


class Executions:
    """The stack operations that run now, by the stack's key: at most one each."""

    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._cancelled: set[str] = set()

    def start(self, key: str, work: Coroutine[Any, Any, None]) -> None:
        # Events that one operation answered with may still be followed by the end of its task.
        task = asyncio.ensure_future(work)
        self._tasks[key] = task
        task.add_done_callback(lambda done: self._ended(key, done))

    def request_rollback(self, key: str) -> None:
        """CancelUpdateStack: nothing new begins, then it rolls back."""
        self._cancelled.add(key)

    def is_rollback_requested(self, key: str) -> bool:
        return key in self._cancelled

    async def settled(self, key: str, within_s: float | None = None) -> None:
        """Waits until nothing runs for the stack, or `within_s` at most."""
        task = self._tasks.get(key)
        if task is not None:
            await asyncio.wait({task}, timeout=within_s)

    async def stop(self) -> None:
        """Cancels what runs; `resume` takes it up at the next start."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def _ended(self, key: str, task: asyncio.Task[None]) -> None:
        if self._tasks.get(key) is task:
            del self._tasks[key]
            self._cancelled.discard(key)
        if not task.cancelled() and task.exception() is not None:
            _log.error("The execution of stack %s broke off", key, exc_info=task.exception())


@dataclass(frozen=True, slots=True)
class Stacks:
    store: Store
    bind: Bind
    clock: Clock
    ids: Ids
    has_service: Callable[[str], bool]  # Whether the server has an AWS service, by botocore's name.
    executions: Executions = field(default_factory=Executions)
    concurrency: int = 16  # Resources of one stack that are made at the same time.
