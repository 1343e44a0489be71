"""What samconfig.toml says for a command, as the defaults of its options.

AWS SAM Developer Guide, "AWS SAM CLI configuration file": a key is an option's name with underscores, what the command
line says wins.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from freehold.cli import samconfig
from freehold.cli.failure import Failure
from freehold.cli.project import find_project

_SERVERLESS_GROUPS = ("serverless", "sls")
_OF_THE_STACK = ("stack_name", "region")


def defaults(command: click.Command, ctx: click.Context, words: Sequence[str], section: str) -> dict[str, Any]:
    """By the name of the option's value; {} for an app of the Serverless Framework. Raises Failure."""
    groups = [each.info_name for each in _ancestors(ctx)]
    if any(name in groups for name in _SERVERLESS_GROUPS):
        return {}
    said = _said(command, ctx, words)
    directory = Path(said.get("directory", "."))
    try:
        project = find_project(directory, said.get("template"), "sam" if "sam" in groups else "serverless")
    except Failure:
        # The command says what is wrong with the folder, if it needs one.
        pass
    else:
        if project.is_serverless:
            return {}
        directory = project.directory
    environment = said.get("config_env", samconfig.DEFAULT_ENVIRONMENT)
    file = said.get("config_file")
    found = samconfig.read(directory, environment, section, file)
    if "config_env" in said:
        # Whoever names an environment means the stack that `deploy` makes of it.
        deployed = samconfig.read(directory, environment, "deploy", file)
        found = {key: deployed[key] for key in _OF_THE_STACK if key in deployed} | found
    return _by_value(command, found)


def _ancestors(ctx: click.Context) -> list[click.Context]:
    found = []
    here = ctx.parent
    while here is not None:
        found.append(here)
        here = here.parent
    return found


def _said(command: click.Command, ctx: click.Context, words: Sequence[str]) -> dict[str, str]:
    values, _, _ = command.make_parser(ctx).parse_args(list(words))
    return {name: value for name, value in values.items() if isinstance(value, str)}


def _by_value(command: click.Command, found: Mapping[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for option in command.params:
        if not isinstance(option, click.Option) or option.name is None:
            continue
        for flag in option.opts:
            key = flag.lstrip("-").replace("-", "_")
            if key in found:
                values[option.name] = _value(option, key, found[key])
    return values


def _value(option: click.Option, key: str, value: Any) -> Any:
    if option.multiple:
        return samconfig.capability_words(value) if key == "capabilities" else samconfig.parameter_words(value)
    return value if isinstance(value, bool) else str(value)
