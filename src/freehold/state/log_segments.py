"""One log group on disk: segments of JSON lines `[time, ingestion, stream id, message]`, and the list of its streams.

One decision to know: a segment is never changed but by appending, and a full one gets a small `.idx` beside it (its
streams and their times). So a start reads the indexes and scans one segment, and a page opens only the segments whose
times and streams it can hold. A line that a kill tore is cut off when the group is opened.
"""

from __future__ import annotations

import heapq
import os
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import orjson

from freehold.state.logs import LogEvent, LogPage, LogQuery, StoredEvent, StreamInfo

SEGMENT_BYTES = 4 * 1024 * 1024
# CloudWatch Logs counts 26 bytes for each event beside its message (PutLogEvents).
EVENT_OVERHEAD_BYTES = 26
# Digits of an event id: time, segment, offset; 56 in all, as AWS's.
_PLACE = 10**36
_SEGMENT = 10**20

Batch = tuple[str, int, Sequence[LogEvent]]  # Stream, ingestion time, events.


@dataclass(slots=True)
class _Span:
    """What a segment holds of one stream."""

    first_ms: int
    last_ms: int
    last_ingestion_ms: int
    stored_bytes: int

    def add(self, first_ms: int, last_ms: int, ingestion_ms: int, size: int) -> None:
        self.first_ms = min(self.first_ms, first_ms)
        self.last_ms = max(self.last_ms, last_ms)
        self.last_ingestion_ms = max(self.last_ingestion_ms, ingestion_ms)
        self.stored_bytes += size


@dataclass(slots=True)
class _Segment:
    number: int
    path: Path
    size: int = 0  # Up to here whole lines lie; a reader goes no further.
    spans: dict[int, _Span] = field(default_factory=dict)
    first_ms: int = _PLACE
    last_ms: int = -1

    def add(self, stream: int, first_ms: int, last_ms: int, ingestion_ms: int, size: int) -> None:
        """Events of one stream that were written; `size` in CloudWatch's bytes."""
        self.first_ms = min(self.first_ms, first_ms)
        self.last_ms = max(self.last_ms, last_ms)
        span = self.spans.get(stream)
        if span is None:
            self.spans[stream] = _Span(first_ms, last_ms, ingestion_ms, size)
        else:
            span.add(first_ms, last_ms, ingestion_ms, size)

    @property
    def index_path(self) -> Path:
        return self.path.with_suffix(".idx")


