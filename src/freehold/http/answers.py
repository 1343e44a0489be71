"""An answer as bytes: the status line, the headers that a client may see, the body behind them.

Whoever made the answer, nothing in it can end a header and begin another (RFC 9110 5.5), and how long the body is and
whether the connection goes on is said here alone.
"""

from __future__ import annotations

from http import HTTPStatus

from freehold.http.heads import lower_name
from freehold.http.messages import Request, Response

_STATUS_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n" for status in HTTPStatus}
_WATCHED = frozenset({"content-length", "date", "transfer-encoding", "connection", ""})  # "": no header's name.
_ENDS = str.maketrans("\r\n\0", "   ")
BODILESS = frozenset({101, 204, 304})


def write_answer(response: Response, request: Request, keep_alive: bool, length: int | None, date_line: str) -> bytes:
    """Status line and headers, and the body behind them. `length` None: chunked; -1: until the connection ends."""
    status = response.status
    lines = [_STATUS_LINES.get(status) or f"HTTP/1.1 {status} \r\n"]
    has_date = has_length = False
    for name, value in response.headers:
        lower = lower_name(name)
        if lower not in _WATCHED:
            lines.append(_header_line(name, value))
            continue
        if not lower:
            continue
        has_date |= lower == "date"
        # The length that an operation gave for HEAD or a stream (an S3 object's size) is kept; else we count it.
        if lower == "content-length":
            if request.method != "HEAD" and length != -1:
                continue
            has_length = True
        elif lower in ("transfer-encoding", "connection"):
            continue
        lines.append(_header_line(name, value))
    if not has_date:
        lines.append(date_line)
    if status == 101:
        lines.append("Connection: Upgrade\r\n")
    elif length is None:
        lines.append("Transfer-Encoding: chunked\r\n")
    elif length >= 0 and not has_length and status not in BODILESS:
        lines.append(f"Content-Length: {length}\r\n")
    if not keep_alive:
        lines.append("Connection: close\r\n")
    elif request.http_version == "1.0":
        lines.append("Connection: keep-alive\r\n")
    lines.append("\r\n")
    text = "".join(lines)
    try:
        head = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # Half of a character, which JSON's escapes allow.
        head = text.encode("utf-8", "replace")
    if length is not None and length > 0 and request.method != "HEAD" and status not in BODILESS:
        return head + response.body
    return head


def _header_line(name: str, value: str) -> str:
    """Bytes that could end the header and begin another never leave."""
    if "\r" in value or "\n" in value or "\0" in value:
        value = value.translate(_ENDS)
    return f"{name}: {value}\r\n"


def plain_answer(status: int, message: str) -> Response:
    return Response(status, [("Content-Type", "application/json")], b'{"message":"%b"}' % message.encode())


def declared_length(response: Response) -> int | None:
    """Of a stream whose length is known."""
    for name, value in response.headers:
        if name.lower() == "content-length" and value.isdigit():
            return int(value)
    return None
