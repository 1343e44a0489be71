"""JWT authorizers: who passes, who does not, and in which words."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import Any

import jwt
import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from tests.unit.gateway.world import NOW_S, World, event_of, header

from freehold.http.messages import Response

ISSUER = "https://issuer.example/pool"
DISCOVERY = f"{ISSUER}/.well-known/openid-configuration"
JWKS = "https://issuer.example/pool/keys"
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC = ec.generate_private_key(ec.SECP256R1())


def jwks(**keys: Any) -> bytes:
    documents = []
    for kid, key in keys.items():
        algorithm = jwt.algorithms.RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else jwt.algorithms.ECAlgorithm
        documents.append({**orjson.loads(algorithm.to_jwk(key.public_key())), "kid": kid})
    return orjson.dumps({"keys": documents})


def token(key: Any = RSA, algorithm: str = "RS256", kid: str = "one", **claims: Any) -> str:
    payload = {"iss": ISSUER, "aud": "app", "exp": int(NOW_S) + 60, "sub": "me", **claims}
    payload = {name: value for name, value in payload.items() if value is not None}
    return jwt.encode(payload, key, algorithm=algorithm, headers={"kid": kid})


class Protected:
    def __init__(self, world: World, path: str) -> None:
        self.world = world
        self.path = path

    async def get(self, authorization: str | None) -> Response:
        headers = [] if authorization is None else [("Authorization", authorization)]
        return await self.world.get(self.path, *headers)


async def protect(world: World, scopes: list[str] | None = None, version: str = "2.0") -> Protected:
    world.pages[DISCOVERY] = orjson.dumps({"issuer": ISSUER, "jwks_uri": JWKS})
    world.pages[JWKS] = jwks(one=RSA, curve=EC)
    api_id = await world.http_api("GET /items", version=version)
    authorizer = await world.v2(
        "CreateAuthorizer",
        ApiId=api_id,
        AuthorizerType="JWT",
        Name="jwt",
        IdentitySource=["$request.header.Authorization"],
        JwtConfiguration={"Issuer": ISSUER, "Audience": ["app", "other"]},
    )
    route = (await world.v2("GetRoutes", ApiId=api_id))["Items"][0]
    await world.v2(
        "UpdateRoute",
        ApiId=api_id,
        RouteId=route["RouteId"],
        AuthorizationType="JWT",
        AuthorizerId=authorizer["AuthorizerId"],
        AuthorizationScopes=scopes or [],
    )
    return Protected(world, f"/_aws/execute-api/{api_id}/items")


@pytest.mark.parametrize("prefix", ["", "Bearer ", "bearer "])
@pytest.mark.parametrize(("key", "algorithm", "kid"), [(RSA, "RS256", "one"), (EC, "ES256", "curve")])
async def test_a_good_token_passes_and_its_claims_reach_the_function_as_text(
    world: World, prefix: str, key: Any, algorithm: str, kid: str
) -> None:
    protected = await protect(world)
    good = token(key, algorithm, kid, groups=["a", "b"], verified=True)
    response = await protected.get(prefix + good)
    authorizer = event_of(response)["requestContext"]["authorizer"]
    assert authorizer == {
        "jwt": {
            "claims": {
                "iss": ISSUER,
                "aud": "app",
                "exp": str(int(NOW_S) + 60),
                "sub": "me",
                "groups": "[a b]",
                "verified": "true",
            },
            "scopes": None,
        }
    }


async def test_format_1_tells_the_claims_one_level_higher(world: World) -> None:
    protected = await protect(world, version="1.0")
    authorizer = event_of(await protected.get(token()))["requestContext"]["authorizer"]
    assert authorizer["claims"]["sub"] == "me"


async def test_without_a_token_the_answer_is_a_plain_challenge(world: World) -> None:
    protected = await protect(world)
    response = await protected.get(None)
    assert (response.status, response.body) == (401, b'{"message":"Unauthorized"}')
    assert header(response, "www-authenticate") == "Bearer"
    assert world.functions.invocations == []


@pytest.mark.parametrize(
    ("bad", "description"),
    [
        (token(aud="someone"), "the token does not have a valid audience"),
        (token(aud=None), "the token does not have a valid audience"),
        (token(iss="https://evil.example"), "the token does not have a valid issuer"),
        (token(exp=int(NOW_S)), "the token has expired"),
        (token(exp=None), "the token has expired"),
        (token(exp=10**20), "the token has expired"),
        (token(nbf=int(NOW_S) + 30), "the token is not valid yet"),
        (token(iat=int(NOW_S) + 30), "the token is not valid yet"),
        (token(OTHER_RSA), "signature is invalid"),
        (token(EC, "ES256", "one"), "signature is invalid"),
        (token(kid="two"), "unable to find a signing key that matches the token's kid"),
        ("not.a.token", "token is malformed"),
        (jwt.encode({"iss": ISSUER}, "", algorithm="none"), "signing method is invalid"),
        (jwt.encode({"iss": ISSUER}, "public key" * 8, algorithm="HS256"), "signing method is invalid"),
    ],
    ids=[f"bad token {number}" for number in range(14)],
)
async def test_a_bad_token_is_refused_with_its_reason(world: World, bad: str, description: str) -> None:
    protected = await protect(world)
    response = await protected.get(bad)
    assert (response.status, response.body) == (401, b'{"message":"Unauthorized"}')
    expected = f'Bearer scope="" error="invalid_token" error_description="{description}"'
    assert header(response, "www-authenticate") == expected
    assert world.functions.invocations == []


async def test_client_id_stands_in_for_an_absent_audience_only(world: World) -> None:
    protected = await protect(world)
    assert (await protected.get(token(aud=None, client_id="app"))).status == 200
    assert (await protected.get(token(aud="someone", client_id="app"))).status == 401
    assert (await protected.get(token(aud=["someone", "other"]))).status == 200


@pytest.mark.parametrize("claims", [{"scope": "read write"}, {"scp": ["write"]}, {"scp": "write"}])
async def test_one_of_the_routes_scopes_is_enough(world: World, claims: dict[str, Any]) -> None:
    protected = await protect(world, ["write", "admin"])
    event = event_of(await protected.get(token(**claims)))
    assert event["requestContext"]["authorizer"]["jwt"]["scopes"] == ["write"]


@pytest.mark.parametrize("claims", [{}, {"scope": "read"}, {"scope": 7}])
async def test_without_a_scope_of_the_route_the_answer_is_forbidden(world: World, claims: dict[str, Any]) -> None:
    protected = await protect(world, ["write", "admin"])
    response = await protected.get(token(**claims))
    assert (response.status, response.body) == (403, b'{"message":"Forbidden"}')
    assert 'scope="write admin" error="insufficient_scope"' in str(header(response, "www-authenticate"))


async def test_a_remembered_token_still_expires(world: World) -> None:
    protected = await protect(world)
    good = token()
    assert (await protected.get(good)).status == 200
    world.clock.at_s += 61
    assert (await protected.get(good)).status == 401


async def test_keys_are_fetched_once_and_again_when_a_new_one_signs(world: World) -> None:
    protected = await protect(world)
    for _ in range(3):
        await protected.get(token(sub=str(time.perf_counter_ns())))
    assert world.fetched == [DISCOVERY, JWKS]
    world.pages[JWKS] = jwks(two=OTHER_RSA)
    rotated = token(OTHER_RSA, kid="two")
    assert (await protected.get(rotated)).status == 401  # Asked a moment ago.
    world.clock.at_s += 11
    assert (await protected.get(rotated)).status == 200
    assert len(world.fetched) == 4


async def test_an_unreachable_issuer_keeps_everyone_out(world: World) -> None:
    protected = await protect(world)
    del world.pages[DISCOVERY]
    assert (await protected.get(token())).status == 401
    world.pages[DISCOVERY] = b"no json"
    world.clock.at_s += 11
    assert (await protected.get(token())).status == 401
    assert world.functions.invocations == []


async def test_a_preflight_of_a_protected_route_passes_its_authorizer_first(world: World) -> None:
    """Developer Guide, "Configure CORS for HTTP APIs": `$default` with an authorizer needs an open OPTIONS route."""
    protected = await protect(world)
    api_id = protected.path.split("/")[3]
    await world.v2("UpdateApi", ApiId=api_id, CorsConfiguration={"AllowOrigins": ["https://a.com"]})
    route = (await world.v2("GetRoutes", ApiId=api_id))["Items"][0]
    preflight = [("Origin", "https://a.com"), ("Access-Control-Request-Method", "GET")]
    assert (await world.send("OPTIONS", protected.path, preflight)).status == 204
    await world.v2("UpdateRoute", ApiId=api_id, RouteId=route["RouteId"], RouteKey="$default")
    assert (await world.send("OPTIONS", protected.path, preflight)).status == 401


@pytest.mark.parametrize("algorithm", ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"])
async def test_every_algorithm_of_an_rsa_key_passes(world: World, algorithm: str) -> None:
    protected = await protect(world)
    assert (await protected.get(token(RSA, algorithm))).status == 200
    assert (await protected.get(token(OTHER_RSA, algorithm))).status == 401


async def test_keys_that_are_too_old_let_nobody_in_while_the_issuer_is_away(world: World) -> None:
    protected = await protect(world)
    assert (await protected.get(token(exp=int(NOW_S) + 60))).status == 200
    world.pages.clear()
    world.clock.at_s += 2 * 3600 + 1
    for _ in range(3):
        later = token(exp=int(world.clock.at_s) + 60)
        assert (await protected.get(later)).status == 401
    world.clock.at_s += 11
    assert (await protected.get(token(exp=int(world.clock.at_s) + 60))).status == 401


async def test_a_new_key_is_found_and_a_withdrawn_one_ends(world: World) -> None:
    protected = await protect(world)
    assert (await protected.get(token())).status == 200
    world.pages[JWKS] = jwks(two=OTHER_RSA)
    world.clock.at_s += 11
    assert (await protected.get(token(OTHER_RSA, kid="two"))).status == 200
    assert (await protected.get(token(sub="again"))).status == 401


@pytest.mark.parametrize("keys", [b'{"keys": 1}', b'{"keys": {"a": 1}}', b"[]", b"null", b'{"keys": [1, null, {}]}'])
async def test_an_issuer_that_answers_nonsense_lets_nobody_in(world: World, keys: bytes) -> None:
    protected = await protect(world)
    world.pages[JWKS] = keys
    assert (await protected.get(token())).status == 401
    assert world.functions.invocations == []


async def test_a_key_is_for_the_algorithm_that_it_names(world: World) -> None:
    protected = await protect(world)
    document = orjson.loads(jwks(one=RSA))
    document["keys"][0]["alg"] = "RS256"
    world.pages[JWKS] = orjson.dumps(document)
    assert (await protected.get(token(RSA, "PS256"))).status == 401
    assert (await protected.get(token(RSA, "RS256"))).status == 200


async def test_a_shared_secret_among_the_keys_signs_nothing(world: World) -> None:
    protected = await protect(world)
    world.pages[JWKS] = orjson.dumps({"keys": [{"kty": "oct", "k": "c2VjcmV0" * 8, "kid": "one"}]})
    assert (await protected.get(token())).status == 401
    assert (await protected.get(token("secret" * 8, "HS256"))).status == 401


async def test_who_comes_while_the_issuer_is_asked_waits_for_its_answer(world: World) -> None:
    protected = await protect(world)
    answered = asyncio.Event()
    fetch = world._fetch

    async def slowly(url: str) -> bytes:
        await answered.wait()
        return await fetch(url)

    world.gateway._means = replace(world.gateway._means, fetch=slowly)
    waiting = [asyncio.create_task(protected.get(token(sub=str(number)))) for number in range(5)]
    for _ in range(10):
        await asyncio.sleep(0)
    answered.set()
    assert [(await each).status for each in waiting] == [200] * 5
    assert world.fetched.count(JWKS) == 1
