"""Capacity units that an operation uses, and how an answer tells them.

AWS: "DynamoDB throughput capacity", ConsumedCapacity in the API reference.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from freehold.services.dynamodb.record import Json
from freehold.tables.schema import Table
from freehold.tables.storage import RowChange

_READ_BYTES = 4096
_WRITE_BYTES = 1024


@dataclass(slots=True)
class Used:
    """Of one table in one request; index units by index name."""

    table: float = 0.0
    local: dict[str, float] = field(default_factory=dict)
    other: dict[str, float] = field(default_factory=dict)  # Global secondary indexes.
    is_write: bool = False

    def add_read(self, size_bytes: int, *, consistent: bool, times: int = 1) -> None:
        self.table += read_units(size_bytes, consistent=consistent) * times

    def add_write(self, table: Table, size_before: int | None, change: RowChange | None, times: int = 1) -> None:
        """`change` is None when the item stayed as it was: that is paid for too."""
        self.is_write = True
        size = max(size_before or 0, change.size_bytes if change is not None else 0)
        units = float(write_units(size) * times)
        self.table += units
        if change is None or not table.indexes:
            return
        touched = {space for space, _ in (*change.entries, *change.lost_entries)} | set(change.kept_spaces)
        for index in table.indexes.values():
            if index.space in touched:
                side = self.local if index.is_local else self.other
                side[index.name] = side.get(index.name, 0.0) + units


def read_units(size_bytes: int, *, consistent: bool) -> float:
    units = max(1, -(-size_bytes // _READ_BYTES))
    return float(units) if consistent else units / 2


def write_units(size_bytes: int) -> int:
    return max(1, -(-size_bytes // _WRITE_BYTES))


def tell(request: Json, table: str, used: Used, *, transactional: bool = False) -> Json | None:
    """The ConsumedCapacity that the request asked for; None when it asked for none."""
    wanted = request.get("ReturnConsumedCapacity")
    if wanted not in ("TOTAL", "INDEXES"):
        return None
    total = used.table + sum(used.local.values()) + sum(used.other.values())
    told: Json = {"TableName": table, "CapacityUnits": total}
    if wanted == "INDEXES":
        told["Table"] = {"CapacityUnits": used.table}
        if used.local:
            told["LocalSecondaryIndexes"] = _each(used.local)
        if used.other:
            told["GlobalSecondaryIndexes"] = _each(used.other)
    if transactional:
        for each in (told, *([told["Table"]] if "Table" in told else [])):
            each["WriteCapacityUnits" if used.is_write else "ReadCapacityUnits"] = each["CapacityUnits"]
    return told


def tell_all(request: Json, used: Mapping[str, Used], *, transactional: bool = False) -> list[Json]:
    found: Iterable[Json | None] = (
        tell(request, name, each, transactional=transactional) for name, each in used.items()
    )
    return [told for told in found if told is not None]


def sum_by_table(told: Iterable[Json]) -> list[Json]:
    """What several answers told, a table once."""
    sums: dict[str, Json] = {}
    for each in told:
        known = sums.setdefault(each["TableName"], {"TableName": each["TableName"]})
        _add(known, each)
    return list(sums.values())


def _add(known: Json, more: Json) -> None:
    for name, value in more.items():
        if isinstance(value, dict):
            _add(known.setdefault(name, {}), value)
        elif name != "TableName":
            known[name] = known.get(name, 0.0) + value


def _each(units: dict[str, float]) -> Json:
    return {name: {"CapacityUnits": each} for name, each in units.items()}
