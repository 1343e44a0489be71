"""Items out of a file that ImportTable reads, a line at a time however large the file is.

AWS: "Amazon S3 import formats for DynamoDB".
"""

from __future__ import annotations

import csv
import json
import re
import zlib
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import orjson

from freehold.tables.values import Item

Json = dict[str, Any]

_DECODER = json.JSONDecoder()
_SPACE = re.compile(r"\s*")
MAX_LINE_BYTES = 4 * 1024 * 1024  # Far more than an item of 400 KB in any notation.
# Believed: an empty cell is an empty string, but in a key column it is no value at all, which refuses the line.
_EMPTY_CELL_IS_TEXT = True


class Malformed(str):
    """Why a line is no item."""


Read = tuple[Item, int] | Malformed  # The item and the bytes of its line.


async def read_items(
    body: AsyncIterator[bytes], request: Json, types: Mapping[str, str]
) -> AsyncIterator[tuple[int, Read]]:
    """(line, counted from 1, what it holds). `types`: of the key attributes, which a CSV file cannot say."""
    chunks = _unzipped(body) if request.get("InputCompressionType") == "GZIP" else body
    options = (request.get("InputFormatOptions") or {}).get("Csv") or {}
    header: list[str] | None = options.get("HeaderList")
    number = 0
    held = ""  # Of a CSV record whose quotes are still open.
    async for line in _lines(chunks):
        number += 1
        if isinstance(line, Malformed):
            yield number, line
            continue
        if request["InputFormat"] == "DYNAMODB_JSON":
            for item in _json_items(line):
                yield number, item
            continue
        held += line.decode("utf-8", "replace")
        if held.count('"') % 2 and len(held) <= MAX_LINE_BYTES:
            held += "\n"
            continue
        text, held = held, ""
        if not text:
            continue
        cells = next(csv.reader([text], delimiter=options.get("Delimiter") or ","))
        if header is None:
            header = cells
        else:
            yield number, _csv_item(header, cells, types, len(text.encode()))
    if held:
        yield number, Malformed("The quotes are not closed")


def _json_items(line: bytes) -> Iterator[Read]:
    """One as a rule; Amazon's import takes several that stand in one line too."""
    if not line.strip():
        return
    try:
        yield _json_item(orjson.loads(line), len(line))
        return
    except orjson.JSONDecodeError:
        text, end = line.decode("utf-8", "replace").strip(), 0
    while end < len(text):
        begin = end
        try:
            found, end = _DECODER.raw_decode(text, begin)
        except (ValueError, RecursionError):
            yield Malformed("It is not JSON")
            return
        yield _json_item(found, len(text[begin:end].encode()))
        space = _SPACE.match(text, end)
        assert space is not None  # It matches nothing too.
        end = space.end()


def _json_item(found: object, size: int) -> Read:
    item = found.get("Item") if isinstance(found, dict) else None
    return (item, size) if isinstance(item, dict) else Malformed("It has no Item")


def _csv_item(header: list[str], cells: list[str], types: Mapping[str, str], size: int) -> Read:
    if len(cells) != len(header):
        return Malformed(f"It has {len(cells)} values for {len(header)} columns")
    item = {}
    for name, cell in zip(header, cells, strict=True):
        if cell or (_EMPTY_CELL_IS_TEXT and name not in types):
            item[name] = {types.get(name, "S"): cell}
    return item, size


async def _lines(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes | Malformed]:
    held = b""
    is_cut = False  # The present line was too long already.
    async for chunk in chunks:
        *whole, held = (held + chunk).split(b"\n")
        for line in whole:
            if is_cut:
                is_cut = False
            else:
                yield line.removesuffix(b"\r")
        if len(held) > MAX_LINE_BYTES:
            held = b""
            if not is_cut:
                yield Malformed("The line is too long")
            is_cut = True
    if held and not is_cut:
        yield held.removesuffix(b"\r")


async def _unzipped(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """A gzip file may be several, one behind the other."""
    unzip = zlib.decompressobj(wbits=31)
    async for chunk in chunks:
        while chunk:
            try:
                yield unzip.decompress(chunk, MAX_LINE_BYTES)
            except zlib.error:
                yield b"\n\x00 not gzip\n"  # A line that is no item says where it went wrong.
                return
            chunk = unzip.unconsumed_tail or unzip.unused_data
            if unzip.eof:
                unzip = zlib.decompressobj(wbits=31)
