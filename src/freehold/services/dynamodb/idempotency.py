"""Client tokens of transactions: the same token with the same request within ten minutes is answered, not done again.

One decision to know: a token is stored in the transaction's own commit, so it survives exactly when its writes do.
Those of before a start may be a hundred thousand: they are read beside the requests, not before the first of them.
AWS: TransactWriteItems, "Idempotency".
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import orjson

from freehold.aws.errors import AwsError
from freehold.clock import Clock
from freehold.tables.storage import Document, StorageFailed, TableStorage

LIFETIME_S = 600
MAX_TOKENS = 100_000  # Past it the oldest is forgotten early.
_AT_ONCE = 200  # Read between two turns of the loop.
_ALL = "token/"
_log = logging.getLogger(__name__)

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Known:
    digest: str  # Of the request.
    until_s: float
    answer: Json


class Tokens:
    def __init__(self, storage: TableStorage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._are_all_known = False

    async def load(self) -> None:
        """In the background, until all that were stored before the start are known."""
        after = ""
        try:
            while found := await self._storage.documents(_ALL, after, _AT_ONCE):
                for key, document in found.items():
                    self._recall(key, document)
                after = next(reversed(found))
                await asyncio.sleep(0)
        except StorageFailed as error:
            _log.warning("DynamoDB's client tokens are read one by one: %s", error.message)
            return
        self._are_all_known = True

    async def recall(self, key: str) -> None:
        """Before `find`: the token may be one of before the start. Raises StorageFailed."""
        if not self._are_all_known and key not in self._known:
            document = (await self._storage.documents(key, limit=1)).get(key)
            if document is not None:
                self._recall(key, document)

    def find(self, key: str, request: Json) -> Json | None:
        """The answer of the earlier request. Raises IdempotentParameterMismatchException."""
        known = self._known.get(key)
        if known is None or known.until_s < self._clock.now_s():
            return None
        if known.digest != _digest(request):
            raise AwsError(
                "IdempotentParameterMismatchException",
                "The request uses the same client token as a previous, but non-identical request. Do not reuse a "
                "client token with different requests, unless the requests are identical",
            )
        return known.answer

    def remember(self, key: str, request: Json, answer: Json) -> list[tuple[str, Document | None]]:
        """What to store with the transaction; old tokens go by the way."""
        now = self._clock.now_s()
        gone: list[tuple[str, Document | None]] = []
        while self._known:
            oldest = next(iter(self._known))
            if self._known[oldest].until_s >= now and len(self._known) < MAX_TOKENS:
                break
            del self._known[oldest]
            gone.append((oldest, None))
        known = self._known[key] = _Known(_digest(request), now + LIFETIME_S, answer)
        self._known.move_to_end(key)
        return [*gone, (key, {"Digest": known.digest, "UntilS": known.until_s, "Answer": answer})]

    def _recall(self, key: str, document: Document) -> None:
        if key not in self._known:
            self._known[key] = _Known(document["Digest"], document["UntilS"], document["Answer"])
            self._known.move_to_end(key, last=False)

    def forget(self, key: str) -> None:
        """The transaction did not reach the disk."""
        self._known.pop(key, None)


def _digest(request: Json) -> str:
    body = {name: value for name, value in request.items() if name != "ReturnConsumedCapacity"}
    return hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest()
