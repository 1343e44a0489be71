"""Booted runtimes that wait for their function: in a jail that stands empty, up to the frame that says what to become.

One decision to know: they are made beside everything else, one after another, once no start has been asked for some
milliseconds. A burst so spends nothing on them, and a quiet server's cold starts find one.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from freehold.engine.variables import TELEMETRY_FD, boot_variables
from freehold.runtimes.launch import Launch
from freehold.sandbox.sandbox import Limits, Program, Room, Sandbox, SandboxError, SandboxProcess

LINK_FD = 3
_FORKED, _BOOTED = 4, 2  # How many wait: forks of a zygote share its memory, a booted Node.js has 40 MB of its own.
_QUIET_S = 0.03
_WAITING = Limits(memory_mb=1769)  # Until it is furnished with its function's.


@dataclass(frozen=True, slots=True)
class Blank:
    process: SandboxProcess
    link: socket.socket  # Its first frame is still to be sent.
    output_fd: int  # The read end of what it prints.

    def close(self) -> None:
        self.process.kill()
        self.link.close()
        os.close(self.output_fd)


class Blanks:
    """Of one engine. What differs in argv, zygote or visible folders is another kind."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._waiting: dict[object, list[Blank]] = {}
        self._wanted: dict[object, Launch] = {}
        self._renounced = False
        self._timer: asyncio.TimerHandle | None = None
        self._filling: asyncio.Task[None] | None = None

    def take(self, launch: Launch) -> Blank | None:
        """One that is the caller's now; it has to be furnished. None: none waits."""
        self.want(launch)
        waiting = self._waiting.get(_kind(launch), [])
        while waiting:
            blank = waiting.pop()
            if not blank.process.exited.done():
                return blank
            blank.close()
        return None

    def want(self, launch: Launch) -> None:
        """Has some of this kind made, in a quiet moment."""
        if self._renounced:
            return
        self._wanted[_kind(launch)] = launch
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(_QUIET_S, self._fill)

    @property
    def is_full(self) -> bool:
        """Whether as many wait as are wanted."""
        return all(len(self._waiting.get(kind, ())) >= _wanted(launch) for kind, launch in self._wanted.items())

    def renounce(self) -> None:
        """This machine cannot furnish them: none is made any more."""
        self._renounced = True
        self.close()
        self._wanted.clear()

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._filling is not None:
            self._filling.cancel()
        for waiting in self._waiting.values():
            while waiting:
                waiting.pop().close()

    def _fill(self) -> None:
        if self._filling is None or self._filling.done():
            self._filling = asyncio.get_running_loop().create_task(self._fill_all())

    async def _fill_all(self) -> None:
        for kind, launch in list(self._wanted.items()):
            waiting = self._waiting.setdefault(kind, [])
            while len(waiting) < _wanted(launch):
                try:
                    waiting.append(await self._make(launch))
                except (SandboxError, OSError):
                    # Who starts a function of this kind will meet it too, and has somebody to tell.
                    break

    async def _make(self, launch: Launch) -> Blank:
        await self._sandbox.prepare(None if launch.argv else launch.zygote)
        room = Room(None, visible=launch.visible)
        env = boot_variables() if launch.argv else {}
        return await make_blank(
            lambda fds: self._sandbox.start(
                Program(launch.argv, launch.zygote, env, fds=fds, limits=_WAITING, room=room)
            )
        )


async def make_blank(start: Callable[[dict[int, int]], Awaitable[SandboxProcess]]) -> Blank:
    """`start` gets the descriptors that the process shall have. What it raises is passed on."""
    ours, theirs = socket.socketpair()
    output_fd, print_fd = os.pipe()
    try:
        process = await start({1: print_fd, 2: print_fd, TELEMETRY_FD: print_fd, LINK_FD: theirs.fileno()})
    except BaseException:
        ours.close()
        os.close(output_fd)
        raise
    finally:
        theirs.close()
        os.close(print_fd)
    return Blank(process, ours, output_fd)


def _wanted(launch: Launch) -> int:
    return _BOOTED if launch.argv else _FORKED


def _kind(launch: Launch) -> object:
    return launch.argv, launch.zygote, launch.visible
