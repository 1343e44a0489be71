"""Immutable bytes by their SHA-256: function code, layers. Written once, synced, never changed.

One decision to know: a blob appears under its name by an atomic rename after its bytes are on disk, so a name that
exists is whole, after a crash too.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import tempfile
from pathlib import Path


class Blobs:
    """A directory of files named by the hex SHA-256 of what they hold."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)

    def path(self, sha256: str) -> Path:
        """Where the blob lies, if there is one."""
        return self.directory / sha256

    async def put(self, data: bytes) -> str:
        """The hex SHA-256; on disk when it returns. Putting the same bytes again costs a hash."""
        return await asyncio.to_thread(self._put, data)

    async def get(self, sha256: str) -> bytes:
        """Raises FileNotFoundError."""
        return await asyncio.to_thread(self.path(sha256).read_bytes)

    def _put(self, data: bytes) -> str:
        sha256 = hashlib.sha256(data).hexdigest()
        target = self.path(sha256)
        if target.exists():
            return sha256
        with tempfile.NamedTemporaryFile(dir=self.directory, prefix=".new-", delete=False) as file:
            try:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
                os.replace(file.name, target)
            except BaseException:
                os.unlink(file.name)
                raise
        sync_directory(self.directory)
        return sha256


def sync_directory(directory: Path) -> None:
    """Makes a rename in it survive a power cut."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
