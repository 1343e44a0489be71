"""Codes of authenticator apps: RFC 6238 (TOTP) with SHA-1, six digits and 30 seconds. Pure."""

from __future__ import annotations

import base64
import hashlib
import hmac
import struct

STEP_S = 30
SECRET_HEX_DIGITS = 64  # 52 letters of base32, as AWS's secrets are.
_DIGITS = 6
_DRIFT = 1  # Steps before and after the present one whose codes are taken, too.


def secret_of(digits: str) -> str:
    """Random hexadecimal digits as an app reads them."""
    return base64.b32encode(bytes.fromhex(digits)).decode().rstrip("=")


def code_at(secret: str, step: int) -> str:
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.new(key, struct.pack(">Q", step), hashlib.sha1).digest()
    start = digest[-1] & 15
    number = struct.unpack(">I", digest[start : start + 4])[0] & 0x7FFFFFFF
    return f"{number % 10**_DIGITS:0{_DIGITS}}"


def step_of(secret: str, code: str, now_s: float) -> int | None:
    """The step whose code it is, if that is near; None: it is none of them."""
    present = int(now_s) // STEP_S
    for step in range(present - _DRIFT, present + _DRIFT + 1):
        if hmac.compare_digest(code_at(secret, step).encode(), code.encode()):
            return step
    return None
