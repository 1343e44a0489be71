"""A zip file with code, made for one or more functions or for a layer."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Artifact:
    file_name: str  # What the framework calls it.
    path: Path
    sha256: str  # Base64 of the file's SHA-256, as Lambda's CodeSha256.
    size_bytes: int
    owners: tuple[str, ...]  # "function:getItems", "layer:common"; the key of serverless.yml after the colon.

    @property
    def key(self) -> str:
        """Where it lies under a service's folder of the bucket: it changes with the content, and only with it."""
        return f"{base64.b64decode(self.sha256).hex()[:32]}/{self.file_name}"
