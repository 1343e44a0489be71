"""The HTTP client against small servers on the loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from freehold.http.client import HttpClient, HttpError, Unreachable

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(serve: Serve) -> AsyncIterator[str]:
    async def closing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(closing, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        await server.wait_closed()


async def read_head(reader: asyncio.StreamReader) -> str:
    return (await reader.readuntil(b"\r\n\r\n")).decode()


@pytest.fixture
async def client() -> AsyncIterator[HttpClient]:
    found = HttpClient(timeout_s=5)
    yield found
    await found.close()


async def test_a_request_has_its_path_as_written_and_the_answer_its_headers_in_order(client: HttpClient) -> None:
    seen = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await read_head(reader))
        seen.append((await reader.readexactly(2)).decode())
        writer.write(b"HTTP/1.1 201 Created\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nContent-Length: 4\r\n\r\nbody")

    async with listening(serve) as url:
        response = await client.send("POST", f"{url}/a%2Fb?x=%20y", [("X-Name", "v")], b"hi")
    host = url.removeprefix("http://")
    assert seen[0] == f"POST /a%2Fb?x=%20y HTTP/1.1\r\nHost: {host}\r\nX-Name: v\r\nContent-Length: 2\r\n\r\n"
    assert (response.status, response.body) == (201, b"body")
    assert response.headers == [("Set-Cookie", "a"), ("Set-Cookie", "b"), ("Content-Length", "4")]


async def test_one_connection_serves_request_after_request(client: HttpClient) -> None:
    connections = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        for _ in range(2):
            await read_head(reader)
            writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n")

    async with listening(serve) as url:
        answers = [await client.send("GET", url) for _ in range(2)]
    assert [answer.body for answer in answers] == [b"abc", b"abc"]
    assert connections == 1


async def test_a_kept_connection_that_was_closed_meanwhile_is_replaced(client: HttpClient) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    async with listening(serve) as url:
        assert (await client.send("GET", url)).status == 200
        assert (await client.send("GET", url)).status == 200


async def test_an_answer_to_head_has_no_body_to_wait_for(client: HttpClient) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
        await reader.read()

    async with listening(serve) as url:
        assert (await client.send("HEAD", url)).body == b""


async def test_a_trailer_is_no_header_of_the_answer(client: HttpClient) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-User: root\r\n\r\n")

    async with listening(serve) as url:
        answer = await client.send("GET", url)
    assert (answer.body, answer.headers) == (b"a", [("Transfer-Encoding", "chunked")])


async def test_an_interim_answer_is_not_the_answer(client: HttpClient) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")

    async with listening(serve) as url:
        assert (await client.send("PUT", url)).status == 202


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (b"", "closed the connection without an answer"),
        (b"no HTTP at all\r\n\r\n", "the answer is not HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", "in the middle of the answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n" + b"x" * 2000, "larger than 1000 bytes"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 40_000, "headers of the answer are larger than 65536 bytes"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 1_000_000, "headers of the answer are larger than 65536 bytes"),
    ],
)
async def test_what_is_no_whole_answer_is_an_error(answer: bytes, problem: str) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(answer)

    client = HttpClient(timeout_s=5, max_body_bytes=1000)
    async with listening(serve) as url:
        with pytest.raises(HttpError, match=problem):
            await client.send("GET", url)
    await client.close()


async def test_a_silent_server_is_given_up_after_the_timeout(client: HttpClient) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with listening(serve) as url:
        with pytest.raises(HttpError, match=r"no answer from 127\.0\.0\.1:\d+ within 0\.05 s"):
            await client.send("GET", url, timeout_s=0.05)


async def test_where_nobody_listens_nothing_was_sent(client: HttpClient) -> None:
    server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    with pytest.raises(Unreachable, match=f"cannot connect to 127.0.0.1:{port}"):
        await client.send("GET", f"http://127.0.0.1:{port}/")


@pytest.mark.parametrize("url", ["ftp://host/", "http://", "http://host:port/", "/path"])
async def test_what_is_no_http_url_is_refused(client: HttpClient, url: str) -> None:
    with pytest.raises(HttpError):
        await client.send("GET", url)


async def test_a_header_cannot_bring_another_line(client: HttpClient) -> None:
    with pytest.raises(HttpError, match="a line's end in 'X-Name'"):
        await client.send("GET", "http://127.0.0.1:9/", [("X-Name", "a\r\nX-Other: b")])
