"""The server's end of the supervisor (runtimes/supervisor.py) of one environment with extensions.

One decision to know: connections to processes inside are made by the supervisor, inside, and handed out to us, so that
nobody can have the server connect to anything else.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Protocol

from freehold.sandbox.sandbox import Exit

RUNTIME = "runtime"
_LINE_BYTES = 65_536  # Only a process that is not our supervisor writes longer ones.
_WAITING_CONNECTIONS = 64


class SupervisionEvents(Protocol):
    """Called on the event loop."""

    def on_launch_failed(self, name: str, why: str) -> None: ...

    def on_ended(self, name: str, end: Exit) -> None:
        """`name`: RUNTIME, or an extension's."""
        ...


class Supervision:
    """Takes over the socket."""

    def __init__(self, control: socket.socket, events: SupervisionEvents) -> None:
        control.setblocking(False)
        self._loop = asyncio.get_running_loop()
        self._control = control
        self._events = events
        self._received = b""
        self._unsent = bytearray()
        self._fds: deque[int] = deque()
        self._connections: dict[int, asyncio.Future[socket.socket]] = {}
        self._numbers = 0
        self._closed = False
        self._loop.add_reader(control.fileno(), self._read)

    def start_extensions(self, paths: Sequence[str], env: Mapping[str, str], cwd: str) -> None:
        self._send({"op": "extensions", "paths": list(paths), "env": dict(env), "cwd": cwd})

    def start_runtime(self, argv: Sequence[str], env: Mapping[str, str], cwd: str) -> None:
        self._send({"op": "runtime", "argv": list(argv), "env": dict(env), "cwd": cwd})

    def signal(self, name: str, number: int) -> None:
        self._send({"op": "signal", "name": name, "number": number})

    async def connect(self, port: int) -> socket.socket:
        """A connection to what listens on `port` of the sandbox's loopback interface. Raises OSError."""
        if self._closed or len(self._connections) >= _WAITING_CONNECTIONS:
            raise ConnectionRefusedError("the environment is gone or busy")
        self._numbers += 1
        number = self._numbers
        future = self._connections[number] = self._loop.create_future()
        self._send({"op": "connect", "id": number, "port": port})
        try:
            connection: socket.socket = await future
            return connection
        finally:
            self._connections.pop(number, None)

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._loop.remove_reader(self._control.fileno())
        self._loop.remove_writer(self._control.fileno())
        self._control.close()
        for fd in self._fds:
            os.close(fd)
        self._fds.clear()
        for future in self._connections.values():
            if not future.done():
                future.set_exception(ConnectionRefusedError("the environment is gone"))

    def _send(self, message: dict[str, object]) -> None:
        if self._closed:
            return
        self._unsent += json.dumps(message).encode() + b"\n"
        self._flush()

    def _flush(self) -> None:
        try:
            sent = self._control.send(self._unsent)
        except BlockingIOError:
            sent = 0
        except OSError:
            # It is ending; the sandbox will tell.
            sent = len(self._unsent)
        del self._unsent[:sent]
        if self._unsent:
            self._loop.add_writer(self._control.fileno(), self._flush)
        else:
            self._loop.remove_writer(self._control.fileno())

    def _read(self) -> None:
        try:
            data, fds, _, _ = socket.recv_fds(self._control, _LINE_BYTES, 16)
        except BlockingIOError:
            return
        except OSError:
            data, fds = b"", []
        self._fds.extend(fds)
        if not data:
            self._loop.remove_reader(self._control.fileno())
            return
        *lines, self._received = (self._received + data).split(b"\n")
        if len(self._received) > _LINE_BYTES:
            self._received = b""
        for line in lines:
            if self._closed:
                return
            self._handle(json.loads(line))

    def _handle(self, message: dict[str, object]) -> None:
        match message:
            case {"op": "failed", "name": str(name), "why": str(why)}:
                self._events.on_launch_failed(name, why)
            case {"op": "exited", "name": str(name), "code": int() | None as code, "signal": int() | None as number}:
                self._events.on_ended(name, Exit(code, number, 0))
            case {"op": "connected", "id": int(number)} if self._fds:
                connection = socket.socket(fileno=self._fds.popleft())
                future = self._connections.get(number)
                if future is not None and not future.done():
                    future.set_result(connection)
                else:
                    connection.close()
            case {"op": "refused", "id": int(number), "why": str(why)}:
                future = self._connections.get(number)
                if future is not None and not future.done():
                    future.set_exception(ConnectionRefusedError(why))
