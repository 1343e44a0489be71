from __future__ import annotations

import gzip
import zlib

import pytest

from freehold.aws.encodings import choose_encoding, decode_body, encode_body
from freehold.aws.errors import AwsError


def test_a_gzip_body_of_several_members_is_read_as_one() -> None:
    assert decode_body("gzip", gzip.compress(b"one, ", mtime=0) + gzip.compress(b"two", mtime=0), 100) == b"one, two"


def test_a_deflate_body_is_read() -> None:
    assert decode_body("Deflate", zlib.compress(b"plain"), 100) == b"plain"


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", b""),
        ("gzip", b"no gzip"),
        ("gzip", gzip.compress(b"cut", mtime=0)[:-1]),
        ("gzip", gzip.compress(b"more", mtime=0) + b"junk"),
        ("deflate", zlib.compress(b"more") + b"junk"),
        ("br", b"x"),
    ],
)
def test_a_body_that_is_not_what_it_says_is_refused(encoding: str, body: bytes) -> None:
    with pytest.raises(AwsError) as refused:
        decode_body(encoding, body, 100)
    assert refused.value.status == 500


def test_a_body_that_unpacks_to_more_than_the_limit_is_refused() -> None:
    assert decode_body("gzip", gzip.compress(b"x" * 100, mtime=0), 100) == b"x" * 100
    with pytest.raises(AwsError) as refused:
        decode_body("gzip", gzip.compress(b"x" * 101, mtime=0), 100)
    assert refused.value.status == 413


@pytest.mark.parametrize(
    ("accepted", "chosen"),
    [
        ("identity", None),
        ("br, deflate, gzip", "deflate"),
        ("gzip;q=0.5, deflate", "deflate"),
        ("gzip;q=0", None),
        ("*", "gzip"),
        ("*, deflate", "deflate"),
        ("*, gzip;q=0.5", "deflate"),
        ("gzip;q=what", "gzip"),
    ],
)
def test_the_encoding_of_most_weight_is_chosen(accepted: str, chosen: str | None) -> None:
    assert choose_encoding(accepted) == chosen


def test_only_large_answers_are_compressed() -> None:
    assert encode_body("gzip", b"x" * 4095) is None
    found = encode_body("gzip", b"x" * 4096)
    assert found is not None
    assert gzip.decompress(found[1]) == b"x" * 4096
