"""What the end-to-end tests share: the command line as a person runs it, and plain HTTP."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.live import LiveServer

EXAMPLES = Path(__file__).parents[2] / "examples"


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]  # Lower-case names.
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def fetch(url: str, method: str = "GET", document: Any = None, headers: dict[str, str] | None = None) -> Answer:
    body = None if document is None else json.dumps(document).encode()
    sent = {"Content-Type": "application/json"} if body is not None else {}
    request = urllib.request.Request(url, body, {**sent, **(headers or {})}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=40) as answer:
            return Answer(answer.status, {name.lower(): value for name, value in answer.headers.items()}, answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, {name.lower(): value for name, value in error.headers.items()}, error.read())


@dataclass(frozen=True, slots=True)
class CommandLine:
    """`run("deploy", ...)` in a folder; the finished process with its text."""

    directory: Path

    def __call__(self, *arguments: str, status: int = 0, typed: str | None = None) -> str:
        """What it printed. Fails the test where its exit status is another."""
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "FREEHOLD_"))}
        environment |= {"COLUMNS": "160", "HOME": str(self.directory)}
        done = subprocess.run(
            [sys.executable, "-m", "freehold", *arguments],
            cwd=self.directory,
            env=environment,
            input=typed if typed is not None else "",
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == status, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr


@pytest.fixture
def example(tmp_path: Path) -> Callable[[str], CommandLine]:
    """A copy of an example, with the command line in it: `run = example("items-sam")`."""

    def copy(name: str) -> CommandLine:
        ignored = shutil.ignore_patterns("node_modules", ".freehold", ".serverless", ".aws-sam")
        shutil.copytree(EXAMPLES / name, tmp_path / name, ignore=ignored)
        return CommandLine(tmp_path / name)

    return copy


def resources(server: LiveServer, stack: str) -> dict[str, dict[str, Any]]:
    """The resources of a stack by logical id."""
    found = server.client("cloudformation").describe_stack_resources(StackName=stack)["StackResources"]
    return {one["LogicalResourceId"]: one for one in found}


def outputs(server: LiveServer, stack: str) -> dict[str, str]:
    (one,) = server.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in one.get("Outputs", [])}


def cli_environment(server: LiveServer, home: Path) -> dict[str, str]:
    """Of the AWS CLI."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ENDPOINT_URL": server.endpoint,
        "AWS_PAGER": "",
    }


Aws = Callable[..., Any]


@pytest.fixture
def aws(server: LiveServer, tmp_path: Path) -> Aws:
    """`aws("s3", "ls")` -> what it printed, read as JSON where it is some."""

    def run(*words: str, fails: bool = False) -> Any:
        done = subprocess.run(
            [str(Path(sys.executable).with_name("aws")), *words],
            cwd=tmp_path,
            env=cli_environment(server, tmp_path),
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert (done.returncode != 0) is fails, done.stdout + done.stderr
        text = done.stderr if fails else done.stdout
        try:
            return json.loads(text)
        except ValueError:
            return text

    return run
