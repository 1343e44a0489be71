"""The operation tables against botocore's models, and every `aws("service", "Operation", ...)` against the tables."""

from __future__ import annotations

import ast
import importlib
import inspect
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from freehold.aws.call import Operation
from freehold.aws.model import service_model

SOURCE = Path(__file__).parents[2] / "src" / "freehold"
# Folder of the operation table -> botocore's name of the service.
_FOLDERS = {
    "services.lambda_": "lambda",
    "services.cognito_idp": "cognito-idp",
    "stacks": "cloudformation",
}


def _tables() -> Iterator[tuple[str, Mapping[str, Operation]]]:
    folders = [
        f"services.{path.name}" for path in sorted((SOURCE / "services").iterdir()) if (path / "__init__.py").is_file()
    ]
    for folder in [*folders, "stacks"]:
        module = importlib.import_module(f"freehold.{folder}")
        operations = getattr(module, "OPERATIONS", None)
        if operations is None:
            operations = importlib.import_module(f"freehold.{folder}.operations").OPERATIONS
        yield _FOLDERS.get(folder, folder.rpartition(".")[2]), operations


TABLES = dict(_tables())


@pytest.mark.parametrize("service", sorted(TABLES))
def test_every_operation_of_a_table_is_one_of_aws(service: str) -> None:
    known = set(service_model(service).operation_names)
    assert set(TABLES[service]) - known == set()


@pytest.mark.parametrize("service", sorted(TABLES))
def test_every_operation_is_a_coroutine_function_of_three(service: str) -> None:
    wrong = [
        name
        for name, function in TABLES[service].items()
        if not inspect.iscoroutinefunction(function) or len(inspect.signature(function).parameters) != 3
    ]
    assert wrong == []


def test_every_operation_that_a_part_calls_of_another_exists() -> None:
    """A resource type of a service that is not here yet is refused at deployment; it is told apart by the service."""
    wrong = []
    for file in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "aws"):
                continue
            literals = [part.value for part in node.args[:2] if isinstance(part, ast.Constant)]
            if len(literals) == 2 and literals[0] in TABLES and literals[1] not in TABLES[literals[0]]:
                wrong.append(f"{file.relative_to(SOURCE)}:{node.lineno} calls {literals[0]}:{literals[1]}")
    assert wrong == []
