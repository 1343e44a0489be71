"""Stream records' age: they are kept for a day and then go, with the documents of streams that have ended.

AWS: "Change data capture for DynamoDB Streams", "Data retention limit for DynamoDB Streams".
"""

from __future__ import annotations

from collections.abc import Sequence

from freehold.clock import Clock, now_ms
from freehold.tables.storage import Changes, Row, TableStorage

RETENTION_S = 24 * 3600
_INTERVAL_S = 60.0
_AT_ONCE = 500


async def trim_forever(storage: TableStorage, clock: Clock) -> None:
    while True:
        await trim(storage, clock)
        await clock.sleep(_INTERVAL_S)


async def trim(storage: TableStorage, clock: Clock) -> None:
    oldest_ms = now_ms(clock) - RETENTION_S * 1000
    ended = []
    for key, document in (await storage.documents("stream/")).items():
        await trim_stream(storage, document["Number"], oldest_ms)
        if document["DisabledS"] is not None and document["DisabledS"] * 1000 < oldest_ms:
            ended.append(key)

    def decide(rows: Sequence[Row | None]) -> tuple[Changes, None]:
        return Changes(documents=[(key, None) for key in ended]), None

    if ended:
        await storage.write((), decide)


async def trim_stream(storage: TableStorage, stream: int, oldest_ms: int) -> None:
    while await storage.trim_records(stream, oldest_ms, _AT_ONCE) == _AT_ONCE:
        pass
