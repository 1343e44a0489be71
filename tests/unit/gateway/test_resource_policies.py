"""Resource policies of REST APIs, alone and with each kind of authorizer.

Developer Guide, "How API Gateway resource policies affect authorization workflow": the sentences and Table A.
"""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from tests.unit.gateway.signing import signed_headers
from tests.unit.gateway.test_iam_authorizer import policy as user_policy
from tests.unit.gateway.test_iam_authorizer import user
from tests.unit.gateway.test_lambda_authorizers import policy as answer
from tests.unit.gateway.test_lambda_authorizers import rest_api
from tests.unit.gateway.world import World

from freehold.aws.errors import AwsError

Json = dict[str, Any]
HERE, ELSEWHERE = "203.0.113.0/24", "198.51.100.0/24"  # The caller of the tests is 203.0.113.7.
ANONYMOUS = "User: anonymous is not authorized to perform: execute-api:Invoke on resource: "


def statement(effect: str = "Allow", resource: str = "execute-api:/*", network: str = "", **more: Any) -> Json:
    made = {"Effect": effect, "Principal": "*", "Action": "execute-api:Invoke", "Resource": resource, **more}
    return {**made, "Condition": {"IpAddress": {"aws:SourceIp": network}}} if network else made


def document(*statements: Json) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


VERDICTS = {
    "allow": statement(network=HERE),
    "nothing": statement(network=ELSEWHERE),
    "deny": statement("Deny", network=HERE),
}


@pytest.mark.parametrize(
    ("statements", "status"),
    [
        ([VERDICTS["allow"]], 200),
        ([VERDICTS["nothing"]], 403),
        ([VERDICTS["deny"]], 403),
        ([statement(), VERDICTS["deny"]], 403),
        ([statement(), statement("Deny", network=ELSEWHERE)], 200),
        ([statement(resource="execute-api:/dev/GET/items")], 200),
        ([statement(resource="execute-api:/prod/*")], 403),
        ([statement(Principal={"AWS": "*"})], 200),
        ([statement(Principal={"AWS": "arn:aws:iam::000000000000:root"})], 403),
        ([statement(Condition={"StringEquals": {"aws:SourceVpce": "vpce-1"}})], 403),
        ([], 403),
    ],
)
async def test_alone_the_policy_must_allow(world: World, statements: list[Json], status: int) -> None:
    api_id = await world.rest_api("GET /items", policy=document(*statements))
    assert (await world.get(f"/_aws/execute-api/{api_id}/dev/items")).status == status
    assert len(world.functions.invocations) == (1 if status == 200 else 0)


async def test_a_refusal_says_who_what_and_whether_it_was_explicit(world: World) -> None:
    for verdict, tail in (("nothing", ""), ("deny", " with an explicit deny")):
        api_id = await world.rest_api("GET /items", policy=document(VERDICTS[verdict]))
        response = await world.get(f"/_aws/execute-api/{api_id}/dev/items")
        told = f"{ANONYMOUS}arn:aws:execute-api:us-east-1:********0000:{api_id}/dev/GET/items{tail}"
        assert (response.status, orjson.loads(response.body)) == (403, {"Message": told})


async def test_a_path_written_otherwise_is_the_same_path_to_a_policy(world: World) -> None:
    denied = statement("Deny", resource="execute-api:/*/*/admin")
    api_id = await world.rest_api("GET /{name}", policy=document(statement(), denied))
    path = f"/_aws/execute-api/{api_id}/dev"
    for name in ("admin", "%61dmin", "admin/"):
        assert (await world.get(f"{path}/{name}")).status == 403
    assert (await world.get(f"{path}/admins")).status == 200


# Table A: the authorizer's or the user's policy, the API's policy, whether it may pass.
TABLE_A = [
    ("allow", "allow", True),
    ("allow", "nothing", True),
    ("allow", "deny", False),
    ("nothing", "allow", True),
    ("nothing", "nothing", False),
    ("nothing", "deny", False),
    ("deny", "allow", False),
    ("deny", "nothing", False),
    ("deny", "deny", False),
]


@pytest.mark.parametrize(("theirs", "the_apis", "passes"), TABLE_A)
async def test_beside_a_lambda_authorizer_either_may_allow(
    world: World, theirs: str, the_apis: str, passes: bool
) -> None:
    answers = {"allow": answer("Allow", "*"), "nothing": answer("Allow", "arn:x"), "deny": answer("Deny", "*")}
    world.functions.answers["gatekeeper"] = lambda event: answers[theirs]
    path = await guarded(world, VERDICTS[the_apis])
    assert ((await world.get(path, ("Authorization", "x"))).status == 200) is passes
    asked = [invocation for invocation in world.functions.invocations if "gatekeeper" in invocation.function_arn]
    assert len(asked) == (0 if the_apis == "deny" else 1)


@pytest.mark.parametrize(("theirs", "the_apis", "passes"), TABLE_A)
async def test_beside_aws_iam_either_may_allow(world: World, theirs: str, the_apis: str, passes: bool) -> None:
    policies = {"allow": [user_policy()], "nothing": [], "deny": [user_policy(effect="Deny")]}
    ann = await user(world, *policies[theirs])
    named = {**VERDICTS[the_apis], "Principal": {"AWS": "arn:aws:iam::000000000000:user/ann"}}
    api_id = await world.rest_api(deploy=False, policy=document(named))
    await world.rest_method(api_id, "GET /items", authorizationType="AWS_IAM")
    await world.rest("CreateDeployment", restApiId=api_id, stageName="dev")
    path = f"/_aws/execute-api/{api_id}/dev/items"
    response = await world.send("GET", path, signed_headers(ann, "GET", path))
    assert (response.status == 200) is passes


async def test_a_policy_counts_from_the_next_deployment_and_is_answered_as_aws_escapes_it(world: World) -> None:
    api_id = await world.rest_api("GET /items")
    closed = document(VERDICTS["deny"])
    patched = {"op": "replace", "path": "/policy", "value": closed}
    answered = await world.rest("UpdateRestApi", restApiId=api_id, patchOperations=[patched])
    assert json.loads(f'"{answered["policy"]}"') == closed
    path = f"/_aws/execute-api/{api_id}/dev/items"
    assert (await world.get(path)).status == 200
    await world.rest("CreateDeployment", restApiId=api_id, stageName="dev")
    assert (await world.get(path)).status == 403


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "Invalid policy document"),
        ("[]", "Invalid policy document"),
        (json.dumps({"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}), "Invalid policy document"),
        (document(statement(Principal=7)), "Invalid policy document"),
        (document(statement(Condition={"IpAdress": {"aws:SourceIp": HERE}})), "not support the condition IpAdress"),
        (document(statement(network="not a network")), "not support the condition not a network"),
    ],
)
async def test_a_policy_that_could_not_be_decided_does_not_deploy(world: World, text: str, said: str) -> None:
    with pytest.raises(AwsError, match=said):
        await world.rest_api("GET /items", policy=text)


async def guarded(world: World, *statements: Json) -> str:
    """`GET /items` behind a TOKEN authorizer, in an API with a policy of these statements."""
    path = await rest_api(world, "GET /items")
    api_id = path.split("/")[3]
    patched = {"op": "replace", "path": "/policy", "value": document(*statements)}
    await world.rest("UpdateRestApi", restApiId=api_id, patchOperations=[patched])
    await world.rest("CreateDeployment", restApiId=api_id, stageName="dev")
    return f"{path}/items"
