"""Content-Encoding of bodies: requests that an SDK compressed, answers for clients that accept it.

AWS: "Request compression" in the SDKs reference guide. The choice among what a client accepts is DynamoDB's, which
reads Accept-Encoding more loosely than HTTP: a weight that is no number counts as 1, and `q=` is found anywhere.
"""

from __future__ import annotations

import zlib

from freehold.aws.errors import AwsError

COMPRESSED_FROM_BYTES = 4096  # Smaller answers are sent as they are.
_GZIP = 16 + zlib.MAX_WBITS
_WINDOWS = {"gzip": _GZIP, "deflate": zlib.MAX_WBITS}


def decode_body(encoding: str, body: bytes, limit_bytes: int) -> bytes:
    """The plain body. Raises AwsError when it is not what `encoding` says, or larger than the limit."""
    window = _WINDOWS.get(encoding.strip().lower())
    if window is None:
        raise _unreadable(f"the content encoding {encoding!r} is not known")
    plain = bytearray()
    rest = body
    try:
        # A gzip body may be several, one after the other.
        while True:
            member = zlib.decompressobj(window)
            plain += member.decompress(rest, limit_bytes + 1 - len(plain))
            if len(plain) > limit_bytes:
                raise too_large(limit_bytes)
            if not member.eof:
                raise _unreadable("its compressed data ends too early")
            rest = member.unused_data
            if not rest or window != _GZIP:
                break
    except zlib.error as error:
        raise _unreadable(str(error)) from None
    if rest:
        raise _unreadable("something follows its compressed data")
    return bytes(plain)


def encode_body(accepted: str, body: bytes) -> tuple[str, bytes] | None:
    """(encoding, body) for an Accept-Encoding; None: as it is."""
    if len(body) < COMPRESSED_FROM_BYTES:
        return None
    encoding = choose_encoding(accepted)
    if encoding is None:
        return None
    return encoding, pack(encoding, body)


def pack(encoding: str, body: bytes) -> bytes:
    """By gzip or deflate."""
    packer = zlib.compressobj(6, zlib.DEFLATED, _WINDOWS[encoding])
    return packer.compress(body) + packer.flush()


def choose_encoding(accepted: str) -> str | None:
    """gzip, deflate or neither: the one of most weight, a named one before `*`, then the first."""
    weights: dict[str, float] = {}
    for entry in accepted.split(","):
        name, _, parameters = entry.partition(";")
        name = name.strip().lower()
        if name in _WINDOWS or name == "*":
            weights[name] = max(weights.get(name, 0.0), _weight(parameters))
    ranked = {name: (weight, 1) for name, weight in weights.items() if name != "*"}
    for name in _WINDOWS:
        ranked.setdefault(name, (weights.get("*", 0.0), 0))
    best = max(ranked, key=lambda name: ranked[name])
    return best if ranked[best][0] > 0 else None


def too_large(limit_bytes: int) -> AwsError:
    return AwsError("RequestTooLargeException", f"The request is larger than {limit_bytes} bytes.", status=413)


def _weight(parameters: str) -> float:
    _, mark, text = parameters.partition("q=")
    if not mark:
        return 1.0
    try:
        return min(max(float(text.partition(";")[0]), 0.0), 1.0)
    except ValueError:
        return 1.0


def _unreadable(why: str) -> AwsError:
    return AwsError("InternalServerError", f"The request's body cannot be read: {why}.", status=500)
