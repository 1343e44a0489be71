"""Custom domain names: which API and stage answers a request by its Host and path.

API Gateway Developer Guide, "Map API stages to a custom domain name for HTTP APIs": its example of mappings, and
"Wildcard custom domain names".
"""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.gateway.world import World, event_of, request

from freehold.aws.errors import AwsError
from freehold.http.messages import Response

CERTIFICATE = "arn:aws:acm:us-east-1:000000000000:certificate/11111111-2222-3333-4444-555555555555"


async def domain(world: World, name: str = "api.example.com", **mappings: tuple[str, str]) -> None:
    """`key=(api id, stage)`, with "_" for "/" in the key and "root" for the empty one."""
    await world.v2("CreateDomainName", DomainName=name, DomainNameConfigurations=[{"CertificateArn": CERTIFICATE}])
    for key, (api_id, stage) in mappings.items():
        mapped = "" if key == "root" else key.replace("_", "/")
        await world.v2("CreateApiMapping", DomainName=name, ApiId=api_id, Stage=stage, ApiMappingKey=mapped)


async def send(world: World, url: str, host: str = "api.example.com", method: str = "GET") -> Response:
    asked = request(method, url, host=host)
    address = world.gateway.find_domain(asked)
    assert address is not None
    return await world.gateway.handle(asked, address)


@pytest.mark.parametrize(
    ("path", "which"),
    [
        ("/orders", "orders"),
        ("/orders/", "orders"),
        ("/orders/v1", "v1"),
        ("/orders/v1/items", "items"),
        ("/orders/v1/items/categories/5", "items"),
        ("/orders/v1/itemsabc", "v1"),
        ("/ordersabc", "root"),
        ("/", "root"),
        ("/customers/1?q=1", "root"),
    ],
)
async def test_the_longest_mapping_answers(world: World, path: str, which: str) -> None:
    ids = {name: await world.http_api("$default") for name in ("root", "orders", "v1", "items")}
    keys = {"root": "root", "orders": "orders", "orders_v1": "v1", "orders_v1_items": "items"}
    await domain(world, **{key: (ids[name], "$default") for key, name in keys.items()})
    event = event_of(await send(world, path))
    assert event["requestContext"]["apiId"] == ids[which]
    assert event["rawPath"] == path.partition("?")[0]
    assert event["requestContext"]["domainName"] == "api.example.com"


async def test_routes_are_matched_below_the_mapping_and_stages_are_not_in_the_path(world: World) -> None:
    api_id = await world.http_api("GET /items/{id}", stage="dev", DisableExecuteApiEndpoint=True)
    await domain(world, shop_v1=(api_id, "dev"))
    event = event_of(await send(world, "/shop/v1/items/a%20b", "API.example.com:4566"))
    assert (event["routeKey"], event["pathParameters"]) == ("GET /items/{id}", {"id": "a b"})
    assert (event["requestContext"]["stage"], event["rawPath"]) == ("dev", "/shop/v1/items/a b")
    assert (await send(world, "/shop/v1/dev/items/1")).status == 404
    assert (await world.get(f"/_aws/execute-api/{api_id}/dev/items/1")).status == 404


async def test_rest_apis_tell_their_path_with_the_base_path(world: World) -> None:
    api_id = await world.rest_api("GET /items/{id}", "GET /")
    await domain(world, shop=(api_id, "dev"))
    event = event_of(await send(world, "/shop/items/7"))
    assert (event["resource"], event["path"]) == ("/items/{id}", "/shop/items/7")
    assert event["requestContext"]["path"] == "/shop/items/7"
    assert event_of(await send(world, "/shop"))["path"] == "/shop"


async def test_what_nothing_is_mapped_to_is_forbidden(world: World) -> None:
    api_id = await world.http_api("$default")
    await domain(world, one=(api_id, "$default"))
    for path in ("/", "/two", "/on", "/onee"):
        response = await send(world, path)
        assert (response.status, response.body) == (403, b'{"message":"Forbidden"}')
    await world.v2("DeleteStage", ApiId=api_id, StageName="$default")
    assert (await send(world, "/one")).status == 403
    assert world.functions.invocations == []


