"""Reads a document from another server, for an issuer's keys: rarely, and with AWS's short limit."""

from __future__ import annotations

import asyncio
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable

TIMEOUT_S = 1.5
MAX_BYTES = 1_000_000

Fetch = Callable[[str], Awaitable[bytes]]


class FetchFailed(Exception):
    """No answer with status 200 in time."""


async def fetch_url(url: str) -> bytes:
    """Raises FetchFailed."""
    if not url.startswith(("https://", "http://")):
        raise FetchFailed(url)
    return await asyncio.to_thread(_read, url)


def _read(url: str) -> bytes:
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer:
            content: bytes = answer.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # URLError and timeouts are OSErrors.
        raise FetchFailed(url) from error
    if len(content) > MAX_BYTES:
        raise FetchFailed(url)
    return content
