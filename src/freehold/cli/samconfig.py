"""samconfig.toml: what `sam deploy --guided` remembers, read and written as the SAM CLI does.

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
_HEADER = re.compile(r"^\s*\[")


def read(directory: Path, environment: str = "default", command: str = "deploy") -> dict[str, Any]:
    """The parameters of a command with those for all commands under them; {} where there is no file. Raises Failure."""
    file = directory / FILE
    try:
        document = tomllib.loads(file.read_text())
    except FileNotFoundError:
        return {}
    except tomllib.TOMLDecodeError as error:
        raise Failure(f"{FILE} is not valid TOML: {error}.") from error
    section = document.get(environment, {})
    everywhere = section.get("global", {}).get("parameters", {})
    return {**everywhere, **section.get(command, {}).get("parameters", {})}


def write(directory: Path, values: Mapping[str, str | bool], environment: str = "default") -> None:
    """Replaces the deploy section and leaves the rest of the file as it is, comments included."""
    file = directory / FILE
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
    """`parameter_overrides` is one text or a list of them."""
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
