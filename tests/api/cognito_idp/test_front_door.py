"""User pools behind APIs, made by a template: who has signed in gets in. And what a web page may ask of AWS's APIs."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError, WaiterError
from tests.api.cognito_idp.pool import Pool
from tests.live import LiveServer

Client = Callable[..., Any]
STACK = "front-door"
TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  CognitoUserPool:
    Type: AWS::Cognito::UserPool
    Properties:
      AutoVerifiedAttributes: [email]
      Policies: {PasswordPolicy: {MinimumLength: 10, RequireSymbols: false}}
      Schema: [{Name: tenant, AttributeDataType: String, StringAttributeConstraints: {MaxLength: 20}}]
      UserPoolTags: {team: a}
  CognitoUserPoolClient:
    Type: AWS::Cognito::UserPoolClient
    Properties:
      UserPoolId: !Ref CognitoUserPool
      ExplicitAuthFlows: [ALLOW_USER_PASSWORD_AUTH, ALLOW_USER_SRP_AUTH, ALLOW_REFRESH_TOKEN_AUTH]
      AccessTokenValidity: 30
      TokenValidityUnits: {AccessToken: minutes}
  Staff:
    Type: AWS::Cognito::UserPoolGroup
    Properties: {UserPoolId: !Ref CognitoUserPool, GroupName: staff}
  Ann:
    Type: AWS::Cognito::UserPoolUser
    Properties: {UserPoolId: !Ref CognitoUserPool, Username: ann, MessageAction: SUPPRESS}
  AnnIsStaff:
    Type: AWS::Cognito::UserPoolUserToGroupAttachment
    DependsOn: [Ann, Staff]
    Properties: {UserPoolId: !Ref CognitoUserPool, Username: ann, GroupName: staff}
  HttpApi:
    Type: AWS::Serverless::HttpApi
    Properties:
      Auth:
        Authorizers:
          Pool:
            IdentitySource: $request.header.Authorization
            JwtConfiguration:
              issuer: !Sub 'https://cognito-idp.${AWS::Region}.amazonaws.com/${CognitoUserPool}'
              audience: [!Ref CognitoUserPoolClient]
  RestApi:
    Type: AWS::Serverless::Api
    Properties:
      StageName: dev
      Auth:
        DefaultAuthorizer: Pool
        Authorizers: {Pool: {UserPoolArn: !GetAtt CognitoUserPool.Arn}}
  Tell:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.12
      Handler: index.handler
      InlineCode: |
        import json
        def handler(event, context):
            return {"statusCode": 200, "body": json.dumps(event["requestContext"]["authorizer"])}
      Events:
        Http: {Type: HttpApi, Properties: {ApiId: !Ref HttpApi, Path: /me, Method: get, Auth: {Authorizer: Pool}}}
        Rest: {Type: Api, Properties: {RestApiId: !Ref RestApi, Path: /me, Method: get}}
Outputs:
  Pool: {Value: !Ref CognitoUserPool}
  Client: {Value: !Ref CognitoUserPoolClient}
  Http: {Value: !Ref HttpApi}
  Rest: {Value: !Ref RestApi}
  Provider: {Value: !GetAtt CognitoUserPool.ProviderURL}
"""
PASSWORD = "Correct1horse"


