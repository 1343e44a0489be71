"""CORS of HTTP APIs: preflights and the headers on answers."""

from __future__ import annotations

import pytest
from tests.unit.gateway.world import World, header

from freehold.http.messages import Response

CORS = {
    "AllowOrigins": ["https://myapp.com", "http://localhost:3000"],
    "AllowHeaders": ["Content-Type", "Authorization"],
    "AllowMethods": ["GET", "POST"],
    "ExposeHeaders": ["x-total"],
    "MaxAge": 300,
}
PREFLIGHT = [("Origin", "https://myapp.com"), ("Access-Control-Request-Method", "POST")]


def cors_headers(response: Response) -> dict[str, str]:
    return {name.lower(): value for name, value in response.headers if name.lower().startswith("access-control-")}


@pytest.mark.parametrize("path", ["/items", "/nothere"])
async def test_a_preflight_is_answered_also_without_a_route(world: World, path: str) -> None:
    api_id = await world.http_api("POST /items", CorsConfiguration=CORS)
    response = await world.send("OPTIONS", f"/_aws/execute-api/{api_id}{path}", PREFLIGHT)
    assert (response.status, response.body) == (204, b"")
    assert cors_headers(response) == {
        "access-control-allow-origin": "https://myapp.com",
        "access-control-allow-methods": "GET,POST",
        "access-control-allow-headers": "Content-Type,Authorization",
        "access-control-expose-headers": "x-total",
        "access-control-max-age": "300",
    }
    assert world.functions.invocations == []


async def test_a_preflight_of_another_origin_gets_no_headers(world: World) -> None:
    api_id = await world.http_api("POST /items", CorsConfiguration=CORS)
    headers = [("Origin", "https://evil.com"), ("Access-Control-Request-Method", "POST")]
    response = await world.send("OPTIONS", f"/_aws/execute-api/{api_id}/items", headers)
    assert (response.status, cors_headers(response)) == (204, {})


async def test_without_cors_an_options_request_is_a_request_like_any_other(world: World) -> None:
    api_id = await world.http_api("POST /items", "OPTIONS /other")
    assert (await world.send("OPTIONS", f"/_aws/execute-api/{api_id}/items", PREFLIGHT)).status == 404
    assert (await world.send("OPTIONS", f"/_aws/execute-api/{api_id}/other", PREFLIGHT)).status == 200


async def test_the_configured_headers_replace_the_functions_own(world: World) -> None:
    api_id = await world.http_api("GET /items", CorsConfiguration=CORS)
    world.functions.answers["hello"] = lambda event: {
        "statusCode": 200,
        "headers": {"Access-Control-Allow-Origin": "*", "access-control-max-age": "1", "x-total": "7"},
    }
    path = f"/_aws/execute-api/{api_id}/items"
    response = await world.get(path, ("Origin", "http://localhost:3000"))
    assert cors_headers(response) == {
        "access-control-allow-origin": "http://localhost:3000",
        "access-control-expose-headers": "x-total",
    }
    assert header(response, "x-total") == "7"
    assert cors_headers(await world.get(path, ("Origin", "https://evil.com"))) == {}
    assert cors_headers(await world.get(path)) == {}


async def test_without_cors_the_functions_own_headers_stay(world: World) -> None:
    api_id = await world.http_api("GET /items")
    world.functions.answers["hello"] = lambda event: {
        "statusCode": 200,
        "headers": {"Access-Control-Allow-Origin": "*"},
    }
    response = await world.get(f"/_aws/execute-api/{api_id}/items", ("Origin", "https://a.com"))
    assert cors_headers(response) == {"access-control-allow-origin": "*"}


async def test_errors_carry_the_headers_too(world: World) -> None:
    api_id = await world.http_api("GET /items", CorsConfiguration=CORS)
    response = await world.get(f"/_aws/execute-api/{api_id}/nothere", ("Origin", "https://myapp.com"))
    assert response.status == 404
    assert cors_headers(response)["access-control-allow-origin"] == "https://myapp.com"


@pytest.mark.parametrize(
    ("allowed", "origin", "answer"),
    [
        (["*"], "https://a.com", "*"),
        (["https://*"], "https://a.com", "https://a.com"),
        (["https://*"], "http://a.com", None),
        (["https://a.com"], "https://a.com.evil.com", None),
    ],
)
async def test_patterns_of_origins(world: World, allowed: list[str], origin: str, answer: str | None) -> None:
    api_id = await world.http_api("GET /items", CorsConfiguration={"AllowOrigins": allowed})
    response = await world.get(f"/_aws/execute-api/{api_id}/items", ("Origin", origin))
    assert header(response, "access-control-allow-origin") == answer


async def test_a_deleted_configuration_is_out_of_force(world: World) -> None:
    api_id = await world.http_api("GET /items", CorsConfiguration=CORS)
    await world.v2("DeleteCorsConfiguration", ApiId=api_id)
    assert (await world.send("OPTIONS", f"/_aws/execute-api/{api_id}/items", PREFLIGHT)).status == 404
