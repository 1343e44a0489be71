"""Which function a person means."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.unit.cli.aws_stub import StubAws

from freehold.aws.errors import AwsError
from freehold.cli.failure import Failure
from freehold.cli.functions import find_function, valid_stack_name
from freehold.cli.packaging import Wishes

NOT_FOUND = AwsError("ResourceNotFoundException", "Function not found", status=404)


def function(logical_id: str, name: str) -> dict[str, str]:
    return {"LogicalResourceId": logical_id, "PhysicalResourceId": name, "ResourceType": "AWS::Lambda::Function"}


def server(stacks: dict[str, list[dict[str, str]]], **answers: Any) -> StubAws:
    def describe(request: dict[str, Any]) -> dict[str, Any]:
        wanted = request.get("StackName")
        if wanted and wanted not in stacks:
            raise AwsError("ValidationError", f"Stack with id {wanted} does not exist", status=400)
        return {
            "Stacks": [
                {"StackName": name, "StackId": name, "StackStatus": "CREATE_COMPLETE"}
                for name in stacks
                if wanted in (None, name)
            ]
        }

    usual = {
        "DescribeStacks": describe,
        "ListStackResources": lambda request: {"StackResourceSummaries": stacks[request["StackName"]]},
        "GetFunction": NOT_FOUND,
    }
    return StubAws({**usual, **answers})


async def test_a_key_of_serverless_yml_and_a_logical_id_are_found_in_the_named_stack(tmp_path: Path) -> None:
    aws = server({"s": [function("GetDashitemsLambdaFunction", "s-get-items")]})
    for name in ("get-items", "GetDashitemsLambdaFunction", "s-get-items"):
        assert await find_function(aws, name, tmp_path, Wishes(stack_name="s")) == "s-get-items"


async def test_the_stack_of_the_folder_comes_before_others(tmp_path: Path) -> None:
    (tmp_path / "template.yaml").write_text("Resources: {}")
    (tmp_path / "samconfig.toml").write_text('[default.deploy.parameters]\nstack_name = "mine"\n')
    aws = server({"other": [function("Get", "other-get")], "mine": [function("Get", "mine-get")]})
    assert await find_function(aws, "Get", tmp_path, Wishes()) == "mine-get"


async def test_elsewhere_a_name_is_the_functions_own_or_unique_among_the_stacks(tmp_path: Path) -> None:
    stacks = {"a": [function("Get", "a-get")], "b": [function("Put", "b-put")]}
    assert await find_function(server(stacks), "Put", tmp_path, Wishes()) == "b-put"
    assert await find_function(server(stacks, GetFunction={}), "own", tmp_path, Wishes()) == "own"


async def test_a_name_in_several_stacks_must_be_chosen(tmp_path: Path) -> None:
    aws = server({"a": [function("Get", "a-get")], "b": [function("Get", "b-get")]})
    with pytest.raises(Failure, match="Several stacks have a function Get: a, b"):
        await find_function(aws, "Get", tmp_path, Wishes())


async def test_an_unknown_name_is_told_with_those_that_are(tmp_path: Path) -> None:
    aws = server({"s": [function("Get", "s-get")]})
    with pytest.raises(Failure, match="has no function Nope; the stack has Get"):
        await find_function(aws, "Nope", tmp_path, Wishes(stack_name="s"))
    with pytest.raises(Failure, match="There is no function Nope"):
        await find_function(aws, "Nope", tmp_path, Wishes())


@pytest.mark.parametrize(
    ("text", "name"), [("my app_1", "my-app-1"), ("1st", "app-1st"), ("-x-", "x"), ("items-sam", "items-sam")]
)
def test_a_folders_name_becomes_a_stacks(text: str, name: str) -> None:
    assert valid_stack_name(text) == name
