"""Lambda authorizers of HTTP and REST APIs: policies, simple answers, identity sources and the cache."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.gateway.world import AUTHORIZER, World, event_of, invoke_uri

from freehold.http.messages import Response
from freehold.state.store import Delete

Json = dict[str, Any]


def policy(effect: str, resource: str, **more: Any) -> Json:
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": resource}
    return {"principalId": "me", "policyDocument": {"Version": "2012-10-17", "Statement": [statement]}, **more}


def the_articles_authorizer(event: Json) -> Json:
    """As in the article: a policy for the method's ARN, and an exception for a bad token."""
    token = event.get("authorizationToken", "").replace("Bearer ", "")
    if token != "good":
        raise Exception("Unauthorized")
    return policy("Allow", event["methodArn"], context={"userId": "me", "level": 3, "admin": False})


async def rest_api(world: World, *methods: str, **authorizer: Any) -> str:
    """A REST API whose methods are guarded by a TOKEN authorizer, or what is given."""
    api_id = await world.rest_api(deploy=False)
    made = await world.rest(
        "CreateAuthorizer",
        **{
            "restApiId": api_id,
            "name": "gatekeeper",
            "type": "TOKEN",
            "authorizerUri": invoke_uri(AUTHORIZER),
            "identitySource": "method.request.header.Authorization",
            **authorizer,
        },
    )
    for method in methods:
        await world.rest_method(api_id, method, authorizationType="CUSTOM", authorizerId=made["id"])
    await world.rest("CreateDeployment", restApiId=api_id, stageName="dev")
    return f"/_aws/execute-api/{api_id}/dev"


async def http_api(world: World, *route_keys: str, version: str = "1.0", **authorizer: Any) -> str:
    api_id = await world.http_api(*route_keys)
    made = await world.v2(
        "CreateAuthorizer",
        **{
            "ApiId": api_id,
            "Name": "gatekeeper",
            "AuthorizerType": "REQUEST",
            "AuthorizerUri": invoke_uri(AUTHORIZER),
            "AuthorizerPayloadFormatVersion": version,
            "IdentitySource": ["$request.header.Authorization"],
            **authorizer,
        },
    )
    for route in (await world.v2("GetRoutes", ApiId=api_id))["Items"]:
        await world.v2(
            "UpdateRoute",
            ApiId=api_id,
            RouteId=route["RouteId"],
            AuthorizationType="CUSTOM",
            AuthorizerId=made["AuthorizerId"],
        )
    return f"/_aws/execute-api/{api_id}"


def asked(world: World) -> list[Json]:
    """The events that the authorizer's function got."""
    pairs = zip(world.functions.invocations, world.functions.events, strict=True)
    return [event for invocation, event in pairs if invocation.function_arn == AUTHORIZER]


def words(response: Response) -> tuple[int, bytes]:
    return response.status, response.body


async def test_the_articles_authorizer_guards_a_rest_api(world: World) -> None:
    world.functions.answers["gatekeeper"] = the_articles_authorizer
    path = await rest_api(world, "GET /items")
    assert words(await world.get(f"{path}/items")) == (401, b'{"message":"Unauthorized"}')
    assert asked(world) == []
    refused = await world.get(f"{path}/items", ("Authorization", "Bearer bad"))
    assert words(refused) == (401, b'{"message":"Unauthorized"}')
    event = event_of(await world.get(f"{path}/items", ("Authorization", "Bearer good")))
    assert event["requestContext"]["authorizer"] == {
        "principalId": "me",
        "userId": "me",
        "level": "3",
        "admin": "false",
    }
    api_id = path.split("/")[3]
    assert asked(world)[-1] == {
        "type": "TOKEN",
        "authorizationToken": "Bearer good",
        "methodArn": f"arn:aws:execute-api:us-east-1:000000000000:{api_id}/dev/GET/items",
    }


