"""Imports point down and siblings are strangers: docs/design.md's picture as a test."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "freehold"

# What each room may import of ours, beside itself; `clock` and `config` are open to all.
ROOMS: dict[str, set[str]] = {
    "aws": set(),
    "state": set(),
    "sandbox": set(),
    "http": {"aws"},
    "runtimes": {"sandbox"},
    "templates": {"aws"},
    "engine": {"aws", "runtimes", "sandbox", "state"},
    "tables": {"aws", "state"},
    "gateway": {"aws", "engine", "http", "state"},
    "services": {"aws", "engine", "runtimes", "state", "tables"},
    "events": {"aws", "engine", "state"},
    "stacks": {"aws", "state", "templates"},
    "cli": {"app", "aws", "http", "state", "templates", "engine", "gateway", "events", "runtimes", "sandbox"},
}
OPEN = {"clock", "config"}


def _files(room: str) -> list[Path]:
    return sorted((SOURCE / room).rglob("*.py"))


def _imports(file: Path) -> Iterator[tuple[int, str]]:
    """(line, dotted name below freehold)."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}:{node.lineno}: imports are absolute"
            for alias in node.names:
                if node.module == "freehold":
                    yield node.lineno, alias.name
                elif node.module and node.module.startswith("freehold."):
                    yield node.lineno, node.module.removeprefix("freehold.")
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.startswith("freehold."):
                    yield node.lineno, alias.name.removeprefix("freehold.")


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_a_room_imports_only_from_the_rooms_below(room: str) -> None:
    allowed = ROOMS[room] | OPEN | {room}
    wrong = [
        f"{file.relative_to(SOURCE)}:{line} imports {name}"
        for file in _files(room)
        for line, name in _imports(file)
        if name.split(".")[0] not in allowed and name != "__version__"
    ]
    assert wrong == []


def test_services_do_not_know_each_other() -> None:
    wrong = []
    for file in _files("services"):
        own = file.relative_to(SOURCE / "services").parts[0]
        for line, name in _imports(file):
            parts = name.split(".")
            if parts[0] == "services" and len(parts) > 1 and parts[1] != own:
                wrong.append(f"{file.relative_to(SOURCE)}:{line} imports {name}")
    assert wrong == []


def test_every_folder_of_the_sources_is_a_room() -> None:
    folders = {path.name for path in SOURCE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders - set(ROOMS) == set()
