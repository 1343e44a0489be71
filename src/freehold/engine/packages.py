"""Code and layers on disk: a zip is unpacked once and never changed; layers are merged once per list.

One decision to know: a directory appears under its name by a rename after it is whole, and its parent holds a link to
the Node SDKs as `node_modules`, because ES modules look for packages in the parents of the importing file
and nowhere else.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import stat
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

from freehold.aws.errors import AwsError
from freehold.engine.limits import UNZIPPED_BYTES
from freehold.runtimes.node_packages import SDK
from freehold.state.blobs import Blobs

_MAX_ENTRIES = 200_000


class Packages:
    def __init__(self, blobs: Blobs, directory: Path) -> None:
        self._blobs = blobs
        self._directory = directory
        self._unpacking: dict[str, asyncio.Task[Path]] = {}

    def directory(self, sha256: str) -> Path:
        """Where the zip's files lie once `unpack` returned."""
        return self._directory / sha256

    async def unpack(self, sha256: str) -> Path:
        """Raises AwsError (InvalidParameterValueException) for what is not a fit zip, FileNotFoundError for no blob."""
        target = self.directory(sha256)
        if target.is_dir():
            return target
        return await self._once(sha256, self._unpack, sha256, target)

    async def merge(self, layers: Sequence[str]) -> Path | None:
        """The layers as one /opt: the later ones' files win. None: no layers."""
        if not layers:
            return None
        for sha256 in layers:
            await self.unpack(sha256)
        if len(layers) == 1:
            return self.directory(layers[0])
        name = "opt-" + hashlib.sha256("".join(layers).encode()).hexdigest()
        target = self._directory / name
        if target.is_dir():
            return target
        return await self._once(name, self._merge, list(layers), target)

    async def _once(self, name: str, work: object, *arguments: object) -> Path:
        task = self._unpacking.get(name)
        if task is None:
            assert callable(work)
            task = asyncio.get_running_loop().create_task(asyncio.to_thread(work, *arguments))
            self._unpacking[name] = task
            task.add_done_callback(lambda _: self._unpacking.pop(name, None))
        return await asyncio.shield(task)

    def _unpack(self, sha256: str, target: Path) -> Path:
        fresh = self._fresh()
        try:
            extract(self._blobs.path(sha256), fresh)
            return _appear(fresh, target)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)

    def _merge(self, layers: Sequence[str], target: Path) -> Path:
        fresh = self._fresh()
        try:
            for sha256 in layers:
                # Linked, not copied: the files never change.
                shutil.copytree(
                    self.directory(sha256), fresh, symlinks=True, dirs_exist_ok=True, copy_function=_link_over
                )
            return _appear(fresh, target)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)

    def _fresh(self) -> Path:
        self._directory.mkdir(parents=True, exist_ok=True)
        link_node_sdk(self._directory)
        fresh = Path(tempfile.mkdtemp(prefix=".new-", dir=self._directory))
        fresh.chmod(0o755)
        return fresh


def link_node_sdk(directory: Path) -> None:
    sdk = SDK.directory
    link = directory / "node_modules"
    if sdk is None or (link.is_symlink() and os.readlink(link) == str(sdk)):
        return
    link.unlink(missing_ok=True)
    try:
        link.symlink_to(sdk)
    except FileExistsError:
        return


def extract(archive: Path, target: Path) -> None:
    """Unpacks into `target`. Raises AwsError for what is not a zip, is too large, or would write outside."""
    try:
        with zipfile.ZipFile(archive) as file:
            _check(file)
            left = UNZIPPED_BYTES
            for entry in file.infolist():
                left -= _extract_entry(file, entry, target, left)
            for entry in file.infolist():
                # Links last, so that no file is written through one.
                if _is_link(entry):
                    _extract_link(file, entry, target)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as error:
        raise _unfit("Could not unzip uploaded file. Please check your file, then try to upload again.") from error


def _check(file: zipfile.ZipFile) -> None:
    entries = file.infolist()
    if not entries:
        raise _unfit("Uploaded file must be a non-empty zip")
    if len(entries) > _MAX_ENTRIES or sum(entry.file_size for entry in entries) > UNZIPPED_BYTES:
        raise _too_large()
    for entry in entries:
        name = entry.filename.replace("\\", "/")
        if name.startswith("/") or ".." in name.split("/") or "\0" in name:
            raise _unfit(f"The zip file holds a path outside of the package: {entry.filename[:200]}")


def _extract_entry(file: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path, left: int) -> int:
    """Bytes written; the header's word on the size is not taken."""
    place = target / entry.filename
    if _is_link(entry):
        return 0
    if entry.is_dir():
        place.mkdir(parents=True, exist_ok=True)
        return 0
    place.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with file.open(entry) as source, place.open("wb") as sink:
        while data := source.read(1 << 20):
            written += len(data)
            if written > left:
                raise _too_large()
            sink.write(data)
    mode = entry.external_attr >> 16
    # Zips made on Windows carry no mode: everything is readable and runs, as on Lambda.
    place.chmod((mode & 0o777) | 0o444 if mode else 0o755)
    return written


def _extract_link(file: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path) -> None:
    aim = file.read(entry).decode("utf-8", "strict")
    place = target / entry.filename
    inside = os.path.normpath(os.path.join(os.path.dirname(entry.filename), aim))
    # /opt and /var/task are where a function's own files are inside.
    if (os.path.isabs(aim) and not aim.startswith(("/opt/", "/var/task/"))) or inside.split("/")[0] == "..":
        raise _unfit(f"The zip file holds a link out of the package: {entry.filename[:200]} -> {aim[:200]}")
    place.parent.mkdir(parents=True, exist_ok=True)
    if os.path.realpath(place.parent) != str(place.parent) and not os.path.realpath(place.parent).startswith(
        os.path.realpath(target) + os.sep
    ):
        raise _unfit(f"The zip file holds a path outside of the package: {entry.filename[:200]}")
    place.symlink_to(aim)


def _is_link(entry: zipfile.ZipInfo) -> bool:
    return stat.S_ISLNK(entry.external_attr >> 16)


def _appear(fresh: Path, target: Path) -> Path:
    try:
        fresh.rename(target)
    except OSError:
        # Another one unpacked the same bytes meanwhile.
        if not target.is_dir():
            raise
    return target


def _link_over(source: str, target: str) -> str:
    if os.path.lexists(target):
        os.unlink(target)
    os.link(source, target, follow_symlinks=False)
    return target


def _unfit(message: str) -> AwsError:
    return AwsError("InvalidParameterValueException", message)


def _too_large() -> AwsError:
    return _unfit(f"Unzipped size must be smaller than {UNZIPPED_BYTES} bytes")
