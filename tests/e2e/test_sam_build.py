"""`freehold sam build`: pip, npm and esbuild where the template asks for them, nothing twice, and no network."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path

import pytest

from tests.e2e.conftest import CommandLine

_TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Globals:
  Function: {Runtime: python3.11, Handler: app.handler}
Resources:
  One:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: one/}
  Two:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: two/}
  Bundled:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: bundled/, Runtime: nodejs20.x}
    Metadata: {BuildMethod: esbuild, BuildProperties: {EntryPoints: [app.ts]}}
  Shared:
    Type: AWS::Serverless::LayerVersion
    Properties: {ContentUri: layer/}
    Metadata: {BuildMethod: python3.11}
"""


@pytest.fixture
def run(tmp_path: Path) -> CommandLine:
    _wheel(tmp_path / "shout-1.0-py3-none-any.whl", "shout")
    (tmp_path / "template.yaml").write_text(_TEMPLATE)
    for name in ("one", "two", "layer"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "requirements.txt").write_text("# Ours.\n../shout-1.0-py3-none-any.whl\n")
        source = "import shout\n\ndef handler(event, context):\n    return shout.loud(event['say'])\n"
        (tmp_path / name / "app.py").write_text(source)
    (tmp_path / "bundled").mkdir()
    (tmp_path / "shared.ts").write_text("export const loud = (text: string): string => text.toUpperCase();\n")
    (tmp_path / "bundled" / "app.ts").write_text(
        "import { loud } from '../shared';\nexport const handler = async (event: { say: string }) => loud(event.say);\n"
    )
    return CommandLine(tmp_path)


def _wheel(file: Path, name: str) -> None:
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(f"{name}/__init__.py", "def loud(text):\n    return text.upper()\n")
        archive.writestr(f"{name}-1.0.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(
            f"{name}-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{name}-1.0.dist-info/RECORD", "")


def _made(folder: Path) -> dict[str, int]:
    """A folder that is built again is another one."""
    return {name: os.stat(folder / ".aws-sam/build" / name).st_ino for name in ("One", "Two", "Bundled", "Shared")}


def test_what_is_built_runs_and_only_what_changed_is_built_again(run: CommandLine) -> None:
    folder = run.directory
    first = run("sam", "build")
    assert first.count("pip install") == 1  # Three times the same requirements.
    assert "esbuild app.ts" in first
    assert (folder / ".aws-sam/build/Two/shout/__init__.py").is_file()
    assert (folder / ".aws-sam/build/Shared/python/shout/__init__.py").is_file()
    for name in ("One", "Bundled"):
        assert "HELLO" in run("sam", "local", "invoke", name, "--data", json.dumps({"say": "hello"}))

    before = _made(folder)
    again = run("sam", "build")
    assert _made(folder) == before
    assert "pip" not in again
    assert "esbuild" not in again

    (folder / "two" / "app.py").write_text("def handler(event, context):\n    return 'edited'\n")
    run("sam", "build")
    assert {name for name, inode in _made(folder).items() if inode != before[name]} == {"Two"}
    # A file that esbuild took from outside of the function's folder counts as well.
    (folder / "shared.ts").write_text("export const loud = (text: string): string => `${text}!`;\n")
    run("sam", "build")
    assert "hello!" in run("sam", "local", "invoke", "Bundled", "--data", json.dumps({"say": "hello"}))


def test_a_build_that_fails_says_why_and_leaves_the_last_one(run: CommandLine) -> None:
    run("sam", "build")
    before = _made(run.directory)
    (run.directory / "two" / "requirements.txt").write_text("# Ours.\n./none-1.0-py3-none-any.whl\n")
    shown = run("sam", "build", status=1)
    assert "requirements.txt: Two: pip install failed: " in shown
    assert "none-1.0-py3-none-any.whl" in shown
    (run.directory / "two" / "requirements.txt").write_text("two words\n")
    assert "requirements.txt:1: Two: pip install failed: Invalid requirement: 'two words'" in run(
        "sam", "build", status=1
    )
    (run.directory / "two" / "requirements.txt").unlink()
    (run.directory / "bundled" / "app.ts").write_text("export const handler = (\n")
    assert "Bundled: esbuild failed" in run("sam", "build", status=1)
    assert _made(run.directory)["Bundled"] == before["Bundled"]


def test_without_a_network_the_index_that_cannot_be_reached_is_told(run: CommandLine) -> None:
    (run.directory / "two" / "requirements.txt").write_text("freehold-has-no-such-package==1\n")
    (run.directory / ".pip").mkdir()
    (run.directory / ".pip" / "pip.conf").write_text(
        "[global]\nindex-url = http://127.0.0.1:9/simple\nretries = 0\ntimeout = 1\n"
    )
    shown = run("sam", "build", status=1)
    assert "requirements.txt:1: Two: pip cannot find freehold-has-no-such-package==1: " in shown
