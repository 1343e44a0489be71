"""An HTTP request and its answer, as values."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

Headers = list[tuple[str, str]]
"""In the order of the wire, duplicates kept; names in the client's own case for requests. Values are latin-1 text."""


@dataclass(slots=True)
class Request:
    method: str
    raw_path: str  # Still percent-encoded, without the query, as the client sent it.
    query: str  # Still percent-encoded, without the "?".
    headers: Headers
    body: bytes
    client: str = "127.0.0.1"
    scheme: str = "http"
    http_version: str = "1.1"
    lower: dict[str, str] = field(default_factory=dict)  # Lower-case name -> value, duplicates joined with ",".
    head_bytes: int = -1  # Path, query, header names and values.

    def __post_init__(self) -> None:
        if self.head_bytes < 0:
            size = sum(len(name) + len(value) for name, value in self.headers)
            self.head_bytes = len(self.raw_path) + len(self.query) + size
        if not self.lower:
            lower = self.lower
            for name, value in self.headers:
                key = name.lower()
                lower[key] = f"{lower[key]},{value}" if key in lower else value

    def at(self, raw_path: str) -> Request:
        """The same, for another path."""
        return Request(
            self.method, raw_path, self.query, self.headers, self.body, self.client, self.scheme, self.http_version,
            self.lower, self.head_bytes,
        )  # fmt: skip

    def header(self, name: str) -> str | None:
        """By lower-case name."""
        return self.lower.get(name)

    @property
    def host(self) -> str:
        return self.lower.get("host", "")


class CutShort(Exception):
    """Raised by a response's stream that failed midway: the client sees the connection end, and no whole answer."""


Upgrade = Callable[[asyncio.Transport | None, bytes], None]
"""Takes a connection over: sets the transport's protocol, and is given what the client sent already. None: the client
left before it was told."""


@dataclass(slots=True)
class Response:
    status: int
    headers: Headers = field(default_factory=list)  # Content-Length and Date are the server's to write.
    body: bytes = b""
    stream: AsyncIterator[bytes] | None = None  # Instead of `body`: sent in chunks as they come.
    upgrade: Upgrade | None = None  # With 101: what the connection goes on with.


Handler = Callable[[Request], Awaitable[Response]]
