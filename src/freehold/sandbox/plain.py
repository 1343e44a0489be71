"""The sandbox without isolation: process groups, an environment of its own, limits that need no privilege.

One decision to know: the server starts few processes itself, the spawners (one that executes, one per zygote); these
start all others, see every end, and kill everything when the server is gone, even by SIGKILL.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import signal
import socket
import struct
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from freehold.sandbox import peers
from freehold.sandbox.peers import Address
from freehold.sandbox.sandbox import Exit, Limits, Program, Room, SandboxError, SandboxProcess, Zygote

_SPAWNER = Path(__file__).with_name("spawner.py")
_MAX_FDS = 16  # With one message of a spawner.
_SERVERS, _SPAWNERS = 25, 100  # Each spawner has user ids of its own for jails; servers most likely, too.
_launched = itertools.count()
_FORK_LIMIT_S = 10.0
_START_LIMIT_S = 20.0  # A spawner that is not up after this long never will be.


class PlainSandbox:
    """Meets `Sandbox`."""

    jails = False

    def __init__(self) -> None:
        self._spawners: dict[Zygote | None, asyncio.Task[_Spawner]] = {}
        self._retired: list[_Spawner] = []

    async def prepare(self, zygote: Zygote | None) -> None:
        await (await self._spawner(zygote)).settled.wait()

    async def start(self, program: Program) -> SandboxProcess:
        zygote = None if program.argv else program.zygote
        assert program.argv or zygote is not None
        jail = self._jail(program.room, program.limits) if program.room else None
        return await (await self._spawner(zygote)).start(program, jail, self._jail)

    def _jail(self, room: Room, limits: Limits) -> dict[str, object] | None:
        """What the spawner is told of a program's jail; None: it gets none."""
        return None

    async def stop(self) -> None:
        tasks = list(self._spawners.values())
        self._spawners.clear()
        for task in tasks:
            try:
                await (await task).stop()
            except SandboxError:
                continue

    async def _spawner(self, zygote: Zygote | None) -> _Spawner:
        task = self._spawners.get(zygote)
        if task is not None and task.done() and (task.exception() is not None or task.result().gone):
            task = None
        if task is None:
            task = self._spawners[zygote] = asyncio.get_running_loop().create_task(_Spawner.launch(zygote))
        # Whoever gives up waiting does not take the spawner from the others.
        return await asyncio.shield(task)


_Describe = Callable[[Room, Limits], dict[str, object] | None]


@dataclass(frozen=True, slots=True)
class _Started:
    pid: int
    controls: tuple[str, ...]
    listening: tuple[socket.socket, ...]


