"""How a document is changed: a copy of it, written at the revision that was read, and made again where somebody else
was faster. Whatever `make` refuses is not written."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Awaitable, Callable, Sequence

from freehold.state.store import Conflict, Document, Put, Store, Stored, Write

_ATTEMPTS = 16


class TooManyChanges(Exception):
    """Others were faster each time; nothing was written."""


async def change_document(
    store: Store,
    kind: str,
    find: Callable[[], Awaitable[Stored]],
    make: Callable[[Document], None],
    also: Callable[[Document, Document], Awaitable[Sequence[Write]]] | None = None,
    attempts: int | None = _ATTEMPTS,
) -> Document:
    """The document as it is then. `find` reads it again each time; `also`, given the document before and after, makes
    what is written with it. `attempts` None: until it is written, as somebody's write succeeds each time. Raises
    TooManyChanges, and what `find`, `make` and `also` raise."""
    for _ in itertools.count() if attempts is None else range(attempts):
        stored = await find()
        document = copy.deepcopy(stored.document)
        make(document)
        more = await also(stored.document, document) if also is not None else ()
        try:
            await store.write(Put(kind, stored.key, document, stored.revision), *more)
        except Conflict:
            continue
        return document
    raise TooManyChanges(f"{kind} is being changed by too many at once.")
