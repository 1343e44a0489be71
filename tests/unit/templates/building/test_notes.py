"""When a built folder is still good: whatever went into it makes another note."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from freehold.templates.building.notes import Note, requirements_of
from freehold.templates.building.plan import Build, Method


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "src"
    folder.mkdir()
    (folder / "app.py").write_text("x = 1")
    (folder / "requirements.txt").write_text("-r more.txt\n./lib\n")
    (folder / "more.txt").write_text("boto3\n")
    (folder / "lib").mkdir()
    (folder / "lib" / "setup.py").write_text("")
    (tmp_path / "shared.ts").write_text("1")
    return folder


def built(source: Path, method: Method = Method.PIP, **settings: str) -> Note:
    build = Build(settings.get("name", "F"), method, source, manifest=source / "requirements.txt")
    output_dir = source.parent / "out"
    output_dir.mkdir(exist_ok=True)
    return Note.of(build, output_dir, settings.get("python", sys.executable))


def _touch(path: Path) -> None:
    os.utime(path, (1, 1))


_CHANGES: dict[str, Callable[[Path], None]] = {
    "an edited file": lambda source: (source / "app.py").write_text("x = 23") and None,
    "a new file": lambda source: (source / "new.py").touch(),
    "a file that is gone": lambda source: (source / "app.py").unlink(),
    "a requirement": lambda source: (source / "more.txt").write_text("boto3==1\n") and None,
    "a file read from outside": lambda source: _touch(source.parent / "shared.ts"),
    "no built folder": lambda source: (source.parent / "out").rmdir(),
}


@pytest.mark.parametrize("change", _CHANGES)
def test_what_went_in_and_changed_is_built_again(source: Path, change: str) -> None:
    built(source).write([source.parent / "shared.ts"])
    assert built(source).is_current()
    _CHANGES[change](source)
    note = Note.of(
        Build("F", Method.PIP, source, manifest=source / "requirements.txt"), source.parent / "out", sys.executable
    )
    assert not note.is_current()


def test_another_interpreter_or_method_builds_again_and_another_function_does_not(source: Path) -> None:
    built(source).write([])
    assert built(source, name="G").is_current()
    assert not built(source, python="/bin/sh").is_current()
    assert not built(source, Method.NPM).is_current()


def test_what_no_build_takes_builds_nothing_again(source: Path) -> None:
    built(source).write([])
    (source / ".aws-sam").mkdir()
    (source / ".aws-sam" / "x").touch()
    (source / "node_modules").mkdir()
    assert built(source).is_current()


def test_make_may_read_anything_and_runs_each_time(source: Path) -> None:
    built(source, Method.MAKE).write([])
    assert not built(source, Method.MAKE).is_current()


def test_requirements_are_those_of_included_files_and_local_folders_too(source: Path) -> None:
    before = requirements_of(source / "requirements.txt")
    assert "boto3" in before
    _touch(source / "lib" / "setup.py")
    assert requirements_of(source / "requirements.txt") != before


def test_requirements_that_include_each_other_end(source: Path) -> None:
    (source / "more.txt").write_text("-r requirements.txt\n")
    assert requirements_of(source / "requirements.txt").splitlines()[:2] == ["-r more.txt", "-r requirements.txt"]
