from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

Client = Callable[..., Any]

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
ALLOW = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
BASIC = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"


def role(iam: Any, name: str, **more: Any) -> Any:
    return iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST), **more)["Role"]


def refused(call: Callable[..., Any], **request: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**request)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_a_role_has_its_trust_policies_and_tags(client: Client) -> None:
    iam = client("iam")
    made = role(iam, "whole", Path="/app/", Description="d", Tags=[{"Key": "a", "Value": "1"}])
    assert made["Arn"] == "arn:aws:iam::000000000000:role/app/whole"
    assert made["RoleId"].startswith("AROA")
    found = iam.get_role(RoleName="whole")["Role"]
    assert found["AssumeRolePolicyDocument"] == TRUST
    assert (found["MaxSessionDuration"], found["Description"]) == (3600, "d")
    iam.put_role_policy(RoleName="whole", PolicyName="p", PolicyDocument=json.dumps(ALLOW))
    assert iam.get_role_policy(RoleName="whole", PolicyName="p")["PolicyDocument"] == ALLOW
    iam.attach_role_policy(RoleName="whole", PolicyArn=BASIC)
    attached = iam.list_attached_role_policies(RoleName="whole")["AttachedPolicies"]
    assert attached == [{"PolicyName": "AWSLambdaBasicExecutionRole", "PolicyArn": BASIC}]
    iam.tag_role(RoleName="whole", Tags=[{"Key": "b", "Value": "2"}])
    iam.untag_role(RoleName="whole", TagKeys=["a"])
    assert iam.list_role_tags(RoleName="whole")["Tags"] == [{"Key": "b", "Value": "2"}]
    assert refused(iam.delete_role, RoleName="whole")[0] == "DeleteConflict"
    iam.detach_role_policy(RoleName="whole", PolicyArn=BASIC)
    assert refused(iam.delete_role, RoleName="whole")[1] == "Cannot delete entity, must delete policies first."
    iam.delete_role_policy(RoleName="whole", PolicyName="p")
    iam.delete_role(RoleName="whole")
    assert refused(iam.get_role, RoleName="whole") == (
        "NoSuchEntity",
        "The role with name whole cannot be found.",
    )


def test_names_are_taken_whatever_their_case(client: Client) -> None:
    iam = client("iam")
    role(iam, "Taken")
    assert refused(role, iam=iam, name="taken") == ("EntityAlreadyExists", "Role with name taken already exists.")


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("{", "This policy contains invalid Json"),
        ('{"Version": "2020-01-01", "Statement": []}', "Syntax errors in policy."),
        ('{"Statement": [{"Effect": "Allow", "Action": "s3:*"}]}', "Policy statement must contain resources."),
        ('{"Statement": {"Effect": "Allow", "Resource": "*"}}', "Policy statement must contain actions."),
        (
            '{"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Principal": "*"}}',
            "Policy document should not specify a principal.",
        ),
        ('{"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "bucket"}}', "must be in ARN format"),
        ('{"Statement": {"Effect": "Allow", "Action": "all", "Resource": "*"}}', "must be prefaced by a vendor"),
    ],
)
def test_a_malformed_policy_is_refused_in_aws_words(client: Client, document: str, message: str) -> None:
    iam = client("iam")
    code, text = refused(iam.create_policy, PolicyName="malformed", PolicyDocument=document)
    assert code == "MalformedPolicyDocument"
    assert message in text


def test_a_trust_policy_names_no_resource(client: Client) -> None:
    iam = client("iam")
    trust = {"Statement": {**TRUST["Statement"][0], "Resource": "*"}}
    assert refused(iam.create_role, RoleName="bad-trust", AssumeRolePolicyDocument=json.dumps(trust)) == (
        "MalformedPolicyDocument",
        "Has prohibited field Resource",
    )


def test_a_managed_policy_has_versions(client: Client) -> None:
    iam = client("iam")
    arn = iam.create_policy(PolicyName="versions", PolicyDocument=json.dumps(ALLOW))["Policy"]["Arn"]
    second = {**ALLOW, "Statement": [{**ALLOW["Statement"][0], "Effect": "Deny"}]}
    version = iam.create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps(second), SetAsDefault=True)
    assert version["PolicyVersion"]["VersionId"] == "v2"
    assert iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"] == "v2"
    assert iam.get_policy_version(PolicyArn=arn, VersionId="v2")["PolicyVersion"]["Document"] == second
    assert refused(iam.delete_policy_version, PolicyArn=arn, VersionId="v2")[0] == "DeleteConflict"
    for _ in range(3):
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps(ALLOW))
    assert refused(iam.create_policy_version, PolicyArn=arn, PolicyDocument=json.dumps(ALLOW))[0] == "LimitExceeded"
    role(iam, "with-managed")
    iam.attach_role_policy(RoleName="with-managed", PolicyArn=arn)
    assert iam.list_entities_for_policy(PolicyArn=arn)["PolicyRoles"][0]["RoleName"] == "with-managed"
    assert iam.get_policy(PolicyArn=arn)["Policy"]["AttachmentCount"] == 1
    assert refused(iam.delete_policy, PolicyArn=arn)[0] == "DeleteConflict"
    local = iam.list_policies(Scope="Local", OnlyAttached=True)["Policies"]
    assert arn in [policy["Arn"] for policy in local]


