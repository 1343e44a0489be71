from __future__ import annotations

import json
from typing import Any

import pytest

from freehold.aws.errors import AwsError
from freehold.services.events.inputs import build_input, check_target

RULE = {"Name": "r", "Arn": "arn:rule"}
EVENT: dict[str, Any] = {
    "time": "2024-01-01T00:00:00Z",
    "detail": {"name": 'say "hi"', "n": 5, "list": [{"a": 1}]},
}


def transformed(template: str, **paths: str) -> str:
    return build_input({"InputTransformer": {"InputPathsMap": paths, "InputTemplate": template}}, RULE, EVENT)


def test_a_target_receives_the_event_a_constant_or_a_part() -> None:
    assert json.loads(build_input({}, RULE, EVENT)) == EVENT
    assert build_input({"Input": '{"a": 1}'}, RULE, EVENT) == '{"a": 1}'
    assert json.loads(build_input({"InputPath": "$.detail.list[0].a"}, RULE, EVENT)) == 1
    assert build_input({"InputPath": "$.none"}, RULE, EVENT) == "null"


def test_placeholders_keep_the_template_json() -> None:
    filled = transformed(
        '{"text": "<name> x<n>", "n": <n>, "all": <list>}', name="$.detail.name", n="$.detail.n", list="$.detail.list"
    )
    assert json.loads(filled) == {"text": 'say "hi" x5', "n": 5, "all": [{"a": 1}]}
    assert json.loads(transformed('{"rule": "<aws.events.rule-name>"}')) == {"rule": "r"}
    assert json.loads(transformed('{"e": <aws.events.event.json>}')) == {"e": EVENT}


@pytest.mark.parametrize(
    "target",
    [
        {"Input": "{}", "InputPath": "$.a"},
        {"Input": "{"},
        {"InputPath": "a.b"},
        {"InputTransformer": {"InputTemplate": "<unknown>"}},
    ],
)
def test_an_input_that_could_never_be_made_is_refused(target: dict[str, Any]) -> None:
    with pytest.raises(AwsError, match="ValidationException"):
        check_target({"Id": "1", **target})