def fetch(url: str, method: str = "GET", body: bytes | None = None, **headers: str) -> tuple[int, Any, dict[str, str]]:
    """Status, JSON, headers. Underscores in the names of headers are hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(url, body, named, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            text, status, told = answer.read(), answer.status, answer.headers
    except urllib.error.HTTPError as error:
        text, status, told = error.read(), error.code, error.headers
    lower = {name.lower(): value for name, value in told.items()}
    is_json = text[:1] in (b"{", b"[")
    return status, json.loads(text) if is_json else text, lower


@pytest.fixture(scope="module")
def stack(server: LiveServer) -> Iterator[dict[str, str]]:
    """Its outputs."""
    cloudformation = server.client("cloudformation")
    capabilities = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
    cloudformation.create_stack(StackName=STACK, TemplateBody=TEMPLATE, Capabilities=capabilities)
    cloudformation.get_waiter("stack_create_complete").wait(StackName=STACK, WaiterConfig={"Delay": 1})
    (one,) = cloudformation.describe_stacks(StackName=STACK)["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in one["Outputs"]}
    yield outputs
    cloudformation.delete_stack(StackName=STACK)
    cloudformation.get_waiter("stack_delete_complete").wait(StackName=STACK, WaiterConfig={"Delay": 1})
    with pytest.raises(ClientError, match="does not exist"):
        server.client("cognito-idp").describe_user_pool(UserPoolId=outputs["Pool"])


@pytest.fixture
def pool(client: Client, stack: dict[str, str]) -> Pool:
    pool = Pool(client, stack["Pool"], stack["Client"])
    pool.cognito.admin_set_user_password(UserPoolId=pool.id, Username="ann", Password=PASSWORD, Permanent=True)
    return pool


def test_the_jwt_authorizer_of_an_http_api_takes_the_pools_tokens(
    server: LiveServer, stack: dict[str, str], pool: Pool
) -> None:
    url = f"{server.endpoint}/_aws/execute-api/{stack['Http']}/me"
    assert fetch(url)[0] == 401
    tokens = pool.tokens(password=PASSWORD)
    for name, use in (("IdToken", "id"), ("AccessToken", "access")):
        status, told, _ = fetch(url, Authorization=f"Bearer {tokens[name]}")
        assert status == 200
        assert told["jwt"]["claims"]["token_use"] == use
        assert told["jwt"]["claims"]["cognito:groups"] == "[staff]"
    assert fetch(url, Authorization=tokens["RefreshToken"])[0] == 401
    assert fetch(url, Authorization=tokens["IdToken"][:-6] + "AAAAAA")[0] == 401


def test_the_cognito_authorizer_of_a_rest_api_takes_id_tokens_alone(
    server: LiveServer, stack: dict[str, str], pool: Pool
) -> None:
    url = f"{server.endpoint}/_aws/execute-api/{stack['Rest']}/dev/me"
    assert fetch(url)[:2] == (401, {"message": "Unauthorized"})
    tokens = pool.tokens(password=PASSWORD)
    status, told, _ = fetch(url, Authorization=tokens["IdToken"])
    assert status == 200
    assert (told["claims"]["cognito:username"], told["claims"]["cognito:groups"]) == ("ann", "staff")
    assert fetch(url, Authorization=tokens["AccessToken"])[0] == 401


def test_a_template_sets_what_it_says(server: LiveServer, stack: dict[str, str], pool: Pool) -> None:
    assert stack["Provider"] == f"https://cognito-idp.us-east-1.amazonaws.com/{pool.id}"
    described = pool.cognito.describe_user_pool(UserPoolId=pool.id)["UserPool"]
    policy = described["Policies"]["PasswordPolicy"]
    assert (policy["MinimumLength"], policy["RequireSymbols"], policy["RequireNumbers"]) == (10, False, True)
    assert "custom:tenant" in {attribute["Name"] for attribute in described["SchemaAttributes"]}
    assert described["Name"].startswith(f"{STACK}-CognitoUserPool-")
    assert pool.sign_in(password=PASSWORD)["AuthenticationResult"]["ExpiresIn"] == 1800


def test_a_change_keeps_the_pool_and_its_users(server: LiveServer, stack: dict[str, str], pool: Pool) -> None:
    changed = TEMPLATE.replace("MinimumLength: 10", "MinimumLength: 12").replace(
        "{MaxLength: 20}}]", "{MaxLength: 20}}, {Name: plan, AttributeDataType: String}]"
    )
    cloudformation = server.client("cloudformation")
    capabilities = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
    cloudformation.update_stack(StackName=STACK, TemplateBody=changed, Capabilities=capabilities)
    cloudformation.get_waiter("stack_update_complete").wait(StackName=STACK, WaiterConfig={"Delay": 1})
    described = pool.cognito.describe_user_pool(UserPoolId=pool.id)["UserPool"]
    assert described["Policies"]["PasswordPolicy"]["MinimumLength"] == 12
    assert "custom:plan" in {attribute["Name"] for attribute in described["SchemaAttributes"]}
    assert pool.tokens(password=PASSWORD)


def test_a_domain_of_ones_own_is_refused_by_name(client: Client) -> None:
    stacks = client("cloudformation")
    template = {
        "Resources": {
            "Pool": {"Type": "AWS::Cognito::UserPool"},
            "Domain": {
                "Type": "AWS::Cognito::UserPoolDomain",
                "Properties": {
                    "UserPoolId": {"Ref": "Pool"},
                    "Domain": "own-domain",
                    "CustomDomainConfig": {"CertificateArn": "arn:aws:acm:us-east-1:000000000000:certificate/c"},
                },
            },
        }
    }
    stacks.create_stack(StackName="own-domain", TemplateBody=json.dumps(template))
    with pytest.raises(WaiterError):
        stacks.get_waiter("stack_create_complete").wait(StackName="own-domain", WaiterConfig={"Delay": 1})
    events = stacks.describe_stack_events(StackName="own-domain")["StackEvents"]
    reasons = [each.get("ResourceStatusReason", "") for each in events if each["ResourceStatus"] == "CREATE_FAILED"]
    assert any("does not support custom domains of user pools" in reason for reason in reasons)
    stacks.delete_stack(StackName="own-domain")


PAGE = "http://app.example:3000"
TARGET = "AWSCognitoIdentityProviderService"


def ask(server: LiveServer, target: str, document: dict[str, Any], **headers: str) -> tuple[int, Any, dict[str, str]]:
    sent = {"X_Amz_Target": target, "Content_Type": "application/x-amz-json-1.1", **headers}
    return fetch(server.endpoint + "/", "POST", json.dumps(document).encode(), **sent)


def test_a_page_of_another_origin_may_sign_in_and_read_the_refusal(server: LiveServer, pool: Pool) -> None:
    wished = "cache-control,content-type,x-amz-target,x-amz-user-agent"
    status, _, told = fetch(
        server.endpoint + "/", "OPTIONS", Origin=PAGE,
        Access_Control_Request_Method="POST", Access_Control_Request_Headers=wished,
    )  # fmt: skip
    assert (status, told["access-control-allow-origin"]) == (200, "*")
    assert set(wished.split(",")) <= set(told["access-control-allow-headers"].split(","))
    parameters = {"USERNAME": "ann", "PASSWORD": PASSWORD}
    request = {"ClientId": pool.app, "AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": parameters}
    status, answer, told = ask(server, f"{TARGET}.InitiateAuth", request, Origin=PAGE)
    assert (status, told["access-control-allow-origin"]) == (200, "*")
    assert answer["AuthenticationResult"]["IdToken"]
    status, answer, told = ask(server, f"{TARGET}.GetUser", {"AccessToken": "a.b.c"}, Origin=PAGE)
    assert (status, answer["__type"], told["access-control-allow-origin"]) == (400, "NotAuthorizedException", "*")


@pytest.mark.parametrize("said", [{"Origin": PAGE}, {"Origin": "null"}, {"Sec_Fetch_Site": "cross-site"}])
def test_a_page_of_another_origin_may_call_nothing_else(server: LiveServer, pool: Pool, said: dict[str, str]) -> None:
    new_user = {"UserPoolId": pool.id, "Username": "eve"}
    status, answer, _ = ask(server, f"{TARGET}.AdminCreateUser", new_user, **said)
    assert (status, answer["__type"]) == (403, "AccessDeniedException")
    assert [user["Username"] for user in pool.cognito.list_users(UserPoolId=pool.id)["Users"]] == ["ann"]
    status, answer, told = ask(server, "DynamoDB_20120810.ListTables", {}, **said)
    assert status == 403
    assert "access-control-allow-origin" not in told
    form = "application/x-www-form-urlencoded"  # What a page may send without asking first.
    body = b"Action=CreateUser&Version=2010-05-08&UserName=eve-the-forger"
    assert fetch(server.endpoint + "/", "POST", body, Content_Type=form, **said)[0] == 403
    with pytest.raises(ClientError, match="cannot be found"):
        server.client("iam").get_user(UserName="eve-the-forger")
    assert fetch(f"{server.endpoint}/2015-03-31/functions/", **said)[0] == 403


def test_a_page_that_we_serve_and_a_program_may_call_everything(server: LiveServer) -> None:
    assert ask(server, "DynamoDB_20120810.ListTables", {}, Origin=server.endpoint)[0] == 200
    assert ask(server, "DynamoDB_20120810.ListTables", {})[0] == 200
