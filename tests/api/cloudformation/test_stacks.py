"""CloudFormation by boto3 against a live server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

GROUP = """
Resources:
  Group:
    Type: AWS::Logs::LogGroup
    Properties: {RetentionInDays: %d}
Outputs:
  Name: {Value: !Ref Group}
"""


def test_a_stack_lives_from_create_to_delete(client: Callable[..., Any]) -> None:
    cloudformation, logs = client("cloudformation"), client("logs")
    cloudformation.create_stack(StackName="life", TemplateBody=GROUP % 3)
    cloudformation.get_waiter("stack_create_complete").wait(StackName="life")
    (stack,) = cloudformation.describe_stacks(StackName="life")["Stacks"]
    name = stack["Outputs"][0]["OutputValue"]
    (group,) = logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    assert group["retentionInDays"] == 3

    cloudformation.update_stack(StackName="life", TemplateBody=GROUP % 7)
    cloudformation.get_waiter("stack_update_complete").wait(StackName="life")
    assert logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"][0]["retentionInDays"] == 7
    with pytest.raises(ClientError, match="No updates are to be performed"):
        cloudformation.update_stack(StackName="life", TemplateBody=GROUP % 7)

    cloudformation.delete_stack(StackName="life")
    cloudformation.get_waiter("stack_delete_complete").wait(StackName=stack["StackId"])
    assert logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"] == []


def test_a_change_set_is_described_and_executed(client: Callable[..., Any]) -> None:
    cloudformation = client("cloudformation")
    made = cloudformation.create_change_set(
        StackName="sets", ChangeSetName="first", ChangeSetType="CREATE", TemplateBody=GROUP % 3
    )
    described = cloudformation.describe_change_set(ChangeSetName=made["Id"])
    assert described["Status"] == "CREATE_COMPLETE"
    assert described["Changes"][0]["ResourceChange"]["Action"] == "Add"
    cloudformation.execute_change_set(ChangeSetName="first", StackName="sets")
    cloudformation.get_waiter("stack_create_complete").wait(StackName="sets")

    made = cloudformation.create_change_set(StackName="sets", ChangeSetName="same", TemplateBody=GROUP % 3)
    described = cloudformation.describe_change_set(ChangeSetName=made["Id"])
    assert described["Status"] == "FAILED"
    assert described["StatusReason"].startswith("The submitted information didn't contain changes.")


def test_an_unknown_type_is_named_with_its_line_before_anything_is_made(client: Callable[..., Any]) -> None:
    cloudformation = client("cloudformation")
    template = GROUP % 3 + "  Extra:\n    Value: 1\n"
    template = template.replace("Outputs:", "  Jobs:\n    Type: AWS::Foo::Bar\nOutputs:")
    with pytest.raises(
        ClientError, match=r"AWS::Foo::Bar \(Jobs \(line 6\)\): Freehold does not support this type yet"
    ):
        cloudformation.create_stack(StackName="unknown", TemplateBody=template)
    with pytest.raises(ClientError, match="does not exist"):
        cloudformation.describe_stacks(StackName="unknown")
