from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.live import LiveServer

Client = Callable[..., Any]


def put(logs: Any, group: str, stream: str, *messages: str, at_ms: int | None = None) -> int:
    at_ms = at_ms or int(time.time() * 1000) - 1000
    events = [{"timestamp": at_ms + index, "message": text} for index, text in enumerate(messages)]
    logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)
    return at_ms


def made(logs: Any, group: str, *streams: str) -> None:
    logs.create_log_group(logGroupName=group)
    for stream in streams:
        logs.create_log_stream(logGroupName=group, logStreamName=stream)


def test_a_group_is_described_with_its_retention_and_tags(client: Client) -> None:
    logs = client("logs")
    logs.create_log_group(logGroupName="/described", tags={"team": "a"})
    logs.put_retention_policy(logGroupName="/described", retentionInDays=7)
    (group,) = logs.describe_log_groups(logGroupNamePrefix="/described")["logGroups"]
    assert group["arn"] == "arn:aws:logs:us-east-1:000000000000:log-group:/described:*"
    assert group["retentionInDays"] == 7
    assert logs.list_tags_for_resource(resourceArn=group["logGroupArn"])["tags"] == {"team": "a"}
    logs.untag_resource(resourceArn=group["logGroupArn"], tagKeys=["team"])
    assert logs.list_tags_for_resource(resourceArn=group["logGroupArn"])["tags"] == {}
    logs.delete_retention_policy(logGroupName="/described")
    assert "retentionInDays" not in logs.describe_log_groups(logGroupNamePrefix="/described")["logGroups"][0]
    with pytest.raises(ClientError, match="Value '8' at 'retentionInDays'"):
        logs.put_retention_policy(logGroupName="/described", retentionInDays=8)


def test_errors_carry_aws_names(client: Client) -> None:
    logs = client("logs")
    made(logs, "/errors", "s")
    with pytest.raises(logs.exceptions.ResourceAlreadyExistsException):
        logs.create_log_group(logGroupName="/errors")
    with pytest.raises(logs.exceptions.ResourceAlreadyExistsException):
        logs.create_log_stream(logGroupName="/errors", logStreamName="s")
    with pytest.raises(logs.exceptions.ResourceNotFoundException):
        logs.get_log_events(logGroupName="/errors", logStreamName="none")
    with pytest.raises(logs.exceptions.ResourceNotFoundException):
        logs.filter_log_events(logGroupName="/none")
    with pytest.raises(logs.exceptions.ResourceNotFoundException):
        logs.delete_log_group(logGroupName="/none")
    with pytest.raises(logs.exceptions.InvalidParameterException, match="chronological"):
        logs.put_log_events(
            logGroupName="/errors",
            logStreamName="s",
            logEvents=[{"timestamp": 2, "message": "b"}, {"timestamp": 1, "message": "a"}],
        )


def test_events_too_old_and_too_new_are_rejected_by_index(client: Client) -> None:
    logs = client("logs")
    made(logs, "/rejected", "s")
    now_ms = int(time.time() * 1000)
    answer = logs.put_log_events(
        logGroupName="/rejected",
        logStreamName="s",
        logEvents=[{"timestamp": now_ms, "message": "kept"}, {"timestamp": now_ms + 10_000_000, "message": "new"}],
    )
    assert answer["rejectedLogEventsInfo"] == {"tooNewLogEventStartIndex": 1}
    events = logs.get_log_events(logGroupName="/rejected", logStreamName="s")["events"]
    assert [event["message"] for event in events] == ["kept"]


