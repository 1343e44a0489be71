"""AWS::DynamoDB::Table against a live server: what it sets up beside the table, and what it refuses by name."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

Json = dict[str, Any]
_KEYS = {
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
    "BillingMode": "PAY_PER_REQUEST",
}


def template(**properties: Any) -> str:
    table = {"Type": "AWS::DynamoDB::Table", "Properties": {**_KEYS, **properties}}
    return json.dumps({"Resources": {"Table": table}, "Outputs": {"Name": {"Value": {"Ref": "Table"}}}})


def deploy(stacks: Any, name: str, **properties: Any) -> str:
    """The table's name."""
    stacks.create_stack(StackName=name, TemplateBody=template(**properties))
    stacks.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    (stack,) = stacks.describe_stacks(StackName=name)["Stacks"]
    return str(stack["Outputs"][0]["OutputValue"])


def test_a_table_has_its_time_to_live_its_past_and_its_settings(client: Callable[..., Any]) -> None:
    name = deploy(
        client("cloudformation"),
        "table-settings",
        TimeToLiveSpecification={"AttributeName": "until", "Enabled": True},
        PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
        StreamSpecification={"StreamViewType": "KEYS_ONLY"},
        Tags=[{"Key": "team", "Value": "a"}],
    )
    tables = client("dynamodb")
    ttl = tables.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    assert ttl == {"TimeToLiveStatus": "ENABLED", "AttributeName": "until"}
    past = tables.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    assert past["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
    assert tables.describe_table(TableName=name)["Table"]["StreamSpecification"]["StreamViewType"] == "KEYS_ONLY"


def test_a_table_is_filled_from_a_bucket(client: Callable[..., Any]) -> None:
    client("s3").create_bucket(Bucket="table-seed")
    client("s3").put_object(Bucket="table-seed", Key="seed.csv", Body=b"id,name\n1,one\n2,two\n")
    name = deploy(
        client("cloudformation"),
        "table-import",
        ImportSourceSpecification={"S3BucketSource": {"S3Bucket": "table-seed"}, "InputFormat": "CSV"},
        StreamSpecification={"StreamViewType": "NEW_IMAGE"},
        Tags=[{"Key": "team", "Value": "a"}],
    )
    tables = client("dynamodb")
    found = tables.get_item(TableName=name, Key={"id": {"S": "2"}})["Item"]
    assert found == {"id": {"S": "2"}, "name": {"S": "two"}}
    table = tables.describe_table(TableName=name)["Table"]
    assert table["StreamSpecification"]["StreamViewType"] == "NEW_IMAGE"
    assert tables.list_tags_of_resource(ResourceArn=table["TableArn"])["Tags"][0]["Value"] == "a"


@pytest.mark.parametrize(
    "properties",
    [
        {"ResourcePolicy": {"PolicyDocument": {"Version": "2012-10-17", "Statement": []}}},
        {"KinesisStreamSpecification": {"StreamArn": "arn:aws:kinesis:us-east-1:000000000000:stream/s"}},
        {"ContributorInsightsSpecification": {"Enabled": True}},
    ],
    ids=lambda properties: next(iter(properties)),
)
def test_what_a_table_cannot_have_yet_is_named_before_anything_is_made(
    client: Callable[..., Any], properties: Json
) -> None:
    with pytest.raises(ClientError) as error:
        client("cloudformation").create_stack(StackName="table-refused", TemplateBody=template(**properties))
    assert next(iter(properties)) in error.value.response["Error"]["Message"]
