"""Environment variables of `sam local`: whose they are, and which are replaced."""

from __future__ import annotations

from pathlib import Path

import pytest

from freehold.cli.env_vars import read_env_vars, with_env_vars
from freehold.cli.failure import Failure

_TEMPLATE = {
    "Globals": {"Function": {"Environment": {"Variables": {"LEVEL": "INFO", "TABLE": {"Ref": "T"}}}}},
    "Resources": {
        "A": {"Type": "AWS::Serverless::Function", "Properties": {"Environment": {"Variables": {"OWN": "1"}}}},
        "B": {"Type": "AWS::Serverless::Function", "Properties": {"FunctionName": "named"}},
        "T": {"Type": "AWS::DynamoDB::Table"},
    },
}


def test_a_function_wins_over_parameters_and_what_is_not_declared_is_left_out() -> None:
    overrides = {"Parameters": {"LEVEL": "DEBUG", "NEW": "x"}, "A": {"OWN": 2}, "named": {"LEVEL": "ERROR"}}
    resources = with_env_vars(_TEMPLATE, overrides)["Resources"]
    assert resources["A"]["Properties"]["Environment"]["Variables"] == {"OWN": "2", "LEVEL": "DEBUG"}
    assert resources["B"]["Properties"]["Environment"]["Variables"] == {"LEVEL": "ERROR"}
    assert resources["T"] == {"Type": "AWS::DynamoDB::Table"}


@pytest.mark.parametrize(
    ("text", "words"),
    [("{", ":1: the environment variables are not JSON"), ('{"A": 1}', "must look like"), ("[]", "must look like")],
)
def test_a_wrong_file_is_refused(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "env.json").write_text(text)
    with pytest.raises(Failure, match=words):
        read_env_vars(str(tmp_path / "env.json"))


def test_a_file_that_is_not_there_is_refused() -> None:
    with pytest.raises(Failure, match=r"Cannot read the environment variables none\.json"):
        read_env_vars("none.json")
    assert read_env_vars(None) == {}
