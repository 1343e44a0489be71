"""Updates: in place, by replacement, rolled back; change sets that foretell them; exports that forbid them."""

from __future__ import annotations

import pytest
from tests.unit.stacks.cloud import ALL, World

from freehold.aws.errors import AwsError
from freehold.stacks import start_stacks

GROUP = "{Type: AWS::Logs::LogGroup, Properties: {RetentionInDays: %d}}"
NAMED = "{Type: AWS::Logs::LogGroup, Properties: {LogGroupName: %s}}"
ROLE = "{Type: AWS::IAM::Role, Properties: {AssumeRolePolicyDocument: {}, Description: %s}}"


def resources(**items: str) -> str:
    return "Resources:\n" + "".join(f"  {name}: {text}\n" for name, text in items.items())


async def test_a_changed_property_is_set_in_place(world: World) -> None:
    await world.create("s", resources(A=GROUP % 3))
    stack = await world.update("s", resources(A=GROUP % 7))
    assert stack["StackStatus"] == "UPDATE_COMPLETE"
    assert world.cloud.operations() == ["CreateLogGroup", "PutRetentionPolicy", "PutRetentionPolicy"]
    assert (await world.events("s"))[-5:] == [
        "s UPDATE_IN_PROGRESS",
        "A UPDATE_IN_PROGRESS",
        "A UPDATE_COMPLETE",
        "s UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
        "s UPDATE_COMPLETE",
    ]


async def test_a_replacement_is_made_before_the_old_one_is_deleted(world: World) -> None:
    await world.create("s", resources(A=NAMED % "one"))
    await world.update("s", resources(A=NAMED % "two"))
    assert world.cloud.operations() == ["CreateLogGroup", "CreateLogGroup", "DeleteLogGroup"]
    assert world.cloud.request("DeleteLogGroup") == {"logGroupName": "one"}
    reasons = await world.reasons("s")
    assert reasons["A DELETE_COMPLETE"] == ""
    (resource,) = (await world("DescribeStackResources", StackName="s"))["StackResources"]
    assert (resource["PhysicalResourceId"], resource["ResourceStatus"]) == ("two", "UPDATE_COMPLETE")


async def test_a_removed_resource_is_deleted_unless_it_is_retained(world: World) -> None:
    keep = NAMED % "keep"
    keep = keep.replace("{Type", "{DeletionPolicy: Retain, Type", 1)
    await world.create("s", resources(A=GROUP % 3, B=NAMED % "gone", C=keep))
    await world.update("s", resources(A=GROUP % 3))
    assert world.cloud.operations().count("DeleteLogGroup") == 1
    assert "C DELETE_SKIPPED" in await world.events("s")
    assert len((await world("ListStackResources", StackName="s"))["StackResourceSummaries"]) == 1


async def test_an_update_without_changes_is_refused(world: World) -> None:
    await world.create("s", resources(A=GROUP % 3))
    with pytest.raises(AwsError, match=r"No updates are to be performed\."):
        await world.update("s", resources(A=GROUP % 3))


async def test_a_failed_update_undoes_what_it_did(world: World) -> None:
    await world.create("s", resources(A=GROUP % 3, B=ROLE % "old", C=NAMED % "one"))
    world.cloud.failing_once["UpdateRole"] = AwsError("MalformedPolicyDocument", "no good")
    template = resources(A=GROUP % 7, B=ROLE % "new", C=NAMED % "two", D=NAMED % "extra")
    template = template.replace("B: {Type", "B: {DependsOn: [A, C, D], Type")
    await world("UpdateStack", StackName="s", TemplateBody=template, Capabilities=ALL)
    stack = await world.settled("s")
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    reasons = await world.reasons("s")
    assert reasons["s UPDATE_ROLLBACK_IN_PROGRESS"] == "The following resource(s) failed to update: [B]. "
    requests = [(operation, request) for _, operation, request in world.cloud.calls]
    assert ("PutRetentionPolicy", {"logGroupName": _name(world, "A"), "retentionInDays": 3}) in requests[-6:]
    deleted = [request["logGroupName"] for operation, request in requests if operation == "DeleteLogGroup"]
    assert sorted(deleted) == ["extra", "two"]
    found = (await world("DescribeStackResources", StackName="s"))["StackResources"]
    assert {item["LogicalResourceId"]: item["ResourceStatus"] for item in found} == {
        "A": "UPDATE_COMPLETE",
        "B": "UPDATE_COMPLETE",
        "C": "UPDATE_COMPLETE",
    }
    assert next(item for item in found if item["LogicalResourceId"] == "C")["PhysicalResourceId"] == "one"
    with pytest.raises(AwsError, match=r"No updates are to be performed\."):
        await world.update("s", resources(A=GROUP % 3, B=ROLE % "old", C=NAMED % "one"))


