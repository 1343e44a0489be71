"""COGNITO_USER_POOLS authorizers of REST APIs: who passes, what the function is told, who does not."""

from __future__ import annotations

from typing import Any

import jwt
import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from tests.unit.gateway.world import NOW_S, World, event_of

from freehold.http.messages import Response

POOL = "us-east-1_AbCdEf123"
ARN = f"arn:aws:cognito-idp:us-east-1:000000000000:userpool/{POOL}"
ISSUER = f"https://cognito-idp.us-east-1.amazonaws.com/{POOL}"
JWKS = f"{ISSUER}/.well-known/jwks.json"
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def token(key: Any = RSA, algorithm: str = "RS256", **claims: Any) -> str:
    payload = {"iss": ISSUER, "aud": "app", "token_use": "id", "exp": int(NOW_S) + 60, "sub": "me", **claims}
    payload = {name: value for name, value in payload.items() if value is not None}
    return jwt.encode(payload, key, algorithm=algorithm, headers={"kid": "one"})


async def protect(world: World, scopes: list[str] | None = None, policy: str = "", **authorizer: Any) -> str:
    """The path of the guarded method."""
    world.pages[f"{ISSUER}/.well-known/openid-configuration"] = orjson.dumps({"issuer": ISSUER, "jwks_uri": JWKS})
    public = orjson.loads(jwt.algorithms.RSAAlgorithm.to_jwk(RSA.public_key()))
    world.pages[JWKS] = orjson.dumps({"keys": [{**public, "kid": "one"}]})
    api_id = await world.rest_api("GET /open", deploy=False, **({"policy": policy} if policy else {}))
    made = await world.rest(
        "CreateAuthorizer", restApiId=api_id, name="pool", type="COGNITO_USER_POOLS", providerARNs=[ARN],
        **{"identitySource": "method.request.header.Authorization", **authorizer},
    )  # fmt: skip
    guard: dict[str, Any] = {"authorizationType": "COGNITO_USER_POOLS", "authorizerId": made["id"]}
    await world.rest_method(api_id, "GET /items", **guard, authorizationScopes=scopes or [])
    await world.rest("CreateDeployment", restApiId=api_id, stageName="dev")
    return f"/_aws/execute-api/{api_id}/dev/items"


async def get(world: World, path: str, given: str) -> Response:
    return await world.get(path, ("Authorization", given))


@pytest.mark.parametrize("prefix", ["", "Bearer "])
async def test_an_id_token_passes_and_its_claims_reach_the_function_as_api_gateway_writes_them(
    world: World, prefix: str
) -> None:
    path = await protect(world)
    good = token(**{"cognito:groups": ["admins", "users"], "email_verified": True, "auth_time": 1583348638})
    claims = event_of(await get(world, path, prefix + good))["requestContext"]["authorizer"]["claims"]
    assert claims == {
        "iss": ISSUER,
        "aud": "app",
        "token_use": "id",
        "exp": "Wed Mar 04 19:04:58 UTC 2020",
        "sub": "me",
        "cognito:groups": "admins,users",
        "email_verified": "true",
        "auth_time": "1583348638",
    }


async def test_without_a_token_nobody_passes(world: World) -> None:
    path = await protect(world)
    response = await world.get(path)
    assert (response.status, response.body) == (401, b'{"message":"Unauthorized"}')
    assert world.functions.invocations == []


@pytest.mark.parametrize(
    "bad",
    [
        token(token_use="access"),
        token(iss="https://cognito-idp.us-east-1.amazonaws.com/us-east-1_other"),
        token(OTHER_RSA),
        token(exp=None),
        token(exp="soon"),
        jwt.encode({"iss": ISSUER, "token_use": "id", "exp": int(NOW_S) + 60}, "x" * 32, "HS256", {"kid": "one"}),
        jwt.encode({"iss": ISSUER, "token_use": "id", "exp": int(NOW_S) + 60}, None, "none", {"kid": "one"}),
        "no token",
        "a.b.c",
        "x" * 7000,
    ],
)
async def test_what_is_wrong_with_a_token_keeps_it_out(world: World, bad: str) -> None:
    path = await protect(world)
    response = await get(world, path, bad)
    assert (response.status, response.body) == (401, b'{"message":"Unauthorized"}')
    assert world.functions.invocations == []


async def test_an_expired_token_is_told_so(world: World) -> None:
    path = await protect(world)
    response = await get(world, path, token(exp=int(NOW_S)))
    assert (response.status, response.body) == (401, b'{"message":"The incoming token has expired"}')


async def test_a_token_that_was_remembered_expires_too(world: World) -> None:
    path = await protect(world)
    good = token()
    assert (await get(world, path, good)).status == 200
    world.clock.at_s += 61
    assert (await get(world, path, good)).status == 401


async def test_a_method_with_scopes_takes_access_tokens_that_have_one_of_them(world: World) -> None:
    path = await protect(world, scopes=["items/read", "items/write"])
    assert (await get(world, path, token(token_use="access", scope="openid items/write"))).status == 200
    assert (await get(world, path, token(token_use="access", scope="openid"))).status == 401
    assert (await get(world, path, token(token_use="id", scope="items/read"))).status == 401


async def test_an_expression_is_held_against_the_audience(world: World) -> None:
    path = await protect(world, identityValidationExpression="app-[0-9]+")
    assert (await get(world, path, token(aud="app-12"))).status == 200
    assert (await get(world, path, token(aud="app"))).status == 401


async def test_a_pool_whose_keys_cannot_be_had_keeps_everyone_out(world: World) -> None:
    path = await protect(world)
    world.pages.clear()
    assert (await get(world, path, token())).status == 401


async def test_another_header_may_be_the_source(world: World) -> None:
    path = await protect(world, identitySource="method.request.header.X-Id")
    assert (await world.get(path, ("X-Id", token()))).status == 200


async def test_a_resource_policy_must_allow_too(world: World) -> None:
    statement = {"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/*"}
    allows = orjson.dumps({"Version": "2012-10-17", "Statement": [statement]}).decode()
    path = await protect(world, policy=allows)
    assert (await get(world, path, token())).status == 200
    assert (await get(world, path, token(exp=1))).status == 401
    other = orjson.dumps({"Version": "2012-10-17", "Statement": [{**statement, "Resource": "execute-api:/dev/PUT/x"}]})
    assert (await get(world, await protect(world, policy=other.decode()), token())).status == 403


async def test_templates_read_the_claims(world: World) -> None:
    await protect(world)
    api_id = (await world.rest("GetRestApis"))["items"][0]["id"]
    authorizer_id = (await world.rest("GetAuthorizers", restApiId=api_id))["items"][0]["id"]
    await world.rest_method(api_id, "GET /claims", authorizationType="COGNITO_USER_POOLS", authorizerId=authorizer_id)
    resource_id = await world.rest_resource(api_id, "/claims")
    where = {"restApiId": api_id, "resourceId": resource_id, "httpMethod": "GET"}
    await world.rest(
        "PutIntegration", **where, type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'}
    )
    template = "$context.authorizer.claims.sub $context.authorizer.claims['cognito:username']"
    await world.rest("PutMethodResponse", **where, statusCode="200")
    await world.rest(
        "PutIntegrationResponse", **where, statusCode="200", responseTemplates={"application/json": template}
    )
    await world.rest("CreateDeployment", restApiId=api_id, stageName="dev")
    response = await get(world, f"/_aws/execute-api/{api_id}/dev/claims", token(**{"cognito:username": "ann"}))
    assert (response.status, response.body) == (200, b"me ann")
