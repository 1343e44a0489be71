"""Which files go into which zip file, and that the same content makes the same bytes."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path

import pytest
from tests.unit.templates.serverless.services import HEAD, service

from freehold.templates.errors import TemplateError
from freehold.templates.serverless import Artifact, package

TWO = "functions:\n  a: {handler: app.main}\n  b: {handler: app.main%s}\n"


def _names(artifact: Artifact) -> list[str]:
    return zipfile.ZipFile(artifact.path).namelist()


async def test_functions_share_one_zip_file(tmp_path: Path) -> None:
    loaded = await service(tmp_path / "app", HEAD + TWO % "", {"lib/x.py": "", ".git/config": "", "notes.md": ""})
    (artifact,) = package(loaded, tmp_path / "out")
    assert artifact.file_name == "demo.zip"
    assert artifact.owners == ("function:a", "function:b")
    assert _names(artifact) == ["app.py", "lib/x.py", "notes.md"]


async def test_patterns_exclude_and_bring_back(tmp_path: Path) -> None:
    text = HEAD + TWO % "" + "package:\n  patterns: ['!lib/**', 'lib/keep/*.py', '!{notes,other}.md']\n"
    files = {"lib/x.py": "", "lib/keep/y.py": "", "lib/keep/z.txt": "", "notes.md": ""}
    (artifact,) = package(await service(tmp_path / "app", text, files), tmp_path / "out")
    assert _names(artifact) == ["app.py", "lib/keep/y.py"]


async def test_a_function_may_be_packed_on_its_own(tmp_path: Path) -> None:
    text = HEAD + TWO % ", package: {individually: true, patterns: ['!lib/**']}"
    artifacts = package(await service(tmp_path / "app", text, {"lib/x.py": ""}), tmp_path / "out")
    assert {each.file_name: _names(each) for each in artifacts} == {
        "b.zip": ["app.py"],
        "demo.zip": ["app.py", "lib/x.py"],
    }


async def test_development_dependencies_stay_out(tmp_path: Path) -> None:
    def manifest(**sections: dict[str, str]) -> str:
        return json.dumps(sections)

    files = {
        "package.json": manifest(dependencies={"kept": "1"}, devDependencies={"tool": "1", "shared": "1"}),
        "node_modules/kept/package.json": manifest(dependencies={"shared": "1"}),
        "node_modules/shared/package.json": manifest(),
        "node_modules/tool/package.json": manifest(dependencies={"deep": "1"}),
        "node_modules/deep/package.json": manifest(),
    }
    (artifact,) = package(await service(tmp_path / "app", HEAD + TWO % "", files), tmp_path / "out")
    packed = {name.split("/")[1] for name in _names(artifact) if name.startswith("node_modules/")}
    assert packed == {"kept", "shared"}


async def test_the_same_content_makes_the_same_bytes(tmp_path: Path) -> None:
    loaded = await service(tmp_path / "app", HEAD + TWO % "")
    (first,) = package(loaded, tmp_path / "one")
    os.utime(tmp_path / "app/app.py", (1, 1))
    (second,) = package(loaded, tmp_path / "two")
    assert first.path.read_bytes() == second.path.read_bytes()
    assert first.key == second.key


async def test_unchanged_files_are_not_packed_again(tmp_path: Path) -> None:
    loaded = await service(tmp_path / "app", HEAD + TWO % "")
    (first,) = package(loaded, tmp_path / "out")
    written = first.path.stat().st_mtime_ns
    (second,) = package(loaded, tmp_path / "out")
    assert second.path.stat().st_mtime_ns == written
    (tmp_path / "app/app.py").write_text("def main(event, context):\n    return {'new': True}\n")
    (third,) = package(loaded, tmp_path / "out")
    assert third.sha256 != first.sha256


async def test_a_ready_made_zip_file_is_taken_as_it_is(tmp_path: Path) -> None:
    text = HEAD + TWO % "" + "package: {artifact: ready.zip}\n"
    (artifact,) = package(await service(tmp_path / "app", text, {"ready.zip": "zip"}), tmp_path / "out")
    assert artifact.path == (tmp_path / "app/ready.zip").resolve()


async def test_a_missing_ready_made_zip_file_is_told(tmp_path: Path) -> None:
    text = HEAD + TWO % "" + "package: {artifact: ready.zip}\n"
    loaded = await service(tmp_path / "app", text)
    with pytest.raises(TemplateError, match=r"ready\.zip does not exist"):
        package(loaded, tmp_path / "out")


async def test_nothing_left_to_pack_is_told(tmp_path: Path) -> None:
    loaded = await service(tmp_path / "app", HEAD + TWO % "" + "package: {patterns: ['!**']}\n")
    with pytest.raises(TemplateError, match=r"No file is left for demo\.zip"):
        package(loaded, tmp_path / "out")


async def test_layers_are_zipped_from_their_own_folder(tmp_path: Path) -> None:
    text = f"{HEAD}{TWO % ''}layers: {{shared: {{path: lib}}}}\n"
    artifacts = package(await service(tmp_path / "app", text, {"lib/python/x.py": ""}), tmp_path / "out")
    assert {each.file_name: _names(each) for each in artifacts} == {
        "demo.zip": ["app.py"],
        "shared.zip": ["python/x.py"],
    }


async def test_the_wsgi_plugin_packs_an_adapter(tmp_path: Path) -> None:
    text = (
        f"{HEAD}plugins: [serverless-wsgi]\ncustom: {{wsgi: {{app: app.app}}}}\n"
        "functions: {api: {handler: wsgi_handler.handler}}\n"
    )
    (artifact,) = package(await service(tmp_path / "app", text), tmp_path / "out")
    assert {"app.py", "wsgi_handler.py", ".serverless-wsgi"} <= set(_names(artifact))
