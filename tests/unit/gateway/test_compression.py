"""Payload compression of REST APIs. Developer Guide, "Enable payload compression for an API" and the pages beside it;
refusals recorded: LocalStack's `test_apigateway_api.snapshot.json`, "test_update_rest_api_compression"."""

from __future__ import annotations

import gzip
import zlib
from typing import Any

import orjson
import pytest
from tests.unit.gateway.world import World, event_of, header, request

from freehold.aws.errors import AwsError
from freehold.gateway.limits import BODY_MAX_BYTES

JSON = ("Content-Type", "application/json")
LONG = "a word " * 200


async def api(world: World, size: int | None = 100, **answer: Any) -> str:
    """The address of a method that answers with what is given, or with its event."""
    api_id = await world.rest_api("POST /items", minimumCompressionSize=size)
    if answer:
        world.functions.answers["hello"] = lambda event: answer
    return f"/_aws/execute-api/{api_id}/dev/items"


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip", "gzip"),
        ("deflate", "deflate"),
        ("gzip, deflate, br", "gzip"),
        ("deflate;q=0.5,gzip;q=1.0", "gzip"),
        ("GZIP ; q=0.2, deflate;q=0.1", "gzip"),
        ("gzip;q=0.5,identity;q=1.0", None),
        ("br, gzip;q=0.9", None),  # "The highest-priority content encoding must be one supported by API Gateway."
        ("gzip;q=0", None),
        ("gzip;q=x", None),
        ("*", None),
        ("", None),
        (None, None),
    ],
)
async def test_an_answer_is_packed_as_the_client_asks_by_name(
    world: World, accepted: str | None, coding: str | None
) -> None:
    url = await api(world, body=LONG)
    headers = [("Accept-Encoding", accepted)] if accepted is not None else []
    response = await world.send("POST", url, headers)
    assert header(response, "content-encoding") == coding
    body = response.body
    if coding is not None:
        assert len(body) < 100
        body = gzip.decompress(body) if coding == "gzip" else zlib.decompress(body)
    assert body == LONG.encode()


async def test_small_answers_packed_answers_and_refusals_stay_as_they_are(world: World) -> None:
    asked = [("Accept-Encoding", "gzip")]
    url = await api(world, len(LONG), body=LONG[:-1])
    assert (await world.send("POST", url, asked)).body == LONG[:-1].encode()
    world.functions.answers["hello"] = lambda event: {"body": LONG}
    assert header(await world.send("POST", url, asked), "content-encoding") == "gzip"
    own = {"headers": {"content-encoding": "br"}, "body": LONG}
    world.functions.answers["hello"] = lambda event: own
    assert (await world.send("POST", url, asked)).body == LONG.encode()
    refused = await world.send("POST", url + "/none", asked)
    assert (refused.status, header(refused, "content-encoding")) == (403, None)


async def test_a_large_answer_is_packed_beside_the_others(world: World) -> None:
    url = await api(world, 0, body="x" * 200_000)
    response = await world.send("POST", url, [("Accept-Encoding", "gzip")])
    assert gzip.decompress(response.body) == b"x" * 200_000


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
async def test_a_packed_request_is_unpacked_before_anything_reads_it(world: World, coding: str) -> None:
    url = await api(world)
    body = orjson.dumps({"name": LONG})
    packed = gzip.compress(body) if coding == "gzip" else zlib.compress(body)
    event = event_of(await world.send("POST", url, [JSON, ("Content-Encoding", coding)], packed))
    assert orjson.loads(event["body"]) == {"name": LONG}
    assert event["isBase64Encoded"] is False
    assert "content-encoding" not in {name.lower() for name in event["headers"]}


async def test_what_cannot_be_unpacked_or_is_too_large_reaches_no_function(world: World) -> None:
    url = await api(world)
    coded = [JSON, ("Content-Encoding", "gzip")]
    assert (await world.send("POST", url, coded, b"no gzip")).status == 400
    assert (await world.send("POST", url, coded, gzip.compress(b"cut off")[:-4])).status == 400
    bomb = gzip.compress(b"0" * (BODY_MAX_BYTES + 1))
    assert (await world.send("POST", url, coded, bomb)).status == 413
    assert world.functions.invocations == []
    plain = [JSON, ("Content-Encoding", "identity")]
    assert event_of(await world.send("POST", url, plain, b"{}"))["body"] == "{}"


async def test_without_the_setting_nothing_is_packed_or_unpacked(world: World) -> None:
    url = await api(world, None)
    sent = gzip.compress(b"{}")
    answer = await world.handle(request("POST", url, [("Accept-Encoding", "gzip"), ("Content-Encoding", "gzip")], sent))
    assert header(answer, "content-encoding") is None
    assert event_of(answer)["headers"]["Content-Encoding"] == "gzip"


async def test_the_setting_counts_from_the_next_deployment(world: World) -> None:
    url = await api(world, None, body=LONG)
    api_id = url.split("/")[3]
    asked = [("Accept-Encoding", "gzip")]

    async def set_size(**operation: str) -> Any:
        patch = [{"op": "replace", "path": "/minimumCompressionSize", **operation}]
        return await world.rest("UpdateRestApi", restApiId=api_id, patchOperations=patch)

    assert (await set_size(value="10"))["minimumCompressionSize"] == 10
    assert header(await world.send("POST", url, asked), "content-encoding") is None
    await world.rest("CreateDeployment", restApiId=api_id, stageName="dev")
    assert header(await world.send("POST", url, asked), "content-encoding") == "gzip"
    assert (await set_size(value="0"))["minimumCompressionSize"] == 0
    assert "minimumCompressionSize" not in await set_size()
    said = "Invalid minimum compression size, must be between 0 and 10485760"
    for wrong in ("-1", "ten", "10485761"):
        with pytest.raises(AwsError, match=said):
            await set_size(value=wrong)
    with pytest.raises(AwsError, match="Must be one of: \\[replace\\]"):
        await set_size(op="add", value="1")
    with pytest.raises(AwsError, match=said):
        await world.rest("CreateRestApi", name="x", minimumCompressionSize=-1)
