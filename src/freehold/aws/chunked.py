"""aws-chunked bodies: how SDKs send a body whose checksum or signature comes behind it.

Source: Amazon S3 API Reference, "Signature calculations: transferring payload in multiple chunks", and its trailers.
"""

from __future__ import annotations

from freehold.aws.protocols.values import malformed


def is_chunked(headers: dict[str, str]) -> bool:
    """`headers`: lower-case names."""
    return headers.get("x-amz-content-sha256", "").startswith("STREAMING-") or "aws-chunked" in headers.get(
        "content-encoding", ""
    )


def decode(body: bytes) -> tuple[bytes, dict[str, str]]:
    """The payload and the trailing headers, lower-case. Raises AwsError where the framing is broken."""
    parts: list[bytes] = []
    position = 0
    while True:
        end = body.find(b"\r\n", position)
        if end < 0:
            raise malformed("The chunked request body has no end.")
        try:
            size = int(body[position:end].split(b";", 1)[0], 16)
        except ValueError as error:
            raise malformed("A chunk of the request body has no size.") from error
        position = end + 2
        if size == 0:
            return b"".join(parts), _trailers(body[position:])
        if position + size > len(body):
            raise malformed("The last chunk of the request body is cut short.")
        parts.append(body[position : position + size])
        position += size + 2


def _trailers(text: bytes) -> dict[str, str]:
    found = {}
    for line in text.split(b"\r\n"):
        name, colon, value = line.partition(b":")
        if colon:
            found[name.strip().lower().decode("latin-1")] = value.strip().decode("latin-1")
    return found
