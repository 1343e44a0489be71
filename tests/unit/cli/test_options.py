"""Several values after one flag, and what a pair may look like."""

from __future__ import annotations

import re

import click
import pytest
from click.testing import CliRunner

from freehold.cli.failure import Failure
from freehold.cli.options import Command, Many, read_pairs


@click.command(cls=Command)
@click.argument("directory", default=".")
@click.option("--parameter-overrides", cls=Many)
@click.option("--capabilities", cls=Many, takes=re.compile(r"CAPABILITY_\w+"))
@click.option("--stage")
def probe(directory: str, parameter_overrides: tuple[str, ...], capabilities: tuple[str, ...], stage: str) -> None:
    click.echo(repr((directory, parameter_overrides, capabilities, stage)))


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--parameter-overrides", "A=1", "B=2", "--stage", "s"], (".", ("A=1", "B=2"), (), "s")),
        (["--parameter-overrides", "A=1", "folder"], ("folder", ("A=1",), (), None)),
        (["folder", "--parameter-overrides=A=1", "B=2"], ("folder", ("A=1", "B=2"), (), None)),
        (["--parameter-overrides", "A=1 B=2"], (".", ("A=1 B=2",), (), None)),
        (["--parameter-overrides", "A=1", "--parameter-overrides", "B=2"], (".", ("A=1", "B=2"), (), None)),
        (
            ["--capabilities", "CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "folder"],
            ("folder", (), ("CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"), None),
        ),
        (["--stage", "A=1", "x"], ("x", (), (), "A=1")),
        (["--parameter-overrides", "A=-1", "B="], (".", ("A=-1", "B="), (), None)),
    ],
)
def test_words_that_look_like_its_values_belong_to_the_flag(words: list[str], expected: object) -> None:
    result = CliRunner().invoke(probe, words)
    assert result.output.strip() == repr(expected)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["A=1", "B=2"], {"A": "1", "B": "2"}),
        (["A=1 B=2"], {"A": "1", "B": "2"}),
        (['Stage="dev" Name="two words"'], {"Stage": "dev", "Name": "two words"}),
        (["A=two words"], {"A": "two words"}),
        (["Url=https://host/?a=b&c=d"], {"Url": "https://host/?a=b&c=d"}),
        (["ParameterKey=A,ParameterValue=1 ParameterKey=B,ParameterValue=2"], {"A": "1", "B": "2"}),
        (["A="], {"A": ""}),
    ],
)
def test_pairs_are_read_as_people_write_them(words: list[str], expected: dict[str, str]) -> None:
    assert read_pairs(words, "--parameter-overrides") == expected


@pytest.mark.parametrize("word", ["A", "=1"])
def test_what_is_no_pair_is_refused(word: str) -> None:
    with pytest.raises(Failure, match="--parameter-overrides takes KEY=VALUE"):
        read_pairs([word], "--parameter-overrides")
