"""Which of an app's APIs a request on the API's port is for."""

from __future__ import annotations

import asyncio

import pytest

from freehold.cli.dev.activity import Activity
from freehold.cli.dev.front import Front
from freehold.cli.stacks import Api, Route
from freehold.http.messages import Request, Response

ITEMS = Api("HttpApi", "http1", "http", ("$default",), (Route("GET", "/items/{id}", "f"), Route("POST", "/items", "f")))
USERS = Api("RestApi", "rest1", "rest", ("dev",), (Route("ANY", "/users/{proxy+}", "g"), Route("GET", "/", "g")))


CHAT = Api("Chat", "chat1", "websocket", ("dev",), (Route("ANY", "$default", "f"),))
UPGRADE = [("Upgrade", "websocket"), ("Connection", "keep-alive, Upgrade")]


async def place_of(
    apis: list[Api], method: str, path: str, headers: list[tuple[str, str]] | None = None
) -> tuple[str, str]:
    asked: list[tuple[str, str]] = []

    async def handle_api(api_id: str, stage: str, request: Request) -> Response:
        asked.append((api_id, stage))
        return Response(200)

    front = Front(handle_api, Activity(lambda text: None))
    front.show(apis)
    await front.handle(Request(method, path, "", headers or [], b""))
    return asked[0]


@pytest.mark.parametrize(
    ("method", "path", "api"),
    [
        ("GET", "/items/1", "http1"),
        ("POST", "/items", "http1"),
        ("OPTIONS", "/items", "http1"),
        ("PUT", "/users/1/name", "rest1"),
        ("GET", "/dev/users/1", "rest1"),
        ("GET", "/", "rest1"),
        ("GET", "/nowhere", "http1"),
    ],
)
async def test_the_first_api_with_a_route_for_it_gets_the_request(method: str, path: str, api: str) -> None:
    assert (await place_of([ITEMS, USERS], method, path))[0] == api


async def test_a_single_api_gets_everything_with_its_stage() -> None:
    assert await place_of([USERS], "GET", "/nowhere") == ("rest1", "dev")
    assert await place_of([ITEMS], "GET", "/nowhere") == ("http1", "$default")


async def test_handshakes_go_to_the_websocket_api_and_all_else_does_not() -> None:
    for path in ("/", "/dev", "/items/1"):
        assert await place_of([ITEMS, CHAT], "GET", path, UPGRADE) == ("chat1", "dev")
        assert (await place_of([ITEMS, CHAT], "GET", path))[0] == "http1"
    assert (await place_of([ITEMS], "GET", "/items/1", UPGRADE))[0] == "http1"
    # An app that has nothing else answers as its address at AWS would.
    assert (await place_of([CHAT], "GET", "/"))[0] == "chat1"


async def test_an_app_without_an_api_says_so() -> None:
    async def never(api_id: str, stage: str, request: Request) -> Response:
        raise AssertionError

    front = Front(never, Activity(lambda text: None))
    front.show([])
    response = await front.handle(Request("GET", "/", "", [], b""))
    assert (response.status, response.body) == (503, b'{"message":"The app has no API."}')


async def test_a_request_that_comes_during_the_first_deploy_waits_for_its_end() -> None:
    async def handle_api(api_id: str, stage: str, request: Request) -> Response:
        return Response(200)

    front = Front(handle_api, Activity(lambda text: None))
    early = asyncio.ensure_future(front.handle(Request("GET", "/items/1", "", [], b"")))
    await asyncio.sleep(0)
    assert not early.done()
    front.show([ITEMS])
    assert (await early).status == 200
