"""Client tokens of transactions: the same token with the same request within ten minutes is answered, not done again.

One decision to know: a token is stored in the transaction's own commit, so it survives exactly when its writes do.
AWS: TransactWriteItems, "Idempotency".
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import orjson

from freehold.aws.errors import AwsError
from freehold.clock import Clock
from freehold.tables.storage import Document, TableStorage

LIFETIME_S = 600
MAX_TOKENS = 100_000  # Past it the oldest is forgotten early.

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

    async def start(self) -> None:
        found = await self._storage.documents("token/")
        for key, document in sorted(found.items(), key=lambda pair: pair[1]["UntilS"]):
            self._known[key] = _Known(document["Digest"], document["UntilS"], document["Answer"])

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

    def forget(self, key: str) -> None:
        """The transaction did not reach the disk."""
        self._known.pop(key, None)


def _digest(request: Json) -> str:
    body = {name: value for name, value in request.items() if name != "ReturnConsumedCapacity"}
    return hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest()
