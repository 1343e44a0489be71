"""pip's and npm's last words, as one sentence with a line."""

from __future__ import annotations

from pathlib import Path

import pytest

from freehold.templates.building.complaints import npm_failed, pip_failed, tool_failed

_PIP_NONE = """\
ERROR: Could not find a version that satisfies the requirement left-pod==9 (from versions: none)
ERROR: No matching distribution found for left-pod==9
"""
_PIP_OFFLINE = (
    "WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError(Failed to establish a new "
    f"connection: [Errno 111] Connection refused)': /simple/left-pod/\n{_PIP_NONE}"
)
_PIP_INVALID = "ERROR: Invalid requirement: 'what is this' (from line 3 of /x/requirements.txt)\n"
_NPM_404 = """\
npm error code E404
npm error 404 Not Found - GET https://registry.example/@a%2fleft-pod - Not found
"""
_NPM_VERSION = """\
npm error code ETARGET
npm error notarget No matching version found for left-pod@99.0.0.
"""
_NPM_OFFLINE = "npm error code ECONNREFUSED\nnpm error FetchError: request to http://127.0.0.1:9/x failed\n"


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        (_PIP_NONE, "requirements.txt:2: F: pip cannot find left-pod==9: no index has it."),
        (_PIP_OFFLINE, "requirements.txt:2: F: pip cannot find left-pod==9: the package index cannot be reached."),
        (_PIP_INVALID, "requirements.txt:3: F: pip install failed: Invalid requirement: 'what is this'."),
        ("ERROR: disk full\n", "requirements.txt: F: pip install failed: disk full."),
        ("strange\n", "F: pip failed:\nstrange"),
    ],
)
def test_pip(tmp_path: Path, output: str, sentence: str) -> None:
    manifest = tmp_path / "requirements.txt"
    manifest.write_text("boto3\nLeft-Pod == 9\nwhat is this\n")
    assert str(pip_failed("F", manifest, output)) == sentence


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        (_NPM_404, "package.json:3: F: npm cannot find @a/left-pod: the registry does not have it."),
        (_NPM_VERSION, "package.json:4: F: npm cannot find left-pod@99.0.0: the registry does not have it."),
        (_NPM_OFFLINE, "package.json: F: npm cannot reach its registry."),
        ("npm error code EUSAGE\nnpm error no lock file\n", "package.json: F: npm install failed: no lock file."),
    ],
)
def test_npm(tmp_path: Path, output: str, sentence: str) -> None:
    manifest = tmp_path / "package.json"
    manifest.write_text('{\n "dependencies": {\n  "@a/left-pod": "1",\n  "left-pod": "99.0.0"\n }\n}')
    assert str(npm_failed("F", manifest, output)) == sentence


def test_of_a_long_output_the_end_is_told() -> None:
    told = str(tool_failed("F", "make", "\n".join(f"line {number}" for number in range(100))))
    assert told.startswith("F: make failed:\nline 85\n")
