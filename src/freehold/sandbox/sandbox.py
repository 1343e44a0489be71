"""The seam between the engine and whatever isolates a function: a program goes in, a process tree comes out.

One decision to know: a program is either an argv to execute or an entry of a zygote, a process of the same interpreter
that has its modules loaded already and forks. The engine never forks by itself.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from freehold.sandbox.peers import Address


class SandboxError(Exception):
    """The process could not be started; the text says why."""


@dataclass(frozen=True, slots=True)
class Zygote:
    """A process that imports `entry_file` once, runs its PRELOAD and then forks a child for each program."""

    interpreter: str  # A Python, 3.9 or newer.
    entry_file: Path  # Defines `enter() -> None`, what the child runs, and PRELOAD, functions run beforehand.
    arguments: tuple[str, ...] = ()  # sys.argv[1:] of the zygote.


@dataclass(frozen=True, slots=True)
class Limits:
    open_files: int = 1024
    processes: int = 1024  # Enforced by jails only.
    memory_mb: int = 128  # Likewise, where the machine has control groups.


@dataclass(frozen=True, slots=True)
class Room:
    """What a jailed program sees of the machine, beside its system folders; a plain sandbox does not look at it."""

    task_dir: Path | None  # At /var/task, read-only; None: nothing yet, until the process is furnished.
    opt_dir: Path | None = None  # At /opt, read-only.
    visible: tuple[Path, ...] = ()  # Read-only, where they are: interpreter, bootstrap, SDKs.
    tmp_mb: int = 512  # The size of /tmp.


@dataclass(frozen=True, slots=True)
class Program:
    argv: tuple[str, ...] = ()  # Empty: fork `zygote`.
    zygote: Zygote | None = None
    env: Mapping[str, str] = field(default_factory=dict)  # All of it: nothing is inherited.
    cwd: Path = Path("/")
    fds: Mapping[int, int] = field(default_factory=dict)  # Number inside -> descriptor of ours. 0 is /dev/null.
    limits: Limits = Limits()
    room: Room | None = None
    forks: bool = False  # It waits, when it says so by the zygote's `wait_for_restore()`, to be forked.


@dataclass(frozen=True, slots=True)
class Exit:
    code: int | None  # None: ended by a signal.
    signal: int | None
    max_rss_kb: int  # The largest memory that the first process held.
    out_of_memory: bool = False  # It was killed because its jail had no more.


class SandboxProcess(Protocol):
    """A started process tree. `exited` resolves once its first process has ended and the rest was killed."""

    @property
    def pid(self) -> int: ...

    @property
    def exited(self) -> asyncio.Future[Exit]: ...

    @property
    def listening(self) -> tuple[socket.socket, ...]:
        """In the network of its own, where it has one, and for as long as the process is there: sockets to be
        duplicated by whoever serves the ports that the sandbox was told."""
        ...

    async def furnish(self, room: Room, limits: Limits) -> None:
        """Gives a jailed program that was started with an empty room its code, its /tmp and its limits, once.

        Raises SandboxError, and the process is of no use.
        """
        ...

    async def fork(self, room: Room, limits: Limits, fds: Mapping[int, int]) -> SandboxProcess:
        """Another process that goes on where this one, started with `forks`, waits; with a jail of its own: files
        as here, an empty /tmp, limits. It ends with this one at the latest. Raises SandboxError."""
        ...

    async def owns(self, client: Address, server: Address) -> bool:
        """Whether a TCP connection over the machine's loopback interface was made by this process tree. Without a jail
        nobody can tell, and nobody is kept from anything: True."""
        ...

    def kill(self) -> None:
        """Ends the whole tree with SIGKILL. May be called at any time, more than once."""
        ...

    def freeze(self) -> bool:
        """Stops the program and what is in its process group, until `thaw`; False: it is not there any more. It can be
        killed as before."""
        ...

    def thaw(self) -> None: ...


class Sandbox(Protocol):
    @property
    def jails(self) -> bool:
        """Whether programs live in their `room`, with the package at /var/task."""
        ...

    async def prepare(self, zygote: Zygote | None) -> None:
        """Returns once the zygote (None: what executes argv's) is up with all that it loads. Raises SandboxError."""
        ...

    async def start(self, program: Program) -> SandboxProcess:
        """Raises SandboxError. The descriptors in `program.fds` stay the caller's to close."""
        ...

    async def stop(self) -> None:
        """Nothing that was started is left when it returns."""
        ...
