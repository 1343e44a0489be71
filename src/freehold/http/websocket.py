"""One open WebSocket: frames by the `websockets` package's sans-I/O layer, everything that waits with a limit.

RFC 6455. Text only: what Amazon API Gateway does not take (binary messages, extensions) is not offered. A client that
does not read loses its connection once UNSENT_BYTES wait for it.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
from typing import Protocol, cast

from websockets.frames import Close, Frame, Opcode
from websockets.protocol import OPEN, SERVER
from websockets.protocol import Protocol as Frames

from freehold.http.messages import Request

MESSAGE_BYTES = 128 * 1024
FRAME_BYTES = 32 * 1024
UNSENT_BYTES = 1024 * 1024
CLOSE_S = 5.0  # How long the other side has to answer our close frame.
NO_STATUS, ABNORMAL = 1005, 1006  # Codes that no frame carries: the close frame had none; there was no close frame.
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_UNSUPPORTED, _INVALID_TEXT = 1003, 1007


class Listener(Protocol):
    def heard(self) -> None:
        """Something came: a message, a part of one, a ping or a pong."""

    def message(self, text: str) -> None: ...

    def closed(self, code: int, reason: str) -> None:
        """Once, at the end. `code` may be NO_STATUS or ABNORMAL."""


def accept_key(request: Request) -> str | None:
    """`Sec-WebSocket-Accept` for an opening handshake; None where the request is none."""
    lower = request.lower
    key = lower.get("sec-websocket-key", "").strip()
    try:
        is_key = len(base64.b64decode(key, validate=True)) == 16
    except (binascii.Error, ValueError):
        is_key = False
    if request.method != "GET" or request.http_version != "1.1" or not is_key:
        return None
    return base64.b64encode(hashlib.sha1(key.encode() + _GUID).digest()).decode()


def offers_websocket(request: Request) -> bool:
    lower = request.lower
    if lower.get("upgrade", "").strip().lower() != "websocket":
        return False
    return any(token.strip().lower() == "upgrade" for token in lower.get("connection", "").split(","))


class WebSocket(asyncio.Protocol):
    """Made when the handshake is done; takes over the transport."""

    __slots__ = ("_close_timer", "_frames", "_is_done", "_listener", "_text", "_transport")

    def __init__(self, transport: asyncio.Transport, listener: Listener) -> None:
        self._transport: asyncio.Transport = transport
        self._listener = listener
        self._frames = Frames(SERVER, max_size=(MESSAGE_BYTES, FRAME_BYTES))
        self._text: bytearray | None = None  # Of a message whose end has not come.
        self._close_timer: asyncio.TimerHandle | None = None
        self._is_done = False
        transport.set_write_buffer_limits(high=UNSENT_BYTES)
        transport.set_protocol(self)

    @property
    def is_open(self) -> bool:
        return self._frames.state is OPEN and not self._transport.is_closing()

    def send(self, data: bytes) -> bool:
        """A text message (binary where it is no text). False: it is closed, or was just cut off for not reading."""
        if not self.is_open:
            return False
        if _is_text(data):
            self._frames.send_text(data)
        else:
            self._frames.send_binary(data)
        self._flush()
        return not self._transport.is_closing()

    def close(self, code: int, reason: str = "") -> None:
        """Says goodbye; the connection ends when the other side answers, or after CLOSE_S."""
        if not self.is_open:
            return
        self._frames.send_close(code, reason)
        self._flush()
        self._wait_for_close()

    def abort(self) -> None:
        self._transport.abort()

    def pause(self) -> None:
        if not self._transport.is_closing():
            self._transport.pause_reading()

    def resume(self) -> None:
        if not self._transport.is_closing():
            self._transport.resume_reading()

    # The transport's side.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        frames = self._frames
        was_open = self.is_open
        frames.receive_data(data)
        if was_open:  # Nothing that comes behind a goodbye counts.
            self._listener.heard()
            for frame in frames.events_received():
                assert isinstance(frame, Frame)
                if not self._take(frame):
                    break
        self._flush()
        if frames.close_expected():
            self._wait_for_close()

    def eof_received(self) -> bool:
        self._frames.receive_eof()
        self._flush()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        if self._close_timer is not None:
            self._close_timer.cancel()
        if self._is_done:
            return
        self._is_done = True
        end = self._frames.close_rcvd or self._frames.close_sent or Close(ABNORMAL, "")
        self._listener.closed(int(end.code), end.reason)

    def _take(self, frame: Frame) -> bool:
        """False: the connection failed; what came with it and behind it does not count."""
        data = frame.data
        if frame.opcode is Opcode.BINARY:
            self._frames.fail(_UNSUPPORTED, "Binary messages are not supported")
            return False
        if frame.opcode is Opcode.TEXT and not frame.fin:
            self._text = bytearray(data)
        elif frame.opcode is Opcode.TEXT:
            return self._tell(data)
        elif frame.opcode is Opcode.CONT and self._text is not None:
            self._text += data
            if frame.fin:
                whole, self._text = self._text, None
                return self._tell(whole)
        return True

    def _tell(self, data: bytes | bytearray | memoryview) -> bool:
        try:
            text = str(data, "utf-8")
        except UnicodeDecodeError:
            self._frames.fail(_INVALID_TEXT, "Invalid UTF-8")
            return False
        self._listener.message(text)
        return True

    def _flush(self) -> None:
        transport = self._transport
        for data in self._frames.data_to_send():
            if transport.is_closing():
                return
            if data:
                transport.write(data)
            else:
                transport.close()
        if transport.get_write_buffer_size() > UNSENT_BYTES:
            transport.abort()

    def _wait_for_close(self) -> None:
        if self._close_timer is None:
            self._close_timer = asyncio.get_running_loop().call_later(CLOSE_S, self._transport.abort)


def _is_text(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
