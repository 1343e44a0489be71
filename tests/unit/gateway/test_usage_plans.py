"""API keys, usage plans, throttling and quotas of REST APIs: from the control plane to who is let in."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.unit.gateway.world import AUTHORIZER, World, event_of, header, invoke_uri

from freehold.aws.errors import AwsError
from freehold.clock import RandomIds
from freehold.gateway.gateway import Gateway
from freehold.state.store import Write

Json = dict[str, Any]
DAY_S = 86_400.0


class Shop:
    """An API with a method that requires a key, a key, and a plan that joins them."""

    def __init__(self, world: World, api_id: str, key: Json, plan: Json) -> None:
        self.world = world
        self.api_id = api_id
        self.key = key
        self.plan = plan

    async def status(self, path: str = "items", key: str | None = None, method: str = "GET") -> int:
        sent = self.key["value"] if key is None else key
        url = f"/_aws/execute-api/{self.api_id}/dev/{path}"
        return (await self.world.send(method, url, [("X-Api-Key", sent)] if sent else [])).status

    async def statuses(self, count: int, path: str = "items") -> list[int]:
        return [await self.status(path) for _ in range(count)]

    async def usage(self, start: str = "2020-03-04", end: str = "2020-03-04") -> Any:
        await self.world.gateway.close()
        self.world.gateway.start()
        request = {"usagePlanId": self.plan["id"], "startDate": start, "endDate": end}
        return (await self.world.rest("GetUsage", **request))["items"].get(self.key["id"])


async def open_shop(world: World, *, stage: Json | None = None, api: Json | None = None, **plan: Any) -> Shop:
    api_id = await world.rest_api("GET /open", deploy=False, **(api or {}))
    for method in ("GET /items", "POST /items", "GET /others"):
        await world.rest_method(api_id, method, apiKeyRequired=True)
    await world.rest("CreateDeployment", restApiId=api_id, stageName="dev")
    key = await world.rest("CreateApiKey", name="mine", enabled=True)
    stages = [{"apiId": api_id, "stage": "dev", **(stage or {})}]
    made = await world.rest("CreateUsagePlan", name="basic", apiStages=stages, **plan)
    await world.rest("CreateUsagePlanKey", usagePlanId=made["id"], keyId=key["id"], keyType="API_KEY")
    return Shop(world, api_id, key, made)


async def test_a_method_that_requires_a_key_is_not_reached_without_one(world: World) -> None:
    shop = await open_shop(world)
    for sent in ("", "x" * 40):
        assert await shop.status(key=sent) == 403
    response = await world.get(f"/_aws/execute-api/{shop.api_id}/dev/items")
    assert (response.status, response.body) == (403, b'{"message":"Forbidden"}')
    assert header(response, "x-amzn-errortype") == "ForbiddenException"
    assert world.functions.invocations == []
    assert await shop.status() == 200
    assert await shop.status("open", key="") == 200


async def test_the_function_is_told_the_key(world: World) -> None:
    shop = await open_shop(world)
    url = f"/_aws/execute-api/{shop.api_id}/dev/items"
    identity = event_of(await world.get(url, ("x-api-key", shop.key["value"])))["requestContext"]["identity"]
    assert (identity["apiKey"], identity["apiKeyId"]) == (shop.key["value"], shop.key["id"])


@pytest.mark.parametrize("how", ["disabled", "deleted", "out of the plan", "stage out of the plan", "plan deleted"])
async def test_a_key_that_lost_its_right_is_refused_at_once(world: World, how: str) -> None:
    shop = await open_shop(world)
    assert await shop.status() == 200
    plan, stage = shop.plan["id"], f"{shop.api_id}:dev"
    remove = [{"op": "remove", "path": "/apiStages", "value": stage}]
    match how:
        case "disabled":
            patches = [{"op": "replace", "path": "/enabled", "value": "false"}]
            await world.rest("UpdateApiKey", apiKey=shop.key["id"], patchOperations=patches)
        case "deleted":
            await world.rest("DeleteApiKey", apiKey=shop.key["id"])
        case "out of the plan":
            await world.rest("DeleteUsagePlanKey", usagePlanId=plan, keyId=shop.key["id"])
        case "stage out of the plan":
            await world.rest("UpdateUsagePlan", usagePlanId=plan, patchOperations=remove)
        case "plan deleted":
            await world.rest("UpdateUsagePlan", usagePlanId=plan, patchOperations=remove)
            await world.rest("DeleteUsagePlan", usagePlanId=plan)
    assert await shop.status() == 403


async def test_a_key_of_another_stage_is_refused(world: World) -> None:
    shop = await open_shop(world)
    await world.rest("CreateDeployment", restApiId=shop.api_id, stageName="prod")
    response = await world.get(f"/_aws/execute-api/{shop.api_id}/prod/items", ("x-api-key", shop.key["value"]))
    assert response.status == 403


async def test_an_authorizer_may_name_the_key(world: World) -> None:
    shop = await open_shop(world, api={"apiKeySource": "AUTHORIZER"})
    authorizer = await world.rest(
        "CreateAuthorizer",
        restApiId=shop.api_id,
        name="a",
        type="TOKEN",
        authorizerUri=invoke_uri(AUTHORIZER),
        authorizerResultTtlInSeconds=0,
        identitySource="method.request.header.Authorization",
    )
    guarded = {"authorizationType": "CUSTOM", "authorizerId": authorizer["id"], "apiKeyRequired": True}
    await world.rest_method(shop.api_id, "GET /guarded", **guarded)
    await world.rest("CreateDeployment", restApiId=shop.api_id, stageName="dev")
    allow = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": [allow]}

    def answer(event: Json) -> Json:
        return {"principalId": "me", "policyDocument": policy, "usageIdentifierKey": event["authorizationToken"]}

    world.functions.answers["gatekeeper"] = answer
    url = f"/_aws/execute-api/{shop.api_id}/dev/guarded"
    assert (await world.get(url, ("Authorization", shop.key["value"]))).status == 200
    assert (await world.get(url, ("Authorization", "x" * 40))).status == 403
    # The header does not count then.
    assert (await world.get(url, ("Authorization", "other"), ("x-api-key", shop.key["value"]))).status == 403


async def test_a_plans_throttle_is_each_keys_own(world: World) -> None:
    shop = await open_shop(world, throttle={"rateLimit": 1.0, "burstLimit": 2})
    other = await world.rest("CreateApiKey", name="other", enabled=True)
    await world.rest("CreateUsagePlanKey", usagePlanId=shop.plan["id"], keyId=other["id"], keyType="API_KEY")
    assert await shop.statuses(3) == [200, 200, 429]
    assert await shop.status(key=other["value"]) == 200
    # A change of something else does not fill the bucket again.
    rename = [{"op": "replace", "path": "/name", "value": "renamed"}]
    await world.rest("UpdateUsagePlan", usagePlanId=shop.plan["id"], patchOperations=rename)
    response = await world.get(f"/_aws/execute-api/{shop.api_id}/dev/items", ("x-api-key", shop.key["value"]))
    assert (response.status, response.body) == (429, b'{"message":"Too Many Requests"}')
    assert header(response, "x-amzn-errortype") == "TooManyRequestsException"
    world.clock.at_s += 1
    assert await shop.statuses(2) == [200, 429]


async def test_a_plan_may_throttle_one_method_otherwise(world: World) -> None:
    stage = {"throttle": {"/items/GET": {"rateLimit": 0.001, "burstLimit": 1}}}
    shop = await open_shop(world, stage=stage, throttle={"rateLimit": 0.001, "burstLimit": 2})
    assert await shop.statuses(2) == [200, 429]
    assert await shop.statuses(3, "others") == [200, 200, 429]
    path = f"/apiStages/{shop.api_id}:dev/throttle/~1items/GET"
    patches = [{"op": "replace", "path": f"{path}/burstLimit", "value": "3"}]
    patched = await world.rest("UpdateUsagePlan", usagePlanId=shop.plan["id"], patchOperations=patches)
    assert patched["apiStages"][0]["throttle"] == {"/items/GET": {"rateLimit": 0.001, "burstLimit": 3}}
    assert await shop.statuses(4) == [200, 200, 200, 429]
    patches = [{"op": "remove", "path": path}]
    patched = await world.rest("UpdateUsagePlan", usagePlanId=shop.plan["id"], patchOperations=patches)
    assert patched["apiStages"][0]["throttle"] == {}


async def test_a_quota_is_used_up_and_comes_back_with_the_next_period(world: World) -> None:
    shop = await open_shop(world, quota={"limit": 2, "period": "DAY"})
    assert await shop.statuses(2) == [200, 200]
    response = await world.get(f"/_aws/execute-api/{shop.api_id}/dev/items", ("x-api-key", shop.key["value"]))
    assert (response.status, response.body) == (429, b'{"message":"Limit Exceeded"}')
    assert header(response, "x-amzn-errortype") == "LimitExceededException"
    assert await shop.usage() == [[2, 0]]
    world.clock.at_s += DAY_S
    assert await shop.statuses(3) == [200, 200, 429]
    assert await shop.usage(end="2020-03-06") == [[2, 0], [2, 0], [0, 2]]


async def test_what_is_refused_before_does_not_count(world: World) -> None:
    throttle = {"rateLimit": 0.001, "burstLimit": 1}
    shop = await open_shop(world, quota={"limit": 5, "period": "WEEK"}, throttle=throttle)
    assert await shop.statuses(3) == [200, 429, 429]
    assert await shop.usage() == [[1, 4]]


async def test_a_restart_gives_no_new_quota(world: World) -> None:
    shop = await open_shop(world, quota={"limit": 2, "period": "MONTH"})
    assert await shop.status() == 200
    await world.gateway.close()
    world.gateway = Gateway(world.store, world.functions, world.clock, RandomIds())
    world.gateway.start()
    assert await shop.statuses(2) == [200, 429]


async def test_counts_are_written_beside_the_requests(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = await open_shop(world, quota={"limit": 2, "period": "MONTH"})
    name = f"us-east-1/{shop.plan['id']}/{shop.key['id']}"
    write, disk_is_free = world.store.write, asyncio.Event()

    async def write_when_free(*writes: Write) -> int:
        await disk_is_free.wait()
        return await write(*writes)

    monkeypatch.setattr(world.store, "write", write_when_free)
    assert await shop.status() == 200
    assert await world.store.read("apigateway.usage", name) is None
    disk_is_free.set()
    await world.gateway.close()
    stored = await world.store.read("apigateway.usage", name)
    assert stored is not None
    assert stored.document["days"] == {"2020-03-04": 1}


async def test_a_quota_may_be_extended_for_its_period(world: World) -> None:
    shop = await open_shop(world, quota={"limit": 2, "period": "DAY"})
    assert await shop.statuses(3) == [200, 200, 429]
    where = {"usagePlanId": shop.plan["id"], "keyId": shop.key["id"]}
    patches = [{"op": "replace", "path": "/remaining", "value": "1"}]
    assert (await world.rest("UpdateUsage", **where, patchOperations=patches))["items"][shop.key["id"]][0][1] == 1
    assert await shop.statuses(2) == [200, 429]
    assert await shop.usage() == [[3, 0]]
    world.gateway.stop()
    world.gateway = Gateway(world.store, world.functions, world.clock, RandomIds())
    world.gateway.start()
    assert await shop.status() == 429  # It is not applied twice.
    world.clock.at_s += DAY_S
    assert await shop.statuses(3) == [200, 200, 429]


@pytest.mark.parametrize(
    ("quota", "what"),
    [
        ({"limit": 1, "period": "DAY", "offset": 1}, "offset must be zero in the DAY period"),
        ({"limit": 1, "period": "WEEK", "offset": 7}, "between 0 and 6 inclusive in the WEEK period"),
        ({"limit": 1, "period": "MONTH", "offset": 28}, "between 0 and 27 inclusive in the MONTH period"),
        ({"limit": 1, "period": "YEAR"}, "DAY, WEEK or MONTH"),
        ({"period": "DAY"}, "must have a limit"),
    ],
)
async def test_a_quota_that_makes_no_sense_is_refused(world: World, quota: Json, what: str) -> None:
    with pytest.raises(AwsError, match=what):
        await world.rest("CreateUsagePlan", name="basic", quota=quota)


async def test_in_a_stage_a_key_belongs_to_one_plan(world: World) -> None:
    shop = await open_shop(world)
    second = await world.rest("CreateUsagePlan", name="second", apiStages=[{"apiId": shop.api_id, "stage": "dev"}])
    with pytest.raises(AwsError, match="cannot reference multiple Usage Plans with the same Api Stage"):
        await world.rest("CreateUsagePlanKey", usagePlanId=second["id"], keyId=shop.key["id"], keyType="API_KEY")


async def test_a_stage_that_goes_leaves_its_plans(world: World) -> None:
    shop = await open_shop(world)
    await world.rest("DeleteStage", restApiId=shop.api_id, stageName="dev")
    assert (await world.rest("GetUsagePlan", usagePlanId=shop.plan["id"]))["apiStages"] == []


async def test_the_accounts_own_limit_is_shared_by_all_its_apis(world: World) -> None:
    one, other = await world.rest_api("GET /items"), await world.rest_api("GET /items")
    statuses = set()
    for number in range(5_001):
        api_id = other if number % 2 else one
        statuses.add((await world.get(f"/_aws/execute-api/{api_id}/dev/items")).status)
        if number == 4_999:
            assert statuses == {200}
    assert statuses == {200, 429}
