"""Whether a built folder is still what a build would make: a note beside it with all that went in.

Files are told apart by size, time and mode: reading them all would cost what the note saves. `make` may read anything,
so what it made is never taken for current.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from pathlib import Path

from freehold.templates.building.plan import Build, Method

LEFT_OUT = (".aws-sam", ".git", ".freehold", "__pycache__", "node_modules", "*.pyc", ".DS_Store")

_FORMAT = "1"  # Change it when builds of the same input change.
_INCLUDED = re.compile(r"^(?:-r|-c|--requirement|--constraint)[ =]*(\S+)")
_ENVIRONMENT = ("FREEHOLD_NODE_PATH", "NODE_PATH")


@dataclass(frozen=True, slots=True)
class Note:
    file: Path
    output_dir: Path
    state: str  # Of what is known before the build; empty: never current.

    @classmethod
    def of(cls, build: Build, output_dir: Path, python: str) -> Note:
        file = output_dir.with_name(f".{output_dir.name}.build.json")
        if build.method is Method.MAKE:
            return cls(file, output_dir, "")
        parts = [_FORMAT, repr(replace(build, logical_id="")), *(os.environ.get(name, "") for name in _ENVIRONMENT)]
        if build.method is Method.PIP:
            parts += [identity(python), requirements_of(build.manifest) if build.manifest else ""]
        else:
            parts.append(identity("node"))
        parts += [f"{path}\0{_stamp(path)}" for path in sorted(_files(build.source))]
        return cls(file, output_dir, hashlib.sha256("\0".join(parts).encode()).hexdigest())

    def is_current(self) -> bool:
        if not self.state or not self.output_dir.is_dir():
            return False
        try:
            known = json.loads(self.file.read_text())
            return known["state"] == self.state and all(_stamp(path) == stamp for path, stamp in known["inputs"])
        except (OSError, ValueError, KeyError, TypeError):
            return False  # No note, or one of another version: it is built anew.

    def write(self, inputs: Iterable[Path]) -> None:
        """`inputs`: what turned out to be read besides the source folder."""
        found = [(str(path), _stamp(path)) for path in inputs]
        self.file.write_text(json.dumps({"state": self.state, "inputs": found}))


def identity(program: str) -> str:
    """Another version of a program is another file; asking it for its version would cost a start."""
    path = os.path.realpath(shutil.which(program) or program)
    return f"{path}\0{_stamp(path)}"


def requirements_of(manifest: Path) -> str:
    """What a requirements.txt asks for, with the content of the files and folders that it names."""
    return "\n".join(_requirements(manifest, set()))


def _requirements(manifest: Path, seen: set[Path]) -> Iterator[str]:
    if manifest.resolve() in seen:
        return
    seen.add(manifest.resolve())
    for line in manifest.read_text().splitlines():
        yield line
        included = _INCLUDED.match(line.strip())
        if included:
            inner = manifest.parent / included[1]
            if inner.is_file():
                yield from _requirements(inner, seen)
            continue
        # Relative to where pip runs: the manifest's folder.
        named = line.strip().removeprefix("-e").removeprefix("--editable").strip().split(" ")[0]
        place = (manifest.parent / named).resolve()
        if named and not named.startswith(("#", "-")) and place.exists():
            files = [place] if place.is_file() else sorted(_files(place))
            yield from (f"{path}\0{_stamp(path)}" for path in files)


def _files(folder: Path) -> Iterator[Path]:
    """But for what no build takes. Links to folders are not followed: they may lead in circles."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if any(fnmatch(entry.name, pattern) for pattern in LEFT_OUT):
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from _files(Path(entry.path))
            else:
                yield Path(entry.path)


def _stamp(path: Path | str) -> str:
    try:
        stat = os.stat(path)
    except OSError:
        return "gone"
    return f"{stat.st_size} {stat.st_mtime_ns} {stat.st_mode}"
