"""The wheel alone is Freehold: built, installed in a virtual environment of its own, it serves and runs functions."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

ROOT = Path(__file__).parents[2]
ROLE = "arn:aws:iam::000000000000:role/tests"
_SOURCES = {
    "python3.11": "def handler(event, context):\n    import boto3\n    return {'python': event['n'] + 1}\n",
    "nodejs20.x": "exports.handler = async (event) => ({ node: event.n + 1 });\n",
}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of an environment with the wheel; what the wheel depends on is borrowed from ours."""
    place = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(place)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    environment = place / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True)
    packages = Path(sysconfig.get_path("purelib", "venv", {"base": str(environment), "platbase": str(environment)}))
    wheel = next(place.glob("*.whl"))
    target = ["--target", str(packages), "--no-deps", "--no-index", "--disable-pip-version-check", "--quiet"]
    subprocess.run([sys.executable, "-m", "pip", "install", *target, str(wheel)], check=True)
    # A .pth comes after the environment's own packages: freehold is the wheel's, and only the rest is borrowed.
    (packages / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return environment / "bin"


@pytest.fixture(scope="module")
def endpoint(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    place = tmp_path_factory.mktemp("serve")
    left_out = ("AWS_", "PYTHON", "FREEHOLD_")
    environment = {key: value for key, value in os.environ.items() if not key.startswith(left_out)}
    server = subprocess.Popen(
        [str(installed / "python"), "-m", "freehold", "serve", "--port", "0", "--data-dir", str(place / "data")],
        cwd=place, env=environment, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert server.stdout is not None
    first = server.stdout.readline()
    assert "http://" in first, f"the wheel's server ended with {server.wait()}"
    yield next(word for word in first.split() if word.startswith("http://"))
    server.send_signal(signal.SIGTERM)
    with server.stdout:
        assert server.wait(20) == 0


def test_the_wheel_is_what_runs(installed: Path, tmp_path: Path) -> None:
    command = [str(installed / "python"), "-c", "import freehold; print(freehold.__file__)"]
    clean = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    found = subprocess.run(command, cwd=tmp_path, env=clean, check=True, capture_output=True, text=True).stdout
    assert found.startswith(str(installed.parent))


def test_the_wheel_holds_every_file_that_the_sources_hold(installed: Path) -> None:
    tracked = subprocess.run(["git", "ls-files", "src/freehold"], cwd=ROOT, capture_output=True, text=True, check=True)
    wheel = next(installed.parent.parent.glob("*.whl"))
    with zipfile.ZipFile(wheel) as archive:
        held = {f"src/{name}" for name in archive.namelist()}
    assert set(tracked.stdout.split()) <= held


@pytest.mark.parametrize("runtime", ["python3.11", "nodejs20.x"])
def test_a_server_from_the_wheel_runs_a_function(endpoint: str, runtime: str) -> None:
    if runtime.startswith("node") and shutil.which("node") is None:
        pytest.skip("Node.js is not on this machine")
    lambda_: Any = boto3.client(
        "lambda", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("app.py" if runtime.startswith("python") else "app.js", _SOURCES[runtime])
    name = runtime.replace(".", "-")
    lambda_.create_function(
        FunctionName=name,
        Runtime=runtime,
        Handler="app.handler",
        Role=ROLE,
        Timeout=20,
        Code={"ZipFile": code.getvalue()},
    )
    answer = lambda_.invoke(FunctionName=name, Payload=b'{"n": 1}')
    lambda_.close()
    assert list(json.load(answer["Payload"]).values()) == [2]


def test_the_command_line_from_the_wheel_deploys_a_serverless_app(
    endpoint: str, installed: Path, tmp_path: Path
) -> None:
    app = shutil.copytree(ROOT / "examples" / "hello-python", tmp_path / "app")
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "PYTHON", "FREEHOLD_"))}
    command = [str(installed / "python"), "-m", "freehold", "deploy", str(app), "--endpoint-url", endpoint]
    done = subprocess.run(command, env=clean, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr
