"""SnapStart: a version's init runs once, and its environments are forks of the process that has run it.

AWS: "Improving startup performance with Lambda SnapStart". One decision to know: the process that is forked (the
template) is an environment like any other that never gets an invocation. What it cannot be forked for (threads of the
init's, extensions, a wrapper, a machine without control groups) is told, and the version's environments start as
others do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from freehold.engine.blanks import Blank, make_blank
from freehold.engine.environment import Environment, InitFailed, State
from freehold.engine.functions import FunctionVersion
from freehold.sandbox.sandbox import Limits, Room, SandboxError

SNAP_START = "snap-start"
INIT_S = 130.0  # AWS: "Understanding the Lambda execution environment lifecycle"; or the function's timeout, if longer.
THREADS = "SnapStart.Threads"  # runtimes/python/bootstrap.py says it.
_QUIET_S = 0.03
_UNUSED = 16  # So many are kept that nobody runs of; each holds what its init made.


class Impossible(Exception):
    """This version cannot be forked here; the text says why."""


@dataclass(slots=True)
class Template:
    """Of a version. `failure`: its init did not go well. No environment and no failure: impossible."""

    environment: Environment | None
    failure: InitFailed | None = None
    why: str = ""
    in_use: int = 0  # Environments; not who is spare.
    spare: list[Blank] = field(default_factory=list)
    retired: bool = False
    making: asyncio.Task[None] | None = None

    async def take(self) -> Blank:
        """A process that goes on when it is told the rest of its environment. Raises SandboxError."""
        self.in_use += 1
        blank = None
        try:
            while blank is None or blank.process.exited.done():
                blank = self.spare.pop() if self.spare else await self._make()
        except BaseException:
            self._leave()
            raise
        blank.process.exited.add_done_callback(lambda _: self._leave())
        self.make_spare()
        return blank

    def make_spare(self) -> None:
        """In a quiet moment: the next one to be taken is there already."""
        if (
            self.environment is not None
            and not self.retired
            and not self.spare
            and (self.making is None or self.making.done())
        ):
            self.making = asyncio.get_running_loop().create_task(self._fill())

    def retire(self) -> None:
        """Nobody is forked any more; it ends with the last environment."""
        self.retired = True
        if self.making is not None:
            self.making.cancel()
        while self.spare:
            self.spare.pop().close()
        self._end_if_unused()

    def close(self) -> None:
        """It ends now, and its environments with it."""
        self.retire()
        if self.environment is not None:
            self.environment.stop()

    async def _fill(self) -> None:
        await asyncio.sleep(_QUIET_S)
        try:
            self.spare.append(await self._make())
        except (SandboxError, OSError):
            # Who takes one next will meet it too, and has somebody to tell.
            return

    async def _make(self) -> Blank:
        if self.environment is None or self.environment.process is None:
            raise SandboxError(self.why)
        function, process = self.environment.function, self.environment.process
        room, limits = Room(None, tmp_mb=function.ephemeral_mb), Limits(memory_mb=function.memory_mb)
        return await make_blank(lambda fds: process.fork(room, limits, fds))

    def _leave(self) -> None:
        self.in_use -= 1
        self._end_if_unused()

    def _end_if_unused(self) -> None:
        if self.retired and not self.in_use and self.environment is not None:
            self.environment.stop()


class Snapshots:
    """Of one engine. `start` brings up a process that waits to be forked, and raises InitFailed or Impossible."""

    def __init__(self, start: Callable[[FunctionVersion], Awaitable[Environment]]) -> None:
        self._start = start
        self._templates: dict[str, asyncio.Task[Template]] = {}  # By version, those used last at the end.

    async def find(self, function: FunctionVersion) -> Template:
        """The version's, made if need be."""
        known = self._templates.pop(function.key, None)
        if known is not None and self._is_gone(known):
            if (gone := _result(known)) is not None:
                gone.retire()
            known = None
        if known is None:
            known = asyncio.get_running_loop().create_task(self._take(function))
        self._templates[function.key] = known
        self._let_go_of_unused()
        # Whoever gives up waiting does not take it from the others.
        template = await asyncio.shield(known)
        template.make_spare()
        return template

    def renounce(self, function: FunctionVersion, why: str) -> None:
        """It cannot be forked after all."""
        self.retire(function.key)
        self._templates[function.key] = asyncio.get_running_loop().create_task(_value(Template(None, why=why)))

    def retire(self, version_key: str) -> None:
        """No such version any more, or not this one."""
        known = self._templates.pop(version_key, None)
        if known is None:
            return
        if known.done():
            template = _result(known)
            if template is not None:
                template.retire()
        else:
            # Who waits for it gets it.
            known.add_done_callback(lambda done: None if (late := _result(done)) is None else late.retire())

    def close(self) -> None:
        for known in self._templates.values():
            template = _result(known)
            if template is not None:
                template.close()
            known.cancel()

    async def _take(self, function: FunctionVersion) -> Template:
        try:
            return Template(await self._start(function))
        except InitFailed as failed:
            if failed.error_type == THREADS:
                return Template(None, why="its init started threads, which no fork has")
            return Template(None, failure=failed)
        except (Impossible, SandboxError) as error:
            return Template(None, why=str(error))

    def _is_gone(self, task: asyncio.Task[Template]) -> bool:
        if not task.done():
            return False
        template = _result(task)
        # What failed is tried again: the reason may have gone.
        if template is None or template.failure is not None:
            return True
        return template.environment is not None and template.environment.state is State.STOPPED

    def _let_go_of_unused(self) -> None:
        templates = {key: _result(task) for key, task in self._templates.items()}
        unused = [
            key for key, template in templates.items()
            if template is not None and template.environment is not None and not template.in_use
        ]  # fmt: skip
        for key in unused[:-_UNUSED]:
            self.retire(key)


def _result(task: asyncio.Task[Template]) -> Template | None:
    return task.result() if task.done() and not task.cancelled() and task.exception() is None else None


async def _value(template: Template) -> Template:
    return template
