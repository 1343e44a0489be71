"""Keys as bytes whose order is DynamoDB's: all that the storage knows of a table is these.

One decision to know: a row's key is `space | hash of the partition key | partition key | sort key`, each part ending
itself. So an item is one look-up, a partition and every sort key condition is one range of bytes, and a scan goes in
the order of the hashes, where a parallel scan's segments are ranges too. An index's key goes on with the item's own.
"""

from __future__ import annotations

import zlib
from base64 import b64decode
from dataclasses import dataclass

from freehold.tables.numbers import encode_number

KeyType = str  # "S", "N" or "B".

_END = b"\x00\x01"
HASHES = 1 << 16  # How many values the two bytes of hash have.


@dataclass(frozen=True, slots=True)
class Range:
    """Keys from `low` up to, not including, `high`."""

    low: bytes
    high: bytes

    @property
    def is_empty(self) -> bool:
        return self.low >= self.high


def space_prefix(space: int) -> bytes:
    """A space holds the items of one table, or the entries of one index."""
    return space.to_bytes(4, "big")


def encode_part(key_type: KeyType, text: str) -> bytes:
    """One key attribute's value, as on the wire (binary is base64), with its end."""
    if key_type == "S":
        return text.encode().replace(b"\x00", b"\x00\xff") + _END
    if key_type == "N":
        return encode_number(text)
    return b64decode(text).replace(b"\x00", b"\x00\xff") + _END


def encode_start(key_type: KeyType, text: str) -> bytes:
    """What every value that begins with `text` begins with; strings and binary only."""
    assert key_type != "N"
    return encode_part(key_type, text)[: -len(_END)]


def partition_prefix(prefix: bytes, part: bytes) -> bytes:
    """What all keys of the partition begin with; `part` is the encoded partition key."""
    return prefix + (zlib.crc32(part) & 0xFFFF).to_bytes(2, "big") + part


def after(prefix: bytes) -> bytes:
    """The first key past all those that begin with `prefix`."""
    trimmed = prefix.rstrip(b"\xff")
    assert trimmed, "a key of nothing but 0xff: spaces never count that far"
    return trimmed[:-1] + bytes([trimmed[-1] + 1])


def all_with(prefix: bytes) -> Range:
    return Range(prefix, after(prefix))


def segment_range(prefix: bytes, segment: int, total: int) -> Range:
    """The part of a space that one worker of a parallel scan reads."""
    low = segment * HASHES // total
    high = (segment + 1) * HASHES // total
    return Range(_hash_bound(prefix, low), _hash_bound(prefix, high))


def _hash_bound(prefix: bytes, value: int) -> bytes:
    return after(prefix) if value >= HASHES else prefix + value.to_bytes(2, "big")