async def test_another_host_is_no_custom_domain(world: World) -> None:
    await domain(world)
    for host in ("example.com", "x.api.example.com", "localhost:4566", "", "api.example.org"):
        assert world.gateway.find_domain(request("GET", "/", host=host)) is None


async def test_a_wildcard_answers_one_level_below_and_an_exact_name_before_it(world: World) -> None:
    wild, exact = await world.http_api("$default"), await world.http_api("$default")
    await domain(world, "*.example.com", root=(wild, "$default"))
    await domain(world, "api.example.com", root=(exact, "$default"))
    assert event_of(await send(world, "/", "any.example.com"))["requestContext"]["apiId"] == wild
    assert event_of(await send(world, "/"))["requestContext"]["apiId"] == exact
    assert world.gateway.find_domain(request("GET", "/", host="a.b.example.com")) is None


async def test_changes_and_deletions_are_followed(world: World) -> None:
    first, second = await world.http_api("$default"), await world.http_api("$default")
    await domain(world, root=(first, "$default"))
    (mapping,) = (await world.v2("GetApiMappings", DomainName="api.example.com"))["Items"]
    where = {"DomainName": "api.example.com", "ApiMappingId": mapping["ApiMappingId"]}
    await world.v2("UpdateApiMapping", **where, ApiId=second, ApiMappingKey="new")
    assert event_of(await send(world, "/new"))["requestContext"]["apiId"] == second
    assert (await send(world, "/")).status == 403
    await world.v2("DeleteApiMapping", **where)
    assert (await send(world, "/new")).status == 403
    await world.v2("DeleteDomainName", DomainName="api.example.com")
    assert world.gateway.find_domain(request("GET", "/", host="api.example.com")) is None


@pytest.mark.parametrize(
    "name",
    ["localhost", "api.localhost", "sqs.us-east-1.amazonaws.com", "x.on.aws", "127.0.0.1", "a", "a..b", "*.*.com", ""],
)
async def test_a_name_that_others_answer_to_is_refused(world: World, name: str) -> None:
    with pytest.raises(AwsError, match="Invalid domain name"):
        await domain(world, name)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"DomainNameConfigurations": []}, "Exactly one domain name configuration"),
        ({"DomainNameConfigurations": [{}]}, "a certificate of AWS Certificate Manager is required"),
        (
            {"DomainNameConfigurations": [{"CertificateArn": CERTIFICATE, "SecurityPolicy": "TLS_9"}]},
            "the security policy TLS_9",
        ),
        ({"MutualTlsAuthentication": {"TruststoreUri": "s3://x/y"}}, "MutualTlsAuthentication of domain names"),
        ({"RoutingMode": "ROUTING_RULE_ONLY"}, "the routing mode ROUTING_RULE_ONLY"),
    ],
)
async def test_what_a_name_cannot_have_is_refused(world: World, more: dict[str, Any], message: str) -> None:
    wanted = {"DomainName": "a.example.com", "DomainNameConfigurations": [{"CertificateArn": CERTIFICATE}], **more}
    with pytest.raises(AwsError, match=message):
        await world.v2("CreateDomainName", **wanted)


async def test_mappings_are_checked(world: World) -> None:
    api_id = await world.http_api("$default")
    socket = (await world.v2("CreateApi", Name="s", ProtocolType="WEBSOCKET", RouteSelectionExpression="$default"))[
        "ApiId"
    ]
    await world.v2("CreateStage", ApiId=socket, StageName="dev")
    await domain(world, orders=(api_id, "$default"))
    for wanted, message in (
        ({"ApiId": api_id, "Stage": "$default", "ApiMappingKey": "orders"}, "key already exists"),
        ({"ApiId": api_id, "Stage": "$default", "ApiMappingKey": "/a"}, "Invalid API mapping key"),
        ({"ApiId": api_id, "Stage": "$default", "ApiMappingKey": "a//b"}, "Invalid API mapping key"),
        ({"ApiId": api_id, "Stage": "prod"}, "Invalid stage identifier"),
        ({"ApiId": "nothere", "Stage": "prod"}, "Invalid stage identifier"),
        ({"ApiId": socket, "Stage": "dev", "ApiMappingKey": "ws"}, "WebSocket APIs cannot share"),
    ):
        with pytest.raises(AwsError, match=message):
            await world.v2("CreateApiMapping", DomainName="api.example.com", **wanted)
    with pytest.raises(AwsError, match="already exists"):
        await domain(world)


