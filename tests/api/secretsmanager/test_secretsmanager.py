from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.live import LiveServer

Client = Callable[..., Any]


def test_a_secret_is_made_read_changed_and_deleted(client: Client) -> None:
    secrets = client("secretsmanager")
    made = secrets.create_secret(Name="app/db", SecretString='{"user":"u"}', Tags=[{"Key": "a", "Value": "1"}])
    assert made["ARN"].startswith("arn:aws:secretsmanager:us-east-1:000000000000:secret:app/db-")
    assert secrets.get_secret_value(SecretId="app/db")["SecretString"] == '{"user":"u"}'
    secrets.put_secret_value(SecretId=made["ARN"], SecretBinary=b"\x00\xff")
    assert secrets.get_secret_value(SecretId="app/db")["SecretBinary"] == b"\x00\xff"
    secrets.tag_resource(SecretId="app/db", Tags=[{"Key": "b", "Value": "2"}])
    secrets.untag_resource(SecretId="app/db", TagKeys=["a"])
    secrets.update_secret(SecretId="app/db", Description="the database")
    described = secrets.describe_secret(SecretId="app/db")
    assert (described["Tags"], described["Description"]) == ([{"Key": "b", "Value": "2"}], "the database")
    found = secrets.list_secrets(Filters=[{"Key": "description", "Values": ["Data"]}])["SecretList"]
    assert [each["Name"] for each in found] == ["app/db"]
    secrets.delete_secret(SecretId="app/db", ForceDeleteWithoutRecovery=True)
    with pytest.raises(secrets.exceptions.ResourceNotFoundException):
        secrets.get_secret_value(SecretId="app/db")


def test_a_policy_is_kept_and_a_public_one_refused(client: Client) -> None:
    secrets = client("secretsmanager")
    secrets.create_secret(Name="policied")
    statement = {"Effect": "Allow", "Principal": "*", "Action": "secretsmanager:*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    with pytest.raises(secrets.exceptions.PublicPolicyException):
        secrets.put_resource_policy(SecretId="policied", ResourcePolicy=policy, BlockPublicPolicy=True)
    with pytest.raises(secrets.exceptions.MalformedPolicyDocumentException):
        secrets.put_resource_policy(SecretId="policied", ResourcePolicy="no JSON at all")
    secrets.put_resource_policy(SecretId="policied", ResourcePolicy=policy)
    assert secrets.get_resource_policy(SecretId="policied")["ResourcePolicy"] == policy
    secrets.delete_resource_policy(SecretId="policied")
    assert "ResourcePolicy" not in secrets.get_resource_policy(SecretId="policied")
    with pytest.raises(secrets.exceptions.ResourceNotFoundException, match="AWSCURRENT"):
        secrets.get_secret_value(SecretId="policied")


def test_rotation_is_refused_by_name(client: Client) -> None:
    with pytest.raises(ClientError, match="does not support secretsmanager:RotateSecret yet"):
        client("secretsmanager").rotate_secret(SecretId="x")


def test_parameter_store_gives_a_secret_by_reference(client: Client) -> None:
    client("secretsmanager").create_secret(Name="referenced", SecretString="deep")
    name = "/aws/reference/secretsmanager/referenced"
    assert client("ssm").get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"] == "deep"
    with pytest.raises(ClientError, match="WithDecryption flag must be True"):
        client("ssm").get_parameter(Name=name)


def test_a_secret_is_nowhere_on_disk_in_plain_and_outlives_a_kill(own_server: LiveServer) -> None:
    secrets = own_server.client("secretsmanager")
    secrets.create_secret(Name="s", SecretString="correct-horse-battery")
    own_server.kill()
    files = [path for path in Path(own_server.data_dir).rglob("*") if path.is_file()]
    assert files
    assert [path for path in files if b"horse-battery" in path.read_bytes()] == []
    own_server.start()
    assert secrets.get_secret_value(SecretId="s")["SecretString"] == "correct-horse-battery"


def test_a_stack_makes_a_secret_up_and_reads_it_by_reference(client: Client) -> None:
    secrets, cloudformation = client("secretsmanager"), client("cloudformation")
    secrets.create_secret(Name="outside", SecretString='{"password":"p4ss"}')
    template = {
        "Resources": {
            "Made": {
                "Type": "AWS::SecretsManager::Secret",
                "Properties": {
                    "Name": "made/up",
                    "GenerateSecretString": {
                        "SecretStringTemplate": '{"user": "admin"}',
                        "GenerateStringKey": "password",
                        "PasswordLength": 20,
                        "ExcludePunctuation": True,
                    },
                },
            },
            "Copied": {
                "Type": "AWS::SSM::Parameter",
                "Properties": {
                    "Name": "copied-secret",
                    "Type": "String",
                    "Value": "{{resolve:secretsmanager:outside:SecretString:password}}",
                },
            },
        },
    }
    cloudformation.create_stack(StackName="secrets", TemplateBody=json.dumps(template))
    waiting = {"StackName": "secrets", "WaiterConfig": {"Delay": 1, "MaxAttempts": 30}}
    cloudformation.get_waiter("stack_create_complete").wait(**waiting)
    value = json.loads(secrets.get_secret_value(SecretId="made/up")["SecretString"])
    assert value["user"] == "admin"
    assert len(value["password"]) == 20
    assert value["password"].isalnum()
    assert client("ssm").get_parameter(Name="copied-secret")["Parameter"]["Value"] == "p4ss"
    cloudformation.delete_stack(StackName="secrets")
    cloudformation.get_waiter("stack_delete_complete").wait(**waiting)
    with pytest.raises(secrets.exceptions.ResourceNotFoundException):
        secrets.describe_secret(SecretId="made/up")
