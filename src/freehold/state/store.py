"""The control plane's documents: JSON by kind and key, written in batches, followed by whoever keeps compiled copies.

One decision to know: listeners are called with every committed batch before `write` returns. So an operation that has
answered is already in force in the gateway and the engine, and no request path ever reads the store.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

Document = dict[str, Any]


class Conflict(Exception):
    """The document is not at the revision that the write asked for; nothing of the batch was written."""

    def __init__(self, kind: str, key: str) -> None:
        super().__init__(f"{kind} {key} was changed meanwhile")
        self.kind = kind
        self.key = key


@dataclass(frozen=True, slots=True)
class Put:
    kind: str  # "lambda.function": the service, then what it is.
    key: str  # "us-east-1/hello": region first, so that `list_documents` by prefix lists a region.
    document: Document
    if_revision: int | None = None  # 0: only if there is none yet. None: in any case.


@dataclass(frozen=True, slots=True)
class Delete:
    kind: str
    key: str
    if_revision: int | None = None


Write = Put | Delete


@dataclass(frozen=True, slots=True)
class Stored:
    key: str
    document: Document  # Never change it in place: it is shared.
    revision: int  # Of the whole store, at the write of this document.


@dataclass(frozen=True, slots=True)
class Change:
    kind: str
    key: str
    document: Document | None  # None: deleted.
    revision: int


Listener = Callable[[Sequence[Change]], None]


class Store(Protocol):
    async def write(self, *writes: Write) -> int:
        """All or nothing, on disk when it returns. The new revision. Raises Conflict."""
        ...

    async def read(self, kind: str, key: str) -> Stored | None: ...

    async def list_documents(
        self, kind: str, prefix: str = "", *, after: str = "", limit: int | None = None
    ) -> list[Stored]:
        """Those whose key begins with `prefix` and is greater than `after`, by key (code points)."""
        ...

    def follow(self, kinds: Sequence[str], listener: Listener) -> Callable[[], None]:
        """Calls `listener` at once with what there is, then with each committed batch (only changes of these kinds).

        Called on the event loop, synchronously: a listener must not block nor raise. Returns what ends it.
        """
        ...
