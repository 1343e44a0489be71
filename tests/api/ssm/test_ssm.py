from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.live import LiveServer

Client = Callable[..., Any]


def test_parameters_have_versions_and_a_history(client: Client) -> None:
    ssm = client("ssm")
    assert ssm.put_parameter(Name="/app/db", Value="one", Type="String", Description="d")["Version"] == 1
    with pytest.raises(ssm.exceptions.ParameterAlreadyExists, match="set the overwrite option"):
        ssm.put_parameter(Name="/app/db", Value="two", Type="String")
    assert ssm.put_parameter(Name="/app/db", Value="two", Overwrite=True)["Version"] == 2
    parameter = ssm.get_parameter(Name="/app/db")["Parameter"]
    assert (parameter["Value"], parameter["Version"], parameter["DataType"]) == ("two", 2, "text")
    assert parameter["ARN"] == "arn:aws:ssm:us-east-1:000000000000:parameter/app/db"
    assert ssm.get_parameter(Name=parameter["ARN"])["Parameter"]["Value"] == "two"
    old = ssm.get_parameter(Name="/app/db:1")["Parameter"]
    assert (old["Value"], old["Selector"]) == ("one", ":1")
    history = ssm.get_parameter_history(Name="/app/db")["Parameters"]
    assert [(each["Version"], each["Value"], each["Description"]) for each in history] == [
        (1, "one", "d"),
        (2, "two", "d"),
    ]
    with pytest.raises(ssm.exceptions.ParameterVersionNotFound):
        ssm.get_parameter(Name="/app/db:9")
    with pytest.raises(ssm.exceptions.ParameterNotFound):
        ssm.get_parameter(Name="/app/none")
    ssm.delete_parameter(Name="/app/db")
    with pytest.raises(ssm.exceptions.ParameterNotFound):
        ssm.get_parameter_history(Name="/app/db")


def test_a_path_is_read_page_by_page(client: Client) -> None:
    ssm = client("ssm")
    for number in range(13):
        ssm.put_parameter(Name=f"/paged/{number:02}", Value=str(number), Type="String")
    ssm.put_parameter(Name="/paged/deep/er", Value="x", Type="String")
    pages = list(ssm.get_paginator("get_parameters_by_path").paginate(Path="/paged"))
    assert [len(page["Parameters"]) for page in pages] == [10, 3]
    everything = ssm.get_paginator("get_parameters_by_path").paginate(Path="/paged/", Recursive=True)
    assert "/paged/deep/er" in [each["Name"] for page in everything for each in page["Parameters"]]
    found = ssm.get_parameters(Names=["/paged/01", "/paged/none"])
    assert [each["Value"] for each in found["Parameters"]] == ["1"]
    assert found["InvalidParameters"] == ["/paged/none"]
    with pytest.raises(ClientError, match="must begin with a forward slash"):
        ssm.get_parameters_by_path(Path="paged")
    assert ssm.delete_parameters(Names=["/paged/01", "/paged/none"])["InvalidParameters"] == ["/paged/none"]


def test_tags_are_added_listed_and_removed(client: Client) -> None:
    ssm = client("ssm")
    ssm.put_parameter(Name="tagged", Value="x", Type="String", Tags=[{"Key": "a", "Value": "1"}])
    target = {"ResourceType": "Parameter", "ResourceId": "tagged"}
    ssm.add_tags_to_resource(**target, Tags=[{"Key": "b", "Value": "2"}])
    ssm.remove_tags_from_resource(**target, TagKeys=["a"])
    assert ssm.list_tags_for_resource(**target)["TagList"] == [{"Key": "b", "Value": "2"}]
    with pytest.raises(ssm.exceptions.InvalidResourceId):
        ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId="untagged")


def test_a_secret_is_nowhere_on_disk_in_plain_and_outlives_a_restart(own_server: LiveServer) -> None:
    ssm = own_server.client("ssm")
    ssm.put_parameter(Name="/secret", Value="correct-horse-battery", Type="SecureString")
    assert "horse" not in ssm.get_parameter(Name="/secret")["Parameter"]["Value"]
    own_server.kill()
    own_server.start()
    assert ssm.get_parameter(Name="/secret", WithDecryption=True)["Parameter"]["Value"] == "correct-horse-battery"
    assert own_server.data_dir.joinpath("secrets.key").stat().st_mode & 0o777 == 0o600
    own_server.stop()
    files = [path for path in Path(own_server.data_dir).rglob("*") if path.is_file()]
    assert files
    assert [path for path in files if b"horse-battery" in path.read_bytes()] == []
    own_server.start()


def test_a_stack_makes_parameters_and_reads_them_by_reference(client: Client) -> None:
    ssm, cloudformation = client("ssm"), client("cloudformation")
    ssm.put_parameter(Name="/given/name", Value="from-the-store", Type="String")
    ssm.put_parameter(Name="/given/secret", Value="s3cret", Type="SecureString")
    template = {
        "Parameters": {"Given": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/given/name"}},
        "Resources": {
            "Made": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": {"Ref": "Given"}}},
            "Copied": {
                "Type": "AWS::SSM::Parameter",
                "Properties": {
                    "Name": "/copied",
                    "Type": "StringList",
                    "Value": "{{resolve:ssm:/given/name:1}},b",
                    "Tags": {"team": "x"},
                },
            },
            "Group": {
                "Type": "AWS::Logs::LogGroup",
                "Properties": {"LogGroupName": "/{{resolve:ssm-secure:/given/secret}}"},
            },
        },
        "Outputs": {"Value": {"Value": {"Fn::GetAtt": ["Made", "Value"]}}, "Name": {"Value": {"Ref": "Made"}}},
    }
    cloudformation.create_stack(StackName="parameters", TemplateBody=json.dumps(template))
    cloudformation.get_waiter("stack_create_complete").wait(
        StackName="parameters", WaiterConfig={"Delay": 1, "MaxAttempts": 30}
    )
    (stack,) = cloudformation.describe_stacks(StackName="parameters")["Stacks"]
    outputs = {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}
    assert outputs["Value"] == "from-the-store"
    assert ssm.get_parameter(Name=outputs["Name"])["Parameter"]["Value"] == "from-the-store"
    assert ssm.get_parameter(Name="/copied")["Parameter"]["Value"] == "from-the-store,b"
    assert client("logs").describe_log_groups(logGroupNamePrefix="/s3cret")["logGroups"]
    cloudformation.delete_stack(StackName="parameters")
    cloudformation.get_waiter("stack_delete_complete").wait(
        StackName="parameters", WaiterConfig={"Delay": 1, "MaxAttempts": 30}
    )
    with pytest.raises(ssm.exceptions.ParameterNotFound):
        ssm.get_parameter(Name="/copied")