async def test_connections_of_a_websocket_api_are_managed_by_its_name_too(world: World) -> None:
    made = await world.v2("CreateApi", Name="s", ProtocolType="WEBSOCKET", RouteSelectionExpression="$default")
    await world.v2("CreateStage", ApiId=made["ApiId"], StageName="dev", AutoDeploy=True)
    await domain(world, chat=(made["ApiId"], "dev"))
    asked = request("POST", "/chat/@connections/abc%3D", host="api.example.com")
    address = world.gateway.find_domain(asked)
    assert address is not None
    found = world.gateway.find_connections(asked, address)
    assert found == (f"{made['ApiId']}/dev", "/@connections/abc%3D")


async def test_the_older_api_tells_and_changes_the_same_names(world: World) -> None:
    api_id = await world.rest_api("GET /items")
    made = await world.rest("CreateDomainName", domainName="api.example.com", certificateArn=CERTIFICATE)
    assert made["endpointConfiguration"]["types"] == ["EDGE"]
    assert made["distributionDomainName"].endswith(".cloudfront.net")
    await world.rest("CreateBasePathMapping", domainName="api.example.com", restApiId=api_id, stage="dev")
    base = await world.rest("GetBasePathMapping", domainName="api.example.com", basePath="(none)")
    assert base == {"basePath": "(none)", "restApiId": api_id, "stage": "dev"}
    assert (await send(world, "/items")).status == 200
    patches = [{"op": "replace", "path": "/basePath", "value": "v1"}]
    await world.rest("UpdateBasePathMapping", domainName="api.example.com", basePath="(none)", patchOperations=patches)
    assert (await send(world, "/v1/items")).status == 200
    (mapping,) = (await world.v2("GetApiMappings", DomainName="api.example.com"))["Items"]
    assert mapping["ApiMappingKey"] == "v1"
    patches = [
        {"op": "replace", "path": "/endpointConfiguration/types/EDGE", "value": "REGIONAL"},
        {"op": "replace", "path": "/regionalCertificateArn", "value": CERTIFICATE},
    ]
    changed = await world.rest("UpdateDomainName", domainName="api.example.com", patchOperations=patches)
    assert changed["regionalDomainName"].startswith("d-")
    assert [each["domainName"] for each in (await world.rest("GetDomainNames"))["items"]] == ["api.example.com"]
    await world.rest("TagResource", resourceArn=changed["domainNameArn"], tags={"a": "b"})
    assert (await world.rest("GetTags", resourceArn=changed["domainNameArn"]))["tags"] == {"a": "b"}
    await world.rest("DeleteBasePathMapping", domainName="api.example.com", basePath="v1")
    await world.rest("DeleteDomainName", domainName="api.example.com")
    with pytest.raises(AwsError, match="Invalid domain name identifier"):
        await world.rest("GetDomainName", domainName="api.example.com")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"endpointConfiguration": {"types": ["PRIVATE"]}}, "endpoint types PRIVATE"),
        ({"mutualTlsAuthentication": {"truststoreUri": "s3://a/b"}}, "mutualTlsAuthentication of domain names"),
        ({"policy": "{}"}, "policy of domain names"),
        ({"endpointConfiguration": {"types": ["REGIONAL"]}}, "a certificate of AWS Certificate Manager is required"),
    ],
)
async def test_the_older_api_refuses_by_name_too(world: World, more: dict[str, Any], message: str) -> None:
    with pytest.raises(AwsError, match=message):
        await world.rest("CreateDomainName", domainName="a.example.com", certificateArn=CERTIFICATE, **more)
