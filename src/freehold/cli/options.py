"""Options that several commands have, and the one kind of option that click lacks: several values after one flag."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from freehold.cli.failure import Failure

F = TypeVar("F", bound=Callable[..., Any])

_PAIR = re.compile(r"[^\s=-][^\s=]*=.*", re.DOTALL)
_STACK_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,127}")
# Where one pair ends and the next begins in "A=b C=d"; a value may hold spaces: "A=two words C=d".
_BETWEEN_PAIRS = re.compile(r"\s+(?=[A-Za-z0-9]+=)")


class Many(click.Option):
    """`--parameter-overrides A=1 B=2`: all following words that look like its values are its values."""

    def __init__(self, *declarations: Any, takes: re.Pattern[str] = _PAIR, **settings: Any) -> None:
        settings["multiple"] = True
        super().__init__(*declarations, **settings)
        self.takes = takes


class Command(click.Command):
    """A command that understands `Many`. `section`: where samconfig.toml keeps what is not said ("local_invoke")."""

    def __init__(self, *arguments: Any, section: str = "", **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.section = section

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        words = _spread(args, [each for each in self.params if isinstance(each, Many)])
        if self.section and not ctx.resilient_parsing:
            from freehold.cli.remembered import defaults

            ctx.default_map = {**defaults(self, ctx, words, self.section), **(ctx.default_map or {})}
        return super().parse_args(ctx, words)


def _spread(args: Sequence[str], options: Sequence[Many]) -> list[str]:
    """Repeats the flag before each of its values."""
    flags = {name: option for option in options for name in option.opts}
    found: list[str] = []
    current: tuple[str, Many] | None = None
    rest = iter(args)
    for word in rest:
        flag, has_value, _ = word.partition("=")
        if word == "--":
            return [*found, word, *rest]
        if flag in flags:
            current = (flag, flags[flag])
            if has_value:
                found.append(word)
            continue
        if current and current[1].takes.fullmatch(word):
            found += [current[0], word]
            continue
        current = None
        found.append(word)
    return found


def read_pairs(words: Sequence[str], option: str) -> dict[str, str]:
    """`A=b`, `"A=b C=d"` and CloudFormation's `ParameterKey=A,ParameterValue=b` -> {"A": "b"}. Raises Failure."""
    found = {}
    for word in words:
        for pair in _BETWEEN_PAIRS.split(word.strip()):
            long_form = re.fullmatch(r"ParameterKey=([^,]+),\s*ParameterValue=(.*)", pair, re.DOTALL)
            key, equals, value = (long_form[1], "=", long_form[2]) if long_form else pair.partition("=")
            if not equals or not key:
                raise Failure(f"{option} takes KEY=VALUE, not {pair!r}.")
            found[key] = _unquoted(value)
    return found


def _checked_stack_name(name: str | None) -> str | None:
    if name is None or name.startswith("arn:") or _STACK_NAME.fullmatch(name):
        return name
    raise Failure(f"{name!r} is no name for a stack: letters, digits and hyphens, the first a letter, at most 128.")


def _unquoted(value: str) -> str:
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
        return value[1:-1]
    return value


def _apply(function: F, *decorators: Callable[[F], F]) -> F:
    for decorate in reversed(decorators):
        function = decorate(function)
    return function


directory_argument = click.argument(
    "directory", metavar="[DIR]", type=click.Path(path_type=Path, file_okay=False), default=Path(".")
)
endpoint_option = click.option(
    "--endpoint-url", metavar="URL", help="The server.  [default: $FREEHOLD_ENDPOINT, $AWS_ENDPOINT_URL or port 4566]"
)
region_option = click.option("-r", "--region", metavar="NAME", help="The AWS region to work in.")
stage_option = click.option("-s", "--stage", metavar="NAME", help="The stage of serverless.yml.  [default: dev]")
stack_name_option = click.option(
    "--stack-name",
    metavar="NAME",
    callback=lambda context, option, name: _checked_stack_name(name),
    help="The stack.  [default: from the folder]",
)
template_option = click.option(
    "-t",
    "--template",
    "--template-file",
    "--config",
    "-c",
    "template",
    metavar="FILE",
    help="The template, where it is not the usual file of the folder.",
)
parameters_option = click.option(
    "--parameter-overrides",
    cls=Many,
    metavar="K=V...",
    help="Values for the template's parameters; several may follow.",
)
params_option = click.option("--param", "params", multiple=True, metavar="K=V", help="A ${param:K} of serverless.yml.")


env_vars_option = click.option(
    "--env-vars", "-n", metavar="FILE", help="JSON with other values for environment variables, by function."
)


def ignored_options(*flags: str, value: bool = False) -> Callable[[F], F]:
    """Options of the other tools that mean nothing here (a profile, a bucket): taken, so that their lines work."""

    def decorate(function: F) -> F:
        for flag in flags:
            kind: dict[str, Any] = {} if value else {"is_flag": True}
            function = click.option(*flag.split(), hidden=True, expose_value=False, **kind)(function)
        return function

    return decorate


def samconfig_options(function: F) -> F:
    """For a `Command` with a section: which file and which part of it."""
    return _apply(
        function,
        click.option("--config-env", metavar="NAME", expose_value=False, help="The environment of samconfig.toml."),
        click.option("--config-file", metavar="FILE", expose_value=False, help="Another samconfig.toml."),
    )


def server_options(function: F) -> F:
    return _apply(function, endpoint_option, region_option)


def project_options(function: F) -> F:
    """Which app: folder, template, stage, parameters."""
    return _apply(
        function, directory_argument, template_option, stage_option, region_option, parameters_option, params_option
    )


def default_region() -> str | None:
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
