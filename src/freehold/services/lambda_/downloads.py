"""Code and layers as GetFunction and GetLayerVersion give them: at a signed address that holds for ten minutes.

AWS: FunctionCodeLocation, "A presigned URL that you can use to download the deployment package" (10 minutes:
GetFunction). The signing key lives as long as the server, so an address does not outlive a restart.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from urllib.parse import parse_qs

from freehold.aws.call import Call
from freehold.clock import Clock
from freehold.state.blobs import Blobs

PATH = "/_freehold/code/"
LIFETIME_S = 600


@dataclass(frozen=True, slots=True)
class Downloads:
    blobs: Blobs
    clock: Clock
    key: bytes

    def address(self, call: Call, endpoint: str, sha256: str) -> str:
        """Where the client that called finds the zip."""
        start = f"{call.scheme}://{call.host}" if call.host else endpoint
        expires = int(self.clock.now_s()) + LIFETIME_S
        return f"{start}{PATH}{sha256}?Expires={expires}&Signature={self._signature(sha256, expires)}"

    async def read(self, path: str, query: str) -> bytes | None:
        """The zip at an address that `address` gave and that still holds; None otherwise."""
        sha256 = path.removeprefix(PATH)
        values = parse_qs(query)
        expires, signature = values.get("Expires", [""])[0], values.get("Signature", [""])[0]
        if not (expires.isascii() and expires.isdigit() and len(expires) < 20) or int(expires) < self.clock.now_s():
            return None
        if not hmac.compare_digest(self._signature(sha256, int(expires)).encode(), signature.encode()):
            return None
        return await self.blobs.get(sha256)

    def _signature(self, sha256: str, expires: int) -> str:
        return hmac.new(self.key, f"{sha256}\n{expires}".encode(), hashlib.sha256).hexdigest()
