"""A Store without a disk, for tests of parts that follow it. tests/contract holds the real ones to its Protocol."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import orjson

from freehold.state.store import Change, Conflict, Listener, Put, Stored, Write


class MemoryStore:
    def __init__(self) -> None:
        self._documents: dict[tuple[str, str], Stored] = {}
        self._followers: list[tuple[frozenset[str], Listener]] = []
        self._revision = 0

    async def write(self, *writes: Write) -> int:
        return self.write_now(*writes)

    def write_now(self, *writes: Write) -> int:
        for write in writes:
            stored = self._documents.get((write.kind, write.key))
            if write.if_revision is not None and write.if_revision != (stored.revision if stored else 0):
                raise Conflict(write.kind, write.key)
        self._revision += 1
        changes = []
        for write in writes:
            document = None
            if isinstance(write, Put):
                document = orjson.loads(orjson.dumps(write.document))  # What is not JSON must fail here too.
                self._documents[write.kind, write.key] = Stored(write.key, document, self._revision)
            else:
                self._documents.pop((write.kind, write.key), None)
            changes.append(Change(write.kind, write.key, document, self._revision))
        for kinds, listener in self._followers:
            if wanted := [change for change in changes if change.kind in kinds]:
                listener(wanted)
        return self._revision

    async def read(self, kind: str, key: str) -> Stored | None:
        return self._documents.get((kind, key))

    async def list_documents(self, kind: str, prefix: str = "") -> list[Stored]:
        found = [stored for (each, key), stored in self._documents.items() if each == kind and key.startswith(prefix)]
        return sorted(found, key=lambda stored: stored.key)

    def follow(self, kinds: Sequence[str], listener: Listener) -> Callable[[], None]:
        follower = (frozenset(kinds), listener)
        self._followers.append(follower)
        have = [
            Change(kind, key, stored.document, stored.revision)
            for (kind, key), stored in self._documents.items()
            if kind in follower[0]
        ]
        if have:
            listener(have)
        return lambda: self._followers.remove(follower)
