"""Files tell one thing and say what it is; functions fit a screen."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "freehold"
MOST_LINES = 500
MOST_FUNCTION_LINES = 60
FILES = sorted(path for path in SOURCE.rglob("*.py"))
_AVOIDED = ("util", "utils", "helper", "helpers", "manager", "common", "base", "core", "misc")


def _name(path: Path) -> str:
    return str(path.relative_to(SOURCE))


@pytest.mark.parametrize("file", FILES, ids=_name)
def test_a_file_says_what_it_is(file: Path) -> None:
    tree = ast.parse(file.read_text())
    assert not tree.body or ast.get_docstring(tree), "a docstring comes first"


def test_no_file_tells_two_things() -> None:
    assert [_name(file) for file in FILES if len(file.read_text().splitlines()) > MOST_LINES] == []


def test_test_files_that_are_in_no_package_have_names_of_their_own() -> None:
    """pytest knows such a file by its name alone, and reads only the first of two."""
    seen: dict[str, Path] = {}
    for file in sorted((ROOT / "tests").rglob("test_*.py")):
        if not (file.parent / "__init__.py").exists():
            assert file.name not in seen, f"{file} and {seen[file.name]}"
            seen[file.name] = file


def test_functions_fit_a_screen() -> None:
    long = []
    for file in FILES:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not _is_factory(node):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > MOST_FUNCTION_LINES:
                    long.append(f"{_name(file)}:{node.lineno} {node.name} has {lines} lines")
    assert long == []


def _is_factory(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """A function that only makes functions is as long as they are; each of them is looked at by itself."""
    return sum(isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef) for part in node.body) >= 3


def test_names_say_something() -> None:
    assert [_name(file) for file in FILES if file.stem in _AVOIDED or file.parent.name in _AVOIDED] == []


@pytest.mark.parametrize(
    "room", sorted(path for path in SOURCE.iterdir() if (path / "__init__.py").is_file()), ids=lambda path: path.name
)
def test_a_room_says_what_it_owns_and_where_to_start(room: Path) -> None:
    text = ast.get_docstring(ast.parse((room / "__init__.py").read_text())) or ""
    missing = [word for word in ("Owns:", "Not:", "Imports:", "Start:") if word not in text]
    assert missing == []


def test_the_clock_and_the_ids_come_from_one_place() -> None:
    """So that a test can set the time. What runs inside a function's environment lives by the machine's clock."""
    forbidden = ("time.time()", "datetime.now(", "uuid.uuid4(", "uuid4()", "datetime.utcnow(")
    inside = SOURCE / "runtimes"
    wrong = [
        f"{_name(file)}: {call}"
        for file in FILES
        if file.name != "clock.py" and inside not in file.parents and "cli" not in file.parts
        for call in forbidden
        if call in file.read_text()
    ]
    assert wrong == []


def test_no_todo_without_an_issue() -> None:
    assert [_name(file) for file in FILES if "TODO" in file.read_text() or "FIXME" in file.read_text()] == []
