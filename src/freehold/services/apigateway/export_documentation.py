"""What a documentation version says of each place of an API: the parts about it, the general ones first.

API Gateway API Reference, "DocumentationPartLocation": a part is inherited by every place of its type whose path begins
with the part's, whose method and status are the part's or any ("*"), unless a finer part says otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from freehold.aws.call import Json

# What OpenAPI knows of each type; the rest is told in x-amazon-apigateway-documentation alone.
_KNOWN: dict[str, tuple[str, ...]] = {
    "API": ("info", "tags", "externalDocs"),
    "AUTHORIZER": ("description",),
    "METHOD": ("deprecated", "description", "externalDocs", "summary", "tags"),
    "MODEL": ("description", "example", "externalDocs", "title"),
    "PATH_PARAMETER": ("description",),
    "QUERY_PARAMETER": ("description",),
    "REQUEST_BODY": ("description",),
    "REQUEST_HEADER": ("description",),
    "RESPONSE": ("description",),
    "RESPONSE_HEADER": ("description",),
}


@dataclass(frozen=True, slots=True)
class Documentation:
    version: Json | None  # A document of a documentation version; None: nothing is said.

    def of(self, kind: str, path: str = "", method: str = "", status: str = "", name: str = "") -> Json:
        """The properties that OpenAPI knows, of the parts about this place."""
        found: list[tuple[tuple[int, bool, bool], Json]] = []
        for part in self._parts():
            location = part["location"]
            if location["type"] != kind or (location.get("name") or "") != name:
                continue
            if not _is_under(path, location.get("path") or ""):
                continue
            other_method, other_status = location.get("method", "*"), location.get("statusCode", "*")
            if other_method not in ("*", method) or other_status not in ("*", status):
                continue
            rank = (len(location.get("path") or ""), other_method != "*", other_status != "*")
            found.append((rank, orjson.loads(part["properties"])))
        said: Json = {}
        for _, properties in sorted(found, key=lambda each: each[0]):
            said |= {name: properties[name] for name in _KNOWN.get(kind, ()) if name in properties}
        return said

    def told_whole(self) -> Json | None:
        """As the extension of OpenAPI that an import reads again."""
        if self.version is None:
            return None
        return {
            "version": self.version["version"],
            "createdDate": moment(self.version["createdDate"]),
            "documentationParts": [
                {"location": part["location"], "properties": orjson.loads(part["properties"])} for part in self._parts()
            ],
        }

    def _parts(self) -> list[Json]:
        return self.version["parts"] if self.version is not None else []


def moment(seconds: Any) -> str:
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _is_under(path: str, above: str) -> bool:
    return above in ("", "/", path) or path.startswith(above + "/")
