"""Checksums of objects: what a client sent is verified, what it asked for is computed.

Source: Amazon S3 User Guide, "Checking object integrity". An object that came without one gets CRC64NVME, as there.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import anycrc

from freehold.aws.call import Json
from freehold.aws.errors import AwsError

DEFAULT = "CRC64NVME"
FULL, COMPOSITE = "FULL_OBJECT", "COMPOSITE"


class Digest(Protocol):
    def update(self, data: bytes, /) -> object: ...

    def digest(self) -> bytes: ...


class _Crc:
    def __init__(self, step: Callable[[bytes, int], int], size: int) -> None:
        self._step = step
        self._size = size
        self._value: int | None = None

    def update(self, data: bytes, /) -> None:
        self._value = self._step(data, 0 if self._value is None else self._value)

    def digest(self) -> bytes:
        return (self._value or 0).to_bytes(self._size, "big")


_CRC32C = anycrc.Model("CRC32-ISCSI")
_CRC64NVME = anycrc.Model("CRC64-NVME")
_ALGORITHMS: dict[str, Callable[[], Digest]] = {
    "CRC32": lambda: _Crc(zlib.crc32, 4),
    "CRC32C": lambda: _Crc(lambda data, value: int(_CRC32C.calc(data, value)), 4),
    "CRC64NVME": lambda: _Crc(lambda data, value: int(_CRC64NVME.calc(data, value)), 8),
    "SHA1": lambda: hashlib.sha1(usedforsecurity=False),
    "SHA256": hashlib.sha256,
    "SHA512": hashlib.sha512,
    "MD5": lambda: hashlib.md5(usedforsecurity=False),
}


@dataclass(frozen=True, slots=True)
class Checksum:
    algorithm: str
    value: str  # Base64; of a composite one with "-parts" behind it.
    kind: str = FULL

    def members(self) -> Json:
        """As answers carry it."""
        return {f"Checksum{self.algorithm}": self.value, "ChecksumType": self.kind}

    def document(self) -> Json:
        return {"algorithm": self.algorithm, "value": self.value, "kind": self.kind}


def start(algorithm: str) -> Digest:
    """InvalidRequest for an algorithm that is not here."""
    made = _ALGORITHMS.get(algorithm.upper())
    if made is None:
        raise AwsError("NotImplemented", f"Freehold does not support the checksum algorithm {algorithm}.", status=501)
    return made()


def given(request: Json) -> tuple[str, str] | None:
    """(algorithm, base64) that the request carries."""
    for name, value in request.items():
        if name.startswith("Checksum") and name not in ("ChecksumAlgorithm", "ChecksumType", "ChecksumMode"):
            return name.removeprefix("Checksum"), value
    return None


def compute(algorithm: str, data: bytes) -> Checksum:
    digest = start(algorithm)
    digest.update(data)
    return Checksum(algorithm, encode(digest))


def verify(request: Json, data: bytes, default: str = DEFAULT) -> Checksum:
    """The body's checksum. BadDigest when it is not what the client sent."""
    _verify_md5(request.get("ContentMD5"), data)
    sent = given(request)
    checksum = compute(sent[0] if sent else request.get("ChecksumAlgorithm") or default, data)
    if sent and sent[1] != checksum.value:
        raise AwsError("BadDigest", f"The {sent[0]} you specified did not match the calculated checksum.", status=400)
    return checksum


def encode(digest: Digest) -> str:
    return base64.b64encode(digest.digest()).decode()


def composite(algorithm: str, parts: list[str]) -> Checksum:
    """The checksum of the parts' checksums (base64)."""
    joined = b"".join(base64.b64decode(part) for part in parts)
    return Checksum(algorithm, f"{compute(algorithm, joined).value}-{len(parts)}", COMPOSITE)


def _verify_md5(sent: str | None, data: bytes) -> None:
    if sent is None:
        return
    try:
        wanted = base64.b64decode(sent, validate=True)
    except binascii.Error:
        wanted = b""
    if len(wanted) != 16:
        raise AwsError("InvalidDigest", "The Content-MD5 you specified was invalid.", status=400)
    if hashlib.md5(data, usedforsecurity=False).digest() != wanted:
        raise AwsError("BadDigest", "The Content-MD5 you specified did not match what we received.", status=400)
