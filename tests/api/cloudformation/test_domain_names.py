"""Custom domain names of templates: SAM's `Domain`, certificates, both kinds of mapping; by Host, over the wire."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.api.cloudformation.test_integrations_of_http_apis import CAPABILITIES, deploy
from tests.live import LiveServer

SAM = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Certificate:
    Type: AWS::CertificateManager::Certificate
    Properties:
      DomainName: '*.shop.example'
      ValidationMethod: DNS
      DomainValidationOptions: [{DomainName: '*.shop.example', HostedZoneId: Z1}]
  Http:
    Type: AWS::Serverless::HttpApi
    Properties:
      StageName: live
      DisableExecuteApiEndpoint: true
      Domain:
        DomainName: http.shop.example
        CertificateArn: !Ref Certificate
        BasePath: [/, orders]%(more)s
  Rest:
    Type: AWS::Serverless::Api
    Properties:
      StageName: live
      Domain:
        DomainName: rest.shop.example
        CertificateArn: !Ref Certificate
        EndpointConfiguration: REGIONAL
        BasePath: [v1]
  Hello:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.11
      Handler: index.handler
      Timeout: 20
      InlineCode: |
        def handler(event, context):
            return {"statusCode": 200, "body": event.get("rawPath") or event["path"]}
      Events:
        Http: {Type: HttpApi, Properties: {ApiId: !Ref Http, Path: /items, Method: get}}
        Rest: {Type: Api, Properties: {RestApiId: !Ref Rest, Path: /items, Method: get}}
Outputs:
  Http: {Value: !Ref Http}
"""
PLAIN = """
Resources:
  Certificate: {Type: AWS::CertificateManager::Certificate, Properties: {DomainName: plain.example}}
  Api:
    Type: AWS::ApiGateway::RestApi
    Properties: {Name: plain}
  Root:
    Type: AWS::ApiGateway::Method
    Properties:
      RestApiId: !Ref Api
      ResourceId: !GetAtt Api.RootResourceId
      HttpMethod: GET
      AuthorizationType: NONE
      MethodResponses: [{StatusCode: '200'}]
      Integration:
        Type: MOCK
        RequestTemplates: {application/json: '{"statusCode": 200}'}
        IntegrationResponses:
          - {StatusCode: '200', ResponseTemplates: {application/json: '{"stage": "$context.stage"}'}}
  Deployment: {Type: AWS::ApiGateway::Deployment, DependsOn: Root, Properties: {RestApiId: !Ref Api, StageName: one}}
  Two: {Type: AWS::ApiGateway::Stage, Properties: {RestApiId: !Ref Api, StageName: two, DeploymentId: !Ref Deployment}}
  Name:
    Type: AWS::ApiGateway::DomainName
    Properties: {DomainName: plain.example, CertificateArn: !Ref Certificate}
  Mapping:
    Type: AWS::ApiGateway::BasePathMapping
    DependsOn: Two
    Properties: {DomainName: !Ref Name, RestApiId: !Ref Api, Stage: %s, BasePath: (none)}
Outputs:
  Target: {Value: !GetAtt Name.DistributionDomainName}
"""


def get(server: LiveServer, host: str, path: str) -> tuple[int, str]:
    request = urllib.request.Request(server.endpoint + path, headers={"Host": host})
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_domains_of_a_sam_template_are_served_by_host(server: LiveServer, client: Callable[..., Any]) -> None:
    cloudformation = client("cloudformation")
    found = deploy(cloudformation, "domains", SAM % {"more": ""})
    assert get(server, "http.shop.example", "/items") == (200, "/items")
    assert get(server, "http.shop.example:443", "/orders/items") == (200, "/orders/items")
    assert get(server, "rest.shop.example", "/v1/items") == (200, "/v1/items")
    assert get(server, "rest.shop.example", "/items") == (403, '{"message":"Forbidden"}')
    assert get(server, "localhost", f"/_aws/execute-api/{found['Http']}/live/items")[0] == 404
    cloudformation.delete_stack(StackName="domains")
    cloudformation.get_waiter("stack_delete_complete").wait(StackName="domains", WaiterConfig={"Delay": 0.1})
    assert client("apigatewayv2").get_domain_names()["Items"] == []
    assert client("acm").list_certificates()["CertificateSummaryList"] == []


def test_records_that_would_lead_there_are_refused_by_name(client: Callable[..., Any]) -> None:
    body = SAM % {"more": "\n        Route53: {HostedZoneId: Z1}"}
    with pytest.raises(ClientError, match=r"AWS::Route53::RecordSetGroup .* Freehold does not support this type yet"):
        client("cloudformation").create_stack(StackName="records", TemplateBody=body, Capabilities=CAPABILITIES)


def test_a_base_path_mapping_of_a_template_is_moved_to_another_stage(
    server: LiveServer, client: Callable[..., Any]
) -> None:
    cloudformation = client("cloudformation")
    found = deploy(cloudformation, "plain-domain", PLAIN % "one")
    assert found["Target"].endswith(".cloudfront.net")
    assert json.loads(get(server, "plain.example", "/")[1]) == {"stage": "one"}
    deploy(cloudformation, "plain-domain", PLAIN % "two", "UPDATE")
    assert json.loads(get(server, "plain.example", "/")[1]) == {"stage": "two"}
    cloudformation.delete_stack(StackName="plain-domain")
    cloudformation.get_waiter("stack_delete_complete").wait(StackName="plain-domain", WaiterConfig={"Delay": 0.1})


def test_domain_names_survive_a_restart(own_server: LiveServer) -> None:
    v2, acm = own_server.client("apigatewayv2"), own_server.client("acm")
    arn = acm.request_certificate(DomainName="kept.example")["CertificateArn"]
    api_id = v2.create_api(Name="a", ProtocolType="HTTP")["ApiId"]
    v2.create_stage(ApiId=api_id, StageName="$default", AutoDeploy=True)
    v2.create_domain_name(DomainName="kept.example", DomainNameConfigurations=[{"CertificateArn": arn}])
    v2.create_api_mapping(DomainName="kept.example", ApiId=api_id, Stage="$default")
    own_server.restart()
    assert get(own_server, "kept.example", "/x") == (404, '{"message":"Not Found"}')
