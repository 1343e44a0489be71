"""The table of commands: every line leads somewhere, and every command explains itself."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from freehold.cli import commands
from freehold.cli.program import COMMANDS, Entry, Table, program


def paths(table: Table, before: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, entry in table.items():
        words = (*before, *name.split())
        if isinstance(entry, Entry):
            yield words
        else:
            yield from paths(entry.commands, words)


ALL = sorted(paths(COMMANDS))


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_every_command_has_help_with_examples(words: tuple[str, ...]) -> None:
    result = CliRunner().invoke(program, [*words, "--help"])
    assert result.exit_code == 0, result.output
    assert result.output.startswith(f"Usage: freehold {' '.join(words)} ")
    assert "Examples:" in result.output


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("sam sync", "There is no command 'sync'. `freehold dev` brings every edit into force."),
        ("sam local start-lambda", "`freehold dev` serves Lambda's API too"),
        ("serverless deploy list", "There is no command 'deploy list'. `freehold list` shows the stacks"),
        ("sls plugin install -n serverless-offline", "Plugins need no installation"),
        ("serverles deploy", "There is no command 'serverles'. Did you mean 'serverless'?"),
    ],
)
def test_a_command_of_the_originals_that_is_not_here_says_what_to_do_instead(words: str, told: str) -> None:
    result = CliRunner().invoke(program, words.split())
    assert result.exit_code == 2
    assert told in result.output


def test_no_command_has_something_to_do_instead() -> None:
    def check(table: Table, instead: Mapping[str, str]) -> None:
        assert not set(table) & set(instead)
        for entry in table.values():
            if not isinstance(entry, Entry):
                check(entry.commands, entry.instead)

    check(COMMANDS, {})


def test_every_file_of_a_command_is_in_the_table() -> None:
    folder = Path(next(iter(commands.__path__)))
    files = {file.stem for file in folder.glob("*.py")} - {"__init__"}

    def modules(table: Table) -> Iterator[str]:
        for entry in table.values():
            if isinstance(entry, Entry):
                yield entry.module
            else:
                yield from modules(entry.commands)

    assert set(modules(COMMANDS)) == files


def test_help_lists_the_commands_and_imports_none_of_them() -> None:
    code = (
        "import sys; from freehold.cli.program import program\n"
        "try: program(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'rich', 'asyncio', 'orjson', 'botocore', 'yaml', 'freehold.app', 'freehold.cli.commands.deploy'}\n"
        "sys.exit(str(sorted(heavy & set(sys.modules)) or ''))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr.strip() == ""
    for words in ("deploy", "dev", "serverless", "sam"):
        assert f"\n  {words} " in done.stdout


def test_a_command_of_two_words_is_not_its_first_word_with_a_folder() -> None:
    context = click.Context(program)
    name, command, rest = program.resolve_command(context, ["deploy", "function", "-f", "x"])
    assert (name, rest) == ("deploy function", ["-f", "x"])
    assert command is not None
    name, _, rest = program.resolve_command(context, ["deploy", "folder"])
    assert (name, rest) == ("deploy", ["folder"])


def test_an_unknown_command_is_an_error_of_usage() -> None:
    result = CliRunner().invoke(program, ["fly"])
    assert result.exit_code == 2
    assert "There is no command 'fly'" in result.output


def test_the_version_is_said() -> None:
    assert CliRunner().invoke(program, ["--version"]).output.startswith("freehold 0.")
