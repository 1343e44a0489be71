"""The bytes of S3's objects: files under names of their own, written once, synced, read in chunks.

One decision to know: a file gets its name only when its bytes are on disk, and a document names it only after that. So
no document ever names bytes that are not there, and a crash leaves at most a file that no document names.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_CHUNK_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Written:
    size_bytes: int
    md5: bytes


class ObjectFiles:
    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._new = directory / "new"
        self._new.mkdir(parents=True, exist_ok=True)
        for torn in self._new.iterdir():
            torn.unlink()

    async def put(self, name: str, data: bytes) -> Written:
        """On disk when it returns. `name`: hex, never used before."""
        return await asyncio.to_thread(self._write, name, lambda: iter([data]))

    async def join(self, name: str, parts: Sequence[str]) -> Written:
        """A file of the named files, one after the other."""
        return await asyncio.to_thread(self._write, name, lambda: self._chunks_of(parts))

    async def copy(self, name: str, source: str, start: int = 0, end: int | None = None) -> Written:
        """`end` is exclusive. FileNotFoundError."""
        return await asyncio.to_thread(self._write, name, lambda: self._chunks(source, start, end))

    async def read(self, name: str, start: int, end: int) -> bytes:
        """`end` is exclusive. FileNotFoundError."""
        return await asyncio.to_thread(lambda: b"".join(self._chunks(name, start, end)))

    async def stream(self, name: str, start: int, end: int) -> AsyncIterator[bytes]:
        """The file is open when this returns, so it is readable to the end, also when it is removed meanwhile.
        FileNotFoundError."""
        file = await asyncio.to_thread(self._path(name).open, "rb")
        file.seek(start)
        return _stream(file, end - start)

    async def digest(self, name: str, update: Callable[[bytes], object]) -> None:
        """Gives the file's chunks to `update`."""

        def run() -> None:
            for chunk in self._chunks(name, 0, None):
                update(chunk)

        await asyncio.to_thread(run)

    async def remove(self, names: Sequence[str]) -> None:
        def run() -> None:
            for name in names:
                self._path(name).unlink(missing_ok=True)

        if names:
            await asyncio.to_thread(run)

    def _path(self, name: str) -> Path:
        return self._directory / name[:2] / name

    def _write(self, name: str, chunks: Callable[[], Iterator[bytes]]) -> Written:
        target = self._path(name)
        digest, size = hashlib.md5(usedforsecurity=False), 0
        with tempfile.NamedTemporaryFile(dir=self._new, delete=False) as file:
            try:
                for chunk in chunks():
                    file.write(chunk)
                    digest.update(chunk)
                    size += len(chunk)
                file.flush()
                os.fsync(file.fileno())
            except BaseException:
                os.unlink(file.name)
                raise
        target.parent.mkdir(exist_ok=True)
        os.replace(file.name, target)
        _sync_directory(target.parent)
        return Written(size, digest.digest())

    def _chunks_of(self, names: Sequence[str]) -> Iterator[bytes]:
        for name in names:
            yield from self._chunks(name, 0, None)

    def _chunks(self, name: str, start: int, end: int | None) -> Iterator[bytes]:
        with self._path(name).open("rb") as file:
            file.seek(start)
            left = None if end is None else end - start
            while left is None or left > 0:
                chunk = file.read(_CHUNK_BYTES if left is None else min(_CHUNK_BYTES, left))
                if not chunk:
                    return
                if left is not None:
                    left -= len(chunk)
                yield chunk


async def _stream(file: BinaryIO, left: int) -> AsyncIterator[bytes]:
    with file:
        while left > 0:
            chunk = await asyncio.to_thread(file.read, min(_CHUNK_BYTES, left))
            if not chunk:
                return
            left -= len(chunk)
            yield chunk


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
