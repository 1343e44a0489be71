"""Secrets at rest: what SecureString parameters and secrets hold is on disk only as AES-256-GCM, under one key file.

One decision to know: the place of a value (its document's key) is bound into the seal, so that a sealed value copied
to another document opens there as little as with another key.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_KEY_BYTES = 32
_NONCE_BYTES = 12
_VERSION = b"\x01"


class CannotOpen(Exception):
    """The value was sealed with another key or for another place, or was changed."""


class Seal:
    """Closes and opens values with the key in `file`, which is made (mode 0600) where there is none."""

    def __init__(self, file: Path) -> None:
        self._key = _read_key(file)

    @cached_property
    def _cipher(self) -> AESGCM:
        # Imported when the first secret is: a server starts without it.
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        return AESGCM(self._key)

    def close(self, text: bytes, place: str) -> str:
        nonce = os.urandom(_NONCE_BYTES)
        return base64.b64encode(_VERSION + nonce + self._cipher.encrypt(nonce, text, place.encode())).decode()

    def mark(self, text: str) -> str:
        """64 hex digits that are the same for the same text, and that nobody without the key can tell."""
        return hmac.new(self._key, b"mark:" + text.encode(), hashlib.sha256).hexdigest()

    def open(self, sealed: str, place: str) -> bytes:
        """Raises CannotOpen."""
        from cryptography.exceptions import InvalidTag

        data = base64.b64decode(sealed)
        nonce, rest = data[1 : 1 + _NONCE_BYTES], data[1 + _NONCE_BYTES :]
        try:
            return self._cipher.decrypt(nonce, rest, place.encode())
        except (InvalidTag, ValueError) as error:
            raise CannotOpen(f"The sealed value of {place} does not open with this data directory's key.") from error


def _read_key(file: Path) -> bytes:
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        # Whole or not at all: a key of which half is on disk would lose every secret sealed with it.
        fresh = file.with_name(f"{file.name}.new")
        fresh.unlink(missing_ok=True)
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
            opened.write(os.urandom(_KEY_BYTES))
            opened.flush()
            os.fsync(opened.fileno())
        fresh.rename(file)
        directory = os.open(file.parent, os.O_RDONLY)
        os.fsync(directory)
        os.close(directory)
    key = file.read_bytes()
    if len(key) != _KEY_BYTES:
        raise CannotOpen(f"{file} is no key: it must have {_KEY_BYTES} bytes and has {len(key)}.")
    return key
