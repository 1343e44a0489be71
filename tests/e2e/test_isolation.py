"""What a server says of its jails, and that it does not start without one when told so."""

from __future__ import annotations

import asyncio
import base64
import json
from pathlib import Path
from typing import Any

import pytest

from freehold.app import App, CannotStart
from freehold.config import Config
from freehold.sandbox.layers import choose_sandbox
from tests.e2e.conftest import fetch
from tests.live import LiveServer


def test_the_health_page_names_the_layers_that_are_active(server: LiveServer, tmp_path: Path) -> None:
    async def find() -> dict[str, bool]:
        sandbox, layers = await choose_sandbox(tmp_path / "jail")
        await sandbox.stop()
        return {layer.name: layer.active for layer in layers.layers}

    said = fetch(f"{server.endpoint}/_freehold/health").json
    assert said["isolation"] == asyncio.run(find())


def test_a_function_lives_where_aws_puts_it_and_sees_no_other_process(server: LiveServer, client: Any) -> None:
    health = fetch(f"{server.endpoint}/_freehold/health").json
    if not health["isolation"].get("namespaces"):
        pytest.skip("no jail on this machine: freehold doctor says why")
    from tests.api.lambda_.conftest import ROLE, zipped

    source = """
import getpass, os
def handler(event, context):
    return {"cwd": os.getcwd(), "file": __file__, "root": os.environ["LAMBDA_TASK_ROOT"], "user": getpass.getuser(),
            "processes": [name for name in os.listdir("/proc") if name.isdigit()], "is_root": os.getuid() == 0}
"""
    lambda_ = client("lambda")
    lambda_.create_function(
        FunctionName="where", Runtime="python3.11", Handler="app.handler", Role=ROLE,
        Code={"ZipFile": zipped({"app.py": source})},
    )  # fmt: skip
    try:
        said = json.load(lambda_.invoke(FunctionName="where")["Payload"])
    finally:
        lambda_.delete_function(FunctionName="where")
    assert said == {
        "cwd": "/var/task",
        "file": "/var/task/app.py",
        "root": "/var/task",
        "user": "sbx_user1051",
        "processes": ["1", "2"],
        "is_root": False,
    }


def test_a_function_that_eats_its_memory_ends_in_awss_words(server: LiveServer, client: Any) -> None:
    health = fetch(f"{server.endpoint}/_freehold/health").json
    if not health["isolation"].get("memory limit"):
        pytest.skip("no memory limit on this machine: freehold doctor says why")
    from tests.api.lambda_.conftest import ROLE, zipped

    source = """
def handler(event, context):
    data = []
    while event == "eat": data.append(bytearray(b'x') * (8 << 20))
    return "still here"
"""
    lambda_ = client("lambda")
    lambda_.create_function(
        FunctionName="eats", Runtime="python3.11", Handler="app.handler", Role=ROLE, Timeout=30,
        Code={"ZipFile": zipped({"app.py": source})},
    )  # fmt: skip
    try:
        said = lambda_.invoke(FunctionName="eats", Payload=b'"eat"', LogType="Tail")
        document = json.load(said["Payload"])
        after = json.load(lambda_.invoke(FunctionName="eats", Payload=b'""')["Payload"])
    finally:
        lambda_.delete_function(FunctionName="eats")
    request_id = said["ResponseMetadata"]["RequestId"]
    assert said["FunctionError"] == "Unhandled"
    assert document == {
        "errorType": "Runtime.OutOfMemory",
        "errorMessage": f"RequestId: {request_id} Error: Runtime exited with error: signal: killed",
    }
    report = base64.b64decode(said["LogResult"]).decode().splitlines()[-1]
    assert report.startswith("REPORT")
    assert "Status: error\tError Type: Runtime.OutOfMemory" in report
    assert int(report.partition("Max Memory Used: ")[2].split()[0]) >= 128
    assert after == "still here"


def test_a_function_reaches_its_own_runtime_api_and_no_other_functions(server: LiveServer, client: Any) -> None:
    health = fetch(f"{server.endpoint}/_freehold/health").json
    if not health["isolation"].get("namespaces"):
        pytest.skip("no jail on this machine: freehold doctor says why")
    from tests.api.lambda_.conftest import ROLE, zipped

    source = """
import os, urllib.request
def ping(address):
    url = f"http://{address}/2018-06-01/ping"
    try:
        return urllib.request.urlopen(url).read().decode()
    except OSError as error:
        return type(error).__name__
def handler(event, context):
    own = os.environ["AWS_LAMBDA_RUNTIME_API"]
    read_end, write_end = os.pipe()
    if os.fork() == 0:
        os.write(write_end, ping(own).encode())
        os._exit(0)
    child = os.read(read_end, 99).decode()
    return {"address": own, "own": ping(own), "child": child, "other": ping(event["other"])}
"""
    lambda_ = client("lambda")
    # Of two interpreters, so of two zygotes, where there are two.
    for name, runtime in (("victim", "python3.11"), ("neighbour", "python3.11"), ("attacker", "python3.12")):
        lambda_.create_function(
            FunctionName=name, Runtime=runtime, Handler="app.handler", Role=ROLE, Timeout=20,
            Code={"ZipFile": zipped({"app.py": source})},
        )  # fmt: skip
    try:
        event = {"other": "127.0.0.1:1"}
        for name in ("victim", "neighbour", "attacker", "victim"):
            said = json.load(lambda_.invoke(FunctionName=name, Payload=json.dumps(event))["Payload"])
            assert (said["own"], said["child"]) == ("pong", "pong"), said
            assert said["other"] in ("URLError", "ConnectionResetError", "RemoteDisconnected"), said
            event["other"] = said["address"]
    finally:
        for name in ("victim", "neighbour", "attacker"):
            lambda_.delete_function(FunctionName=name)


async def test_where_no_jail_can_be_made_a_server_that_requires_one_does_not_start(tmp_path: Path) -> None:
    config = Config(data_dir=tmp_path, port=0, jail=False, require_jail=True)
    with pytest.raises(CannotStart, match="cannot jail functions"):
        await App(config).start()
