"""A server that keeps its functions off the network: what they still reach, and what they do not."""

from __future__ import annotations

import asyncio
import io
import json
import os
import shutil
import socket
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from freehold.app import App, CannotStart
from freehold.config import Config
from freehold.sandbox.layers import choose_sandbox
from tests.api.lambda_.conftest import ROLE
from tests.live import LiveServer

_ATTEMPTS = """
import errno, os, socket
def attempt(family, address):
    with socket.socket(family, socket.SOCK_STREAM) as connection:
        connection.settimeout(5)
        try:
            connection.connect(address)
        except OSError as error:
            return errno.errorcode.get(error.errno, str(error))
        return "REACHED"
def handler(event, context):
    return {
        "server": attempt(socket.AF_INET, ("127.0.0.1", event["port"])),
        "named": attempt(socket.AF_UNIX, "\\0" + event["name"]),
        "beyond": attempt(socket.AF_INET, ("192.0.2.1", 80)),
        "interfaces": [name for _, name in socket.if_nameindex()],
        "runtime_api": attempt(socket.AF_INET, (os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")[0], 9001)),
    }
"""
_TABLES = """
import boto3
def handler(event, context):
    return boto3.client("dynamodb").list_tables()["TableNames"]
"""
_NODE = """
exports.handler = async () => (await fetch(process.env.AWS_ENDPOINT_URL + '/_freehold/health')).status;
"""
_CUSTOM = """#!/bin/bash
api=http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation
while true; do
  body=$(curl -s -D /tmp/head $api/next)
  id=$(grep -i ^lambda-runtime-aws-request-id: /tmp/head | tr -d ' \\r' | cut -d: -f2)
  curl -s -o /dev/null -d "$body" $api/$id/response
done
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    place = tmp_path_factory.mktemp("closed")

    async def find() -> str:
        sandbox, layers = await choose_sandbox(place / "jail", ports=(9001, 4566))
        await sandbox.stop()
        return layers.reason

    if reason := asyncio.run(find()):
        pytest.skip(f"no jail on this machine: {reason}")
    live = LiveServer(place / "data", internet=False)
    live.start()
    yield live
    live.stop()


def _invoke(server: LiveServer, files: dict[str, str], event: Any = None, runtime: str = "python3.11") -> Any:
    lambda_ = server.client("lambda")
    lambda_.create_function(
        FunctionName="kept", Runtime=runtime, Handler="app.handler", Role=ROLE, Timeout=20,
        Code={"ZipFile": _zipped(files)},
    )  # fmt: skip
    try:
        return json.load(lambda_.invoke(FunctionName="kept", Payload=json.dumps(event))["Payload"])
    finally:
        lambda_.delete_function(FunctionName="kept")


def _zipped(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            entry = zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0))
            entry.external_attr = 0o100755 << 16
            archive.writestr(entry, text)
    return buffer.getvalue()


def test_a_function_reaches_neither_this_machine_nor_the_world(server: LiveServer) -> None:
    name = f"freehold-test-{os.getpid()}"
    with socket.create_server(("127.0.0.1", 0)) as ours, socket.socket(socket.AF_UNIX) as named:
        named.bind("\0" + name)
        named.listen()
        said = _invoke(server, {"app.py": _ATTEMPTS}, {"port": ours.getsockname()[1], "name": name})
    assert said == {
        "server": "ECONNREFUSED",
        "named": "ECONNREFUSED",
        "beyond": "ENETUNREACH",
        "interfaces": ["lo"],
        "runtime_api": "REACHED",
    }


def test_the_aws_endpoint_and_the_runtime_api_are_reached(server: LiveServer) -> None:
    assert _invoke(server, {"app.py": _TABLES}) == []
    assert _invoke(server, {"app.js": _NODE}, runtime="nodejs20.x") == 200
    if shutil.which("curl") and shutil.which("bash"):
        assert _invoke(server, {"bootstrap": _CUSTOM}, {"a": 1}, runtime="provided.al2023") == {"a": 1}


def test_the_health_page_says_so(server: LiveServer) -> None:
    from tests.e2e.conftest import fetch

    assert fetch(f"{server.endpoint}/_freehold/health").json["isolation"]["network"] is True


async def test_a_server_that_cannot_keep_them_off_does_not_start(tmp_path: Path) -> None:
    config = Config(data_dir=tmp_path, port=0, jail=False, internet=False)
    with pytest.raises(CannotStart, match="cannot keep functions off its network"):
        await App(config).start()
