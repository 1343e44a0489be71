"""`cognitoUserPool` events of serverless.yml: functions decide at a pool of their stack, and at one of another."""

from __future__ import annotations

from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from tests.e2e.conftest import CommandLine
from tests.live import LiveServer

_APP = """\
service: members
provider: {name: aws, runtime: python3.12}
functions:
  welcome:
    handler: app.welcome
    events:
      - cognitoUserPool: {pool: Members, trigger: PreSignUp}
"""
_OTHER = """\
service: guard
provider: {name: aws, runtime: python3.12}
functions:
  guard:
    handler: app.guard
    events:
      - cognitoUserPool: {pool: Members, trigger: PreAuthentication, existing: true}
"""
_CODE = """\
def welcome(event, context):
    event["response"]["autoConfirmUser"] = True
    return event

def guard(event, context):
    raise Exception("closed today")
"""


@pytest.mark.parametrize("removed", [False, True])
def test_functions_of_serverless_yml_are_triggers_of_a_pool(
    own_server: LiveServer, tmp_path: Path, removed: bool
) -> None:
    run, other = CommandLine(tmp_path / "one"), CommandLine(tmp_path / "two")
    for app, text in ((run, _APP), (other, _OTHER)):
        app.directory.mkdir()
        (app.directory / "serverless.yml").write_text(text)
        (app.directory / "app.py").write_text(_CODE)
    run("serverless", "deploy", "--endpoint-url", own_server.endpoint)
    cognito = own_server.client("cognito-idp")
    (pool,) = cognito.list_user_pools(MaxResults=10)["UserPools"]
    client = cognito.create_user_pool_client(
        UserPoolId=pool["Id"],
        ClientName="c",
        ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
    )["UserPoolClient"]["ClientId"]
    user = {"Username": "ann", "Password": "Correct-horse-1"}
    assert cognito.sign_up(ClientId=client, **user)["UserConfirmed"] is True

    sign_in = {"ClientId": client, "AuthFlow": "USER_PASSWORD_AUTH"}
    parameters = {"USERNAME": user["Username"], "PASSWORD": user["Password"]}
    assert cognito.initiate_auth(**sign_in, AuthParameters=parameters)["AuthenticationResult"]
    other("serverless", "deploy", "--endpoint-url", own_server.endpoint)
    if removed:
        other("serverless", "remove", "--endpoint-url", own_server.endpoint)
        assert cognito.initiate_auth(**sign_in, AuthParameters=parameters)["AuthenticationResult"]
    else:
        with pytest.raises(ClientError, match="PreAuthentication failed with error closed today"):
            cognito.initiate_auth(**sign_in, AuthParameters=parameters)
    assert set(cognito.describe_user_pool(UserPoolId=pool["Id"])["UserPool"]["LambdaConfig"]) == (
        {"PreSignUp"} if removed else {"PreSignUp", "PreAuthentication"}
    )
