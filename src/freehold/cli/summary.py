"""What a stack offers, as tables: its endpoints with URLs that work, its functions, its outputs."""

from __future__ import annotations

from freehold.aws.call import Json
from freehold.cli import output, stacks
from freehold.cli.stacks import Api, Resource
from freehold.http.aws_client import AwsClient


async def show(aws: AwsClient, stack: Json, *, with_functions: bool = False) -> None:
    found = await stacks.resources(aws, stack["StackId"])
    apis = await stacks.apis(aws, found)
    urls = await stacks.function_urls(aws, found)
    rows = [row for api in apis for row in endpoint_rows(api, aws.endpoint, functions_by_id(found))]
    rows += [["ANY", url, logical_id(found, name)] for name, url in urls.items()]
    _section("Endpoints", ("METHOD", "URL", "FUNCTION"), rows)
    if with_functions:
        functions = [[each.logical_id, each.physical_id] for each in found if each.type == "AWS::Lambda::Function"]
        _section("Functions", ("LOGICAL ID", "NAME"), functions)
    outputs = [[key, value] for key, value in stacks.outputs(stack, aws.endpoint)]
    _section("Outputs", ("KEY", "VALUE"), outputs)


def endpoint_rows(api: Api, endpoint: str, functions: dict[str, str]) -> list[list[str]]:
    """A row a route and stage; a WebSocket API has one address for all routes."""
    rows = []
    for stage in api.stages or ("$default",):
        base = api.url(endpoint, stage)
        if api.kind == "websocket":
            rows.append(["WS", base, " ".join(sorted({functions.get(each.function, "") for each in api.routes}))])
            continue
        for route in api.routes:
            path = "/*" if route.path == "*" else route.path
            rows.append([route.method, base + path, functions.get(route.function, route.function)])
    return rows


def functions_by_id(found: list[Resource]) -> dict[str, str]:
    """Function's name -> its logical id: the name that people wrote, or nearly."""
    return {each.physical_id: each.logical_id for each in found if each.type == "AWS::Lambda::Function"}


def logical_id(found: list[Resource], name: str) -> str:
    return functions_by_id(found).get(name, name)


def _section(title: str, headers: tuple[str, ...], rows: list[list[str]]) -> None:
    if rows:
        output.say()
        output.say(output.heading(title))
        output.say(output.table(headers, rows, indent="  "))
