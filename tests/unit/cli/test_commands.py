"""Small decisions of single commands: times, events, pruning, where code lies."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.cli.aws_stub import StubAws

from freehold.cli.commands.deploy_function import code_location
from freehold.cli.commands.invoke import read_event
from freehold.cli.commands.logs import read_since
from freehold.cli.failure import Failure
from freehold.cli.prune import prune_versions
from freehold.cli.target import Running, announce, find_endpoint, find_running, withdraw


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("30s", 970_000),
        ("10m", 400_000),
        ("5mins ago", 700_000),
        ("1970-01-01T00:00:10+00:00", 10_000),
    ],
)
def test_a_time_is_a_span_or_a_date(text: str, ms: int) -> None:
    assert read_since(text, 1000.0) == ms


def test_what_is_no_time_is_refused() -> None:
    with pytest.raises(Failure, match="'soon' is no time"):
        read_since("soon", 0)


def test_an_event_comes_from_a_file_or_the_command_line(tmp_path: Path) -> None:
    (tmp_path / "event.json").write_text('{"a": 1}')
    assert read_event(str(tmp_path / "event.json"), None) == b'{"a": 1}'
    assert read_event(None, "[1]") == b"[1]"
    assert read_event(None, None) == b"{}"


def test_a_broken_event_is_told_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "event.json"
    file.write_text('{\n "a": \n}')
    with pytest.raises(Failure, match=r"event\.json:3: the event is not JSON"):
        read_event(str(file), None)
    with pytest.raises(Failure, match="Cannot read the event"):
        read_event(str(tmp_path / "none"), None)


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({"Code": {"S3Bucket": "b", "S3Key": "k/x.zip"}}, ("b", "k/x.zip")),
        ({"CodeUri": "s3://b/k/x.zip"}, ("b", "k/x.zip")),
        ({"CodeUri": {"Bucket": "b", "Key": "k"}}, ("b", "k")),
        ({"Code": {"ZipFile": "x"}}, None),
        ({"Code": {"S3Bucket": {"Ref": "B"}, "S3Key": "k"}}, None),
        ({}, None),
    ],
)
def test_code_lies_where_the_packaged_template_says(
    properties: dict[str, object], expected: tuple[str, str] | None
) -> None:
    assert code_location(properties) == expected


async def test_old_versions_go_but_for_the_newest_and_those_with_an_alias() -> None:
    versions = [{"Version": each} for each in ("$LATEST", "1", "2", "10", "9", "3")]
    alias = {"FunctionVersion": "1", "RoutingConfig": {"AdditionalVersionWeights": {"3": 0.1}}}
    aws = StubAws(
        {
            "ListAliases": {"Aliases": [alias]},
            "ListVersionsByFunction": [{"Versions": versions[:3], "NextMarker": "m"}, {"Versions": versions[3:]}],
            "DeleteFunction": {},
        }
    )
    assert await prune_versions(aws, ["f"], 2) == 1
    assert aws.asked[-1] == ("DeleteFunction", {"FunctionName": "f", "Qualifier": "2"})


def test_a_running_dev_of_the_folder_is_the_endpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FREEHOLD_ENDPOINT", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    assert find_endpoint(None, tmp_path) == "http://127.0.0.1:4566"
    import os

    running = Running(os.getpid(), "http://127.0.0.1:5000", "us-east-1", "s")
    announce(tmp_path, running)
    assert find_endpoint(None, tmp_path) == "http://127.0.0.1:5000"
    assert find_endpoint("http://other:1/", tmp_path) == "http://other:1"
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://env:1")
    assert find_endpoint(None, tmp_path) == "http://env:1"
    withdraw(tmp_path)
    assert find_running(tmp_path) is None
    with pytest.raises(Failure, match="is not an endpoint"):
        find_endpoint("localhost:4566", tmp_path)


def test_a_dev_that_is_gone_is_not_running(tmp_path: Path) -> None:
    # The highest process id that Linux knows is never given out.
    announce(tmp_path, Running(4_194_304, "http://127.0.0.1:5000", "us-east-1", "s"))
    assert find_running(tmp_path) is None
