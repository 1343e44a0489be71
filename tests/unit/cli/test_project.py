"""Which app a folder holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from freehold.cli.failure import Failure
from freehold.cli.project import find_project


def write(directory: Path, **files: str) -> Path:
    for name, text in files.items():
        (directory / name.replace("__", ".")).write_text(text)
    return directory


def test_the_usual_file_is_found(tmp_path: Path) -> None:
    project = find_project(write(tmp_path, template__yml="Resources: {}"))
    assert (project.file.name, project.is_serverless) == ("template.yml", False)
    assert project.state_dir == tmp_path / ".freehold"


@pytest.mark.parametrize(("prefer", "name"), [("serverless", "serverless.yml"), ("sam", "template.yaml")])
def test_where_a_folder_has_both_the_tool_decides(tmp_path: Path, prefer: str, name: str) -> None:
    write(tmp_path, serverless__yml="service: a", template__yaml="Resources: {}")
    assert find_project(tmp_path, prefer=prefer).file.name == name


@pytest.mark.parametrize(
    ("text", "is_serverless"),
    [
        ("service: a\nprovider: {name: aws}\n", True),
        ("service: a\nresources:\n  Resources:\n    A: {}\n", True),
        ("service: a\nResources: {}\n", True),
        ("AWSTemplateFormatVersion: '2010-09-09'\nResources: {}\n", False),
        ('{"Resources": {"A": {"Type": "AWS::SQS::Queue"}}}', False),
        ('{\n  "Resources": {}\n}', False),
        ('{"service": "a", "provider": {}}', True),
    ],
)
def test_a_named_template_tells_by_its_text_what_it_is(tmp_path: Path, text: str, is_serverless: bool) -> None:
    write(tmp_path, other__yaml=text)
    assert find_project(tmp_path, "other.yaml").is_serverless is is_serverless


def test_the_paths_of_a_template_elsewhere_are_relative_to_it(tmp_path: Path) -> None:
    (tmp_path / "infra").mkdir()
    write(tmp_path / "infra", app__yaml="Resources: {}")
    assert find_project(tmp_path, "infra/app.yaml").directory == tmp_path / "infra"


def test_a_folder_without_an_app_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Failure, match=r"neither a serverless\.yml nor a template\.yaml"):
        find_project(tmp_path)
    with pytest.raises(Failure, match="There is no folder"):
        find_project(tmp_path / "nowhere")
    with pytest.raises(Failure, match="There is no template"):
        find_project(tmp_path, "x.yaml")
