"""Which edits concern a function."""

from __future__ import annotations

from pathlib import Path

import pytest

from freehold.cli.dev.closure import concerns, loaded_files


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


def names(root: Path, handler: str) -> set[str] | None:
    found = loaded_files(root, handler)
    return None if found is None else {str(path.relative_to(root)) for path in found}


def test_python_imports_are_followed_through_packages_and_relatively(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "api/get.py": "import json\nfrom lib import db\nfrom . import shared\nimport lib.deep.leaf\n",
            "api/__init__.py": "",
            "api/shared.py": "from ..lib import more\n",
            "api/other.py": "",
            "lib/__init__.py": "",
            "lib/db.py": "",
            "lib/more.py": "",
            "lib/deep/leaf.py": "",
            "lib/unused.py": "",
        },
    )
    assert names(tmp_path, "api.get.handler") == {
        "api/get.py",
        "api/__init__.py",
        "api/shared.py",
        "lib/__init__.py",
        "lib/db.py",
        "lib/more.py",
        "lib/deep/leaf.py",
    }
    assert names(tmp_path, "api/get.handler") == names(tmp_path, "api.get.handler")


def test_script_imports_are_followed_in_both_kinds_of_modules(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "handlers/items.js": "const a = require('../lib/a');\nrequire('aws-sdk');\nimport('./lazy.mjs')",
            "handlers/lazy.mjs": "import x, {\n  y } from '../lib';\nexport * from './types.js'",
            "handlers/types.ts": "",
            "lib/a.js": "module.exports = require('./data.json')",
            "lib/data.json": "{}",
            "lib/index.js": "",
            "handlers/cleanup.js": "",
        },
    )
    assert names(tmp_path, "handlers/items.get") == {
        "handlers/items.js",
        "handlers/lazy.mjs",
        "handlers/types.ts",
        "lib/a.js",
        "lib/data.json",
        "lib/index.js",
    }


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("app.py", "import importlib\n"),
        ("app.py", "module = __import__(name)\n"),
        ("app.py", "def broken(:\n"),
        ("app.js", "require(name)"),
        ("app.js", "await import(`./${name}.js`)"),
        ("app.js", "require('./missing')"),
        ("other.py", ""),
    ],
)
def test_what_cannot_be_told_from_the_text_concerns_the_function(tmp_path: Path, file: str, text: str) -> None:
    write(tmp_path, {file: text, "elsewhere.py": ""})
    assert loaded_files(tmp_path, "app.handler") is None
    assert concerns([tmp_path / "elsewhere.py"], tmp_path, "app.handler")


def test_an_edit_concerns_those_that_load_the_file(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": "import shared", "b.py": "", "shared.py": "", "data.csv": ""})
    assert concerns([tmp_path / "shared.py"], tmp_path, "a.handler")
    assert not concerns([tmp_path / "shared.py"], tmp_path, "b.handler")
    assert not concerns([tmp_path / "a.py"], tmp_path, "b.handler")


def test_a_file_that_is_no_source_concerns_every_function_of_its_folder(tmp_path: Path) -> None:
    write(tmp_path, {"one/a.py": "", "one/data.csv": "", "two/b.py": ""})
    assert concerns([tmp_path / "one" / "data.csv"], tmp_path / "one", "a.handler")
    assert not concerns([tmp_path / "one" / "data.csv"], tmp_path / "two", "b.handler")


def test_a_file_that_is_gone_concerns_every_function_of_its_folder(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": ""})
    assert concerns([tmp_path / "gone.py"], tmp_path, "a.handler")
