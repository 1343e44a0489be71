"""What guards cost: protected routes as ratios of the open one, and 5,000 routes of 5, on one server in one run.

.venv/bin/python -m benches.front_door [--seconds 2] [--rounds 5] [--connections 32]
All routes end in the same kind of Python function. Beside throughput, the CPU seconds of the server's process for each
request are compared: on a busy machine they say more.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3

from benches import load
from benches.systems import HELLO, FreeholdServe

_STACK = "front-door"
_PASSWORD = "Correct-horse-1"
_MODEL = {
    "type": "object",
    "required": ["name", "price"],
    "properties": {"name": {"type": "string", "maxLength": 100}, "price": {"type": "number", "minimum": 0}},
}
_REQUEST = '{"name": $input.json("$.name"), "price": $input.json("$.price"), "by": "$context.requestId"}'
_SCRIPT = """wrk.method = "POST"
wrk.body = '{"name": "a thing", "price": 12.5}'
wrk.headers["Content-Type"] = "application/json"
"""
_TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Globals: {Function: {Runtime: python3.11, Handler: index.handler, MemorySize: 1769}}
Resources:
  Pool: {Type: 'AWS::Cognito::UserPool', Properties: {UserPoolName: bench}}
  Client:
    Type: AWS::Cognito::UserPoolClient
    Properties: {UserPoolId: !Ref Pool, ExplicitAuthFlows: [ALLOW_ADMIN_USER_PASSWORD_AUTH, ALLOW_REFRESH_TOKEN_AUTH]}
  Gatekeeper:
    Type: AWS::Serverless::Function
    Properties:
      InlineCode: |
        def handler(event, context):
            return {"isAuthorized": event["headers"].get("authorization") == "good", "context": {"user": "ann"}}
  Http:
    Type: AWS::Serverless::HttpApi
    Properties:
      Auth:
        Authorizers:
          Jwt:
            IdentitySource: $request.header.Authorization
            JwtConfiguration:
              issuer: !Sub 'https://cognito-idp.${AWS::Region}.amazonaws.com/${Pool}'
              audience: [!Ref Client]
          Lambda:
            FunctionArn: !GetAtt Gatekeeper.Arn
            EnableFunctionDefaultPermissions: true
            AuthorizerPayloadFormatVersion: '2.0'
            EnableSimpleResponses: true
            Identity: {Headers: [Authorization], ReauthorizeEvery: 3600}
  Hello:
    Type: AWS::Serverless::Function
    Properties:
      InlineCode: |
        import json
        def handler(event, context):
            body = json.dumps({"message": "Hello"})
            return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": body}
      Events:
        Open: {Type: HttpApi, Properties: {ApiId: !Ref Http, Path: /open, Method: any}}
        Jwt: {Type: HttpApi, Properties: {ApiId: !Ref Http, Path: /jwt, Method: get, Auth: {Authorizer: Jwt}}}
        Lambda: {Type: HttpApi, Properties: {ApiId: !Ref Http, Path: /lambda, Method: get, Auth: {Authorizer: Lambda}}}
  May:
    Type: AWS::Lambda::Permission
    Properties: {FunctionName: !Ref Hello, Action: 'lambda:InvokeFunction', Principal: apigateway.amazonaws.com}
Outputs:
  Http: {Value: !Ref Http}
  Pool: {Value: !Ref Pool}
  Client: {Value: !Ref Client}
  Hello: {Value: !GetAtt Hello.Arn}
"""


@dataclass(slots=True)
class Route:
    name: str
    url: str
    goal: float | None  # Of the route that it is compared with.
    beside: str = "open"
    headers: dict[str, str] = field(default_factory=dict)
    script: Path | None = None
    rates: list[float] = field(default_factory=list)  # Requests a second.
    costs: list[float] = field(default_factory=list)  # CPU seconds of the server for each request.


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5, help="the routes take turns this often; medians are shown")
    parser.add_argument("--connections", type=int, default=32)
    options = parser.parse_args()
    system = FreeholdServe(HELLO)
    try:
        system.start()
        assert system.process is not None
        routes = _set_up(system.endpoint, system.work)
        errors = _measure(routes, system.process.pid, options.rounds, options.seconds, options.connections)
    finally:
        system.stop()
    _show(routes, errors)
    return 0


def _set_up(endpoint: str, work: Path) -> list[Route]:
    def client(service: str) -> Any:
        return boto3.client(
            service, endpoint_url=endpoint, region_name="us-east-1",
            aws_access_key_id="test", aws_secret_access_key="test",
        )  # fmt: skip

    stacks = client("cloudformation")
    capabilities = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
    stacks.create_stack(StackName=_STACK, TemplateBody=_TEMPLATE, Capabilities=capabilities)
    stacks.get_waiter("stack_create_complete").wait(StackName=_STACK, WaiterConfig={"Delay": 1})
    made = stacks.describe_stacks(StackName=_STACK)["Stacks"][0]["Outputs"]
    outputs = {each["OutputKey"]: each["OutputValue"] for each in made}
    base = f"{endpoint}/_aws/execute-api"
    http = f"{base}/{outputs['Http']}"
    script = work / "post.lua"
    script.write_text(_SCRIPT)
    rest, key = _rest_api(client("apigateway"), outputs["Hello"])
    few, many = (_many_routes(client("apigatewayv2"), outputs["Hello"], count) for count in (5, 5000))
    return [
        Route("open", f"{http}/open", None),
        Route("open, POST", f"{http}/open", None, script=script),
        Route("JWT authorizer", f"{http}/jwt", 0.8, headers={"Authorization": _token(client("cognito-idp"), outputs)}),
        Route("Lambda authorizer, cached", f"{http}/lambda", 0.8, headers={"Authorization": "good"}),
        Route("REST: validation, template, API key", f"{base}/{rest}/dev/things?page=1", 0.5, "open, POST",
              {"X-Api-Key": key}, script),
        Route("5 routes", f"{base}/{few}/service2/items/42", None),
        Route("5,000 routes", f"{base}/{many}/service2500/items/42", 1 / 1.3, "5 routes"),
    ]  # fmt: skip


