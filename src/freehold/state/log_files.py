"""The LogStore in files: a bounded buffer beside the requests, and a thread that writes it out ten times a second.

One decision to know: `append` only puts a value into a dict under a lock that nobody holds during I/O. Whoever reads
flushes first, so a reader sees what was appended, and nobody else ever waits for the disk.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import orjson

from freehold.clock import Clock, SystemClock, now_ms
from freehold.state.log_segments import Batch, GroupFiles
from freehold.state.logs import Follower, GroupInfo, LogEvent, LogPage, LogQuery, StreamInfo

_FLUSH_AFTER_S = 0.1
_HURRY_BYTES = 1024 * 1024  # Of one group: flushed at once.
_PENDING_BYTES = 16 * 1024 * 1024  # Of one group: past it the oldest unwritten events are dropped.
_EXPIRE_EVERY_S = 600.0
_NAME_BYTES = 200  # Of a directory's name; longer ones are cut and told apart by a hash.

_Key = tuple[str, str]  # Region, group.


@dataclass(slots=True)
class _Pending:
    """Events of one group that are not written yet."""

    batches: deque[Batch] = field(default_factory=deque)
    size: int = 0
    dropped: int = 0

    def add(self, batch: Batch, size: int, limit: int) -> None:
        self.batches.append(batch)
        self.size += size
        while self.size > limit and len(self.batches) > 1:
            oldest = self.batches.popleft()
            self.size -= _size(oldest[2])
            self.dropped += len(oldest[2])

    def take(self, at_ms: int) -> list[Batch]:
        batches = list(self.batches)
        if self.dropped and batches:
            text = f"Freehold dropped {self.dropped} log events of this group: the disk did not keep up."
            batches.insert(0, (batches[0][0], at_ms, [LogEvent(at_ms, text)]))
        return batches


@dataclass(slots=True)
class _Group:
    info: GroupInfo
    directory: Path
    keep_ms: int | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)
    opened: GroupFiles | None = None

    def files(self) -> GroupFiles:
        """Opened at the first use: a start does not read every group."""
        with self.lock:
            if self.opened is None:
                self.directory.mkdir(parents=True, exist_ok=True)
                described = self.directory / "group.json"
                if not described.exists():
                    document = {"name": self.info.name, "createdMs": self.info.created_ms}
                    new = self.directory / "group.new"
                    new.write_bytes(orjson.dumps(document))
                    os.replace(new, described)
                self.opened = GroupFiles(self.directory)
            return self.opened


class FileLogs:
    """Meets `LogStore`. `close` writes out what is left."""

    def __init__(
        self,
        directory: Path,
        clock: Clock | None = None,
        *,
        flush_after_s: float = _FLUSH_AFTER_S,
        pending_bytes: int = _PENDING_BYTES,
    ) -> None:
        self._pending_bytes = pending_bytes
        self._directory = directory
        self._clock = clock or SystemClock()
        self._flush_after_s = flush_after_s
        self._groups: dict[_Key, _Group] = {}
        self._pending: dict[_Key, _Pending] = {}
        self._pending_lock = threading.Lock()  # Never held during I/O.
        self._flush_lock = threading.Lock()
        self._wake = threading.Event()
        self._hurry = threading.Event()
        self._closing = threading.Event()
        self._followers: list[Follower] = []
        self._find_groups()
        self._thread = threading.Thread(target=self._write_forever, name="log-writer", daemon=True)
        self._thread.start()

    def append(self, region: str, group: str, stream: str, events: Sequence[LogEvent]) -> None:
        if not events or self._closing.is_set():
            return
        for follower in self._followers:
            follower(region, group, stream, events)
        size = _size(events)
        key = region, group
        with self._pending_lock:
            at_ms = now_ms(self._clock)
            if key not in self._groups:
                self._entry(key, at_ms)
            pending = self._pending.get(key)
            if pending is None:
                pending = self._pending[key] = _Pending()
            pending.add((stream, at_ms, events), size, self._pending_bytes)
            is_large = pending.size > _HURRY_BYTES
        if not self._wake.is_set():
            self._wake.set()
        if is_large:
            self._hurry.set()

    def follow(self, follower: Follower) -> Callable[[], None]:
        self._followers = [*self._followers, follower]

        def end() -> None:
            self._followers = [kept for kept in self._followers if kept is not follower]

        return end

    def groups(self, region: str) -> list[GroupInfo]:
        with self._pending_lock:
            return sorted(
                (group.info for (where, _), group in self._groups.items() if where == region),
                key=lambda info: info.name,
            )

    def has_group(self, region: str, group: str) -> bool:
        return (region, group) in self._groups

    def retention_ms(self, region: str, group: str) -> int | None:
        found = self._groups.get((region, group))
        return found.keep_ms if found else None

    def retain(self, region: str, group: str, keep_ms: int | None) -> None:
        with self._pending_lock:
            self._entry((region, group), now_ms(self._clock)).keep_ms = keep_ms

    async def create_group(self, region: str, group: str) -> bool:
        with self._pending_lock:
            if (region, group) in self._groups:
                return False
            entry = self._entry((region, group), now_ms(self._clock))
        await asyncio.to_thread(entry.files)
        return True

    async def delete_group(self, region: str, group: str) -> bool:
        return await asyncio.to_thread(self._delete_group, (region, group))

    async def create_stream(self, region: str, group: str, stream: str) -> bool:
        files = await self._flushed(region, group)
        return files is not None and await asyncio.to_thread(files.create_stream, stream, now_ms(self._clock))

    async def delete_stream(self, region: str, group: str, stream: str) -> bool:
        files = await self._flushed(region, group)
        return files is not None and await asyncio.to_thread(files.delete_stream, stream)

    async def streams(self, region: str, group: str) -> list[StreamInfo]:
        files = await self._flushed(region, group)
        return await asyncio.to_thread(files.streams) if files else []

    async def stored_bytes(self, region: str, group: str) -> int:
        files = await self._flushed(region, group)
        return files.stored_bytes() if files else 0

    async def put(self, region: str, group: str, stream: str, events: Sequence[LogEvent]) -> None:
        for follower in self._followers:
            follower(region, group, stream, events)
        files = await self._flushed(region, group)
        if files is not None:
            batch = (stream, now_ms(self._clock), events)
            await asyncio.to_thread(files.append, [batch], sync=True)

    async def read(self, region: str, group: str, query: LogQuery) -> LogPage:
        files = await self._flushed(region, group)
        if files is None:
            return LogPage([], has_more=False)
        keep_ms = self._groups[(region, group)].keep_ms
        if keep_ms is not None:
            oldest_ms = now_ms(self._clock) - keep_ms
            query = _from(query, oldest_ms)
        return await asyncio.to_thread(files.read, query)

    async def flush(self) -> None:
        """Hands everything appended so far to the operating system."""
        await asyncio.to_thread(self._flush)

    def close(self) -> None:
        self._closing.set()
        self._hurry.set()
        self._wake.set()
        self._thread.join()
        self._flush()

    async def _flushed(self, region: str, group: str) -> GroupFiles | None:
        entry = self._groups.get((region, group))
        if entry is None:
            return None
        if self._pending:
            await self.flush()
        return entry.opened or await asyncio.to_thread(entry.files)

    def _entry(self, key: _Key, at_ms: int) -> _Group:
        found = self._groups.get(key)
        if found is None:
            directory = self._directory / key[0] / _directory_name(key[1])
            found = self._groups[key] = _Group(GroupInfo(key[1], at_ms), directory)
        return found

    def _find_groups(self) -> None:
        for deleted in self._directory.glob("*/.deleted-*"):
            shutil.rmtree(deleted)
        for described in self._directory.glob("*/*/group.json"):
            document = orjson.loads(described.read_bytes())
            key = (described.parent.parent.name, document["name"])
            info = GroupInfo(document["name"], document["createdMs"])
            self._groups[key] = _Group(info, described.parent)

    def _delete_group(self, key: _Key) -> bool:
        with self._flush_lock:
            with self._pending_lock:
                entry = self._groups.pop(key, None)
                self._pending.pop(key, None)
            if entry is None:
                return False
            if entry.directory.exists():
                gone = entry.directory.with_name(f".deleted-{entry.directory.name[:_NAME_BYTES]}")
                os.replace(entry.directory, gone)
                shutil.rmtree(gone)
            return True

    def _write_forever(self) -> None:
        expired_s = self._clock.monotonic_s()
        while not self._closing.is_set():
            if self._wake.wait(_EXPIRE_EVERY_S):
                self._hurry.wait(self._flush_after_s)
                self._flush()
            if self._clock.monotonic_s() - expired_s >= _EXPIRE_EVERY_S:
                expired_s = self._clock.monotonic_s()
                self.expire()

    def _flush(self) -> None:
        with self._flush_lock:
            self._wake.clear()
            self._hurry.clear()
            with self._pending_lock:
                pending, self._pending = self._pending, {}
                entries = {key: self._groups[key] for key in pending}
            at_ms = now_ms(self._clock)
            for key, waiting in pending.items():
                if not waiting.batches:
                    self._lost(key, waiting)
                    continue
                try:
                    entries[key].files().append(waiting.take(at_ms))
                except OSError:
                    self._lost(key, waiting)

    def _lost(self, key: _Key, waiting: _Pending) -> None:
        """The disk refused: the log says how many events are missing as soon as it takes one again."""
        with self._pending_lock:
            if key in self._groups:
                counted = self._pending.setdefault(key, _Pending())
                counted.dropped += waiting.dropped + sum(len(batch[2]) for batch in waiting.batches)

    def expire(self) -> None:
        """Removes the files that hold only what retention hides."""
        at_ms = now_ms(self._clock)
        with self._pending_lock:
            kept = [(group, group.keep_ms) for group in self._groups.values() if group.keep_ms is not None]
        for group, keep_ms in kept:
            if keep_ms is not None:
                group.files().expire(at_ms - keep_ms)


def _from(query: LogQuery, oldest_ms: int) -> LogQuery:
    start_ms = oldest_ms if query.start_ms is None else max(query.start_ms, oldest_ms)
    return LogQuery(query.streams, start_ms, query.end_ms, query.cursor, query.newest_first, query.limit, query.matches)


def _size(events: Sequence[LogEvent]) -> int:
    return sum([len(message) for _, message in events]) + 64 * len(events)


def _directory_name(group: str) -> str:
    name = quote(group, safe="")
    if name.startswith("."):
        name = "%2E" + name[1:]
    if len(name) <= _NAME_BYTES:
        return name
    return f"{name[: _NAME_BYTES - 41]}~{hashlib.sha1(group.encode()).hexdigest()}"