def test_a_stream_is_paged_in_both_directions_and_followed_by_its_token(client: Client) -> None:
    logs = client("logs")
    made(logs, "/paged", "s")
    put(logs, "/paged", "s", *(f"m{number}" for number in range(5)))
    where = {"logGroupName": "/paged", "logStreamName": "s"}
    latest = logs.get_log_events(**where, limit=2)
    assert [event["message"] for event in latest["events"]] == ["m3", "m4"]
    before = logs.get_log_events(**where, limit=2, nextToken=latest["nextBackwardToken"])
    assert [event["message"] for event in before["events"]] == ["m1", "m2"]
    end = logs.get_log_events(**where, nextToken=latest["nextForwardToken"])
    assert end["events"] == []
    assert end["nextForwardToken"] == latest["nextForwardToken"]
    put(logs, "/paged", "s", "m5")
    more = logs.get_log_events(**where, nextToken=end["nextForwardToken"])
    assert [event["message"] for event in more["events"]] == ["m5"]
    first = logs.get_log_events(**where, limit=1, startFromHead=True)
    assert [event["message"] for event in first["events"]] == ["m0"]


def test_a_group_is_searched_over_its_streams_by_time_and_pattern(client: Client) -> None:
    logs = client("logs")
    made(logs, "/searched", "a", "b")
    at_ms = put(logs, "/searched", "a", "INFO one", "ERROR two", '{"level": "ERROR"}')
    put(logs, "/searched", "b", "ERROR three", at_ms=at_ms + 10)
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName="/searched", filterPattern="ERROR", PaginationConfig={"PageSize": 1}
    )
    found = [event for page in pages for event in page["events"]]
    assert [event["message"] for event in found] == ["ERROR two", '{"level": "ERROR"}', "ERROR three"]
    assert len({event["eventId"] for event in found}) == 3
    only = logs.filter_log_events(logGroupName="/searched", filterPattern='{ $.level = "ERROR" }')["events"]
    assert [event["logStreamName"] for event in only] == ["a"]
    at_end = logs.filter_log_events(logGroupName="/searched", startTime=at_ms + 2, endTime=at_ms + 10)["events"]
    assert [event["timestamp"] - at_ms for event in at_end] == [2, 10]
    with_prefix = logs.filter_log_events(logGroupName="/searched", logStreamNamePrefix="b")["events"]
    assert [event["message"] for event in with_prefix] == ["ERROR three"]


def test_streams_are_listed_by_name_and_by_last_event(client: Client) -> None:
    logs = client("logs")
    made(logs, "/streams", "a", "b", "c")
    put(logs, "/streams", "b", "x", at_ms=int(time.time() * 1000) - 5000)
    put(logs, "/streams", "a", "x")
    listed = logs.get_paginator("describe_log_streams").paginate(
        logGroupName="/streams", PaginationConfig={"PageSize": 2}
    )
    assert [stream["logStreamName"] for page in listed for stream in page["logStreams"]] == ["a", "b", "c"]
    newest = logs.describe_log_streams(logGroupName="/streams", orderBy="LastEventTime", descending=True, limit=2)
    assert [stream["logStreamName"] for stream in newest["logStreams"]] == ["a", "b"]
    logs.delete_log_stream(logGroupName="/streams", logStreamName="a")
    assert [s["logStreamName"] for s in logs.describe_log_streams(logGroupName="/streams")["logStreams"]] == ["b", "c"]


def test_acknowledged_events_and_settings_survive_a_kill(own_server: LiveServer) -> None:
    logs = own_server.client("logs")
    made(logs, "/kept", "s")
    logs.put_retention_policy(logGroupName="/kept", retentionInDays=3)
    put(logs, "/kept", "s", "still here")
    own_server.kill()
    own_server.start()
    logs = own_server.client("logs")
    events = logs.get_log_events(logGroupName="/kept", logStreamName="s", startFromHead=True)["events"]
    assert [event["message"] for event in events] == ["still here"]
    assert logs.describe_log_groups()["logGroups"][0]["retentionInDays"] == 3


def test_resource_policies_are_given_back(client: Client) -> None:
    logs = client("logs")
    document = '{"Version":"2012-10-17","Statement":[]}'
    logs.put_resource_policy(policyName="p", policyDocument=document)
    assert logs.describe_resource_policies()["resourcePolicies"][0]["policyDocument"] == document
    logs.delete_resource_policy(policyName="p")
    assert logs.describe_resource_policies()["resourcePolicies"] == []
    with pytest.raises(logs.exceptions.InvalidParameterException):
        logs.put_resource_policy(policyName="p", policyDocument="{")