def test_policies_of_aws_are_known_by_their_arn(client: Client) -> None:
    iam = client("iam")
    role(iam, "with-aws")
    iam.attach_role_policy(RoleName="with-aws", PolicyArn="arn:aws:iam::aws:policy/AmazonEC2FullAccess")
    assert refused(iam.attach_role_policy, RoleName="with-aws", PolicyArn="arn:aws:iam::aws:policy/Nope") == (
        "NoSuchEntity",
        "Policy arn:aws:iam::aws:policy/Nope does not exist or is not attachable.",
    )
    assert iam.get_policy(PolicyArn=BASIC)["Policy"]["PolicyName"] == "AWSLambdaBasicExecutionRole"
    text = iam.get_policy_version(PolicyArn=BASIC, VersionId="v1")["PolicyVersion"]["Document"]
    assert "logs:PutLogEvents" in text["Statement"][0]["Action"]
    assert refused(iam.get_policy_version, PolicyArn="arn:aws:iam::aws:policy/AmazonEC2FullAccess", VersionId="v1") == (
        "NotImplemented",
        "Freehold does not have the text of AWS's policy arn:aws:iam::aws:policy/AmazonEC2FullAccess.",
    )


def test_users_groups_keys_and_profiles_hold_together(client: Client) -> None:
    iam = client("iam")
    iam.create_user(UserName="ada")
    iam.create_group(GroupName="people")
    iam.add_user_to_group(GroupName="people", UserName="ada")
    assert [user["UserName"] for user in iam.get_group(GroupName="people")["Users"]] == ["ada"]
    assert iam.list_groups_for_user(UserName="ada")["Groups"][0]["GroupName"] == "people"
    key = iam.create_access_key(UserName="ada")["AccessKey"]
    assert key["AccessKeyId"].startswith("AKIA")
    assert len(key["SecretAccessKey"]) == 40
    assert refused(iam.delete_user, UserName="ada")[0] == "DeleteConflict"
    iam.delete_access_key(UserName="ada", AccessKeyId=key["AccessKeyId"])
    iam.remove_user_from_group(GroupName="people", UserName="ada")
    iam.delete_user(UserName="ada")
    role(iam, "of-profile")
    iam.create_instance_profile(InstanceProfileName="profile")
    iam.add_role_to_instance_profile(InstanceProfileName="profile", RoleName="of-profile")
    found = iam.get_instance_profile(InstanceProfileName="profile")["InstanceProfile"]
    assert found["Roles"][0]["RoleName"] == "of-profile"
    assert refused(iam.delete_role, RoleName="of-profile")[0] == "DeleteConflict"


def test_roles_are_listed_in_pages(client: Client) -> None:
    iam = client("iam")
    for number in range(5):
        role(iam, f"page-{number}", Path="/pages/")
    pages = list(iam.get_paginator("list_roles").paginate(PathPrefix="/pages/", PaginationConfig={"PageSize": 2}))
    assert [len(page["Roles"]) for page in pages] == [2, 2, 1]


def test_a_service_linked_role_is_made_once(client: Client) -> None:
    iam = client("iam")
    made = iam.create_service_linked_role(AWSServiceName="ops.apigateway.amazonaws.com")["Role"]
    assert made["RoleName"] == "AWSServiceRoleForAPIGateway"
    assert made["Path"] == "/aws-service-role/ops.apigateway.amazonaws.com/"
    assert refused(iam.create_service_linked_role, AWSServiceName="ops.apigateway.amazonaws.com")[0] == "InvalidInput"
    assert refused(iam.delete_role, RoleName=made["RoleName"])[0] == "UnmodifiableEntity"
    task = iam.delete_service_linked_role(RoleName=made["RoleName"])["DeletionTaskId"]
    assert iam.get_service_linked_role_deletion_status(DeletionTaskId=task)["Status"] == "SUCCEEDED"
