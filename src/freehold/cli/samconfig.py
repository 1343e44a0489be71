"""samconfig.toml (or .yaml): what the SAM CLI's commands remember, read and written as the SAM CLI does.

AWS SAM Developer Guide, "AWS SAM CLI configuration file".
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from freehold.cli.failure import Failure

FILE = "samconfig.toml"
_OTHERS = ("samconfig.yaml", "samconfig.yml")
DEFAULT_ENVIRONMENT = "default"
_HEADER = re.compile(r"^\s*\[")


def read(
    directory: Path, environment: str = DEFAULT_ENVIRONMENT, command: str = "deploy", name: str | None = None
) -> dict[str, Any]:
    """The parameters of a command ("local_invoke") with those for all commands under them; {} where there is no file.

    Raises Failure, also for a file or an environment that was asked for and is not there.
    """
    file = _file(directory, name)
    if file is None:
        if environment != DEFAULT_ENVIRONMENT:
            raise Failure(f"There is no {FILE} that could have the environment {environment}.")
        return {}
    document = _load(file)
    if environment not in document:
        if environment == DEFAULT_ENVIRONMENT:
            return {}
        known = ", ".join(each for each, value in document.items() if isinstance(value, dict)) or "none"
        raise Failure(f"{file.name} has no environment {environment}; it has {known}.")
    return {**_parameters(document, environment, "global"), **_parameters(document, environment, command)}


def _file(directory: Path, name: str | None) -> Path | None:
    if name is not None:
        # A relative name is looked for in the folder, then here, as a person would mean it.
        found = next((each for each in (directory / name, Path(name)) if each.is_file()), None)
        if found is None:
            raise Failure(f"There is no configuration file {directory / name}.")
        return found
    return next((each for each in (directory / one for one in (FILE, *_OTHERS)) if each.is_file()), None)


def _load(file: Path) -> dict[str, Any]:
    text = file.read_text()
    if file.suffix in (".yaml", ".yml"):
        from freehold.templates.yaml_reader import TemplateSyntaxError, read_template

        try:
            document = read_template(text)
        except TemplateSyntaxError as error:
            raise Failure(f"{file.name}:{error.line}: {error.reason}") from error
        if not isinstance(document, dict):
            raise Failure(f"{file.name} holds no environments.")
        return document
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Failure(f"{file.name} is not valid TOML: {error}.") from error


def _parameters(document: dict[str, Any], environment: str, command: str) -> dict[str, Any]:
    found: Any = document
    for step in (environment, command, "parameters"):
        found = found.get(step, {})
        if not isinstance(found, dict):
            raise Failure(f"{FILE}: {environment}.{command} holds no parameters.")
    return dict(found)


def write(
    directory: Path, values: Mapping[str, str | bool], environment: str = DEFAULT_ENVIRONMENT, name: str = FILE
) -> None:
    """Replaces the deploy section and leaves the rest of the file as it is, comments included."""
    file = directory / name
    lines = file.read_text().splitlines() if file.exists() else ["version = 0.1"]
    header = f"[{environment}.deploy.parameters]"
    section = [header, *(f"{key} = {_toml(value)}" for key, value in values.items())]
    starts = [number for number, line in enumerate(lines) if line.strip() == header]
    if starts:
        start = starts[0]
        end = next((n for n in range(start + 1, len(lines)) if _HEADER.match(lines[n])), len(lines))
        lines[start:end] = [*section, ""] if end < len(lines) else section
    else:
        lines += ["", *section]
    file.write_text("\n".join(lines) + "\n")


def parameter_words(value: Any) -> list[str]:
    """`parameter_overrides` is one text, a list of them, or a table."""
    if isinstance(value, dict):
        return [f"{key}={each}" for key, each in value.items()]
    return [str(each) for each in value] if isinstance(value, list) else [str(value)] if value else []


def capability_words(value: Any) -> list[str]:
    """`capabilities` is one text or a list."""
    return [str(each) for each in value] if isinstance(value, list) else str(value).split() if value else []


def write_pairs(pairs: Mapping[str, str]) -> str:
    """As the SAM CLI writes them: `Stage="dev" Name="a"`."""
    return " ".join(f'{key}="{value}"' for key, value in pairs.items())


def _toml(value: str | bool) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
