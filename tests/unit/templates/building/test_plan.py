"""How code is built, decided from what is there; and the parts of a build that need no network."""

from __future__ import annotations

from pathlib import Path

import pytest

from freehold.templates.building import Method, build_function, plan_build
from freehold.templates.errors import TemplateError


def test_code_without_a_manifest_is_its_source_folder(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("")
    built = build_function(tmp_path, "python3.12", {}, tmp_path / "out", tmp_path / "cache", print)
    assert built == tmp_path


def test_runtimes_and_metadata_choose_the_method(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("requests")
    (tmp_path / "package.json").write_text("{}")
    (tmp_path / "app.ts").write_text("")
    assert plan_build("F", tmp_path, "python3.12", {}).method is Method.PIP
    assert plan_build("F", tmp_path, "nodejs22.x", {}).method is Method.NPM
    assert plan_build("F", tmp_path, "python3.12", {"SkipBuild": True}).method is Method.AS_IS
    build = plan_build("F", tmp_path, "esbuild", {"BuildProperties": {"EntryPoints": ["app.ts"], "Target": "es2022"}})
    assert build.arguments[:2] == ("app.ts", "--bundle")
    assert "--target=es2022" in build.arguments
    assert "--minify" in build.arguments


def test_what_cannot_be_built_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match="F: Freehold does not build java21 yet"):
        plan_build("F", tmp_path, "java21", {})
    with pytest.raises(TemplateError, match="BuildProperties has no Minfy"):
        plan_build("F", tmp_path, "esbuild", {"BuildProperties": {"Minfy": True}})
    with pytest.raises(TemplateError, match=r"the entry point app\.js is not in"):
        plan_build("F", tmp_path, "esbuild", {})


def test_comments_alone_in_requirements_install_nothing(tmp_path: Path) -> None:
    source = tmp_path / "src"
    source.mkdir()
    (source / "requirements.txt").write_text("# nothing\n\n")
    (source / "app.py").write_text("x = 1")
    (source / "__pycache__").mkdir()
    built = build_function(source, "python3.12", {}, tmp_path / "out", tmp_path / "cache", print)
    assert sorted(file.name for file in built.iterdir()) == ["app.py", "requirements.txt"]


def test_a_layer_lies_under_the_folder_of_its_language(tmp_path: Path) -> None:
    source = tmp_path / "layer"
    source.mkdir()
    (source / "shared.py").write_text("")
    built = build_function(
        source, "python3.12", {"BuildMethod": "python3.12"}, tmp_path / "out", tmp_path / "cache", print, is_layer=True
    )
    assert (built / "python" / "shared.py").is_file()


def test_make_builds_into_the_artifacts_folder(tmp_path: Path) -> None:
    source = tmp_path / "src"
    source.mkdir()
    (source / "Makefile").write_text("build-F:\n\techo hello > $(ARTIFACTS_DIR)/made\n")
    built = build_function(source, "provided.al2023", {}, tmp_path / "out", tmp_path / "c", print, logical_id="F")
    assert (built / "made").read_text() == "hello\n"


def test_a_build_that_fails_shows_the_tools_words_and_keeps_the_last_good_one(tmp_path: Path) -> None:
    source = tmp_path / "src"
    source.mkdir()
    makefile = source / "Makefile"
    makefile.write_text("build-F:\n\techo good > $(ARTIFACTS_DIR)/made\n")
    metadata = {"BuildMethod": "makefile"}
    built = build_function(source, "", metadata, tmp_path / "out", tmp_path / "c", print, logical_id="F")
    makefile.write_text("build-F:\n\t@echo broken >&2; exit 3\n")
    with pytest.raises(TemplateError, match="broken"):
        build_function(source, "", metadata, tmp_path / "out", tmp_path / "c", print, logical_id="F")
    assert (built / "made").read_text() == "good\n"
