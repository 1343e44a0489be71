"""The environments of one version: who is idle, who waits, how many start. Hands out the one used last first.

One decision to know: an invocation that finds nobody idle starts an environment and waits for whichever is free first,
that one or another. So a quick function under a burst is not bound to its own slow starts.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from freehold.aws.errors import AwsError
from freehold.engine.environment import Environment, InitFailed, State
from freehold.engine.functions import FunctionVersion
from freehold.engine.starter import ON_DEMAND, PROVISIONED, Starter

_SETTLE_S = 0.02


class Pool:
    """`admit` is asked before each start and may free a place elsewhere; it raises AwsError when there is none.
    `on_done` is told of each invocation that ended, however it did."""

    def __init__(
        self,
        function: FunctionVersion,
        starter: Starter,
        admit: Callable[[], None],
        on_done: Callable[[FunctionVersion], None],
    ) -> None:
        self.function = function
        self._starter = starter
        self._admit = admit
        self._on_done = on_done
        self.idle: list[Environment] = []
        self.environments: set[Environment] = set()
        self._waiting: deque[asyncio.Future[Environment]] = deque()
        self._starts: set[asyncio.Task[None]] = set()
        self._settling: set[Environment] = set()  # Answered their last invocation, and will be free in a moment.
        self._retired = False
        self.provisioned = 0  # So many are kept initialised.
        self.provision_failure: InitFailed | None = None

    def __len__(self) -> int:
        """Environments, those that start included."""
        return len(self.environments) + len(self._starts)

    async def take(self) -> Environment:
        """An IDLE environment that is the caller's to run. Raises InitFailed, AwsError."""
        while self.idle:
            environment = self.idle.pop()
            if environment.state is State.IDLE:
                return environment
        if self._settling and len(self._settling) + len(self._starts) > len(self._waiting):
            # One will be free sooner than a new one is up; if not, this was too good a hope.
            asyncio.get_running_loop().call_later(_SETTLE_S, self._start_if_needed)
        elif len(self._starts) <= len(self._waiting):
            self._admit()
            self._start(ON_DEMAND)
        waiter: asyncio.Future[Environment] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        try:
            return await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                # It was handed to us in the same moment: somebody else may have it.
                self._on_free(waiter.result())
            raise

    def provision(self, count: int) -> None:
        """Keeps `count` environments initialised from now on."""
        self.provisioned = count
        self.provision_failure = None
        self.keep_provisioned()

    def keep_provisioned(self) -> None:
        if self._retired or self.provision_failure is not None:
            return
        ready = sum(1 for environment in self.environments if environment.provisioned)
        starting = sum(1 for task in self._starts if task.get_name() == PROVISIONED)
        for _ in range(self.provisioned - ready - starting):
            self._start(PROVISIONED)

    def sweep(self, used_after_s: float) -> None:
        """Lets go of environments that were idle since before then, but for the provisioned ones."""
        for environment in list(self.idle):
            spare = sum(1 for one in self.environments if one.provisioned) > self.provisioned
            if environment.idle_since_s < used_after_s and (not environment.provisioned or spare):
                self.idle.remove(environment)
                environment.stop()

    def evict_one(self) -> bool:
        """Makes a place for another function: ends the environment that was idle longest."""
        for environment in self.idle:
            if not environment.provisioned:
                self.idle.remove(environment)
                environment.stop()
                return True
        return False

    def retire(self) -> None:
        """Its version has new code or is gone: what runs ends in peace, everything else at once."""
        self._retired = True
        for environment in self.idle:
            environment.stop()
        self.idle.clear()

    async def stop(self) -> None:
        self._retired = True
        for task in list(self._starts):
            task.cancel()
        for environment in list(self.environments):
            environment.stop()
        await asyncio.gather(*self._starts, return_exceptions=True)

    def _start(self, initialization: str) -> None:
        task = asyncio.get_running_loop().create_task(self._bring_up(initialization), name=initialization)
        self._starts.add(task)
        task.add_done_callback(self._starts.discard)

    async def _bring_up(self, initialization: str) -> None:
        try:
            environment = await self._starter.start(self.function, initialization)
        except InitFailed as failed:
            if initialization == PROVISIONED:
                self.provision_failure = failed
                return
            try:
                # AWS runs a failed init again, as a part of the invocation that waits for it.
                if not self._has_waiter():
                    return
                environment = await self._starter.start(self.function, initialization, self.function.timeout_s)
            except InitFailed as again:
                self._fail(again)
                return
        self.environments.add(environment)
        environment.on_free = self._on_free
        environment.on_gone = self._on_gone
        environment.on_answered = self._settling.add
        environment.on_done = self._on_done
        self._on_free(environment)

    def _on_free(self, environment: Environment) -> None:
        self._settling.discard(environment)
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(environment)
                return
        if self._retired:
            environment.stop()
        else:
            self.idle.append(environment)

    def _on_gone(self, environment: Environment) -> None:
        self.environments.discard(environment)
        self._settling.discard(environment)
        if environment in self.idle:
            self.idle.remove(environment)
        self._start_if_needed()
        self.keep_provisioned()

    def _start_if_needed(self) -> None:
        """Whoever waited for one that is gone, or not free in time, has no other on the way."""
        if self._has_waiter() and len(self._starts) < len(self._waiting):
            try:
                self._admit()
            except AwsError as error:
                self._waiting.popleft().set_exception(error)
                return
            self._start(ON_DEMAND)

    def _has_waiter(self) -> bool:
        while self._waiting and self._waiting[0].done():
            self._waiting.popleft()
        return bool(self._waiting)

    def _fail(self, failed: InitFailed) -> None:
        if self._has_waiter():
            self._waiting.popleft().set_exception(failed)