@pytest.mark.parametrize(
    ("answer", "status", "body"),
    [
        (
            lambda event: policy("Deny", "*"),
            403,
            b'{"Message":"User is not authorized to access this resource with an explicit deny"}',
        ),
        (
            lambda event: policy("Allow", "arn:aws:execute-api:*:*:other/*"),
            403,
            b'{"Message":"User is not authorized to access this resource"}',
        ),
        (lambda event: 1 / 0, 500, b'{"message":null}'),
        (lambda event: {"principalId": "me"}, 500, b'{"message":null}'),
        (lambda event: {**policy("Allow", "*"), "principalId": None}, 500, b'{"message":null}'),
        (lambda event: policy("Allow", "*", context={"nested": {}}), 500, b'{"message":null}'),
        (lambda event: policy("Maybe", "*"), 500, b'{"message":null}'),
        (lambda event: "text", 500, b'{"message":null}'),
    ],
)
async def test_a_rest_authorizers_refusals(world: World, answer: Any, status: int, body: bytes) -> None:
    world.functions.answers["gatekeeper"] = answer
    path = await rest_api(world, "GET /items")
    assert words(await world.get(f"{path}/items", ("Authorization", "x"))) == (status, body)
    assert len(world.functions.invocations) == 1


async def test_a_token_that_does_not_look_like_one_is_refused_without_a_call(world: World) -> None:
    world.functions.answers["gatekeeper"] = lambda event: policy("Allow", "*")
    path = await rest_api(world, "GET /items", identityValidationExpression="Bearer [a-z]+")
    assert (await world.get(f"{path}/items", ("Authorization", "Bearer 1"))).status == 401
    assert asked(world) == []
    assert (await world.get(f"{path}/items", ("Authorization", "Bearer a"))).status == 200


async def test_an_expression_that_takes_too_long_to_tell_keeps_the_caller_out(world: World) -> None:
    path = await rest_api(world, "GET /items", identityValidationExpression="(a|a?)+b")
    assert (await world.get(f"{path}/items", ("Authorization", "a" * 5000 + "c"))).status == 401
    assert asked(world) == []


async def test_a_cached_policy_is_held_against_each_method(world: World) -> None:
    """A policy for one ARN breaks the next route: semantics of caching that surprise, and that AWS has."""
    world.functions.answers["gatekeeper"] = lambda event: policy("Allow", event["methodArn"])
    path = await rest_api(world, "GET /a", "GET /b")
    token = ("Authorization", "x")
    assert (await world.get(f"{path}/a", token)).status == 200
    assert (await world.get(f"{path}/b", token)).status == 403
    assert len(asked(world)) == 1
    world.clock.at_s += 301
    assert (await world.get(f"{path}/b", token)).status == 200
    assert len(asked(world)) == 2


async def test_without_a_ttl_the_function_is_asked_each_time(world: World) -> None:
    world.functions.answers["gatekeeper"] = lambda event: policy("Allow", "*")
    path = await rest_api(world, "GET /a", authorizerResultTtlInSeconds=0)
    for _ in range(2):
        await world.get(f"{path}/a", ("Authorization", "x"))
    assert len(asked(world)) == 2


async def test_a_flushed_cache_is_empty(world: World) -> None:
    world.functions.answers["gatekeeper"] = lambda event: policy("Allow", "*")
    path = await rest_api(world, "GET /a")
    await world.get(f"{path}/a", ("Authorization", "x"))
    await world.rest("FlushStageAuthorizersCache", restApiId=path.split("/")[3], stageName="dev")
    await world.get(f"{path}/a", ("Authorization", "x"))
    assert len(asked(world)) == 2


async def test_a_request_authorizer_needs_all_its_identity_sources(world: World) -> None:
    world.functions.answers["gatekeeper"] = lambda event: policy("Allow", "*")
    path = await rest_api(
        world,
        "GET /a",
        type="REQUEST",
        identitySource="method.request.header.X-Key, method.request.querystring.user, context.stage",
    )
    assert (await world.get(f"{path}/a?user=1")).status == 401
    assert (await world.get(f"{path}/a", ("X-Key", "k"))).status == 401
    assert asked(world) == []
    assert (await world.get(f"{path}/a?user=1", ("x-key", "k"))).status == 200
    event = asked(world)[0]
    assert (event["type"], event["queryStringParameters"]) == ("REQUEST", {"user": "1"})
    assert "body" not in event


