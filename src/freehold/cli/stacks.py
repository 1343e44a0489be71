"""What a deployed stack holds, read through AWS operations: its resources, its APIs with their routes, its URLs."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from freehold.aws.call import Json
from freehold.aws.errors import AwsError
from freehold.cli.deployment import find_stack
from freehold.cli.failure import Failure
from freehold.http.aws_client import AwsClient

_METHODS_OF_ANY = "ANY"
_FUNCTION = re.compile(r":function:([^:/$]+)")
# What templates write for an API's address, whatever domain the partition has.
_AWS_URL = re.compile(r"(?:https?|wss?)://([a-z0-9]+)\.(execute-api|lambda-url)\.[a-z0-9-]+\.[a-z.]+(/[^\s]*)?")


@dataclass(frozen=True, slots=True)
class Resource:
    logical_id: str
    physical_id: str
    type: str
    status: str


@dataclass(frozen=True, slots=True)
class Route:
    method: str  # "ANY" for all of them.
    path: str  # "/items/{id}", "/{proxy+}"; "*" for $default.
    function: str  # Its name; empty where the integration is none.


@dataclass(frozen=True, slots=True)
class Api:
    logical_id: str
    id: str
    kind: str  # "http", "rest" or "websocket".
    stages: tuple[str, ...]
    routes: tuple[Route, ...]

    def url(self, endpoint: str, stage: str) -> str:
        base = f"{endpoint}/_aws/execute-api/{self.id}" + ("" if stage == "$default" else f"/{stage}")
        return re.sub("^http", "ws", base) if self.kind == "websocket" else base


async def require_stack(aws: AwsClient, stack_name: str) -> Json:
    stack = await find_stack(aws, stack_name)
    if stack is None:
        raise Failure(f"There is no stack {stack_name} at {aws.endpoint}. `freehold list` shows those that are.")
    return stack


async def all_stacks(aws: AwsClient) -> list[Json]:
    found: list[Json] = []
    token = None
    while True:
        page = await aws("cloudformation", "DescribeStacks", {"NextToken": token} if token else {})
        found += page.get("Stacks") or []
        token = page.get("NextToken")
        if not token:
            return found


async def resources(aws: AwsClient, stack_name: str) -> list[Resource]:
    found: list[Resource] = []
    token = None
    while True:
        request = {"StackName": stack_name, **({"NextToken": token} if token else {})}
        page = await aws("cloudformation", "ListStackResources", request)
        found += [
            Resource(
                each["LogicalResourceId"],
                each.get("PhysicalResourceId", ""),
                each["ResourceType"],
                each.get("ResourceStatus", ""),
            )
            for each in page.get("StackResourceSummaries") or []
        ]
        token = page.get("NextToken")
        if not token:
            return found


async def apis(aws: AwsClient, found: list[Resource]) -> list[Api]:
    """In the order of the stack's resources."""
    reading = [
        _read_v2(aws, each) if each.type == "AWS::ApiGatewayV2::Api" else _read_rest(aws, each)
        for each in found
        if each.type in ("AWS::ApiGatewayV2::Api", "AWS::ApiGateway::RestApi") and each.physical_id
    ]
    return list(await asyncio.gather(*reading))


async def function_urls(aws: AwsClient, found: list[Resource]) -> dict[str, str]:
    """Function's name -> the URL that works here."""
    urls = {}
    for each in found:
        if each.type == "AWS::Lambda::Url":
            name = function_name(each.physical_id) or each.physical_id
            try:
                config = await aws("lambda", "GetFunctionUrlConfig", {"FunctionName": name})
            except AwsError:
                # It is behind an alias, or was deleted by hand: there is no URL to show.
                continue
            urls[name] = working_url(config["FunctionUrl"], aws.endpoint)
    return urls


def outputs(stack: Mapping[str, object], endpoint: str) -> list[tuple[str, str]]:
    """(key, value); addresses in the domain of AWS are replaced by those that work here."""
    found = stack.get("Outputs") or []
    assert isinstance(found, list)
    return [(each["OutputKey"], working_url(each.get("OutputValue", ""), endpoint)) for each in found]


def working_url(text: str, endpoint: str) -> str:
    def here(match: re.Match[str]) -> str:
        url = f"{endpoint}/_aws/{match[2]}/{match[1]}{match[3] or ''}"
        return re.sub("^http", "ws", url) if match[0].startswith("ws") else url

    return _AWS_URL.sub(here, text)


def function_name(arn: str) -> str:
    """Out of an ARN, or the address of an integration that holds one; empty where there is none."""
    match = _FUNCTION.search(arn)
    return match[1] if match else ""


async def _read_v2(aws: AwsClient, resource: Resource) -> Api:
    request = {"ApiId": resource.physical_id, "MaxResults": "1000"}
    api, routes, integrations, stages = await asyncio.gather(
        aws("apigatewayv2", "GetApi", {"ApiId": resource.physical_id}),
        aws("apigatewayv2", "GetRoutes", request),
        aws("apigatewayv2", "GetIntegrations", request),
        aws("apigatewayv2", "GetStages", request),
    )
    functions = {
        f"integrations/{each['integrationId']}": function_name(each.get("integrationUri") or "")
        for each in integrations.get("items") or []
    }
    found = []
    for each in routes.get("items") or []:
        method, space, path = each["routeKey"].partition(" ")
        function = functions.get(each.get("target") or "", "")
        if space:
            found.append(Route(method, path, function))
        else:
            found.append(Route(_METHODS_OF_ANY, "*" if method == "$default" else method, function))
    names = tuple(each["stageName"] for each in stages.get("items") or [])
    kind = "websocket" if api["protocolType"] == "WEBSOCKET" else "http"
    return Api(resource.logical_id, resource.physical_id, kind, names, tuple(found))


async def _read_rest(aws: AwsClient, resource: Resource) -> Api:
    rest_id = {"restApiId": resource.physical_id}
    tree, stages = await asyncio.gather(
        aws("apigateway", "GetResources", {**rest_id, "limit": 500, "embed": "methods"}),
        aws("apigateway", "GetStages", rest_id),
    )
    found = [
        Route(method, each["path"], function_name((settings.get("methodIntegration") or {}).get("uri") or ""))
        for each in tree.get("item") or []
        for method, settings in (each.get("resourceMethods") or {}).items()
    ]
    names = tuple(each["stageName"] for each in stages.get("item") or [])
    return Api(resource.logical_id, resource.physical_id, "rest", names, tuple(found))


async def processed_template(aws: AwsClient, stack_name: str) -> Json:
    """As it is after transforms."""
    request = {"StackName": stack_name, "TemplateStage": "Processed"}
    body = (await aws("cloudformation", "GetTemplate", request)).get("TemplateBody") or "{}"
    try:
        template: Json = orjson.loads(body)
    except orjson.JSONDecodeError:
        # A template of another client may be YAML; ours never is.
        return {}
    return template
