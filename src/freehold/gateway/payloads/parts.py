"""What the formats share: bodies, query strings, times, headers, and the answers' small parts."""

from __future__ import annotations

import binascii
import time
from base64 import b64decode, b64encode
from functools import lru_cache
from typing import Any
from urllib.parse import unquote_plus

from freehold.aws.call import Json
from freehold.gateway.exchange import Exchange, Refused

_TEXT_TYPES = frozenset(
    {"application/json", "application/javascript", "application/xml", "application/xhtml+xml", "application/graphql"}
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_LOWEST_STATUS = 200  # Believed: an interim answer is malformed, as the client would wait for one behind it.

# Headers that belong to one connection, or that the server writes itself.
HOP_BY_HOP = frozenset(
    {"connection", "content-length", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}
)


def read_body(body: bytes, content_type: str | None) -> tuple[str, bool]:
    """(text, False), or (base64, True) when the content type says that it is not text.

    The type decides, not the bytes: AWS Compute Blog, "Building better APIs - HTTP APIs now generally available". A
    form (application/x-www-form-urlencoded) and a body without a type arrive as base64.
    """
    if is_text(content_type):
        return body.decode("utf-8", "replace"), False
    return b64encode(body).decode("ascii"), True


def is_text(content_type: str | None) -> bool:
    if not content_type:
        return False
    media_type = content_type.partition(";")[0].strip().lower()
    return media_type in _TEXT_TYPES or media_type.startswith("text/") or media_type.endswith(("+json", "+xml"))


def query_pairs(query: str) -> list[tuple[str, str]]:
    """Names and values in the order of the query string, decoded; a name alone has the value ""."""
    pairs = []
    for part in query.split("&"):
        if part:
            name, _, value = part.partition("=")
            if "%" in part or "+" in part:
                name, value = unquote_plus(name), unquote_plus(value)
            pairs.append((name, value))
    return pairs


class _Times:
    """The last second's text: requests of one second share it."""

    __slots__ = ("second", "text")

    def __init__(self) -> None:
        self.second = -1
        self.text = ""


_times = _Times()


def request_time(now_s: float) -> str:
    """`12/Mar/2020:19:03:58 +0000`"""
    second = int(now_s)
    if second != _times.second:
        at = time.gmtime(second)
        _times.text = (
            f"{at.tm_mday:02}/{_MONTHS[at.tm_mon - 1]}/{at.tm_year}:{at.tm_hour:02}:{at.tm_min:02}:{at.tm_sec:02} +0000"
        )
        _times.second = second
    return _times.text


def forwarded(exchange: Exchange) -> tuple[str, str, str]:
    """X-Forwarded-For, -Port and -Proto as the function sees them. A proxy before us may have begun the first."""
    request = exchange.request
    before = request.lower.get("x-forwarded-for")
    port = _port(request.host, request.scheme)
    return f"{before}, {request.client}" if before else request.client, port, request.scheme


@lru_cache(maxsize=1024)
def _port(host: str, scheme: str) -> str:
    port = host.rpartition(":")[2] if ":" in host else ""
    return port if port.isdigit() else "443" if scheme == "https" else "80"


def status_code(value: Any) -> int:
    """A number, or digits as text; else the answer is malformed."""
    if isinstance(value, str) and value.isdigit():
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not _LOWEST_STATUS <= value <= 599:
        raise Refused("INVALID_RESPONSE")
    return value


def header_text(value: Any) -> str:
    """Text, or a number or boolean as JSON writes it; else the answer is malformed. No header may hold a line's end."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if not isinstance(value, str) or "\r" in value or "\n" in value or "\0" in value:
        raise Refused("INVALID_RESPONSE")
    return value


@lru_cache(maxsize=1024)
def header_name(name: str) -> str:
    if not name or not name.isascii() or not name.isprintable() or " " in name or ":" in name:
        raise Refused("INVALID_RESPONSE")
    return name


def answer_body(answer: Json) -> bytes:
    """The decoded body. It must be text, or absent."""
    body = answer.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        raise Refused("INVALID_RESPONSE")
    if answer.get("isBase64Encoded") is not True:
        return body.encode("utf-8", "replace")
    try:
        return b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        raise Refused("INVALID_RESPONSE") from None
