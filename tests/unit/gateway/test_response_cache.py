"""Response caching of REST APIs. Developer Guide, "Cache settings for REST APIs in API Gateway"."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.gateway.signing import signed_headers
from tests.unit.gateway.test_iam_authorizer import policy, user
from tests.unit.gateway.world import FUNCTION, World, header, invoke_uri

from freehold.aws.errors import AwsError
from freehold.gateway import response_cache
from freehold.gateway.response_cache import Place, ResponseCache
from freehold.http.messages import Response


class Counter:
    """A function that answers 1, 2, 3."""

    def __init__(self, status: int = 200) -> None:
        self.count = 0
        self.status = status

    def __call__(self, event: dict[str, Any]) -> dict[str, Any]:
        self.count += 1
        return {"statusCode": self.status, "body": str(self.count)}


async def settings(world: World, api_id: str, *named: tuple[str, str]) -> None:
    patches = [{"op": "replace", "path": path, "value": value} for path, value in named]
    await world.rest("UpdateStage", restApiId=api_id, stageName="dev", patchOperations=patches)


async def cached_api(world: World, *methods: str, keys: tuple[str, ...] = (), **options: Any) -> str:
    api_id = await world.rest_api(deploy=False)
    for method in methods:
        await world.rest_method(api_id, method, **options)
        verb, _, path = method.partition(" ")
        where = {"restApiId": api_id, "resourceId": await world.rest_resource(api_id, path), "httpMethod": verb}
        proxy = {"type": "AWS_PROXY", "integrationHttpMethod": "POST", "uri": invoke_uri(FUNCTION)}
        mapped = {"integration.request.header.team": "method.request.header.X-Team"}
        await world.rest("PutIntegration", **where, **proxy, cacheKeyParameters=list(keys), requestParameters=mapped)
    await world.rest("CreateDeployment", restApiId=api_id, stageName="dev", cacheClusterEnabled=True)
    await settings(world, api_id, ("/*/*/caching/enabled", "true"))
    world.functions.answers["hello"] = Counter()
    return api_id


async def bodies(world: World, api_id: str, *paths: str, method: str = "GET") -> list[str]:
    found = []
    for path in paths:
        response = await world.send(method, f"/_aws/execute-api/{api_id}/dev{path}")
        found.append(response.body.decode())
    return found


async def test_an_answer_is_kept_until_its_time_is_over(world: World) -> None:
    api_id = await cached_api(world, "GET /items")
    assert await bodies(world, api_id, "/items", "/items") == ["1", "1"]
    world.clock.at_s += 299
    assert await bodies(world, api_id, "/items") == ["1"]
    world.clock.at_s += 2
    assert await bodies(world, api_id, "/items") == ["2"]
    await settings(world, api_id, ("/*/*/caching/ttlInSeconds", "0"))
    assert await bodies(world, api_id, "/items", "/items") == ["3", "4"]


async def test_only_cache_key_parameters_make_answers_different(world: World) -> None:
    keys = ("method.request.querystring.page", "method.request.path.id")
    api_id = await cached_api(world, "GET /items/{id}", keys=keys)
    paths = ("/items/1?page=1", "/items/1?page=2", "/items/2?page=1", "/items/1?page=1&sort=up", "/items/1")
    assert await bodies(world, api_id, *paths) == ["1", "2", "3", "1", "4"]


async def test_without_keys_all_of_a_resource_are_one_answer_and_resources_are_apart(world: World) -> None:
    api_id = await cached_api(world, "GET /items/{id}", "GET /others")
    assert await bodies(world, api_id, "/items/1", "/items/2", "/others") == ["1", "1", "2"]


async def test_a_key_may_be_what_the_integration_is_given(world: World) -> None:
    api_id = await cached_api(world, "GET /items", keys=("integration.request.header.team",))
    path = f"/_aws/execute-api/{api_id}/dev/items"
    answers = [(await world.get(path, ("X-Team", team))).body for team in ("a", "b", "a")]
    assert answers == [b"1", b"2", b"1"]


async def test_by_settings_for_all_only_get_is_cached_and_other_methods_by_their_own(world: World) -> None:
    api_id = await cached_api(world, "POST /items", "ANY /any")
    assert await bodies(world, api_id, "/items", "/items", method="POST") == ["1", "2"]
    assert await bodies(world, api_id, "/any", "/any", method="PUT") == ["3", "4"]
    assert await bodies(world, api_id, "/any", "/any") == ["5", "5"]
    await settings(world, api_id, ("/~1items/POST/caching/enabled", "true"))
    assert await bodies(world, api_id, "/items", "/items", method="POST") == ["6", "6"]
    await settings(world, api_id, ("/~1any/ANY/caching/enabled", "false"))
    assert await bodies(world, api_id, "/any", "/any") == ["7", "8"]


async def test_failures_are_not_kept_and_every_caller_is_asked_who_they_are(world: World) -> None:
    api_id = await cached_api(world, "GET /items", authorizationType="AWS_IAM")
    world.functions.answers["hello"] = Counter(500)
    ann = await user(world, policy())
    path = f"/_aws/execute-api/{api_id}/dev/items"
    signed = signed_headers(ann, "GET", path)
    assert [(await world.send("GET", path, signed)).body for _ in range(2)] == [b"1", b"2"]
    world.functions.answers["hello"] = Counter()
    assert (await world.send("GET", path, signed)).status == 200
    assert (await world.get(path)).status == 403


@pytest.mark.parametrize(
    ("named", "status", "body", "warns"),
    [
        ((), 200, b"1", True),
        ((("/*/*/caching/requireAuthorizationForCacheControl", "false"),), 200, b"2", False),
        ((("/*/*/caching/unauthorizedCacheControlHeaderStrategy", "FAIL_WITH_403"),), 403, b"", False),
        (
            (("/*/*/caching/unauthorizedCacheControlHeaderStrategy", "SUCCEED_WITHOUT_RESPONSE_HEADER"),),
            200,
            b"1",
            False,
        ),
    ],
)
async def test_who_may_ask_for_a_fresh_answer(
    world: World, named: tuple[tuple[str, str], ...], status: int, body: bytes, warns: bool
) -> None:
    api_id = await cached_api(world, "GET /items")
    if named:
        await settings(world, api_id, *named)
    assert await bodies(world, api_id, "/items") == ["1"]
    path = f"/_aws/execute-api/{api_id}/dev/items"
    response = await world.get(path, ("Cache-Control", "max-age=0"))
    assert response.status == status
    assert status != 200 or response.body == body
    assert (header(response, "warning") is not None) is warns
    assert (await world.get(path)).body == (b"2" if body == b"2" else b"1")


async def test_a_caller_with_the_permission_gets_a_fresh_answer(world: World) -> None:
    api_id = await cached_api(world, "GET /items", authorizationType="AWS_IAM")
    ann = await user(world, policy())
    path = f"/_aws/execute-api/{api_id}/dev/items"
    for body, warns in ((b"1", True), (b"1", True)):
        fresh = signed_headers(ann, "GET", path, **{"Cache-Control": "max-age=0"})
        response = await world.send("GET", path, fresh)
        assert (response.body, header(response, "warning") is not None) == (body, warns)
    bob = await user(world, policy(), policy(action="execute-api:InvalidateCache"), name="bob")
    response = await world.send("GET", path, signed_headers(bob, "GET", path, **{"Cache-Control": "max-age=0"}))
    assert (response.body, header(response, "warning")) == (b"2", None)
    assert (await world.send("GET", path, signed_headers(ann, "GET", path))).body == b"2"


async def test_a_flushed_stage_starts_empty(world: World) -> None:
    api_id = await cached_api(world, "GET /items")
    await bodies(world, api_id, "/items")
    await world.rest("FlushStageCache", restApiId=api_id, stageName="dev")
    assert await bodies(world, api_id, "/items", "/items") == ["2", "2"]


async def test_without_a_cluster_nothing_is_kept(world: World) -> None:
    api_id = await cached_api(world, "GET /items")
    await settings(world, api_id, ("/cacheClusterEnabled", "false"))
    assert await bodies(world, api_id, "/items", "/items") == ["1", "2"]
    assert (await world.rest("GetStage", restApiId=api_id, stageName="dev"))["cacheClusterStatus"] == "NOT_AVAILABLE"


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("/*/*/caching/ttlInSeconds", "3601", "between 0 and 3600"),
        ("/*/*/caching/unauthorizedCacheControlHeaderStrategy", "MAYBE", "must be one of"),
        ("/cacheClusterSize", "7", "Invalid cache cluster size"),
    ],
)
async def test_settings_that_mean_nothing_are_refused(world: World, path: str, value: str, said: str) -> None:
    api_id = await cached_api(world, "GET /items")
    with pytest.raises(AwsError, match=said):
        await settings(world, api_id, (path, value))


async def test_a_cache_key_of_nothing_does_not_deploy(world: World) -> None:
    with pytest.raises(AwsError, match=r"integration\.request\.header\.nothing of GET /items"):
        await cached_api(world, "GET /items", keys=("integration.request.header.nothing",))


def test_the_least_recently_used_go_when_memory_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(response_cache, "CACHE_MAX_BYTES", 5_000)
    cache = ResponseCache()
    keys = [(Place(1, "items", "GET /items"), "GET", ((str(number),),)) for number in range(5)]
    for key in keys[:4]:
        cache.put(key, Response(200, [], b"x"), 10)
    assert cache.get(keys[0], 1) is not None
    cache.put(keys[4], Response(200, [], b"x" * 500), 10)
    assert [cache.get(key, 1) is not None for key in keys] == [True, False, True, True, True]
    cache.put(keys[4], Response(200, [], b"x" * 2_000_000), 10)
    assert [cache.get(key, 1) is not None for key in keys] == [True, False, True, True, False]
    for key in keys:
        assert cache.get(key, 11) is None
    assert cache.size_bytes == 0
