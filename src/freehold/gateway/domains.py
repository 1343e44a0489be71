"""Which API a request is for whose Host is a custom domain name: by the longest of the name's mappings that its path
begins with.

API Gateway Developer Guide, "Map API stages to a custom domain name for HTTP APIs", "Wildcard custom domain names".
Follows the documents of names and mappings; a request is told by a few looks into tables, however many there are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from freehold.aws.call import Json
from freehold.gateway.addresses import Address
from freehold.http.messages import Request
from freehold.state.store import Change, Store

_NAME, _MAPPING = "apigatewayv2.domainname", "apigatewayv2.apimapping"


class Domains:
    def __init__(self) -> None:
        self._names: dict[str, dict[str, Json]] = {}  # Name -> its mappings by id.
        self._tables: dict[str, tuple[int, dict[str, Json]]] = {}  # Name -> most segments of a key, mappings by key.

    def follow(self, store: Store) -> Callable[[], None]:
        """Returns what ends it."""
        return store.follow((_NAME, _MAPPING), self._changed)

    def find(self, request: Request) -> Address | None:
        """None: the Host is none of ours. An address without an id: the name is, and nothing is mapped to the path."""
        if not self._names:
            return None
        host = request.host.partition(":")[0].lower()
        name = host if host in self._names else f"*.{host.partition('.')[2]}"
        if name not in self._names:
            return None
        depth, by_key = self._table(name)
        path = request.raw_path or "/"
        segments = path[1:].split("/", depth)[:depth]
        for count in range(len(segments), -1, -1):
            key = "/".join(segments[:count])
            mapping = by_key.get(key)
            if mapping is not None:
                below = path[len(key) + 1 :] if key else path
                return Address(False, mapping["ApiId"], below or "/", mapping["Stage"], f"/{key}" if key else "")
        return Address(False, "", path)

    def _table(self, name: str) -> tuple[int, dict[str, Json]]:
        table = self._tables.get(name)
        if table is None:
            by_key = {mapping["ApiMappingKey"]: mapping for mapping in self._names[name].values()}
            depth = max((key.count("/") + 1 for key in by_key if key), default=0)
            table = self._tables[name] = (depth, by_key)
        return table

    def _changed(self, changes: Sequence[Change]) -> None:
        for change in changes:
            _, name, *mapping_id = change.key.split("/")
            self._tables.pop(name, None)
            if change.kind == _NAME and change.document is None:
                self._names.pop(name, None)
            elif change.kind == _NAME:
                self._names.setdefault(name, {})
            elif change.document is not None:
                self._names.setdefault(name, {})[mapping_id[0]] = change.document
            else:
                self._names.get(name, {}).pop(mapping_id[0], None)
