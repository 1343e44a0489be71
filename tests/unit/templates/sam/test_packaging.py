"""Local files of a template become zip files and documents with places in S3."""

from __future__ import annotations

import json
import sys
import zipfile
from pathlib import Path

import pytest

from freehold.templates.errors import TemplateError
from freehold.templates.sam.packaging import Packed, Workshop, pack, read_file

_FUNCTION = """
  {name}:
    Type: AWS::Serverless::Function
    Properties: {{Runtime: python3.11, Handler: {handler}, CodeUri: {code}}}
"""


def packed(directory: Path, text: str) -> Packed:
    file = directory / "template.yaml"
    file.write_text(text)
    made = directory / ".aws-sam"
    workshop = Workshop(made / "build", made / "cache", "bucket", {"python3.11": sys.executable}, lambda _: None)
    return pack(read_file(file), file, workshop)


def functions(*each: tuple[str, str, str]) -> str:
    return "Resources:" + "".join(
        _FUNCTION.format(name=name, handler=handler, code=code) for name, handler, code in each
    )


def test_functions_of_one_folder_share_one_zip_file(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "app.py").write_text("x = 1")
    (tmp_path / "src" / "__pycache__").mkdir()
    (tmp_path / "src" / "__pycache__" / "app.pyc").write_text("")
    found = packed(tmp_path, functions(("One", "app.one", "src/"), ("Two", "app.two", "./src")))
    assert [artifact.owners for artifact in found.artifacts] == [("function:One", "function:Two")]
    assert zipfile.ZipFile(found.artifacts[0].path).namelist() == ["app.py"]
    assert found.roots["function:Two"].folder == (tmp_path / "src").resolve()


def test_an_unchanged_folder_gives_the_same_key(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("x = 1")
    (tmp_path / "requirements.txt").write_text("# none\n")
    text = functions(("One", "app.one", "."))
    first = packed(tmp_path, text).artifacts[0].key
    assert packed(tmp_path, text).artifacts[0].key == first
    (tmp_path / "app.py").write_text("x = 2")
    assert packed(tmp_path, text).artifacts[0].key != first


def test_a_single_file_and_a_ready_made_zip_file(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("x = 1")
    with zipfile.ZipFile(tmp_path / "ready.zip", "w") as archive:
        archive.writestr("other.py", "")
    found = packed(tmp_path, functions(("One", "app.one", "app.py"), ("Two", "any.two", "ready.zip")))
    assert zipfile.ZipFile(found.artifacts[0].path).namelist() == ["app.py"]
    assert found.artifacts[1].path == tmp_path / "ready.zip"


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (("One", "app.one", "nowhere/"), "template.yaml:4: One: there is no nowhere/"),
        (
            ("One", "missing.one", "."),
            "template.yaml:4: One has the handler missing.one, but . has no file",
        ),
        (("One", "app.one", "empty/"), "template.yaml:4: One has the handler app.one, but empty/ has no file app.py"),
    ],
    ids=["no folder", "no handler file", "empty folder"],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, function: tuple[str, str, str], words: str) -> None:
    (tmp_path / "app.py").write_text("")
    (tmp_path / "empty").mkdir()
    with pytest.raises(TemplateError) as error:
        packed(tmp_path, functions(function))
    assert words in str(error.value)


def test_broken_yaml_is_told_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(TemplateError) as error:
        packed(tmp_path, "Resources:\n  A: [\n")
    assert str(error.value).startswith("template.yaml:3: ")


def test_a_nested_template_has_its_own_files_placed(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "app.py").write_text("")
    (tmp_path / "inner" / "template.yaml").write_text(functions(("Deep", "app.x", ".")))
    found = packed(
        tmp_path,
        "Resources: {Child: {Type: 'AWS::CloudFormation::Stack', Properties: {TemplateURL: inner/template.yaml}}}",
    )
    (document,) = found.documents.values()
    code = json.loads(document.path.read_text())["Resources"]["Deep"]["Properties"]["CodeUri"]
    assert code in {f"s3://bucket/{file.key}" for file in found.files}


def test_a_template_that_nests_itself_ends_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match="nested more than 8 deep"):
        packed(
            tmp_path,
            "Resources: {Me: {Type: 'AWS::CloudFormation::Stack', Properties: {TemplateURL: template.yaml}}}",
        )
