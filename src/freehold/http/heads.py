"""What a request's head may say beyond what the parser checks, so that no two readers of it can disagree.

RFC 9112: sections 2.3 (versions), 3.2 (one valid Host, the forms of a request's target), 6.1 (Transfer-Encoding), and
11.2 (why: request smuggling). A proxy in front of us may see a second request, another Host or another body in what we
would forgive.
"""

from __future__ import annotations

import re
from functools import lru_cache

from freehold.http.messages import Headers

# A name, an IPv4 or a bracketed IPv6 address, and a port; "," would be two Host lines put together.
_HOST = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~%!$&'()*+;=-]*)(?::[0-9]{0,5})?")
_ABSOLUTE = re.compile(rb"https?://([^/?#]+)([^#]*)", re.IGNORECASE)
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_SLASH = ord("/")


class Unreadable(Exception):
    """The request is refused with this status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def check_head(version: str, url: bytes, lower: dict[str, str]) -> None:
    """Raises Unreadable. `lower`: by lower-case name, duplicates joined with ","."""
    if version != "1.1" and version != "1.0":
        raise Unreadable(505, "HTTP Version Not Supported")
    host = lower.get("host")
    if (not is_host(host)) if host is not None else version == "1.1":
        raise Unreadable(400, "Bad Request")
    if "transfer-encoding" in lower:
        if version == "1.0":
            raise Unreadable(400, "Bad Request")
        if lower["transfer-encoding"].strip().lower() != "chunked":
            # What else the body was put into we would not take off.
            raise Unreadable(501, "Not Implemented")
    if b"#" in url:
        raise Unreadable(400, "Bad Request")


def to_origin(url: bytes, headers: Headers, lower: dict[str, str]) -> bytes:
    """The target as path and query. The absolute form, as a client sends it to a proxy, says the host: it replaces
    what Host says, in both (RFC 9112 3.2.2). Raises Unreadable for the forms of CONNECT and `OPTIONS *`."""
    if url[0] == _SLASH:
        return url
    found = _ABSOLUTE.fullmatch(url)
    host = found[1].decode("latin-1") if found else ""
    if found is None or not is_host(host):
        raise Unreadable(400, "Bad Request")
    headers[:] = [header for header in headers if header[0].lower() != "host"]
    headers.insert(0, ("Host", host))
    lower["host"] = host
    return found[2] if found[2].startswith(b"/") else b"/" + found[2]


@lru_cache(maxsize=4096)
def is_host(text: str) -> bool:
    return _HOST.fullmatch(text) is not None


@lru_cache(maxsize=4096)
def lower_name(name: str) -> str:
    """Of an answer's header, in lower case; "" for what is no header's name (RFC 9110 5.1)."""
    return name.lower() if _NAME.fullmatch(name) else ""


def without_offer(method: bytes, url: bytes, headers: Headers) -> bytes:
    """The head of a request with a body that offers another protocol, without the offer: the parser would take the
    body for what follows the change (RFC 9110 7.8: a server may ignore an offer)."""
    lines = [f"{name}: {value}\r\n" for name, value in headers if name.lower() != "upgrade"]
    return method + b" " + url + b" HTTP/1.1\r\n" + "".join(lines).encode("latin-1") + b"\r\n"