async def test_an_encoded_path_does_not_slip_past_a_policy(world: World) -> None:
    world.functions.answers["gatekeeper"] = lambda event: {
        "principalId": "me",
        "policyDocument": {
            "Statement": [
                {"Effect": "Allow", "Action": "execute-api:*", "Resource": "*"},
                {"Effect": "Deny", "Action": "execute-api:Invoke", "Resource": "arn:*/GET/admin"},
            ]
        },
    }
    path = await rest_api(world, "GET /{page}")
    for page, status in (("admin", 403), ("%61dmin", 403), ("open", 200)):
        assert (await world.get(f"{path}/{page}", ("Authorization", "x"))).status == status


@pytest.mark.parametrize("version", ["1.0", "2.0"])
async def test_an_http_apis_policy_lets_pass_with_its_context(world: World, version: str) -> None:
    arn = "routeArn" if version == "2.0" else "methodArn"
    world.functions.answers["gatekeeper"] = lambda event: policy("Allow", event[arn], context={"level": 3, "list": [1]})
    path = await http_api(world, "GET /items", version=version)
    event = event_of(await world.get(f"{path}/items", ("Authorization", "x")))
    assert event["requestContext"]["authorizer"] == {"lambda": {"level": 3, "list": [1]}}
    told = asked(world)[0]
    assert (told["version"], told["type"]) == (version, "REQUEST")
    assert told["identitySource"] == (["x"] if version == "2.0" else "x")


@pytest.mark.parametrize(
    ("answer", "status", "body"),
    [
        (lambda event: {"isAuthorized": False}, 403, b'{"message":"Forbidden"}'),
        (lambda event: {"isAuthorized": "yes"}, 500, b'{"message":"Internal Server Error"}'),
        (lambda event: {}, 500, b'{"message":"Internal Server Error"}'),
        (lambda event: 1 / 0, 500, b'{"message":"Internal Server Error"}'),
    ],
)
async def test_a_simple_answer_that_does_not_let_pass(world: World, answer: Any, status: int, body: bytes) -> None:
    world.functions.answers["gatekeeper"] = answer
    path = await http_api(world, "GET /items", version="2.0", EnableSimpleResponses=True)
    assert words(await world.get(f"{path}/items", ("Authorization", "x"))) == (status, body)
    assert words(await world.get(f"{path}/items")) == (401, b'{"message":"Unauthorized"}')
    assert len(world.functions.invocations) == 1


async def test_all_routes_share_the_cache_unless_the_route_is_an_identity_source(world: World) -> None:
    world.functions.answers["gatekeeper"] = lambda event: {"isAuthorized": True}
    options = {"version": "2.0", "EnableSimpleResponses": True, "AuthorizerResultTtlInSeconds": 60}
    token = ("Authorization", "x")
    shared = await http_api(world, "GET /a", "GET /b", **options)
    for page in ("a", "b"):
        await world.get(f"{shared}/{page}", token)
    assert len(asked(world)) == 1
    sources = ["$request.header.Authorization", "$context.routeKey"]
    apart = await http_api(world, "GET /a", "GET /b", **options, IdentitySource=sources)
    for page in ("a", "b", "a"):
        await world.get(f"{apart}/{page}", token)
    assert len(asked(world)) == 3


async def test_a_route_whose_authorizer_is_gone_keeps_everyone_out(world: World) -> None:
    path = await http_api(world, "GET /items")
    for stored in await world.store.list_documents("apigatewayv2.authorizer"):
        await world.store.write(Delete("apigatewayv2.authorizer", stored.key))
    assert (await world.get(f"{path}/items", ("Authorization", "x"))).status == 500
    assert world.functions.invocations == []
