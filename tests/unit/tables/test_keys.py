"""Keys as bytes: their order, and that no two keys are ever one."""

from __future__ import annotations

from base64 import b64encode

from hypothesis import given
from hypothesis import strategies as st

from freehold.tables.keys import HASHES, after, all_with, encode_part, encode_start, segment_range, space_prefix

_text = st.text(alphabet=st.characters(codec="utf-8"), max_size=12) | st.text(alphabet="\x00\x01\xffab", max_size=6)
_bytes = st.binary(max_size=8) | st.lists(st.sampled_from([0, 1, 254, 255]), max_size=6).map(bytes)


@given(_text, _text)
def test_strings_sort_by_their_utf8(one: str, other: str) -> None:
    left, right = encode_part("S", one), encode_part("S", other)
    assert (left < right) == (one.encode() < other.encode())
    assert one == other or not left.startswith(right)


@given(_bytes, _bytes)
def test_binaries_sort_by_their_bytes(one: bytes, other: bytes) -> None:
    left, right = (encode_part("B", b64encode(value).decode()) for value in (one, other))
    assert (left < right) == (one < other)
    assert one == other or not left.startswith(right)


@given(_text, _text)
def test_begins_with_is_a_range(start: str, value: str) -> None:
    span = all_with(b"\x01" + encode_start("S", start))
    assert (span.low <= b"\x01" + encode_part("S", value) < span.high) == value.startswith(start)


@given(_text, _text, _text, _text)
def test_two_parts_are_never_taken_for_two_others(a: str, b: str, c: str, d: str) -> None:
    left = encode_part("S", a) + encode_part("S", b)
    right = encode_part("S", c) + encode_part("S", d)
    assert (left == right) == ((a, b) == (c, d))
    assert (left < right) == ((a.encode(), b.encode()) < (c.encode(), d.encode()))


@given(st.binary(min_size=1, max_size=6).filter(lambda prefix: prefix.strip(b"\xff")), st.binary(max_size=4))
def test_after_is_past_all_that_begin_so(prefix: bytes, more: bytes) -> None:
    assert prefix + more < after(prefix)
    assert not after(prefix).startswith(prefix)


@given(st.integers(1, 1_000_000))
def test_the_segments_of_a_scan_are_all_of_it_once(total: int) -> None:
    prefix = space_prefix(7)
    some = sorted({0, 1, total // 2, total - 2, total - 1} & set(range(total)))
    for segment in some:
        span = segment_range(prefix, segment, total)
        if segment + 1 < total:
            assert span.high == segment_range(prefix, segment + 1, total).low
    assert segment_range(prefix, 0, total).low <= prefix + b"\x00\x00"
    assert segment_range(prefix, total - 1, total).high == after(prefix)
    assert HASHES == 1 << 16
