"""A user pool's domain from a template: OAuth's endpoints on the live server, and an API that asks for its scopes."""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from tests.live import LiveServer

Client = Callable[..., Any]
STACK = "hosted-pages"
TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  People:
    Type: AWS::Cognito::UserPool
    Properties: {MfaConfiguration: OPTIONAL, EnabledMfas: [SOFTWARE_TOKEN_MFA]}
  Domain:
    Type: AWS::Cognito::UserPoolDomain
    Properties: {UserPoolId: !Ref People, Domain: hosted-pages}
  Items:
    Type: AWS::Cognito::UserPoolResourceServer
    Properties:
      UserPoolId: !Ref People
      Identifier: items
      Name: Items
      Scopes: [{ScopeName: read, ScopeDescription: to look}, {ScopeName: write, ScopeDescription: to change}]
  Machine:
    Type: AWS::Cognito::UserPoolClient
    DependsOn: Items
    Properties:
      UserPoolId: !Ref People
      GenerateSecret: true
      AllowedOAuthFlowsUserPoolClient: true
      AllowedOAuthFlows: [client_credentials]
      AllowedOAuthScopes: [items/read]
  Api:
    Type: AWS::Serverless::HttpApi
    Properties:
      Auth:
        Authorizers:
          Pool:
            AuthorizationScopes: [items/read]
            IdentitySource: $request.header.Authorization
            JwtConfiguration:
              issuer: !Sub 'https://cognito-idp.${AWS::Region}.amazonaws.com/${People}'
              audience: [!Ref Machine]
  Function:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.11
      Handler: index.handler
      InlineCode: "def handler(event, context): return event['requestContext']['authorizer']['jwt']['scopes']"
      Events:
        Read: {Type: HttpApi, Properties: {ApiId: !Ref Api, Path: /items, Method: get, Auth: {Authorizer: Pool}}}
        Write:
          Type: HttpApi
          Properties:
            ApiId: !Ref Api
            Path: /items
            Method: post
            Auth: {Authorizer: Pool, AuthorizationScopes: [items/write]}
Outputs:
  Pool: {Value: !Ref People}
  Machine: {Value: !Ref Machine}
  Secret: {Value: !GetAtt Machine.ClientSecret}
  Home: {Value: !GetAtt Domain.CloudFrontDistribution}
  Api: {Value: !Ref Api}
