"""What a REST API asks of a request, in AWS's order: who is refused at a step never reaches the next.

Developer Guide, "Controlling and managing access to a REST API", "API Gateway resource policies": policy, authorizer,
API key, validation, throttle, integration. And all of it is of the deployment, not of what is edited meanwhile.
"""

from __future__ import annotations

import json
from typing import Any

from tests.unit.gateway.world import AUTHORIZER, FUNCTION, World, event_of, invoke_uri

_DENY = {"Effect": "Deny", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/*"}
_ALLOW = {**_DENY, "Effect": "Allow"}
_OURS = {**_DENY, "Condition": {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}}
Json = dict[str, Any]


def _let_pass(effect: str) -> Json:
    statement = {"Effect": effect, "Action": "execute-api:Invoke", "Resource": "*"}
    return {"principalId": "ann", "policyDocument": {"Version": "2012-10-17", "Statement": [statement]}}


async def _deploy(world: World, api: str) -> None:
    await world.rest("CreateDeployment", restApiId=api, stageName="dev")


async def _policy(world: World, api: str, *statements: Json) -> None:
    text = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    operations = [{"op": "replace", "path": "/policy", "value": text}]
    await world.rest("UpdateRestApi", restApiId=api, patchOperations=operations)


async def test_each_step_comes_after_the_one_before(world: World) -> None:
    api = await world.rest_api(deploy=False)
    await _policy(world, api, _ALLOW, _OURS)
    guard = await world.rest(
        "CreateAuthorizer", restApiId=api, name="g", type="TOKEN", authorizerUri=invoke_uri(AUTHORIZER),
        identitySource="method.request.header.Authorization", authorizerResultTtlInSeconds=0,
    )  # fmt: skip
    validator = await world.rest("CreateRequestValidator", restApiId=api, name="v", validateRequestParameters=True)
    await world.rest_method(
        api, "GET /items", authorizationType="CUSTOM", authorizerId=guard["id"], apiKeyRequired=True,
        requestValidatorId=validator["id"], requestParameters={"method.request.querystring.page": True},
    )  # fmt: skip
    await _deploy(world, api)
    key = await world.rest("CreateApiKey", name="k", enabled=True)
    throttle = {"burstLimit": 1, "rateLimit": 0.001}
    plan = await world.rest("CreateUsagePlan", name="p", apiStages=[{"apiId": api, "stage": "dev"}], throttle=throttle)
    await world.rest("CreateUsagePlanKey", usagePlanId=plan["id"], keyId=key["id"], keyType="API_KEY")
    url = f"/_aws/execute-api/{api}/dev/items"
    asked: list[str] = []

    def judge(event: Json) -> Json:
        asked.append(event["authorizationToken"])
        return _let_pass("Allow" if event["authorizationToken"] == "good" else "Deny")

    world.functions.answers["gatekeeper"] = judge
    good, bad, mine = ("Authorization", "good"), ("Authorization", "bad"), ("X-Api-Key", key["value"])

    def reached() -> int:
        return sum(invocation.function_arn == FUNCTION for invocation in world.functions.invocations)

    async def words(query: str, *headers: tuple[str, str]) -> tuple[int, str]:
        response = await world.get(url + query, *headers)
        return response.status, response.body.decode()

    # Everything is wrong: the policy says no, and nobody else is asked.
    status, said = await words("", bad)
    assert (status, asked) == (403, [])
    assert "with an explicit deny" in said
    await _policy(world, api, _ALLOW)
    await _deploy(world, api)
    assert (await words(""))[0] == 401
    assert asked == []  # Without a token there is nothing to judge.
    status, said = await words("", bad)
    assert (status, asked) == (403, ["bad"])
    assert "explicit deny" in said
    assert await words("", good) == (403, '{"message":"Forbidden"}')  # No key; the page is missing, too.
    missing = (400, '{"message": "Missing required request parameters: [page]"}')
    for _ in range(3):  # More than the throttle lets pass: what is refused here is not counted there.
        assert await words("", good, mine) == missing
    assert reached() == 0
    assert (await words("?page=1", good, mine))[0] == 200
    assert reached() == 1
    assert await words("?page=1", good, mine) == (429, '{"message":"Too Many Requests"}')
    assert await words("", good, mine) == missing
    assert reached() == 1


async def test_nothing_that_is_edited_counts_before_it_is_deployed(world: World) -> None:
    api = await world.rest_api("GET /items")
    url = f"/_aws/execute-api/{api}/dev/items"
    root = {"restApiId": api}
    resource = await world.rest_resource(api, "/items")
    where = {**root, "resourceId": resource, "httpMethod": "GET"}
    assert (await world.get(url)).status == 200
    await _policy(world, api, _DENY)
    await world.rest("PutGatewayResponse", **root, responseType="MISSING_AUTHENTICATION_TOKEN", statusCode="404")
    required = [{"op": "replace", "path": "/apiKeyRequired", "value": "true"}]
    await world.rest("UpdateMethod", **where, patchOperations=required)
    slow = [{"op": "replace", "path": "/timeoutInMillis", "value": "50"}]
    await world.rest("UpdateIntegration", **where, patchOperations=slow)
    renamed = [{"op": "replace", "path": "/pathPart", "value": "things"}]
    await world.rest("UpdateResource", **root, resourceId=resource, patchOperations=renamed)
    assert (await world.get(url)).status == 200
    assert (await world.get(url + "/none")).status == 403
    await _deploy(world, api)
    assert (await world.get(url)).status == 404  # Moved, and in the words of the gateway response.
    assert (await world.get(url.replace("items", "things"))).status == 403


async def test_a_stage_variable_names_the_function(world: World) -> None:
    api = await world.rest_api("GET /items", deploy=False)
    where = {"restApiId": api, "resourceId": await world.rest_resource(api, "/items"), "httpMethod": "GET"}
    name = "arn:aws:lambda:us-east-1:000000000000:function:${stageVariables.fn}"
    uri = [{"op": "replace", "path": "/uri", "value": invoke_uri(name)}]
    await world.rest("UpdateIntegration", **where, patchOperations=uri)
    await world.rest("CreateDeployment", restApiId=api, stageName="dev", variables={"fn": "hello"})
    await world.rest("CreateDeployment", restApiId=api, stageName="prod", variables={"fn": "later"})
    for stage, function in (("dev", "hello"), ("prod", "later")):
        response = await world.get(f"/_aws/execute-api/{api}/{stage}/items")
        assert event_of(response)["stageVariables"] == {"fn": function}
        assert world.functions.invocations[-1].function_arn.split(":")[6] == function
    variable = [{"op": "replace", "path": "/variables/fn", "value": "later"}]
    await world.rest("UpdateStage", restApiId=api, stageName="dev", patchOperations=variable)
    await world.get(f"/_aws/execute-api/{api}/dev/items")
    assert world.functions.invocations[-1].function_arn.split(":")[6] == "later"
