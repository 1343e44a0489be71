"""Blobs: named by what they hold, whole or not there."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from freehold.state.blobs import Blobs


async def test_a_blob_is_found_by_its_hash(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path / "blobs")
    name = await blobs.put(b"code")
    assert name == hashlib.sha256(b"code").hexdigest()
    assert await blobs.put(b"code") == name
    assert await blobs.get(name) == b"code"
    assert [path.name for path in (tmp_path / "blobs").iterdir()] == [name]


async def test_a_blob_that_was_never_put_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await Blobs(tmp_path).get("0" * 64)
