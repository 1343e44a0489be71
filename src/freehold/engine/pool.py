"""The environments of one version: who is idle, what waits, how many start. Runs on the one used last first.

One decision to know: an invocation that finds nobody idle starts an environment and waits for whichever is free first,
that one or another. So a quick function under a burst is not bound to its own slow starts. And a quick function's
invocations wait for a busy environment rather than wake one more than the processors can use (pace.py). What waits here
runs in the end, also when its caller has gone; it is counted, so the concurrency limits are this queue's too.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Protocol

from freehold.aws.errors import AwsError
from freehold.engine.environment import Environment, InitFailed
from freehold.engine.functions import FunctionVersion
from freehold.engine.invocation import Invocation, InvocationResult
from freehold.engine.keep_alive import IdleHistory
from freehold.engine.pace import STALL_S, Pace
from freehold.engine.starter import ON_DEMAND, PROVISIONED, Starter

_SETTLE_S = 0.02


Answer = asyncio.Future[InvocationResult]


class Admits(Protocol):
    def admit(self, function: FunctionVersion) -> None:
        """A place for one more environment, perhaps freed elsewhere. Raises AwsError when there is none."""
        ...

    def spared(self, function: FunctionVersion) -> None:
        """It was admitted and did not start."""
        ...


class Pool:
    """`admission` is asked before each start on demand. `on_done` is told of each invocation that ended, however it
    did. `tell_failure` makes the result of an invocation whose environment did not come up."""

    def __init__(
        self,
        function: FunctionVersion,
        starter: Starter,
        admission: Admits,
        on_done: Callable[[FunctionVersion], None],
        tell_failure: Callable[[FunctionVersion, Invocation, InitFailed], InvocationResult],
        history: IdleHistory,
    ) -> None:
        self.function = function
        self._starter = starter
        self._admission = admission
        self._on_done = on_done
        self._tell_failure = tell_failure
        self.history = history
        self._loop = asyncio.get_running_loop()
        self.idle: list[Environment] = []
        self.environments: set[Environment] = set()
        self._waiting: deque[tuple[Invocation, Answer]] = deque()
        self._starts: set[asyncio.Task[None]] = set()
        self._begun = 0  # Of them those, on demand, whose turn has come.
        self._settling: set[Environment] = set()  # Answered their last invocation, and will be free in a moment.
        self._pace = Pace()
        self._watch: asyncio.TimerHandle | None = None  # Over those who wait for a busy environment.
        self._retired = False
        self.provisioned = 0  # So many are kept initialised.
        self.provision_failure: InitFailed | None = None

    def __len__(self) -> int:
        """Environments, those that start included."""
        return len(self.environments) + len(self._starts)

    def run(self, invocation: Invocation) -> Answer:
        """Begins it, now or when an environment is free. Raises AwsError when it can get none."""
        answer: Answer = self._loop.create_future()
        idle = self.idle
        is_full = self._pace.is_full(len(self.environments) - len(idle))
        if idle and not is_full:
            idle.pop().run(invocation, answer)
            return answer
        if is_full:
            if self._watch is None:
                self._look_again()
        elif self._settling and len(self._settling) + len(self._starts) > len(self._waiting):
            # One will be free sooner than a new one is up; if not, this was too good a hope.
            self._loop.call_later(_SETTLE_S, self._start_if_needed)
        elif len(self._starts) <= len(self._waiting):
            try:
                self._admission.admit(self.function)
            except BaseException:
                self._on_done(self.function)
                raise
            self._start(ON_DEMAND)
        self._waiting.append((invocation, answer))
        return answer

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
                self.let_go(environment)

    def rest_idle(self, used_before_s: float, freezes: bool) -> None:
        for environment in self.idle:
            if not environment.rested and environment.idle_since_s < used_before_s:
                environment.rest(freezes)

    def let_go(self, environment: Environment) -> None:
        """Ends one that is idle."""
        self.idle.remove(environment)
        self.history.let_go(environment.idle_since_s)
        environment.stop()

    def retire(self) -> None:
        """Its version has new code or is gone: what runs ends in peace, everything else at once."""
        self._retired = True
        for environment in list(self.idle):  # Each that ends leaves it.
            environment.stop()

    async def stop(self) -> None:
        self._retired = True
        for task in list(self._starts):
            task.cancel()
        for environment in list(self.environments):
            environment.stop()
        await asyncio.gather(*self._starts, return_exceptions=True)
        while self._waiting:
            self._waiting.popleft()[1].cancel()

    def _start(self, initialization: str) -> None:
        task = self._loop.create_task(self._bring_up(initialization), name=initialization)
        self._starts.add(task)
        task.add_done_callback(self._starts.discard)

    async def _bring_up(self, initialization: str) -> None:
        if not self.environments:
            self.history.starting()
        if initialization == PROVISIONED:
            try:
                environment = await self._starter.start(self.function, initialization)
            except InitFailed as failed:
                self.provision_failure = failed
                return
        else:
            environment = await self._bring_up_for_who_waits()
        if environment is None:
            return
        self.environments.add(environment)
        environment.on_free = self._on_free
        environment.on_gone = self._on_gone
        environment.on_answered = self._on_answered
        environment.on_done = self._on_done
        environment.on_woken = self.history.woken
        self._on_free(environment)

    async def _bring_up_for_who_waits(self) -> Environment | None:
        begun = False

        def begin() -> bool:
            """Until the turn came others may have answered those who waited."""
            nonlocal begun
            if not begun and len(self._waiting) > self._begun:
                begun = True
                self._begun += 1
            return begun

        try:
            environment = await self._starter.start(self.function, ON_DEMAND, begin=begin)
            if environment is None:
                self._admission.spared(self.function)
            return environment
        except InitFailed:
            # AWS runs a failed init again, as a part of the invocation that waits for it.
            if not self._waiting:
                return None
            try:
                return await self._starter.start(self.function, ON_DEMAND, self.function.timeout_s)
            except InitFailed as again:
                self._fail(again)
                return None
        finally:
            self._begun -= begun

    def _on_answered(self, environment: Environment, worked_us: int) -> None:
        self._settling.add(environment)
        self._pace.note(worked_us)

    def _look_again(self, silent: bool = False) -> None:
        # Twice: answers may lie in the sockets when a timer is late.
        self._watch = self._loop.call_later(STALL_S / 2, self._watch_waiting, self._pace.answers, silent)

    def _watch_waiting(self, answers: int, was_silent: bool) -> None:
        """Nobody waits for busy environments that do not answer."""
        self._watch = None
        if not self._waiting:
            return
        is_silent = self._pace.answers == answers
        if is_silent and was_silent:
            self._pace.stalled()
        if self._pace.is_full(len(self.environments) - len(self.idle)):
            self._look_again(is_silent)
            return
        while self.idle and self._waiting:
            self._on_free(self.idle.pop())
        for _ in range(len(self._waiting) - len(self._starts)):
            self._start_if_needed()

    def _on_free(self, environment: Environment) -> None:
        self._settling.discard(environment)
        if self._waiting:
            environment.run(*self._waiting.popleft())
        elif self._retired:
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
        if len(self._starts) < len(self._waiting):
            try:
                self._admission.admit(self.function)
            except AwsError as error:
                self._refuse(error)
                return
            self._start(ON_DEMAND)

    def _fail(self, failed: InitFailed) -> None:
        if self._waiting:
            invocation, answer = self._waiting.popleft()
            self._on_done(self.function)
            result = self._tell_failure(self.function, invocation, failed)
            if not answer.done():
                answer.set_result(result)

    def _refuse(self, error: AwsError) -> None:
        _, answer = self._waiting.popleft()
        self._on_done(self.function)
        if not answer.done():
            answer.set_exception(error)
