"""Which app a folder holds: its template's file and what it is written in."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from freehold.cli.failure import Failure

SERVERLESS_FILES = ("serverless.yml", "serverless.yaml", "serverless.json", "serverless.js", "serverless.ts")
TEMPLATE_FILES = ("template.yaml", "template.yml", "template.json")
_SCRIPTS = frozenset({".js", ".cjs", ".mjs", ".ts", ".cts", ".mts"})


@dataclass(frozen=True, slots=True)
class Project:
    directory: Path  # Absolute: what the template's paths are relative to.
    file: Path
    is_serverless: bool  # Of the Serverless Framework; else SAM or plain CloudFormation.

    @property
    def state_dir(self) -> Path:
        """What `dev` and local invocations keep."""
        return self.directory / ".freehold"


def find_project(directory: Path, template: str | None = None, prefer: str = "serverless") -> Project:
    """`prefer` ("serverless" or "sam") decides where a folder has both. Raises Failure."""
    if template:
        return _named(directory, template)
    if not directory.is_dir():
        raise Failure(f"There is no folder {directory}.")
    directory = directory.resolve()
    orders = (SERVERLESS_FILES, TEMPLATE_FILES) if prefer == "serverless" else (TEMPLATE_FILES, SERVERLESS_FILES)
    for names in orders:
        for name in names:
            if (directory / name).is_file():
                return Project(directory, directory / name, names is SERVERLESS_FILES)
    raise Failure(f"{directory} has neither a serverless.yml nor a template.yaml. Name the file with --template.")


def _named(directory: Path, template: str) -> Project:
    """A relative name is looked for in the folder, then here, as a person would mean it."""
    candidates = [directory / template, Path(template)]
    file = next((each.resolve() for each in candidates if each.is_file()), None)
    if file is None:
        raise Failure(f"There is no template {candidates[0]}.")
    is_serverless = _is_serverless(file)
    # The framework's paths are relative to the service's folder, those of SAM and CloudFormation to the template.
    root = directory.resolve() if is_serverless and file.is_relative_to(directory.resolve()) else file.parent
    return Project(root, file, is_serverless)


def _is_serverless(file: Path) -> bool:
    """A script is the Serverless Framework's, and so is a document with `service` on top."""
    if file.suffix in _SCRIPTS or file.name in SERVERLESS_FILES:
        return True
    return "service" in _top_keys(file.read_text(errors="replace"))


def _top_keys(text: str) -> set[str]:
    """Without a YAML parser, which would cost more than the answer is worth and stumble over tags."""
    if text.lstrip().startswith("{"):
        try:
            return set(json.loads(text))
        except ValueError:
            # The reader of the template says what is wrong with it, and where.
            return set()
    return set(re.findall(r"^[\"']?(\w+)[\"']?\s*:", text, re.MULTILINE))
