"""samconfig.toml as the SAM CLI reads and writes it."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from freehold.cli import samconfig
from freehold.cli.failure import Failure
from freehold.cli.options import read_pairs


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    pairs = {"Stage": "prod", "Name": "two words"}
    samconfig.write(tmp_path, {"stack_name": "s", "parameter_overrides": samconfig.write_pairs(pairs), "x": True})
    found = samconfig.read(tmp_path)
    assert found["stack_name"] == "s"
    assert found["x"] is True
    assert read_pairs(samconfig.parameter_words(found["parameter_overrides"]), "") == pairs


def test_the_rest_of_the_file_stays_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "samconfig.toml"
    file.write_text(
        "version = 0.1\n\n# Mine.\n[default.build.parameters]\ncached = true\n\n"
        '[default.deploy.parameters]\nstack_name = "old"\nextra = "gone"\n\n[prod.deploy.parameters]\nregion = "eu"\n'
    )
    samconfig.write(tmp_path, {"stack_name": 'n"ew'})
    document = tomllib.loads(file.read_text())
    assert document["default"]["build"]["parameters"] == {"cached": True}
    assert document["default"]["deploy"]["parameters"] == {"stack_name": 'n"ew'}
    assert document["prod"]["deploy"]["parameters"] == {"region": "eu"}
    assert "# Mine." in file.read_text()


def test_global_parameters_stand_behind_those_of_the_command(tmp_path: Path) -> None:
    (tmp_path / "samconfig.toml").write_text(
        '[default.global.parameters]\nstack_name = "all"\nregion = "r"\n[default.deploy.parameters]\nregion = "d"\n'
    )
    assert samconfig.read(tmp_path) == {"stack_name": "all", "region": "d"}


def test_no_file_says_nothing_and_a_broken_one_fails(tmp_path: Path) -> None:
    assert samconfig.read(tmp_path) == {}
    (tmp_path / "samconfig.toml").write_text("[default\n")
    with pytest.raises(Failure, match=r"samconfig\.toml is not valid TOML"):
        samconfig.read(tmp_path)


def test_capabilities_are_one_text_or_a_list() -> None:
    assert samconfig.capability_words("A B") == ["A", "B"]
    assert samconfig.capability_words(["A"]) == ["A"]
    assert samconfig.capability_words(None) == []
