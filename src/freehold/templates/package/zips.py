"""Writes a zip file whose bytes depend on names, content and execute bits alone, so that the same code has one hash.

A note beside each zip file remembers the size and time of what went in: unchanged files are not read again.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from freehold.templates.errors import TemplateError
from freehold.templates.package.artifact import Artifact

_EPOCH = (1980, 1, 1, 0, 0, 0)  # The earliest time that a zip file can hold.
_FORMAT = 1  # Change it when the bytes of a zip file change for the same input.
_LARGEST_BYTES = 250 * 1024 * 1024  # Lambda quotas: a deployment package, unzipped, with its layers.


@dataclass(frozen=True, slots=True)
class Entry:
    name: str  # In the zip file, with /.
    path: Path


def make_zip(entries: Sequence[Entry], target: Path, owners: tuple[str, ...]) -> Artifact:
    """The zip file `target` with these entries, written only when they changed since the last time."""
    by_name = {entry.name: entry for entry in entries}
    ordered = [by_name[name] for name in sorted(by_name)]
    state = _state(ordered, target)
    note = target.with_name(f".{target.name}.json")
    known = _read_note(note, target, state)
    if known is None:
        _write(ordered, target)
        known = file_digest(target)
        note.write_text(json.dumps({"state": state, "sha256": known, "size": target.stat().st_size}))
    return Artifact(target.name, target, known, target.stat().st_size, owners)


def file_digest(path: Path) -> str:
    """As Lambda's CodeSha256."""
    with path.open("rb") as stream:
        return base64.b64encode(hashlib.file_digest(stream, "sha256").digest()).decode()


def _state(entries: Sequence[Entry], target: Path) -> str:
    digest = hashlib.sha256(f"{_FORMAT}".encode())
    total = 0
    for entry in entries:
        try:
            stat = os.stat(entry.path)
        except OSError as error:
            raise TemplateError(f"The file {entry.path} cannot be read: {error.strerror}.") from None
        total += stat.st_size
        digest.update(f"{entry.name}\0{entry.path}\0{stat.st_size}\0{stat.st_mtime_ns}\0{stat.st_mode}\n".encode())
    if total > _LARGEST_BYTES:
        raise TemplateError(
            f"The code for {target.name} is {total / 1e6:.0f} MB unzipped; Lambda takes {_LARGEST_BYTES / 1e6:.0f} MB."
        )
    return digest.hexdigest()


def _read_note(note: Path, target: Path, state: str) -> str | None:
    try:
        known = json.loads(note.read_text())
        if known["state"] == state and known["size"] == target.stat().st_size:
            return str(known["sha256"])
    except (OSError, ValueError, KeyError, TypeError):
        pass  # No note, or one of another version: the zip file is written anew.
    return None


def _write(entries: Sequence[Entry], target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
            for entry in entries:
                info = zipfile.ZipInfo(entry.name, _EPOCH)
                executable = os.stat(entry.path).st_mode & 0o100
                info.external_attr = (0o100755 if executable else 0o100644) << 16
                info.create_system = 3  # Unix, whatever this machine is.
                info.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(info, entry.path.read_bytes())
        os.replace(unfinished, target)
    except OSError as error:
        raise TemplateError(f"{target.name} cannot be written: {error}.") from None
    finally:
        unfinished.unlink(missing_ok=True)
