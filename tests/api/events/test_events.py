from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

Client = Callable[..., Any]


def code(call: Callable[..., Any], **request: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**request)
    return str(caught.value.response["Error"]["Code"])


def test_a_rule_is_described_listed_switched_and_deleted(client: Client) -> None:
    events = client("events")
    arn = events.put_rule(Name="life", ScheduleExpression="rate(5 minutes)", Tags=[{"Key": "a", "Value": "1"}])[
        "RuleArn"
    ]
    assert arn == "arn:aws:events:us-east-1:000000000000:rule/life"
    assert events.describe_rule(Name="life")["State"] == "ENABLED"
    events.disable_rule(Name="life")
    assert events.list_rules(NamePrefix="life")["Rules"][0]["State"] == "DISABLED"
    assert events.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "a", "Value": "1"}]
    events.delete_rule(Name="life")
    assert code(events.describe_rule, Name="life") == "ResourceNotFoundException"


def test_what_eventbridge_refuses_is_refused(client: Client) -> None:
    events = client("events")
    assert code(events.put_rule, Name="bad") == "ValidationException"
    assert code(events.put_rule, Name="bad", ScheduleExpression="rate(1 minutes)") == "ValidationException"
    assert code(events.put_rule, Name="bad", EventPattern='{"a": "x"}') == "InvalidEventPatternException"
    assert code(events.put_rule, Name="bad", EventBusName="none", EventPattern="{}") == "ResourceNotFoundException"


def test_a_target_that_is_not_here_is_refused_by_name(client: Client) -> None:
    events = client("events")
    events.put_rule(Name="refused", EventPattern='{"source": ["x"]}')
    answer = events.put_targets(Rule="refused", Targets=[{"Id": "1", "Arn": "arn:aws:batch:us-east-1:0:job-queue/q"}])
    assert answer["FailedEntryCount"] == 1
    assert "does not support batch as a target" in answer["FailedEntries"][0]["ErrorMessage"]
    assert events.list_targets_by_rule(Rule="refused")["Targets"] == []


def test_events_reach_the_targets_of_rules_that_match(client: Client) -> None:
    events, logs = client("events"), client("logs")
    logs.create_log_group(logGroupName="/events/target")
    events.create_event_bus(Name="orders")
    events.put_rule(Name="big", EventBusName="orders", EventPattern='{"detail": {"n": [{"numeric": [">", 5]}]}}')
    target = {"Id": "1", "Arn": "arn:aws:logs:us-east-1:000000000000:log-group:/events/target", "InputPath": "$.detail"}
    events.put_targets(Rule="big", EventBusName="orders", Targets=[target])
    entry = {"Source": "my.app", "DetailType": "Order", "EventBusName": "orders"}
    answer = events.put_events(
        Entries=[
            {**entry, "Detail": '{"n": 9}'},
            {**entry, "Detail": '{"n": 1}'},
            {**entry, "Detail": "[]"},
            {"DetailType": "t", "Detail": "{}"},
        ]
    )
    assert [result.get("ErrorCode") for result in answer["Entries"]] == [
        None,
        None,
        "MalformedDetail",
        "InvalidArgument",
    ]
    found = logs.filter_log_events(logGroupName="/events/target")["events"]
    assert [json.loads(event["message"]) for event in found] == [{"n": 9}]
    assert code(events.delete_event_bus, Name="orders") == "ValidationException"


def test_a_pattern_is_tried_out(client: Client) -> None:
    event = {"id": "1", "account": "0", "source": "s", "time": "t", "region": "r", "resources": [], "detail-type": "d"}
    answer = client("events").test_event_pattern(EventPattern='{"source": ["s"]}', Event=json.dumps(event))
    assert answer["Result"] is True
