"""The whole of an object of our S3, which hands large ones out in parts."""

from __future__ import annotations

from freehold.aws.call import Json


async def whole_body(found: Json) -> bytes:
    """`found` is GetObject's answer."""
    body = found["Body"]
    if isinstance(body, bytes):
        return body
    return b"".join([part async for part in body])
