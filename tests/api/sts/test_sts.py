from __future__ import annotations

import base64
import json
import urllib.request
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from tests.api.lambda_.conftest import zipped
from tests.live import LiveServer

Client = Callable[..., Any]

TRUST = {"Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}


def jwt(**claims: Any) -> str:
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in ({"alg": "none"}, claims)]
    return b".".join([*parts, b"x"]).decode()


def test_the_root_calls_unless_a_session_does(server: LiveServer, client: Client) -> None:
    client("iam").create_role(RoleName="assumed", AssumeRolePolicyDocument=json.dumps(TRUST))
    sts = client("sts")
    assert sts.get_caller_identity()["Arn"] == "arn:aws:iam::000000000000:root"
    answer = sts.assume_role(RoleArn="arn:aws:iam::000000000000:role/assumed", RoleSessionName="me")
    assert answer["AssumedRoleUser"]["Arn"] == "arn:aws:sts::000000000000:assumed-role/assumed/me"
    credentials = answer["Credentials"]
    assert credentials["AccessKeyId"].startswith("ASIA")
    session = boto3.client(
        "sts",
        region_name="us-east-1",
        endpoint_url=server.endpoint,
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
    )
    identity = session.get_caller_identity()
    session.close()
    assert identity["Arn"] == "arn:aws:sts::000000000000:assumed-role/assumed/me"
    assert identity["UserId"] == answer["AssumedRoleUser"]["AssumedRoleId"]


def as_caller(server: LiveServer, access_key: str, secret: str, token: str | None = None) -> str:
    """Who STS says these credentials are."""
    sts = boto3.client(
        "sts",
        region_name="us-east-1",
        endpoint_url=server.endpoint,
        aws_access_key_id=access_key,
        aws_secret_access_key=secret,
        aws_session_token=token,
    )
    arn = sts.get_caller_identity()["Arn"]
    sts.close()
    return str(arn)


def test_a_user_is_known_by_its_key_and_a_session_by_key_and_token(server: LiveServer, client: Client) -> None:
    iam = client("iam")
    iam.create_user(UserName="known")
    key = iam.create_access_key(UserName="known")["AccessKey"]
    assert as_caller(server, key["AccessKeyId"], key["SecretAccessKey"]) == "arn:aws:iam::000000000000:user/known"
    iam.create_role(RoleName="tokened", AssumeRolePolicyDocument=json.dumps(TRUST))
    role = "arn:aws:iam::000000000000:role/tokened"
    session = client("sts").assume_role(RoleArn=role, RoleSessionName="me")["Credentials"]
    root = "arn:aws:iam::000000000000:root"
    assert as_caller(server, session["AccessKeyId"], session["SecretAccessKey"], "another") == root
    assert as_caller(server, session["AccessKeyId"], session["SecretAccessKey"]) == root


def test_a_function_is_a_session_of_its_role(server: LiveServer, client: Client) -> None:
    role = client("iam").create_role(RoleName="of-function", Path="/app/", AssumeRolePolicyDocument=json.dumps(TRUST))
    source = """
import boto3
def handler(event, context):
    sts = boto3.client("sts")
    identity = sts.get_caller_identity()
    identity["signed"] = sts.generate_presigned_url("get_caller_identity")
    return {name: identity[name] for name in ("UserId", "Account", "Arn", "signed")}
"""
    lambda_ = client("lambda")
    lambda_.create_function(
        FunctionName="who-am-i", Runtime="python3.11", Handler="app.handler", Role=role["Role"]["Arn"],
        Code={"ZipFile": zipped({"app.py": source})}, Timeout=20,
    )  # fmt: skip
    answer = json.loads(lambda_.invoke(FunctionName="who-am-i")["Payload"].read())
    lambda_.delete_function(FunctionName="who-am-i")
    signed = answer.pop("signed")
    assert answer == {
        "UserId": f"{role['Role']['RoleId']}:who-am-i",
        "Account": "000000000000",
        "Arn": "arn:aws:sts::000000000000:assumed-role/of-function/who-am-i",
    }
    with urllib.request.urlopen(signed) as presigned:
        assert answer["Arn"] in presigned.read().decode()


def test_a_role_that_is_not_there_cannot_be_assumed(client: Client) -> None:
    with pytest.raises(ClientError, match=r"AccessDenied.*not authorized to perform: sts:AssumeRole"):
        client("sts").assume_role(RoleArn="arn:aws:iam::000000000000:role/none", RoleSessionName="me")


def test_a_session_lasts_no_longer_than_its_role_allows(client: Client) -> None:
    client("iam").create_role(RoleName="short", AssumeRolePolicyDocument=json.dumps(TRUST))
    with pytest.raises(ClientError, match="MaxSessionDuration"):
        client("sts").assume_role(
            RoleArn="arn:aws:iam::000000000000:role/short", RoleSessionName="me", DurationSeconds=7200
        )


def test_a_web_identity_is_told_by_its_claims(client: Client) -> None:
    client("iam").create_role(RoleName="web", AssumeRolePolicyDocument=json.dumps(TRUST))
    where = {"RoleArn": "arn:aws:iam::000000000000:role/web", "RoleSessionName": "me"}
    sts = client("sts")
    answer = sts.assume_role_with_web_identity(**where, WebIdentityToken=jwt(sub="me", aud="app", iss="https://i"))
    assert (answer["SubjectFromWebIdentityToken"], answer["Audience"], answer["Provider"]) == ("me", "app", "https://i")
    with pytest.raises(ClientError, match="ExpiredTokenException"):
        sts.assume_role_with_web_identity(**where, WebIdentityToken=jwt(sub="me", exp=1))
    with pytest.raises(ClientError, match="InvalidIdentityToken"):
        sts.assume_role_with_web_identity(**where, WebIdentityToken="no-token")


def test_a_session_token_is_given_to_the_root(client: Client) -> None:
    assert client("sts").get_session_token()["Credentials"]["SessionToken"]