async def test_a_resource_that_a_first_update_added_survives_the_rollback_of_a_second(world: World) -> None:
    await world.create("s", resources(A=GROUP % 3))
    await world.update("s", resources(A=GROUP % 3, B=NAMED % "b"))
    world.cloud.failing_once["PutRetentionPolicy"] = AwsError("InvalidParameterException", "no")
    await world("UpdateStack", StackName="s", TemplateBody=resources(A=GROUP % 7, B=NAMED % "b"))
    assert (await world.settled("s"))["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert "DeleteLogGroup" not in world.cloud.operations()


async def test_a_rollback_that_fails_can_be_continued(world: World) -> None:
    await world.create("s", resources(A=GROUP % 3))
    world.cloud.failures["PutRetentionPolicy"] = AwsError("InvalidParameterException", "no")
    stack = await world.update("s", resources(A=GROUP % 7))
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_FAILED"
    world.cloud.failures.clear()
    await world("ContinueUpdateRollback", StackName="s")
    assert (await world.settled("s"))["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"


async def test_a_custom_name_cannot_be_replaced_by_itself(world: World) -> None:
    table = "{Type: AWS::DynamoDB::Table, Properties: {TableName: t, KeySchema: [{AttributeName: %s, KeyType: HASH}]}}"
    await world.create("s", resources(T=table % "a"))
    await world.update("s", resources(T=table % "b"))
    reason = (await world.reasons("s"))["T UPDATE_FAILED"]
    assert reason == (
        "CloudFormation cannot update a stack when a custom-named resource requires replacing. Rename t and update "
        "the stack again."
    )


async def test_a_change_set_foretells_what_happens(world: World) -> None:
    await world.create("s", resources(A=GROUP % 3, B=NAMED % "one", C=GROUP % 1))
    template = resources(A=GROUP % 7, B=NAMED % "two", D=NAMED % "new")
    await world("CreateChangeSet", StackName="s", ChangeSetName="c", TemplateBody=template)
    described = await world("DescribeChangeSet", StackName="s", ChangeSetName="c")
    found = {c["ResourceChange"]["LogicalResourceId"]: c["ResourceChange"] for c in described["Changes"]}
    assert {name: change["Action"] for name, change in found.items()} == {
        "A": "Modify",
        "B": "Modify",
        "C": "Remove",
        "D": "Add",
    }
    assert (found["A"]["Replacement"], found["B"]["Replacement"]) == ("False", "True")
    assert found["B"]["Details"][0]["Target"] == {
        "Attribute": "Properties",
        "Name": "LogGroupName",
        "RequiresRecreation": "Always",
    }
    await world("ExecuteChangeSet", StackName="s", ChangeSetName="c")
    assert (await world.settled("s"))["StackStatus"] == "UPDATE_COMPLETE"
    assert _name(world, "D") == "new"


async def test_an_export_in_use_can_neither_go_nor_change(world: World) -> None:
    exporting = resources(A=NAMED % "one") + "Outputs: {O: {Value: !Ref A, Export: {Name: shared}}}"
    importing = resources(
        B="{Type: AWS::Logs::LogGroup, Properties: {LogGroupName: !Sub ['${x}-b', {x: !ImportValue shared}]}}"
    )
    await world.create("up", exporting)
    await world.create("down", importing)
    assert world.cloud.request("CreateLogGroup") == {"logGroupName": "one-b"}
    assert (await world("ListImports", ExportName="shared"))["Imports"] == ["down"]
    with pytest.raises(AwsError, match="Export shared cannot be deleted as it is in use by down"):
        await world("DeleteStack", StackName="up")
    stack = await world.update("up", exporting.replace("one", "two"))
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert (
        "Export shared cannot be updated as it is in use by down"
        in (await world.reasons("up"))["up UPDATE_ROLLBACK_IN_PROGRESS"]
    )
    await world.delete("down")
    await world.delete("up")
    assert (await world("ListExports"))["Exports"] == []


async def test_an_update_that_a_restart_interrupted_is_rolled_back(world: World) -> None:
    await world.create("s", resources(A=GROUP % 3, B=NAMED % "one"))
    held = world.cloud.hold("CreateLogGroup")
    template = resources(A=GROUP % 7, B=NAMED % "two").replace("B: {Type", "B: {DependsOn: A, Type")
    await world("UpdateStack", StackName="s", TemplateBody=template)
    await held.wait()
    await world.stacks.executions.stop()
    world.cloud.let_go()
    await start_stacks(world.stacks)
    assert (await world.settled("s"))["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert world.cloud.request("PutRetentionPolicy")["retentionInDays"] == 3
    assert (await world.reasons("s"))["s UPDATE_ROLLBACK_IN_PROGRESS"] == "The server was stopped during the operation."


async def test_a_create_that_a_restart_interrupted_is_taken_back(world: World) -> None:
    held = world.cloud.hold("CreateRole")
    template = resources(A=GROUP % 3, B=ROLE % "x").replace("B: {Type", "B: {DependsOn: A, Type")
    await world("CreateStack", StackName="s", TemplateBody=template, Capabilities=ALL)
    await held.wait()
    await world.stacks.executions.stop()
    world.cloud.let_go()
    await start_stacks(world.stacks)
    assert (await world.settled("s"))["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "DeleteLogGroup" in world.cloud.operations()


def _name(world: World, logical_id: str) -> str:
    names = [
        request.get("logGroupName", "") for _, operation, request in world.cloud.calls if operation == "CreateLogGroup"
    ]
    return next((name for name in names if f"-{logical_id}-" in name), names[-1])
