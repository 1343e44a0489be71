"""Function URLs with AWS_IAM on a live server: users' keys, and a function that signs with what its environment has."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

SIGNS = """
import json, urllib.error, urllib.request
import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

def handler(event, context):
    request = AWSRequest("GET", event["url"])
    SigV4Auth(boto3.Session().get_credentials(), "lambda", "us-east-1").add_auth(request)
    try:
        with urllib.request.urlopen(urllib.request.Request(event["url"], headers=dict(request.headers))) as answer:
            return answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code
"""
TELLS = "def handler(event, context): return event['requestContext']['authorizer']['iam']['userArn']"
TRUST = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}


def allow(*actions: str) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": actions, "Resource": "*"}})


def get(url: str, credentials: Credentials | None) -> tuple[int, str]:
    request = AWSRequest("GET", url)
    if credentials is not None:
        SigV4Auth(credentials, "lambda", "us-east-1").add_auth(request)
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=dict(request.headers))) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_a_users_signature_opens_a_url_and_made_up_credentials_do_not(
    client: Callable[..., Any], make: Callable[..., str], lambda_: Any
) -> None:
    url = lambda_.create_function_url_config(FunctionName=make(TELLS), AuthType="AWS_IAM")["FunctionUrl"]
    iam = client("iam")
    iam.create_user(UserName="signer")
    key = iam.create_access_key(UserName="signer")["AccessKey"]
    credentials = Credentials(key["AccessKeyId"], key["SecretAccessKey"])
    assert get(url, credentials) == (403, '{"Message":"Forbidden"}')
    iam.put_user_policy(
        UserName="signer", PolicyName="p", PolicyDocument=allow("lambda:InvokeFunctionUrl", "lambda:InvokeFunction")
    )
    assert get(url, credentials) == (200, "arn:aws:iam::000000000000:user/signer")
    assert get(url, None)[0] == 403
    made_up = get(url, Credentials("test", "test"))
    assert made_up == (403, '{"message":"The security token included in the request is invalid."}')


def test_a_function_signs_as_its_role(client: Callable[..., Any], make: Callable[..., str], lambda_: Any) -> None:
    url = lambda_.create_function_url_config(FunctionName=make(TELLS), AuthType="AWS_IAM")["FunctionUrl"]
    iam = client("iam")
    role = iam.create_role(RoleName="signs", AssumeRolePolicyDocument=json.dumps({"Statement": TRUST}))["Role"]["Arn"]
    name = make(SIGNS, Role=role, Timeout=20)

    def invoke() -> Any:
        answer = lambda_.invoke(FunctionName=name, Payload=json.dumps({"url": url}))
        return json.loads(answer["Payload"].read())

    assert invoke() == 403
    iam.put_role_policy(
        RoleName="signs", PolicyName="p", PolicyDocument=allow("lambda:InvokeFunctionUrl", "lambda:InvokeFunction")
    )
    assert invoke() == f"arn:aws:sts::000000000000:assumed-role/signs/{name}"