"""


@pytest.fixture(scope="module")
def outputs(server: LiveServer) -> Iterator[dict[str, str]]:
    stacks = server.client("cloudformation")
    stacks.create_stack(
        StackName=STACK, TemplateBody=TEMPLATE, Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
    )
    stacks.get_waiter("stack_create_complete").wait(StackName=STACK, WaiterConfig={"Delay": 1})
    found = stacks.describe_stacks(StackName=STACK)["Stacks"][0]["Outputs"]
    yield {each["OutputKey"]: each["OutputValue"] for each in found}
    stacks.delete_stack(StackName=STACK)
    stacks.get_waiter("stack_delete_complete").wait(StackName=STACK, WaiterConfig={"Delay": 1})


def ask(url: str, form: dict[str, str] | None = None, method: str | None = None, **headers: str) -> tuple[int, Any]:
    body = None if form is None else urlencode(form).encode()
    request = urllib.request.Request(url, body, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read() or b"null")


def test_a_machine_gets_a_token_and_reaches_the_routes_of_its_scopes(
    server: LiveServer, outputs: dict[str, str]
) -> None:
    assert outputs["Home"] == f"{server.endpoint}/_aws/cognito-idp/hosted-pages"
    secret = base64.b64encode(f"{outputs['Machine']}:{outputs['Secret']}".encode()).decode()
    form = {"grant_type": "client_credentials", "scope": "items/read"}
    status, tokens = ask(f"{outputs['Home']}/oauth2/token", form, Authorization=f"Basic {secret}")
    assert (status, tokens["token_type"]) == (200, "Bearer")
    api = f"{server.endpoint}/_aws/execute-api/{outputs['Api']}/items"
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert ask(api, **bearer) == (200, ["items/read"])
    assert ask(api, method="POST", **bearer) == (403, {"message": "Forbidden"})
    assert ask(api)[0] == 401


def test_discovery_tells_where_the_endpoints_are(server: LiveServer, outputs: dict[str, str]) -> None:
    status, told = ask(f"{server.endpoint}/{outputs['Pool']}/.well-known/openid-configuration")
    assert status == 200
    assert told["authorization_endpoint"] == f"{outputs['Home']}/oauth2/authorize"
    assert told["token_endpoint"] == f"{outputs['Home']}/oauth2/token"
    assert ask(told["userinfo_endpoint"])[0] == 401
    host = "hosted-pages.auth.us-east-1.amazoncognito.com"
    assert ask(f"{server.endpoint}/oauth2/userInfo", Host=host)[0] == 401
    assert ask(f"{server.endpoint}/oauth2/token", {}, Host=host) == (400, {"error": "invalid_client"})


def test_the_operations_of_domains_and_resource_servers_answer_boto3(
    server: LiveServer, outputs: dict[str, str]
) -> None:
    cognito, pool = server.client("cognito-idp"), outputs["Pool"]
    told = cognito.describe_user_pool_domain(Domain="hosted-pages")["DomainDescription"]
    assert (told["UserPoolId"], told["AWSAccountId"], told["ManagedLoginVersion"]) == (pool, "000000000000", 1)
    cognito.update_user_pool_domain(Domain="hosted-pages", UserPoolId=pool, ManagedLoginVersion=2)
    assert cognito.describe_user_pool_domain(Domain="hosted-pages")["DomainDescription"]["ManagedLoginVersion"] == 2
    mine = {"UserPoolId": pool, "Identifier": "others"}
    cognito.create_resource_server(**mine, Name="Others")
    changed = cognito.update_resource_server(
        **mine, Name="More", Scopes=[{"ScopeName": "all", "ScopeDescription": "everything"}]
    )["ResourceServer"]
    assert cognito.describe_resource_server(**mine)["ResourceServer"] == changed
    first = cognito.list_resource_servers(UserPoolId=pool, MaxResults=1)
    rest = cognito.list_resource_servers(UserPoolId=pool, MaxResults=1, NextToken=first["NextToken"])
    assert [each["Identifier"] for each in first["ResourceServers"] + rest["ResourceServers"]] == ["items", "others"]
    cognito.delete_resource_server(**mine)
    with pytest.raises(cognito.exceptions.ResourceNotFoundException):
        cognito.describe_resource_server(**mine)
    mfa = cognito.get_user_pool_mfa_config(UserPoolId=pool)
    assert (mfa["MfaConfiguration"], mfa["SoftwareTokenMfaConfiguration"]) == ("OPTIONAL", {"Enabled": True})


def test_the_operations_of_second_factors_answer_boto3(server: LiveServer, outputs: dict[str, str]) -> None:
    cognito, pool = server.client("cognito-idp"), outputs["Pool"]
    app = cognito.create_user_pool_client(
        UserPoolId=pool, ClientName="own", ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"]
    )["UserPoolClient"]["ClientId"]
    mine = {"UserPoolId": pool, "Username": "ann"}
    cognito.admin_create_user(**mine, MessageAction="SUPPRESS")
    cognito.admin_set_user_password(**mine, Password="Correct-horse-1", Permanent=True)
    token = cognito.initiate_auth(
        ClientId=app,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": "ann", "PASSWORD": "Correct-horse-1"},
    )["AuthenticationResult"]["AccessToken"]
    assert len(cognito.associate_software_token(AccessToken=token)["SecretCode"]) == 52
    with pytest.raises(cognito.exceptions.EnableSoftwareTokenMFAException):
        cognito.verify_software_token(AccessToken=token, UserCode="000000")
    cognito.set_user_mfa_preference(AccessToken=token, SoftwareTokenMfaSettings={"Enabled": False})
    cognito.admin_set_user_mfa_preference(**mine, SMSMfaSettings={"Enabled": False})