class _Process:
    """Meets `SandboxProcess`."""

    def __init__(
        self,
        spawner: _Spawner,
        number: int,
        exited: asyncio.Future[Exit],
        started: _Started,
        describe: _Describe,
        is_jailed: bool,
    ) -> None:
        self.controls = started.controls  # The controllers that limit it; of jails only.
        self.listening = started.listening
        self._describe = describe
        self._is_jailed = is_jailed
        self._user: int | None = None  # Looked up when it is asked for.
        self._spawner = spawner
        self._number = number
        self.pid = started.pid
        self.exited = exited
        exited.add_done_callback(lambda _: _close_all(started.listening))

    async def furnish(self, room: Room, limits: Limits) -> None:
        jail = self._describe(room, limits)
        if jail is not None:
            await self._spawner.furnish(self._number, jail)

    async def fork(self, room: Room, limits: Limits, fds: Mapping[int, int]) -> SandboxProcess:
        message = {"op": "fork", "of": self._number}
        try:
            async with asyncio.timeout(_FORK_LIMIT_S):
                return await self._spawner.launch_one(message, fds, self._describe(room, limits), self._describe)
        except TimeoutError:
            raise SandboxError("the process that was to be forked does not fork") from None

    async def owns(self, client: Address, server: Address) -> bool:
        if not self._is_jailed:
            return True
        owner = peers.owner_of(client, server)
        if owner is None:
            return False
        user, number = owner
        ours = self._user = self._user or peers.user_of(self.pid)
        if user != ours or ours != os.geteuid():
            return user == ours
        # Jails of an ordinary user are all of one user.
        return await asyncio.to_thread(peers.holds, self.pid, number)

    def kill(self) -> None:
        if not self.exited.done():
            self._spawner.send({"op": "kill", "id": self._number})

    def freeze(self) -> bool:
        return self._signal_group(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal_group(signal.SIGCONT)

    def _signal_group(self, number: signal.Signals) -> bool:
        if self.exited.done():
            return False
        try:
            os.killpg(os.getpgid(self.pid), number)
        except (ProcessLookupError, PermissionError):
            # It is ending.
            return False
        return True


class _Spawner:
    """The server's end of a spawner process."""

    def __init__(self, control: socket.socket, process: subprocess.Popen[bytes]) -> None:
        self._loop = asyncio.get_running_loop()
        self._users = os.getpid() % _SERVERS * _SPAWNERS + next(_launched) % _SPAWNERS
        self._control = control
        self._process = process
        self._ready: asyncio.Future[None] = self._loop.create_future()
        self.settled = asyncio.Event()  # It has loaded all that its children share, or is gone.
        self._starting: dict[int, asyncio.Future[_Started]] = {}
        self._exits: dict[int, asyncio.Future[Exit]] = {}
        self._furnishing: dict[int, asyncio.Future[None]] = {}
        self._numbers = 0
        self._received = bytearray()
        self._received_fds: deque[int] = deque()  # Of messages that are not whole yet.
        self._unsent: deque[tuple[bytes, list[int]]] = deque()
        self.gone = False
        self._loop.add_reader(control.fileno(), self._read)

    @classmethod
    async def launch(cls, zygote: Zygote | None) -> _Spawner:
        ours, theirs = socket.socketpair()
        # Room for many starts at once; what does not fit waits in `_unsent`.
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        ours.setblocking(False)
        entry = [str(zygote.entry_file), *zygote.arguments] if zygote else []
        try:
            process = subprocess.Popen(  # noqa: ASYNC220 - a vfork; asyncio's own would add its child watcher.
                [
                    zygote.interpreter if zygote else sys.executable,
                    "-I",
                    "-S",
                    str(_SPAWNER),
                    str(theirs.fileno()),
                    *entry,
                ],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is the server's; it then ends the rest in order.
                cwd="/",
                env={"PATH": os.defpath, "LANG": "C.UTF-8"},
            )
        except OSError as error:
            ours.close()
            raise SandboxError(f"cannot start {zygote.interpreter if zygote else sys.executable}: {error}") from error
        finally:
            theirs.close()
        spawner = cls(ours, process)
        try:
            async with asyncio.timeout(_START_LIMIT_S):
                await spawner._ready
        except TimeoutError:
            await spawner.stop()
            raise SandboxError(f"the process that starts functions was not up after {_START_LIMIT_S:.0f} s") from None
        return spawner

    async def start(self, program: Program, jail: dict[str, object] | None, describe: _Describe) -> SandboxProcess:
        message = {
            "op": "start",
            "argv": list(program.argv),
            "env": dict(program.env),
            "cwd": str(program.cwd),
            "open_files": program.limits.open_files,
            "forks": program.forks,
        }
        return await self.launch_one(message, program.fds, jail, describe)

    async def launch_one(
        self, message: dict[str, object], fds: Mapping[int, int], jail: dict[str, object] | None, describe: _Describe
    ) -> SandboxProcess:
        self._numbers += 1
        number = self._numbers
        message |= {"id": number, "fds": list(fds), "jail": jail and {**jail, "users": self._users}}
        exited: asyncio.Future[Exit] = self._loop.create_future()
        started: asyncio.Future[_Started] = self._loop.create_future()
        self._exits[number] = exited
        self._starting[number] = started
        # The caller may close its descriptors as soon as we return or are cancelled.
        self.send(message, [os.dup(fd) for fd in fds.values()])
        try:
            up = await started
        except asyncio.CancelledError:
            self.send({"op": "kill", "id": number})
            raise
        return _Process(self, number, exited, up, describe, jail is not None)

    async def furnish(self, number: int, jail: dict[str, object]) -> None:
        done = self._furnishing[number] = self._loop.create_future()
        self.send({"op": "furnish", "id": number, "jail": jail})
        await done

    async def stop(self) -> None:
        self._lose()
        await asyncio.to_thread(_wait, self._process)

    def send(self, message: dict[str, object], fds: list[int] | None = None) -> None:
        """Never blocks: what the socket does not take waits, in order."""
        if self.gone:
            for fd in fds or ():
                os.close(fd)
            self._fail_started()
            return
        data = json.dumps(message).encode()
        self._unsent.append((struct.pack(">I", len(data)) + data, fds or []))
        if len(self._unsent) == 1:
            self._flush()

    def _flush(self) -> None:
        while self._unsent:
            data, fds = self._unsent[0]
            try:
                sent = socket.send_fds(self._control, [data], fds) if fds else self._control.send(data)
            except BlockingIOError:
                self._loop.add_writer(self._control.fileno(), self._flush)
                return
            except OSError:
                self._lose()
                return
            for fd in fds:
                os.close(fd)
            if sent < len(data):
                self._unsent[0] = (data[sent:], [])
            else:
                self._unsent.popleft()
        self._loop.remove_writer(self._control.fileno())

    def _read(self) -> None:
        try:
            data, fds, _, _ = socket.recv_fds(self._control, 65536, _MAX_FDS)
        except BlockingIOError:
            return
        except OSError:
            data, fds = b"", []
        self._received_fds += fds
        if not data:
            self._lose()
            return
        received = self._received
        received += data
        while len(received) >= 4:
            size = int.from_bytes(received[:4], "big")
            if len(received) < 4 + size:
                return
            message = json.loads(received[4 : 4 + size])
            del received[: 4 + size]
            self._handle(message)

    def _handle(self, message: dict[str, object]) -> None:
        match message["op"]:
            case "ready":
                self._ready.set_result(None)
            case "settled":
                self.settled.set()
            case "started":
                self._started(message)
            case "furnished":
                done = self._furnishing.pop(_number(message["id"]))
                if not done.done():
                    done.set_exception(SandboxError(str(message["why"]))) if message["why"] else done.set_result(None)
            case "failed":
                number = _number(message["id"])
                started = self._starting.pop(number)
                self._exits.pop(number, None)
                if not started.done():
                    started.set_exception(SandboxError(str(message["why"])))
            case "exited":
                exited = self._exits.pop(_number(message["id"]), None)
                if exited is not None and not exited.done():
                    starved = bool(message["out_of_memory"])
                    exited.set_result(_exit(_number(message["status"]), _number(message["max_rss"]), starved))

    def _started(self, message: dict[str, object]) -> None:
        started = self._starting.pop(_number(message["id"]))
        controls = message.get("controls", [])
        assert isinstance(controls, list)
        count = _number(message.get("listening", 0))
        listening = tuple(socket.socket(fileno=self._received_fds.popleft()) for _ in range(count))
        if started.done():
            _close_all(listening)
        else:
            started.set_result(_Started(_number(message["pid"]), tuple(controls), listening))

    def _lose(self) -> None:
        """The spawner is gone or shall go: closing its socket makes it end all that it started."""
        if self.gone:
            return
        self.gone = True
        self.settled.set()
        self._loop.remove_reader(self._control.fileno())
        self._loop.remove_writer(self._control.fileno())
        self._control.close()
        for _, fds in self._unsent:
            for fd in fds:
                os.close(fd)
        self._unsent.clear()
        while self._received_fds:
            os.close(self._received_fds.popleft())
        if not self._ready.done():
            self._ready.set_exception(SandboxError("the process that starts functions ended before it was ready"))
        self._fail_started()
        for exited in self._exits.values():
            if not exited.done():
                exited.set_result(Exit(None, signal.SIGKILL, 0))
        self._exits.clear()

    def _fail_started(self) -> None:
        for started in self._starting.values():
            if not started.done():
                started.set_exception(SandboxError("the process that starts functions is gone"))
        self._starting.clear()
        for furnished in self._furnishing.values():
            if not furnished.done():
                furnished.set_exception(SandboxError("the process that starts functions is gone"))
        self._furnishing.clear()


def _close_all(sockets: Iterable[socket.socket]) -> None:
    for one in sockets:
        one.close()


def _wait(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(timeout=_START_LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _number(value: object) -> int:
    assert isinstance(value, int)
    return value


def _exit(status: int, max_rss_kb: int, out_of_memory: bool) -> Exit:
    if os.WIFSIGNALED(status):
        return Exit(None, os.WTERMSIG(status), max_rss_kb, out_of_memory)
    return Exit(os.WEXITSTATUS(status), None, max_rss_kb)