class GroupFiles:
    """The files of one group. Thread-safe; every method may do I/O."""

    def __init__(self, directory: Path, *, segment_bytes: int = SEGMENT_BYTES) -> None:
        self._directory = directory
        self._segment_bytes = segment_bytes
        self._lock = threading.Lock()
        self._streams: dict[str, int] = {}
        self._created_ms: dict[int, int] = {}
        self._names: dict[int, str] = {}
        self._next_stream = 1
        self._segments: list[_Segment] = []
        self._load_streams()
        self._load_segments()

    def append(self, batches: Sequence[Batch], *, sync: bool = False) -> None:
        with self._lock:
            lines: list[bytes] = []
            segment = self._active()
            written: list[tuple[int, int, int, int, int]] = []
            for stream, ingestion_ms, events in batches:
                if not events:
                    continue
                number = self._streams.get(stream) or self._add_stream(stream, ingestion_ms)
                first_ms = last_ms = events[0].timestamp_ms
                size = 0
                for timestamp_ms, message in events:
                    if not message.isascii():
                        message = _clean(message)
                    line = (timestamp_ms, ingestion_ms, number, message)
                    lines.append(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
                    size += len(message) + EVENT_OVERHEAD_BYTES
                    if timestamp_ms < first_ms:
                        first_ms = timestamp_ms
                    elif timestamp_ms > last_ms:
                        last_ms = timestamp_ms
                written.append((number, first_ms, last_ms, ingestion_ms, size))
            self._write(segment, b"".join(lines), sync=sync)
            for entry in written:
                segment.add(*entry)

    def create_stream(self, name: str, created_ms: int) -> bool:
        with self._lock:
            if name in self._streams:
                return False
            self._add_stream(name, created_ms)
            return True

    def delete_stream(self, name: str) -> bool:
        with self._lock:
            number = self._streams.pop(name, None)
            if number is None:
                return False
            # Its lines stay until their segment goes; no reader knows their number any more.
            del self._names[number], self._created_ms[number]
            self._write_stream_line(["-", number])
            return True

    def streams(self) -> list[StreamInfo]:
        with self._lock:
            return [self._stream_info(name) for name in sorted(self._streams)]

    def stored_bytes(self) -> int:
        with self._lock:
            return sum(span.stored_bytes for segment in self._segments for span in segment.spans.values())

    def expire(self, before_ms: int) -> None:
        """Removes the segments that hold nothing younger."""
        with self._lock:
            kept = []
            for segment in self._segments:
                if segment.spans and segment.last_ms < before_ms:
                    segment.path.unlink(missing_ok=True)
                    segment.index_path.unlink(missing_ok=True)
                else:
                    kept.append(segment)
            if not kept and self._segments:
                # Numbers never come twice: event ids are made of them.
                kept.append(self._new_segment(self._segments[-1].number + 1))
                kept[0].path.touch()
            self._segments = kept

    def read(self, query: LogQuery) -> LogPage:
        with self._lock:
            names = {
                number: name for number, name in self._names.items() if query.streams is None or name in query.streams
            }
            segments = [replace(segment, spans={}) for segment in self._segments if _may_hold(segment, names, query)]
        found: list[StoredEvent] = []
        for event in _in_order(segments, names, newest_first=query.newest_first):
            if not _is_wanted(event, query):
                continue
            if len(found) == query.limit:
                return LogPage(found, has_more=True)
            found.append(event)
        return LogPage(found, has_more=False)

    def _active(self) -> _Segment:
        if not self._segments:
            self._segments.append(self._new_segment(1))
        segment = self._segments[-1]
        if segment.size >= self._segment_bytes:
            _write_index(segment)
            segment = self._new_segment(segment.number + 1)
            self._segments.append(segment)
        return segment

    def _new_segment(self, number: int) -> _Segment:
        return _Segment(number, self._directory / f"{number:08d}.log")

    def _write(self, segment: _Segment, data: bytes, *, sync: bool) -> None:
        is_new = segment.size == 0
        with segment.path.open("ab", buffering=0) as file:
            try:
                view = memoryview(data)
                while view:
                    view = view[file.write(view) or 0 :]
                if sync:
                    os.fsync(file.fileno())
            except OSError:
                # A line that a full disk cut would swallow the next one.
                os.truncate(file.fileno(), segment.size)
                raise
        segment.size += len(data)
        if sync and is_new:
            _sync_directory(self._directory)

    def _stream_info(self, name: str) -> StreamInfo:
        number = self._streams[name]
        spans = [segment.spans[number] for segment in self._segments if number in segment.spans]
        return StreamInfo(
            name=name,
            created_ms=self._created_ms[number],
            first_ms=min((span.first_ms for span in spans), default=None),
            last_ms=max((span.last_ms for span in spans), default=None),
            last_ingestion_ms=max((span.last_ingestion_ms for span in spans), default=None),
            stored_bytes=sum(span.stored_bytes for span in spans),
        )

    def _add_stream(self, name: str, created_ms: int) -> int:
        number = self._next_stream
        self._write_stream_line(["+", number, name, created_ms])
        self._know_stream(number, name, created_ms)
        return number

    def _know_stream(self, number: int, name: str, created_ms: int) -> None:
        self._next_stream = max(self._next_stream, number + 1)
        self._streams[name] = number
        self._names[number] = name
        self._created_ms[number] = created_ms

    def _write_stream_line(self, line: list[Any]) -> None:
        with (self._directory / "streams").open("ab") as file:
            file.write(orjson.dumps(line) + b"\n")

    def _load_streams(self) -> None:
        path = self._directory / "streams"
        if not path.exists():
            return
        _cut_torn_line(path)
        for _, line in _lines(path.read_bytes()):
            if line[0] == "+":
                self._know_stream(line[1], line[2], line[3])
            elif line[1] in self._names:
                name = self._names.pop(line[1])
                del self._streams[name], self._created_ms[line[1]]

    def _load_segments(self) -> None:
        paths = sorted(self._directory.glob("*.log"))
        for path in paths:
            segment = _Segment(int(path.stem), path)
            if path == paths[-1] or not _read_index(segment):
                _cut_torn_line(path)
                _scan(segment)
            self._segments.append(segment)


def _may_hold(segment: _Segment, names: dict[int, str], query: LogQuery) -> bool:
    if not segment.spans or names.keys().isdisjoint(segment.spans):
        return False
    start_ms, end_ms = query.start_ms, query.end_ms
    if query.cursor is not None:
        at_ms = query.cursor // _PLACE
        if query.newest_first:
            end_ms = at_ms + 1 if end_ms is None else min(end_ms, at_ms + 1)
        else:
            start_ms = at_ms if start_ms is None else max(start_ms, at_ms)
    return (start_ms is None or segment.last_ms >= start_ms) and (end_ms is None or segment.first_ms < end_ms)


def _is_wanted(event: StoredEvent, query: LogQuery) -> bool:
    if query.start_ms is not None and event.timestamp_ms < query.start_ms:
        return False
    if query.end_ms is not None and event.timestamp_ms >= query.end_ms:
        return False
    if query.cursor is not None and not (event.id < query.cursor if query.newest_first else event.id > query.cursor):
        return False
    return query.matches is None or query.matches(event.message)


def _in_order(segments: list[_Segment], names: dict[int, str], *, newest_first: bool) -> Iterator[StoredEvent]:
    """All events by id. Holds only those segments in memory whose times overlap."""
    sign = -1 if newest_first else 1
    waiting = sorted(segments, key=lambda s: -s.last_ms if newest_first else s.first_ms, reverse=True)
    heap: list[tuple[int, StoredEvent]] = []
    while waiting or heap:
        while waiting:
            edge_ms = waiting[-1].last_ms if newest_first else waiting[-1].first_ms
            if heap and sign * edge_ms > sign * heap[0][1].timestamp_ms:
                break
            heap += [(sign * event.id, event) for event in _events(waiting.pop(), names)]
            heapq.heapify(heap)
        if heap:
            yield heapq.heappop(heap)[1]


def _events(segment: _Segment, names: dict[int, str]) -> Iterator[StoredEvent]:
    try:
        with segment.path.open("rb") as file:
            data = file.read(segment.size)
    except FileNotFoundError:
        return  # Retention took it while we were reading.
    for offset, (timestamp_ms, ingestion_ms, stream, message) in _lines(data):
        name = names.get(stream)
        if name is not None:
            number = timestamp_ms * _PLACE + segment.number * _SEGMENT + offset
            yield StoredEvent(number, name, timestamp_ms, ingestion_ms, message)


def _lines(data: bytes) -> Iterator[tuple[int, list[Any]]]:
    """(offset, value) of each whole line; one that a crash damaged is passed over."""
    offset = 0
    for line in data.splitlines(keepends=True):
        try:
            yield offset, orjson.loads(line)
        except orjson.JSONDecodeError:
            pass
        offset += len(line)


def _scan(segment: _Segment) -> None:
    data = segment.path.read_bytes()
    segment.size = len(data)
    for _, (timestamp_ms, ingestion_ms, stream, message) in _lines(data):
        segment.add(stream, timestamp_ms, timestamp_ms, ingestion_ms, len(message) + EVENT_OVERHEAD_BYTES)


def _cut_torn_line(path: Path) -> None:
    data = path.read_bytes()
    whole = data.rfind(b"\n") + 1
    if whole != len(data):
        os.truncate(path, whole)


def _write_index(segment: _Segment) -> None:
    spans = {
        str(number): [span.first_ms, span.last_ms, span.last_ingestion_ms, span.stored_bytes]
        for number, span in segment.spans.items()
    }
    segment.index_path.write_bytes(orjson.dumps({"size": segment.size, "spans": spans}))


def _read_index(segment: _Segment) -> bool:
    """False when there is none, or it is not of this file: a hint that costs nothing to lose."""
    try:
        document = orjson.loads(segment.index_path.read_bytes())
    except (FileNotFoundError, orjson.JSONDecodeError):
        return False
    segment.size = segment.path.stat().st_size
    if document["size"] != segment.size:
        return False
    segment.spans = {int(number): _Span(*values) for number, values in document["spans"].items()}
    segment.first_ms = min((span.first_ms for span in segment.spans.values()), default=_PLACE)
    segment.last_ms = max((span.last_ms for span in segment.spans.values()), default=-1)
    return True


def _clean(message: str) -> str:
    """Text that JSON can hold: a lone surrogate cannot be written as UTF-8."""
    return message.encode("utf-8", "replace").decode()


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
