"""The deploy as a conversation with CloudFormation, the other side played by a stub."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.unit.cli.aws_stub import StubAws

from freehold.aws.errors import AwsError
from freehold.cli.deployment import DeployFailed, Event, Package, Upload, deploy, remove
from freehold.cli.failure import Failure

STACK = "AWS::CloudFormation::Stack"
NO_STACK = AwsError("ValidationError", "Stack with id s does not exist", status=400)
IN_PLACE = {"Stacks": [{"StackName": "s", "StackId": "arn:s", "StackStatus": "UPDATE_COMPLETE", "Parameters": ""}]}


def package(template: dict[str, Any] | None = None, *uploads: Upload) -> Package:
    return Package("s", "us-east-1", template or {"Resources": {}}, uploads, "bucket")


def event(number: int, logical_id: str, type_: str, status: str, reason: str = "") -> dict[str, str]:
    return {
        "EventId": str(number),
        "LogicalResourceId": logical_id,
        "PhysicalResourceId": "arn:s" if type_ == STACK else "physical",
        "ResourceType": type_,
        "ResourceStatus": status,
        "ResourceStatusReason": reason,
    }


def cloudformation(**answers: Any) -> StubAws:
    usual = {
        "DescribeStacks": NO_STACK,
        "CreateChangeSet": {"Id": "arn:c", "StackId": "arn:s"},
        "DescribeChangeSet": {"Status": "CREATE_COMPLETE"},
        "ExecuteChangeSet": {},
        "DeleteStack": {},
        "DeleteChangeSet": {},
        "DescribeStackEvents": {"StackEvents": [event(1, "s", STACK, "CREATE_COMPLETE")]},
    }
    return StubAws({**usual, **answers})


async def test_a_new_stack_is_made_by_a_change_set_and_its_events_are_told_in_order() -> None:
    told: list[Event] = []
    aws = cloudformation(
        DescribeStackEvents=[
            {"StackEvents": [event(1, "Table", "T", "CREATE_IN_PROGRESS")]},
            {
                "StackEvents": [
                    event(3, "s", STACK, "CREATE_COMPLETE"),
                    event(2, "Table", "T", "CREATE_COMPLETE"),
                    event(1, "Table", "T", "CREATE_IN_PROGRESS"),
                ]
            },
        ]
    )
    assert await deploy(aws, package(), {}, on_event=told.append)
    created = dict(aws.asked)["CreateChangeSet"]
    assert created["ChangeSetType"] == "CREATE"
    assert created["TemplateBody"] == '{"Resources":{}}'
    assert [(each.logical_id, each.status) for each in told] == [
        ("Table", "CREATE_IN_PROGRESS"),
        ("Table", "CREATE_COMPLETE"),
        ("s", "CREATE_COMPLETE"),
    ]


async def test_an_update_tells_only_its_own_events_and_keeps_parameters() -> None:
    told: list[Event] = []
    old = event(1, "s", STACK, "CREATE_COMPLETE")
    stack = {**IN_PLACE["Stacks"][0], "Parameters": [{"ParameterKey": "Kept"}]}
    aws = cloudformation(
        DescribeStacks={"Stacks": [stack]},
        DescribeStackEvents=[{"StackEvents": [old]}, {"StackEvents": [event(2, "s", STACK, "UPDATE_COMPLETE"), old]}],
    )
    parameters = {"Kept": {"Type": "String"}, "Given": {"Type": "String"}, "New": {"Type": "String", "Default": "d"}}
    await deploy(aws, package({"Parameters": parameters}), {"Given": "1"}, on_event=told.append)
    created = dict(aws.asked)["CreateChangeSet"]
    assert created["ChangeSetType"] == "UPDATE"
    assert created["Parameters"] == [
        {"ParameterKey": "Given", "ParameterValue": "1"},
        {"ParameterKey": "Kept", "UsePreviousValue": True},
    ]
    assert [each.id for each in told] == ["2"]


async def test_where_nothing_changed_nothing_is_executed() -> None:
    aws = cloudformation(
        DescribeStacks=IN_PLACE,
        DescribeChangeSet=[
            {"Status": "CREATE_IN_PROGRESS"},
            {"Status": "FAILED", "StatusReason": "The submitted information didn't contain changes."},
        ],
    )
    assert not await deploy(aws, package(), {})
    assert aws.operations()[-1] == "DeleteChangeSet"


async def test_a_failure_names_the_first_resource_that_failed() -> None:
    aws = cloudformation(
        DescribeStackEvents={
            "StackEvents": [
                event(5, "s", STACK, "ROLLBACK_COMPLETE"),
                event(4, "Other", "T2", "CREATE_FAILED", "Resource creation cancelled"),
                event(3, "Table", "AWS::DynamoDB::Table", "CREATE_FAILED", "Table already exists: t."),
                event(2, "Table", "AWS::DynamoDB::Table", "CREATE_IN_PROGRESS"),
            ]
        }
    )
    with pytest.raises(DeployFailed) as caught:
        await deploy(aws, package(), {})
    assert caught.value.message == (
        "Table (AWS::DynamoDB::Table) failed: Table already exists: t; everything it had made was removed."
    )


async def test_a_refused_template_leaves_no_empty_stack_behind() -> None:
    review = {"Stacks": [{"StackName": "s", "StackId": "arn:s", "StackStatus": "REVIEW_IN_PROGRESS"}]}
    aws = cloudformation(
        DescribeStacks=[NO_STACK, review, review],
        DescribeChangeSet={"Status": "FAILED", "StatusReason": "Unrecognized resource types: [A::B::C]"},
        DescribeStackEvents=[
            {"StackEvents": [event(1, "s", STACK, "REVIEW_IN_PROGRESS")]},
            {"StackEvents": [event(2, "s", STACK, "DELETE_COMPLETE")]},
        ],
    )
    with pytest.raises(DeployFailed, match="Unrecognized resource types"):
        await deploy(aws, package(), {})
    assert ("DeleteStack", {"StackName": "arn:s"}) in aws.asked
    assert aws.answers["DescribeStackEvents"] == []  # It was waited for.


async def test_what_a_failed_first_deploy_left_is_cleared_away() -> None:
    left = {"Stacks": [{"StackName": "s", "StackId": "arn:s", "StackStatus": "ROLLBACK_COMPLETE"}]}
    aws = cloudformation(
        DescribeStacks=[left, left],
        DescribeStackEvents=[
            {"StackEvents": [event(1, "s", STACK, "ROLLBACK_COMPLETE")]},
            {"StackEvents": [event(2, "s", STACK, "DELETE_COMPLETE")]},
            {"StackEvents": [event(3, "s", STACK, "CREATE_COMPLETE")]},
        ],
    )
    await deploy(aws, package(), {})
    assert "DeleteStack" in aws.operations()
    assert dict(aws.asked)["CreateChangeSet"]["ChangeSetType"] == "CREATE"


async def test_two_deploys_at_a_time_are_refused() -> None:
    busy = {"Stacks": [{"StackName": "s", "StackId": "arn:s", "StackStatus": "UPDATE_IN_PROGRESS"}]}
    with pytest.raises(Failure, match="another deploy is at work"):
        await deploy(cloudformation(DescribeStacks=busy), package(), {})


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"Nope": "1", "Must": "1"}, "The template has no parameter Nope: it has Must."),
        ({}, "The parameter Must needs a value: --parameter-overrides Must=VALUE."),
    ],
)
async def test_parameters_are_checked_before_anything_is_made(given: dict[str, str], problem: str) -> None:
    aws = cloudformation()
    with pytest.raises(Failure) as caught:
        await deploy(aws, package({"Parameters": {"Must": {"Type": "String"}}}), given)
    assert caught.value.message == problem
    assert "CreateChangeSet" not in aws.operations()


async def test_only_what_is_not_there_yet_is_uploaded(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"a")
    new, there = Upload("b", "new.zip", tmp_path / "a.zip"), Upload("b", "there.zip", tmp_path / "gone.zip")
    aws = cloudformation()
    aws.objects["b", "there.zip"] = b"x"
    await deploy(aws, package(None, new, there, new), {})
    assert aws.objects == {("b", "new.zip"): b"a", ("b", "there.zip"): b"x"}


async def test_a_template_too_large_for_a_request_goes_by_s3() -> None:
    aws = cloudformation()
    await deploy(aws, package({"Description": "x" * 60_000}), {})
    created = dict(aws.asked)["CreateChangeSet"]
    assert "TemplateBody" not in created
    ((bucket, key),) = aws.objects
    assert created["TemplateURL"] == f"http://127.0.0.1:4566/{bucket}/{key}"


async def test_removing_what_is_not_there_says_so() -> None:
    assert not await remove(cloudformation(), "s")


async def test_removing_ends_with_the_stack() -> None:
    aws = cloudformation(
        DescribeStacks=IN_PLACE,
        DescribeStackEvents=[
            {"StackEvents": []},
            {"StackEvents": [event(1, "Table", "T", "DELETE_COMPLETE")]},
            AwsError("ValidationError", "Stack [arn:s] does not exist", status=400),
        ],
    )
    assert await remove(aws, "s")


async def test_a_stack_that_cannot_be_deleted_says_why() -> None:
    aws = cloudformation(
        DescribeStacks=IN_PLACE,
        DescribeStackEvents=[
            {"StackEvents": []},
            {
                "StackEvents": [
                    event(2, "s", STACK, "DELETE_FAILED"),
                    event(1, "Bucket", "AWS::S3::Bucket", "DELETE_FAILED", "The bucket is not empty"),
                ]
            },
        ],
    )
    with pytest.raises(DeployFailed, match="The bucket is not empty; the stack is now DELETE_FAILED"):
        await remove(aws, "s")
