"""What a function prints: one pipe for stdout, stderr and the runtimes' framed log messages, cut into log events.

One decision to know: the three share a pipe, so that lines and log messages keep their order. A framed message (0xA55A
family, as AWS's runtimes write to _LAMBDA_TELEMETRY_LOG_FD) begins with a byte that no UTF-8 text has at its start. A
function that prints faster than its allowance is made to wait by the full pipe; the server's memory stays bounded.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

from freehold.state.logs import LogEvent

_READ_BYTES = 65_536
_MAX_LINE_BYTES = 262_144  # CloudWatch Logs' limit of one event; a longer line is cut there.
_ALLOWANCE_BYTES = 1_048_576  # What one environment may print within _WINDOW_S.
_WINDOW_S = 0.1
_FRAME = b"\xa5\x5a\x00"
_FRAME_HEAD_BYTES = 16


class OutputSplitter:
    """Bytes in, events out; holds at most one unfinished line and one unfinished frame."""

    __slots__ = ("_data",)

    def __init__(self) -> None:
        self._data = bytearray()

    def feed(self, data: bytes, now_ms: int) -> list[LogEvent]:
        self._data += data
        return self._split(now_ms, last=False)

    def finish(self, now_ms: int) -> list[LogEvent]:
        """The rest, as if its line had ended."""
        return self._split(now_ms, last=True) if self._data else []

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits for the rest of its line."""
        return not self._data

    def _split(self, now_ms: int, last: bool) -> list[LogEvent]:
        events: list[LogEvent] = []
        data = self._data
        at = 0
        while at < len(data):
            frame = data.find(_FRAME, at)
            if frame == at:
                if len(data) - at < _FRAME_HEAD_BYTES and not last:
                    break
                end = at + _FRAME_HEAD_BYTES + int.from_bytes(data[at + 4 : at + 8], "big")
                if end - at - _FRAME_HEAD_BYTES <= 4 * _MAX_LINE_BYTES:
                    if end > len(data) and not last:
                        break
                    stamp_ms = int.from_bytes(data[at + 8 : at + 16], "big") // 1000
                    events.append(_event(data[at + _FRAME_HEAD_BYTES : end], stamp_ms or now_ms))
                    at = min(end, len(data))
                    continue
                # No message is that long: a function printed these bytes.
                at += len(_FRAME)
                frame = data.find(_FRAME, at)
            line = data.find(b"\n", at)
            if 0 <= frame < line or (line < 0 and frame >= 0):
                # A message while a line is unfinished: the line ends here.
                events.append(_event(data[at:frame], now_ms))
                at = frame
            elif line >= 0:
                if line > at:
                    events.append(_event(data[at:line], now_ms))
                at = line + 1
            elif last or len(data) - at >= _MAX_LINE_BYTES:
                events.append(_event(data[at:], now_ms))
                at = len(data)
            else:
                break
        del data[:at]
        return events


class OutputReader:
    """Reads the pipe on the event loop; `take` gets what was printed, as events."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        fd: int,
        now_ms: Callable[[], int],
        take: Callable[[list[LogEvent]], None],
    ) -> None:
        os.set_blocking(fd, False)
        self._loop = loop
        self._fd = fd
        self._now_ms = now_ms
        self._take = take
        self._splitter = OutputSplitter()
        self._allowance = _ALLOWANCE_BYTES
        self._refill: asyncio.TimerHandle | None = None
        loop.add_reader(fd, self._on_readable)

    def drain(self, unread_bytes: int = -1) -> list[LogEvent]:
        """What lies in the pipe now, with an unfinished last line as a line. For the end of an invocation.

        `unread_bytes` is what the writing process saw there; 0 saves a system call."""
        if not unread_bytes and self._splitter.is_empty:
            return []
        events: list[LogEvent] = []
        if self._fd >= 0 and unread_bytes:
            # A pipe holds 64 KB: what is more was printed meanwhile, by a process that goes on printing.
            for _ in range(2):
                data = self._read()
                if not data:
                    break
                events += self._splitter.feed(data, self._now_ms())
                if len(data) < _READ_BYTES:
                    break
        events += self._splitter.finish(self._now_ms())
        return events

    def close(self) -> None:
        if self._fd >= 0:
            self._loop.remove_reader(self._fd)
            os.close(self._fd)
            self._fd = -1
        if self._refill is not None:
            self._refill.cancel()
            self._refill = None

    def _on_readable(self) -> None:
        data = self._read()
        if not data:
            return
        self._allowance -= len(data)
        if self._refill is None:
            self._refill = self._loop.call_later(_WINDOW_S, self._refilled)
        if self._allowance <= 0:
            self._loop.remove_reader(self._fd)
        events = self._splitter.feed(data, self._now_ms())
        if events:
            self._take(events)

    def _refilled(self) -> None:
        self._refill = None
        paused = self._allowance <= 0
        self._allowance = _ALLOWANCE_BYTES
        if paused and self._fd >= 0:
            self._loop.add_reader(self._fd, self._on_readable)

    def _read(self) -> bytes:
        try:
            data = os.read(self._fd, _READ_BYTES)
        except BlockingIOError:
            return b""
        if not data:
            # Every process that could print is gone.
            self._loop.remove_reader(self._fd)
        return data


def _event(data: bytes | bytearray, timestamp_ms: int) -> LogEvent:
    text = data[:_MAX_LINE_BYTES].decode("utf-8", "replace")
    return LogEvent(timestamp_ms, text.rstrip("\n"))
