"""Each promise of SPECIFICATION.md has a number of its own and names a test or a bench that is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_ROW = re.compile(r"^\| (?P<number>[A-Z]\d+) \| (?P<promise>.+) \| (?P<proof>.+) \|$")
ROWS = [row for row in map(_ROW.match, (ROOT / "SPECIFICATION.md").read_text().splitlines()) if row]


def test_numbers_are_used_once() -> None:
    numbers = [row["number"] for row in ROWS]
    assert ROWS
    assert sorted(set(numbers)) == sorted(numbers)


@pytest.mark.parametrize("row", ROWS, ids=[row["number"] for row in ROWS])
def test_what_proves_a_promise_is_there(row: re.Match[str]) -> None:
    proofs = re.findall(r"`([^`]+)`", row["proof"])
    assert proofs, "a promise names its test or bench"
    for proof in proofs:
        path, _, name = proof.partition("::")
        assert (ROOT / path).exists(), f"{path} is not there"
        if name:
            assert name in _tests(ROOT / path), f"{path} has no {name}"


def _tests(file: Path) -> set[str]:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, kinds)}
