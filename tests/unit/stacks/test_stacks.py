"""Stacks from create to delete, over services that answer everything."""

from __future__ import annotations

import pytest
from tests.unit.stacks.cloud import World

from freehold.aws.errors import AwsError

TWO = """
Parameters:
  Days: {Type: Number, Default: 3}
Resources:
  Group:
    Type: AWS::Logs::LogGroup
    Properties: {RetentionInDays: !Ref Days}
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: {Version: 2012-10-17, Statement: []}
      Policies:
        - PolicyName: p
          PolicyDocument: {Statement: [{Effect: Allow, Action: 'logs:*', Resource: !GetAtt Group.Arn}]}
Outputs:
  Name: {Value: !Ref Group, Export: {Name: !Sub '${AWS::StackName}-group'}}
"""


async def test_a_stack_is_made_in_the_order_of_its_references_and_says_so(world: World) -> None:
    stack = await world.create("one", TWO)
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    assert world.cloud.operations() == ["CreateLogGroup", "PutRetentionPolicy", "CreateRole", "PutRolePolicy"]
    assert world.cloud.request("PutRetentionPolicy")["retentionInDays"] == 3
    (output,) = stack["Outputs"]
    assert output["OutputValue"].startswith("one-Group-")
    assert output["ExportName"] == "one-group"
    assert await world.events("one") == [
        "one CREATE_IN_PROGRESS",
        "Group CREATE_IN_PROGRESS",
        "Group CREATE_IN_PROGRESS",
        "Group CREATE_COMPLETE",
        "Role CREATE_IN_PROGRESS",
        "Role CREATE_IN_PROGRESS",
        "Role CREATE_COMPLETE",
        "one CREATE_COMPLETE",
    ]


async def test_a_create_that_fails_takes_back_what_it_made_and_says_why(world: World) -> None:
    world.cloud.failures["CreateRole"] = AwsError("EntityAlreadyExists", "Role with name x already exists.")
    stack = await world.create("one", TWO)
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert world.cloud.operations()[-1] == "DeleteLogGroup"
    reasons = await world.reasons("one")
    assert reasons["Role CREATE_FAILED"].startswith(
        'Resource handler returned message: "Role with name x already exists." (RequestToken: '
    )
    assert reasons["Role CREATE_FAILED"].endswith("HandlerErrorCode: AlreadyExists)")
    assert reasons["one ROLLBACK_IN_PROGRESS"] == (
        "The following resource(s) failed to create: [Role]. Rollback requested by user."
    )
    assert (await world.events("one"))[-4:] == [
        "one ROLLBACK_IN_PROGRESS",
        "Group DELETE_IN_PROGRESS",
        "Group DELETE_COMPLETE",
        "one ROLLBACK_COMPLETE",
    ]


async def test_a_deleted_stack_is_described_by_its_id_only(world: World) -> None:
    stack = await world.create("one", TWO)
    gone = await world.delete("one")
    assert gone["StackStatus"] == "DELETE_COMPLETE"
    assert world.cloud.operations()[-3:] == ["DeleteRolePolicy", "DeleteRole", "DeleteLogGroup"]
    with pytest.raises(AwsError, match="Stack with id one does not exist"):
        await world("DescribeStacks", StackName="one")
    assert (await world("DescribeStacks", StackName=stack["StackId"]))["Stacks"][0]["StackStatus"] == "DELETE_COMPLETE"
