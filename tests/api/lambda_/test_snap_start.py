"""SnapStart: a version's init runs once, and its environments begin where it ended.

AWS: "Improving startup performance with Lambda SnapStart", "Lambda SnapStart runtime hooks for Python", "Monitoring for
Lambda SnapStart". It takes an interpreter of Python 3.12 or newer.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.api.lambda_.conftest import ROLE, zipped

SOURCE = """
import os, random, time, uuid
from snapshot_restore_py import register_after_restore, register_before_snapshot
MADE = uuid.uuid4().hex
STEPS = ["init"]
open("/tmp/of-the-init", "w").write("kept")
os.mkdir("/tmp/folder")
os.symlink("of-the-init", "/tmp/folder/link")
register_before_snapshot(STEPS.append, "first, registered first")
register_before_snapshot(STEPS.append, "before")
register_after_restore(STEPS.append, "after")
print("the init ran")

def handler(event, context):
    if event == "sleep":
        time.sleep(2)
    files = sorted(os.listdir("/tmp"))
    open("/tmp/mine", "a").write("x")
    return {
        "made": MADE, "steps": STEPS, "random": random.random(), "kind": os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"],
        "pid": os.getpid(), "files": [one for one in files if one in ("folder", "mine", "of-the-init")],
        "kept": open("/tmp/of-the-init").read(), "stream": context.log_stream_name,
        "version": context.function_version, "user": os.getuid() != 0, "api": os.environ["AWS_LAMBDA_RUNTIME_API"],
    }
"""


@pytest.fixture
def publish(client: Any) -> Iterator[Any]:
    lambda_ = client("lambda")
    made: list[str] = []

    def publish(name: str, source: str, **more: Any) -> str:
        made.append(name)
        settings = {"Runtime": "python3.12", "Handler": "app.handler", "Role": ROLE, "Timeout": 10, **more}
        lambda_.create_function(
            FunctionName=name, Code={"ZipFile": zipped({"app.py": source})}, SnapStart={"ApplyOn": "PublishedVersions"},
            **settings,
        )  # fmt: skip
        version: str = lambda_.publish_version(FunctionName=name)["Version"]
        return version

    yield publish
    for name in made:
        lambda_.delete_function(FunctionName=name)


def _invoke(lambda_: Any, name: str, version: str, event: object = None) -> tuple[Any, str]:
    answer = lambda_.invoke(FunctionName=name, Qualifier=version, Payload=json.dumps(event), LogType="Tail")
    return json.load(answer["Payload"]), base64.b64decode(answer["LogResult"]).decode()


def test_environments_of_a_version_begin_where_its_init_ended(client: Any, publish: Any) -> None:
    lambda_ = client("lambda")
    version = publish("snapped", SOURCE)
    configuration = lambda_.get_function_configuration(FunctionName="snapped", Qualifier=version)
    assert configuration["SnapStart"] == {"ApplyOn": "PublishedVersions", "OptimizationStatus": "On"}
    assert configuration["State"] == "Active"
    with ThreadPoolExecutor(3) as pool:
        said = list(pool.map(lambda _: _invoke(lambda_, "snapped", version, "sleep"), range(3)))
    answers = [answer for answer, _ in said]
    assert {answer["made"] for answer in answers} == {answers[0]["made"]}
    assert len({answer["pid"] for answer in answers}) == 3
    assert len({answer["random"] for answer in answers}) == 3
    assert len({answer["api"] for answer in answers}) == 3
    for answer, tail in said:
        assert answer["steps"] == ["init", "before", "first, registered first", "after"]
        assert answer["kind"] == "snap-start"
        assert (answer["version"], answer["stream"], answer["user"]) == (version, None, True)
        assert (answer["files"], answer["kept"]) == (["folder", "of-the-init"], "kept")
        report = tail.splitlines()[-1]
        assert "\tRestore Duration: " in report
        assert "\tBilled Restore Duration: " in report
        assert "Init Duration" not in report
        assert "the init ran" not in tail
    again, tail = _invoke(lambda_, "snapped", version)
    assert again["files"] == ["folder", "mine", "of-the-init"]
    assert "Restore Duration" not in tail
    with pytest.raises(ClientError, match="not supported for SnapStart enabled functions"):
        lambda_.put_provisioned_concurrency_config(
            FunctionName="snapped", Qualifier=version, ProvisionedConcurrentExecutions=1
        )
    latest, tail = _invoke(lambda_, "snapped", "$LATEST")
    assert latest["kind"] == "on-demand"
    assert "Init Duration" in tail


def test_only_what_aws_supports_can_have_it(client: Any) -> None:
    lambda_ = client("lambda")
    wanted = {"Handler": "app.handler", "Role": ROLE, "Code": {"ZipFile": zipped({"app.py": ""})}}
    snap_start = {"ApplyOn": "PublishedVersions"}
    for runtime in ("nodejs20.x", "python3.11", "provided.al2023"):
        with pytest.raises(ClientError, match=f"{runtime} is not supported for SnapStart enabled functions"):
            lambda_.create_function(FunctionName="no", Runtime=runtime, SnapStart=snap_start, **wanted)
    with pytest.raises(ClientError, match="512 MB of ephemeral storage"):
        lambda_.create_function(
            FunctionName="no", Runtime="python3.12", SnapStart=snap_start, EphemeralStorage={"Size": 1024}, **wanted
        )


def test_a_version_whose_init_fails_has_failed(client: Any, publish: Any) -> None:
    version = publish("failing", "raise ValueError('not today')")
    configuration = client("lambda").get_function_configuration(FunctionName="failing", Qualifier=version)
    assert (configuration["State"], configuration["StateReasonCode"]) == ("Failed", "FunctionError.RuntimeInitError")
    assert "ValueError" in configuration["StateReason"]
    assert configuration["SnapStart"]["OptimizationStatus"] == "Off"


def test_a_hook_that_fails_after_the_restore_is_the_callers_error(client: Any, publish: Any) -> None:
    source = """
from snapshot_restore_py import register_after_restore
@register_after_restore
def after():
    raise KeyError("gone")
def handler(event, context): ...
"""
    version = publish("unrestored", source)
    document, tail = _invoke(client("lambda"), "unrestored", version)
    assert document["errorType"] == "KeyError"
    assert "Status: error\tError Type: Runtime.AfterRestoreError" in tail


def test_an_init_with_threads_is_not_forked_and_runs_as_others_do(client: Any, publish: Any) -> None:
    source = """
import os, threading
threading.Thread(target=threading.Event().wait, daemon=True).start()
def handler(event, context):
    return os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"], threading.active_count()
"""
    version = publish("threaded", source)
    lambda_ = client("lambda")
    configuration = lambda_.get_function_configuration(FunctionName="threaded", Qualifier=version)
    assert configuration["SnapStart"] == {"ApplyOn": "PublishedVersions", "OptimizationStatus": "Off"}
    assert _invoke(lambda_, "threaded", version)[0] == ["on-demand", 2]
