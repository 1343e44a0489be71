"""Canary releases of REST APIs. Developer Guide, "Set up an API Gateway canary release deployment"."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.gateway.world import World, event_of

from freehold.aws.errors import AwsError

Patch = tuple[str, str]


async def canary_api(world: World, percent: float = 100.0, **settings: Any) -> tuple[str, str]:
    """An API whose canary has `GET /new`, too; its id and the canary's deployment."""
    api_id = await world.rest_api("GET /items", deploy=False)
    variables = {"color": "blue", "shape": "round"}
    await world.rest("CreateDeployment", restApiId=api_id, stageName="dev", variables=variables)
    await world.rest_method(api_id, "GET /new")
    deployment = await world.rest(
        "CreateDeployment",
        restApiId=api_id,
        stageName="dev",
        canarySettings={"percentTraffic": percent, **settings},
    )
    return api_id, deployment["id"]


async def patch(world: World, api_id: str, *patches: Patch) -> Any:
    operations = [{"op": "replace", "path": path, "value": value} for path, value in patches]
    return await world.rest("UpdateStage", restApiId=api_id, stageName="dev", patchOperations=operations)


async def statuses(world: World, api_id: str, times: int, path: str = "/new") -> list[int]:
    return [(await world.get(f"/_aws/execute-api/{api_id}/dev{path}")).status for _ in range(times)]


async def test_by_chance_a_part_of_the_requests_goes_to_the_canary(world: World) -> None:
    api_id, _ = await canary_api(world, 25.0)
    found = await statuses(world, api_id, 800)
    assert 0.15 < found.count(200) / 800 < 0.35
    await patch(world, api_id, ("/canarySettings/percentTraffic", "100"))
    assert set(await statuses(world, api_id, 100)) == {200}
    await patch(world, api_id, ("/canarySettings/percentTraffic", "0.0"))
    assert set(await statuses(world, api_id, 100)) == {403}


async def test_a_canary_has_its_own_variables_and_deployment_in_the_stage_it_is_part_of(world: World) -> None:
    api_id, deployment_id = await canary_api(world, stageVariableOverrides={"color": "red", "size": "big"})
    event = event_of(await world.get(f"/_aws/execute-api/{api_id}/dev/items"))
    assert event["stageVariables"] == {"color": "red", "shape": "round", "size": "big"}
    context = event["requestContext"]
    assert (context["stage"], context["deploymentId"], context["isCanaryRequest"]) == ("dev", deployment_id, True)
    await patch(world, api_id, ("/canarySettings/percentTraffic", "0"))
    event = event_of(await world.get(f"/_aws/execute-api/{api_id}/dev/items"))
    assert event["stageVariables"] == {"color": "blue", "shape": "round"}
    assert event["requestContext"]["isCanaryRequest"] is False


async def test_promoting_copies_the_canary_into_the_stage(world: World) -> None:
    """The patch operations of "Promote a canary release"."""
    api_id, deployment_id = await canary_api(world, stageVariableOverrides={"color": "red"})
    operations = [
        {"op": "replace", "value": "0.0", "path": "/canarySettings/percentTraffic"},
        {"op": "copy", "from": "/canarySettings/stageVariableOverrides", "path": "/variables"},
        {"op": "copy", "from": "/canarySettings/deploymentId", "path": "/deploymentId"},
    ]
    stage = await world.rest("UpdateStage", restApiId=api_id, stageName="dev", patchOperations=operations)
    assert stage["deploymentId"] == deployment_id
    assert stage["variables"] == {"color": "red", "shape": "round"}
    assert await statuses(world, api_id, 1) == [200]
    off = [{"op": "remove", "path": "/canarySettings"}]
    assert "canarySettings" not in await world.rest(
        "UpdateStage", restApiId=api_id, stageName="dev", patchOperations=off
    )
    assert await statuses(world, api_id, 1) == [200]


async def test_a_stage_and_its_canary_share_throttles_and_if_wanted_answers(world: World) -> None:
    api_id, _ = await canary_api(world, 50.0)
    cached = (("/cacheClusterEnabled", "true"), ("/~1items/GET/caching/enabled", "true"))
    await patch(world, api_id, *cached)
    assert set(await statuses(world, api_id, 50, "/items")) == {200}
    assert len(world.functions.invocations) == 2
    await patch(world, api_id, ("/canarySettings/useStageCache", "true"))
    assert set(await statuses(world, api_id, 50, "/items")) == {200}
    assert len(world.functions.invocations) == 3
    limits = (("/~1items/GET/throttling/burstLimit", "5"), ("/~1items/GET/throttling/rateLimit", "0.001"))
    await patch(world, api_id, *limits)
    assert (await statuses(world, api_id, 50, "/items")).count(200) == 5


async def test_a_canary_may_be_set_on_a_stage_and_has_execution_logs_of_its_own(world: World) -> None:
    api_id = await world.rest_api("GET /items")
    set_up = (("/canarySettings/percentTraffic", "100"), ("/canarySettings/stageVariableOverrides/color", "red"))
    stage = await patch(world, api_id, *set_up, ("/*/*/logging/loglevel", "INFO"))
    assert stage["canarySettings"] == {
        "deploymentId": stage["deploymentId"],
        "percentTraffic": 100.0,
        "stageVariableOverrides": {"color": "red"},
        "useStageCache": False,
    }
    event = event_of(await world.get(f"/_aws/execute-api/{api_id}/dev/items"))
    assert event["stageVariables"] == {"color": "red"}
    assert {group for group, _ in world.logged} == {f"API-Gateway-Execution-Logs_{api_id}/dev/Canary"}


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("/canarySettings/percentTraffic", "101", "between 0 and 100"),
        ("/canarySettings/percentTraffic", "many", "Invalid number"),
        ("/canarySettings/deploymentId", "nothing", "Invalid Deployment identifier"),
        ("/canarySettings/unknown", "1", "Invalid patch path"),
        ("/canarySettings/stageVariableOverrides/a-b", "1", "characters that are not allowed"),
    ],
)
async def test_settings_that_mean_nothing_are_refused(world: World, path: str, value: str, said: str) -> None:
    api_id = await world.rest_api("GET /items")
    with pytest.raises(AwsError, match=said):
        await patch(world, api_id, (path, value))


async def test_a_canary_needs_a_stage_and_keeps_its_deployment(world: World) -> None:
    api_id, deployment_id = await canary_api(world)
    with pytest.raises(AwsError, match="needs a stage that exists"):
        await world.rest("CreateDeployment", restApiId=api_id, stageName="new", canarySettings={})
    with pytest.raises(AwsError, match="needs a stage that exists"):
        await world.rest("CreateDeployment", restApiId=api_id, canarySettings={})
    with pytest.raises(AwsError, match="Active stages"):
        await world.rest("DeleteDeployment", restApiId=api_id, deploymentId=deployment_id)
