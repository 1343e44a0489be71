"""Each case of golden/serverless compiles to the template that was recorded from osls (named in its template.json)."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from tests.conformance.serverless import oracle
from tests.conformance.serverless.compile_service import compile_service
from tests.conformance.serverless.normalize import differences, normalize

CASES = sorted(path.parent for path in (Path(__file__).parent / "serverless").glob("*/serverless.yml"))
_ENVIRON = {"PATH": os.environ["PATH"]}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_template_is_the_one_of_the_framework(case: Path) -> None:
    if case.name == "variables" and shutil.which("node") is None:
        pytest.skip("node is not installed")
    recorded = json.loads((case / "template.json").read_text())
    assert recorded["recorded_from"].startswith("osls 3.")
    assert differences(recorded["template"], normalize(compile_service(case, {}, _ENVIRON))) == []


def test_compiling_twice_gives_the_same_template() -> None:
    case = CASES[0]
    assert compile_service(case, {}, _ENVIRON) == compile_service(case, {}, _ENVIRON)


@pytest.mark.skipif(not oracle.is_installed(), reason="osls is not installed (scripts/install-osls)")
def test_osls_itself_still_makes_the_recorded_template(tmp_path: Path) -> None:
    case = next(each for each in CASES if each.name == "article")
    copy = tmp_path / "service"
    shutil.copytree(case, copy, ignore=shutil.ignore_patterns("template.json"))
    recorded = json.loads((case / "template.json").read_text())
    assert differences(recorded["template"], normalize(oracle.osls_template(copy))) == []