def _token(cognito: Any, outputs: dict[str, str]) -> str:
    pool = outputs["Pool"]
    cognito.admin_create_user(UserPoolId=pool, Username="ann", MessageAction="SUPPRESS")
    cognito.admin_set_user_password(UserPoolId=pool, Username="ann", Password=_PASSWORD, Permanent=True)
    answer = cognito.admin_initiate_auth(
        UserPoolId=pool, ClientId=outputs["Client"], AuthFlow="ADMIN_USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": "ann", "PASSWORD": _PASSWORD},
    )  # fmt: skip
    return str(answer["AuthenticationResult"]["IdToken"])


def _rest_api(rest: Any, function_arn: str) -> tuple[str, str]:
    """Its id, and a key that its usage plan knows."""
    integration = {
        "type": "aws",
        "httpMethod": "POST",
        "uri": f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{function_arn}/invocations",
        "requestTemplates": {"application/json": _REQUEST},
        "responses": {"default": {"statusCode": "200"}},
    }
    method = {
        "parameters": [
            {"name": "page", "in": "query", "required": True, "type": "string"},
            {"in": "body", "name": "thing", "required": True, "schema": {"$ref": "#/definitions/Thing"}},
        ],
        "responses": {"200": {"description": "done"}},
        "security": [{"api_key": []}],
        "x-amazon-apigateway-request-validator": "all",
        "x-amazon-apigateway-integration": integration,
    }
    document = {
        "swagger": "2.0",
        "info": {"title": "bench", "version": "1"},
        "paths": {"/things": {"post": method}},
        "definitions": {"Thing": _MODEL},
        "securityDefinitions": {"api_key": {"type": "apiKey", "name": "x-api-key", "in": "header"}},
        "x-amazon-apigateway-request-validators": {
            "all": {"validateRequestBody": True, "validateRequestParameters": True}
        },
    }
    api = rest.import_rest_api(body=json.dumps(document).encode())["id"]
    rest.create_deployment(restApiId=api, stageName="dev")
    key = rest.create_api_key(name="bench", enabled=True)
    plan = rest.create_usage_plan(
        name="bench",
        apiStages=[{"apiId": api, "stage": "dev"}],
        throttle={"rateLimit": 1e6, "burstLimit": 1_000_000},
        quota={"limit": 1_000_000_000, "period": "DAY"},
    )
    rest.create_usage_plan_key(usagePlanId=plan["id"], keyId=key["id"], keyType="API_KEY")
    return str(api), str(key["value"])


def _many_routes(v2: Any, function_arn: str, count: int) -> str:
    integration = {"type": "aws_proxy", "httpMethod": "POST", "payloadFormatVersion": "2.0", "uri": function_arn}
    operation = {"x-amazon-apigateway-integration": integration, "responses": {"default": {"description": "any"}}}
    document = {
        "openapi": "3.0.1",
        "info": {"title": f"{count} routes", "version": "1"},
        "paths": {f"/service{number}/items/{{id}}": {"get": operation} for number in range(count)},
    }
    api = v2.import_api(Body=json.dumps(document))["ApiId"]
    v2.create_stage(ApiId=api, StageName="$default", AutoDeploy=True)
    return str(api)


def _measure(routes: list[Route], pid: int, rounds: int, seconds: int, connections: int) -> int:
    """The number of answers that were no success."""
    errors = 0
    for route in routes:
        load.run(route.url, connections, 1, route.script, route.headers)
    for _ in range(rounds):
        for route in routes:
            before_s = _cpu_s(pid)
            began = time.perf_counter()
            result = load.run(route.url, connections, seconds, route.script, route.headers)
            answered = result.requests_per_s * (time.perf_counter() - began)
            route.rates.append(result.requests_per_s)
            route.costs.append((_cpu_s(pid) - before_s) / max(answered, 1))
            errors += result.errors
    return errors


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _show(routes: list[Route], errors: int) -> None:
    by_name = {route.name: route for route in routes}
    print(f"load average {os.getloadavg()[0]:.1f}, {errors} errors")
    print("| route | requests/s | of | throughput | CPU of the server | goal |")
    print("| --- | --- | --- | --- | --- | --- |")
    for route in routes:
        beside = by_name[route.beside]
        rate = statistics.median(a / b for a, b in zip(route.rates, beside.rates, strict=True))
        cost = statistics.median(b / a for a, b in zip(route.costs, beside.costs, strict=True))
        goal = f"{route.goal:.2f}" if route.goal else ""
        median = statistics.median(route.rates)
        print(f"| {route.name} | {median:.0f} | {route.beside} | {rate:.2f} | {cost:.2f} | {goal} |")


if __name__ == "__main__":
    sys.exit(main())
