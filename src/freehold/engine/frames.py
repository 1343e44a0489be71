"""The private transport: frames over a Unix socket between the engine and a managed runtime's bootstrap.

A frame: payload length (4 bytes, big endian), meta length (2), type (1), one byte of nothing; meta, its fields parted
by NUL; payload. An answer also means that the runtime asks for the next invocation. The bootstraps (runtimes/python,
runtimes/node) speak the other side.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable

from freehold.engine.limits import PAYLOAD_BYTES
from freehold.engine.link import LinkEvents, Work

HEAD = struct.Struct(">IHBx")
HEAD_BYTES = HEAD.size

INIT = 1  # to the runtime; payload: JSON of how to become the function
INVOKE = 2  # to the runtime; meta: request id, deadline, ARN, trace, client context, identity, content type
READY = 3
RESPONSE = 4  # meta: request id, content type, microseconds of work or -1, unread bytes of output or -1
ERROR = 5  # meta: request id, error type
INIT_ERROR = 6  # meta: error type
FATAL = 7  # as ERROR, from a runtime that ends itself after it
PART = 8  # meta: request id, content type; of an answer that RESPONSE, with the rest of it, or ERROR ends

_READ_BYTES = 262_144
_MAX_DIGITS = 18


class FrameLink:
    """Meets `Link`. Takes over the socket."""

    __slots__ = ("_closers", "_events", "_fd", "_loop", "_partial", "_skip", "_socket", "_unsent")

    def __init__(self, loop: asyncio.AbstractEventLoop, connection: socket.socket, events: LinkEvents) -> None:
        connection.setblocking(False)
        self._loop = loop
        self._socket = connection
        self._fd = connection.fileno()
        self._events = events
        self._partial = bytearray()
        self._skip = 0  # Bytes of a too large payload still to come.
        self._unsent = bytearray()
        self._closers: list[Callable[[], None]] = []
        loop.add_reader(self._fd, self._read)

    def start(self, message: bytes) -> None:
        """The first frame: JSON that says which function to become."""
        self._write(HEAD.pack(len(message), 0, INIT) + message)

    def send(self, work: Work) -> None:
        meta = (
            f"{work.request_id}\0{work.deadline_ms}\0{work.function_arn}\0{work.trace_id}\0{work.client_context}\0"
            f"{work.identity}\0{work.content_type}"
        ).encode()
        self._write(HEAD.pack(len(work.payload), len(meta), INVOKE) + meta + work.payload)

    def owns(self, close: Callable[[], None]) -> None:
        """Something to be closed with the link."""
        self._closers.append(close)

    def redirect(self, events: LinkEvents) -> None:
        self._events = events

    def hold(self) -> None:
        if self._fd >= 0:
            self._loop.remove_reader(self._fd)

    def go_on(self) -> None:
        if self._fd >= 0:
            self._loop.add_reader(self._fd, self._read)

    def close(self) -> None:
        if self._fd >= 0:
            self._loop.remove_reader(self._fd)
            self._loop.remove_writer(self._fd)
            self._fd = -1
            self._socket.close()
            for close in self._closers:
                close()

    def _write(self, data: bytes) -> None:
        if self._fd < 0:
            return
        if self._unsent:
            self._unsent += data
            return
        try:
            sent = self._socket.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            # Its process is ending; the sandbox will tell.
            return
        if sent < len(data):
            self._unsent += data[sent:]
            self._loop.add_writer(self._fd, self._write_rest)

    def _write_rest(self) -> None:
        try:
            sent = self._socket.send(self._unsent)
        except BlockingIOError:
            return
        except OSError:
            sent = len(self._unsent)
        del self._unsent[:sent]
        if not self._unsent:
            self._loop.remove_writer(self._fd)

    def _read(self) -> None:
        try:
            data = self._socket.recv(_READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            # Closed by the function or ended: the one ends in a timeout, the other is told by the sandbox.
            self._loop.remove_reader(self._fd)
            return
        if self._skip:
            skipped = min(self._skip, len(data))
            self._skip -= skipped
            data = data[skipped:]
        if self._partial:
            self._partial += data
            if len(self._partial) < HEAD_BYTES or len(self._partial) < _frame_bytes(self._partial):
                self._drop_too_large()
                return
            data = bytes(self._partial)
            self._partial = bytearray()
        while data:
            if len(data) < HEAD_BYTES or len(data) < (whole := _frame_bytes(data)):
                self._partial += data
                self._drop_too_large()
                return
            self._handle(data, whole)
            data = data[whole:] if len(data) > whole else b""

    def _drop_too_large(self) -> None:
        """An answer over the limit is reported as soon as its head is here, and never held."""
        partial = self._partial
        if len(partial) < HEAD_BYTES:
            return
        size, meta_size, kind = HEAD.unpack_from(partial)
        if size <= PAYLOAD_BYTES or len(partial) < HEAD_BYTES + meta_size:
            return
        meta = bytes(partial[HEAD_BYTES : HEAD_BYTES + meta_size])
        self._skip = HEAD_BYTES + meta_size + size - len(partial)
        self._partial = bytearray()
        if kind in (RESPONSE, ERROR, FATAL, PART):
            self._events.on_too_large(meta.decode("utf-8", "replace").split("\0")[0], size)
            if kind not in (FATAL, PART):
                # What is still to come is read and thrown away while the runtime writes it; then it waits.
                self._events.on_ready()

    def _handle(self, data: bytes, whole: int) -> None:
        size, meta_size, kind = HEAD.unpack_from(data)
        end = HEAD_BYTES + meta_size
        payload = data[end:whole]
        first, _, second = data[HEAD_BYTES:end].decode("utf-8", "replace").partition("\0")
        if size > PAYLOAD_BYTES:
            self._events.on_too_large(first, size)
            if kind not in (FATAL, PART):
                self._events.on_ready()
        elif kind == RESPONSE:
            content_type, *numbers = second.split("\0")
            self._events.on_response(first, payload, content_type, *map(_number, numbers[:2]))
            self._events.on_ready()
        elif kind == ERROR:
            self._events.on_error(first, second, payload)
            self._events.on_ready()
        elif kind == PART:
            self._events.on_part(first, payload, second)
        elif kind == FATAL:
            self._events.on_error(first, second, payload)
        elif kind == READY:
            self._events.on_ready()
        elif kind == INIT_ERROR:
            self._events.on_init_error(first, payload)
        # Anything else was not written by our bootstrap but by the function: it means nothing.


def _frame_bytes(data: bytes | bytearray) -> int:
    size, meta_size, _ = HEAD.unpack_from(data)
    return HEAD_BYTES + int(meta_size) + int(size)


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) <= _MAX_DIGITS else -1
