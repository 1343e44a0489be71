"""Writes docs/compatibility.md from the operation tables and the table of resource types.

.venv/bin/python -m scripts.compatibility
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from freehold.aws.call import Operation
from freehold.aws.model import service_model

ROOT = Path(__file__).parents[1]
FILE = ROOT / "docs" / "compatibility.md"
# Folder of the operation table -> botocore's name of the service, where they differ.
FOLDERS = {"services.lambda_": "lambda", "services.cognito_idp": "cognito-idp", "stacks": "cloudformation"}

_HEAD = """# What is supported

Written from the tables by `scripts/compatibility.py`; what is not listed is refused by name:
an operation when it is called, a resource type, a property or an attribute when its stack is deployed.

## AWS operations

"""


def operation_tables() -> Iterator[tuple[str, Mapping[str, Operation]]]:
    """(botocore's name of the service, its operations)."""
    services = sorted(path for path in (ROOT / "src/freehold/services").iterdir() if (path / "__init__.py").is_file())
    for folder in [*(f"services.{path.name}" for path in services), "stacks"]:
        module = importlib.import_module(f"freehold.{folder}")
        yield FOLDERS.get(folder, folder.rpartition(".")[2]), module.OPERATIONS


def page() -> str:
    parts = [_HEAD]
    for service, operations in sorted(operation_tables()):
        known = len(service_model(service).operation_names)
        parts.append(f"**{service}** ({len(operations)} of {known}): {', '.join(sorted(operations))}\n\n")
    parts.append("## CloudFormation resource types\n\n")
    resource_types = importlib.import_module("freehold.stacks.resources").RESOURCE_TYPES
    parts.append("\n".join(f"- {name}" for name in sorted(resource_types)))
    return "".join(parts) + "\n"


if __name__ == "__main__":
    FILE.write_text(page())
