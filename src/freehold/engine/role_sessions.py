"""The credentials that functions run with: a session of the function's role, as on AWS, known by computation alone.

One decision to know: nothing is stored. Access key, secret and token are computed from the role and the function's name
with a key that lives as long as the server and its environments; a token that the key did not make is nobody's.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass

import orjson


@dataclass(frozen=True, slots=True)
class RoleSession:
    role: str  # Its name, without a path.
    name: str  # Of the session: the function's.
    access_key: str
    secret: str
    token: str


class RoleSessions:
    def __init__(self, key: bytes) -> None:
        self._key = key

    def issue(self, role_arn: str, name: str) -> RoleSession:
        claims = orjson.dumps([role_arn.rpartition("/")[2], name])
        return self._session(claims)

    def find(self, access_key: str, token: str) -> RoleSession | None:
        """Whose credentials these are; None when we did not issue them."""
        try:
            claims = base64.urlsafe_b64decode(token.partition(".")[0].encode("ascii"))
            role, name = orjson.loads(claims)
        except (ValueError, TypeError):  # Also of base64, JSON and the letters.
            return None
        if not isinstance(role, str) or not isinstance(name, str):
            return None
        session = self._session(claims)
        is_ours = hmac.compare_digest(session.token.encode(), token.encode("utf-8", "replace"))
        return session if is_ours and session.access_key == access_key else None

    def _session(self, claims: bytes) -> RoleSession:
        role, name = orjson.loads(claims)
        access_key = "ASIA" + base64.b32encode(self._mac(b"access key", claims)[:10]).decode()
        secret = base64.b64encode(self._mac(b"secret", claims)[:30]).decode()
        seal = base64.urlsafe_b64encode(self._mac(b"token", claims)).decode()
        token = f"{base64.urlsafe_b64encode(claims).decode()}.{seal}"
        return RoleSession(role, name, access_key, secret, token)

    def _mac(self, purpose: bytes, claims: bytes) -> bytes:
        return hmac.new(self._key, purpose + b"\0" + claims, hashlib.sha256).digest()
