"""The local `Invoker`: from an ARN to a version, from a version to an environment, and the answer back.

On the way there is no store read and no wait for a log. What functions exist is followed, as compiled copies
(functions.py).
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import replace

from freehold.aws.errors import AwsError
from freehold.clock import Clock, now_ms
from freehold.engine import events
from freehold.engine.admission import Admission
from freehold.engine.concurrency import Concurrency
from freehold.engine.environment import InitFailed
from freehold.engine.evictor import Evictor, Idleness
from freehold.engine.functions import (
    ALIAS,
    FUNCTION,
    KINDS,
    LATEST,
    Alias,
    FunctionVersion,
    compile_alias,
    compile_version,
    not_active,
)
from freehold.engine.invocation import Invocation, InvocationRecord, InvocationResult
from freehold.engine.keep_alive import IdleHistory
from freehold.engine.pool import Pool
from freehold.engine.recursion import MARK, LoopGuard, dropped
from freehold.engine.starter import Starter
from freehold.engine.surroundings import Surroundings
from freehold.runtimes.names import RUNTIMES
from freehold.state.store import Change, Document, Store


class Engine:
    """Meets `Invoker`. `start` follows the store; `stop` leaves no process."""

    def __init__(
        self,
        store: Store,
        starter: Starter,
        around: Surroundings,
        max_environments: int,
        idleness: Idleness,
    ) -> None:
        self._store = store
        self._starter = starter
        self._around = around
        self._clock: Clock = around.clock
        self.concurrency = Concurrency(max_environments)
        self._versions: dict[str, FunctionVersion] = {}
        self._aliases: dict[str, Alias] = {}
        self._pools: dict[str, Pool] = {}
        self._histories: dict[str, IdleHistory] = {}  # By function: new code is called as often as the old.
        self._evictor = Evictor(idleness, around.clock, lambda: list(self._pools.values()))
        self._retired: set[Pool] = set()
        self._loops = LoopGuard(store)
        self._admission = Admission(
            max_environments, self.concurrency, around.clock, idleness.memory_left, self._evictor.evict,
            lambda: (*self._pools.values(), *self._retired),
        )  # fmt: skip
        self._targets: dict[str, tuple[str, Alias | None]] = {}  # Invoked ARN -> function key, version or alias.
        self._prewarmed: set[str] = set()  # Names of runtimes.
        self._unfollow: Callable[[], None] = lambda: None
        self._background: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        self._unfollow = self._store.follow(KINDS, self._on_changes)
        self._loops.start()
        self._evictor.start()

    async def stop(self) -> None:
        self._unfollow()
        self._loops.stop()
        await self._evictor.stop()
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        await asyncio.gather(*(pool.stop() for pool in (*self._pools.values(), *self._retired)))
        self._starter.close()
        await asyncio.gather(*self._around.farewells)

    def listen(self, listener: Callable[[InvocationRecord], None]) -> None:
        """Has `listener` called after each invocation; it must not block nor raise."""
        self._around.listeners.append(listener)

    def prewarm(self, runtime_name: str) -> None:
        """Starts, beside everything else, what environments of a runtime start from.

        Known functions' runtimes are prewarmed by themselves; `freehold dev` may name them before it has deployed.
        """
        if runtime_name in RUNTIMES and runtime_name not in self._prewarmed:
            self._prewarmed.add(runtime_name)
            self._run_beside(self._starter.prepare(RUNTIMES[runtime_name]))

    def invoke(self, invocation: Invocation) -> asyncio.Future[InvocationResult]:
        pool = self._pool(self._version_key(invocation.function_arn))
        if MARK in invocation.trace_id:
            self._refuse_loop(pool.function, invocation)
        self.concurrency.enter(pool.function.key)
        return pool.run(invocation)

    def _refuse_loop(self, function: FunctionVersion, invocation: Invocation) -> None:
        if self._loops.drops(invocation.trace_id, function.mark, function.function_key):
            error = dropped()
            record = InvocationRecord(
                function.region, function.name, function.version, invocation.request_id, "error", error.code,
                0.0, 0, None, 0, [error.message],
            )  # fmt: skip
            for listener in self._around.listeners:
                listener(record)
            raise error

    async def prepare(self, function: FunctionVersion) -> None:
        """Has its files in place and finds its runtime. Raises NoInterpreter, AwsError, OSError."""
        await self._starter.find_all(function)

    async def rehearse(self, function_arn: str, code_sha256: str, handler: str) -> InitFailed | None:
        """Starts one environment of a function with other code, a blob, and lets it go: does that code initialise?"""
        function = replace(self.find(function_arn), code_sha256=code_sha256, code_directory="", handler=handler)
        try:
            environment = await self._starter.start(function)
        except InitFailed as failed:
            return failed
        assert environment is not None
        environment.stop()
        return None

    async def snapshot(self, key: str, document: Document) -> tuple[bool, InitFailed | None]:
        """Runs the init of a version ("lambda.version") that is to be, for SnapStart: whether its environments will be
        forks of what has run it, and how it failed."""
        template = await self._starter.snapshots.find(compile_version(key, document))
        return template.environment is not None, template.failure

    def drop_snapshot(self, key: str) -> None:
        self._starter.snapshots.retire(key)

    def find(self, function_arn: str) -> FunctionVersion:
        """What an ARN stands for now (of a weighted alias: one of its versions). Raises ResourceNotFoundException."""
        key = self._version_key(function_arn)
        function = self._versions.get(key)
        if function is None:
            raise _not_found(function_arn)
        return function

    def has_version(self, version_key: str) -> bool:
        return version_key in self._versions

    def dead_letter(self, function_arn: str) -> str:
        """The ARN of the function's dead-letter queue; empty: none, or no such function any more."""
        try:
            return self.find(function_arn).dead_letter
        except AwsError:
            return ""

    def provision(self, version_key: str, count: int) -> None:
        """Keeps `count` environments of "region/name/version" initialised, and their places for it."""
        self.concurrency.provision(version_key, count)
        self._pool(version_key).provision(count)

    def provisioned(self, version_key: str) -> tuple[int, InitFailed | None]:
        """How many provisioned environments are up, and why no more come."""
        pool = self._pools.get(version_key)
        if pool is None:
            return 0, None
        return sum(1 for one in pool.environments if one.provisioned), pool.provision_failure

    # Which version.

    def _version_key(self, arn: str) -> str:
        target = self._targets.get(arn)
        if target is None:
            target = self._targets[arn] = self._resolve(arn)
        key, alias = target
        if alias is None:
            return key
        version = alias.choose(random.random()) if alias.weights else alias.version
        return f"{key}/{version}"

    def _resolve(self, arn: str) -> tuple[str, Alias | None]:
        parts = arn.split(":")
        if len(parts) in (7, 8) and parts[2] == "lambda":
            key = f"{parts[3]}/{parts[6]}"
            qualifier = parts[7] if len(parts) == 8 else LATEST
            if f"{key}/{qualifier}" in self._versions:
                return f"{key}/{qualifier}", None
            alias = self._aliases.get(f"{key}/{qualifier}")
            if alias is not None:
                return key, alias
        raise _not_found(arn)

    def _pool(self, version_key: str) -> Pool:
        pool = self._pools.get(version_key)
        if pool is None:
            function = self._versions.get(version_key)
            if function is None:
                raise AwsError("ResourceNotFoundException", f"Function not found: {version_key}", status=404)
            if function.state != "Active":
                raise not_active(function.state)
            history = self._histories.setdefault(function.function_key, IdleHistory(self._clock))
            pool = self._pools[version_key] = Pool(
                function, self._starter, self._admission, self._on_done, self._init_failure, history
            )
        return pool

    # Following the store.

    def _on_changes(self, changes: Sequence[Change]) -> None:
        self._targets.clear()
        for change in changes:
            if change.kind == ALIAS:
                if change.document is None:
                    self._aliases.pop(change.key, None)
                else:
                    self._aliases[change.key] = compile_alias(change.document)
                continue
            key = f"{change.key}/{LATEST}" if change.kind == FUNCTION else change.key
            if change.kind == FUNCTION:
                self.concurrency.reserve(change.key, (change.document or {}).get("reserved_concurrency"))
            if change.document is None:
                if change.kind == FUNCTION:
                    self._histories.pop(change.key, None)
                    self._admission.forget(change.key)
                self._versions.pop(key, None)
                self.concurrency.provision(key, 0)
                self._retire(key)
                continue
            function = compile_version(change.key, change.document)
            before = self._versions.get(key)
            self._versions[key] = function
            self.prewarm(function.runtime_name)
            if before is not None and before.fingerprint != function.fingerprint:
                self._retire(key)

    def _retire(self, version_key: str) -> None:
        self._starter.snapshots.retire(version_key)
        pool = self._pools.pop(version_key, None)
        if pool is None:
            return
        pool.retire()
        if len(pool):
            # Until its last environment is gone `stop` must know of it.
            self._retired = {one for one in self._retired if len(one)} | {pool}

    # Places.

    def _on_done(self, function: FunctionVersion) -> None:
        """Counted until the function has answered, also when the caller does not wait for it."""
        self.concurrency.leave(function.key)

    def _run_beside(self, work: object) -> None:
        assert asyncio.iscoroutine(work)
        task = asyncio.get_running_loop().create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    def _init_failure(self, function: FunctionVersion, invocation: Invocation, failed: InitFailed) -> InvocationResult:
        """The answer to an invocation whose environment never came up, with its lines in the log."""
        request_id = invocation.request_id
        report = events.Report(
            request_id, failed.duration_ms, function.memory_mb, 0, None, failed.status, failed.error_type
        )
        payload = failed.document(request_id)
        record = InvocationRecord(
            function.region, function.name, function.version, request_id, failed.status, failed.error_type,
            failed.duration_ms, report.billed_ms, None, 0, failed.lines or [payload.decode("utf-8", "replace")],
        )  # fmt: skip
        for listener in self._around.listeners:
            listener(record)
        lines = [
            events.start_line(request_id, function.version),
            events.end_line(request_id),
            events.report_line(report),
        ]
        self._around.logs.append(function.region, function.log_group, failed.log_stream, [
            events.log_event(now_ms(self._clock), line) for line in lines
        ])  # fmt: skip
        tail = "".join(f"{line}\n" for line in (lines[0], *failed.lines, *lines[1:])).encode()[-4096:]
        return InvocationResult(
            payload, "Unhandled", function.version, tail if invocation.log_tail else b"", failed.duration_ms, None
        )


def _not_found(arn: str) -> AwsError:
    return AwsError("ResourceNotFoundException", f"Function not found: {arn}", status=404, fields={"Type": "User"})
