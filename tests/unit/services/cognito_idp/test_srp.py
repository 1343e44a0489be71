"""SRP: both sides agree for any password and for that one alone; numbers are written as clients write them."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.api.cognito_idp.pool import SrpClient

from freehold.services.cognito_idp import srp

SALT = "1234567890abcdef1234567890abcdef"


def signatures(known: str, typed: str, private: int, theirs: int) -> tuple[str, str]:
    """The server's and the client's, of one secret block."""
    verifier = srp.make_verifier("pool", "ann", known, SALT)
    client = SrpClient("us-east-1_pool", "ann", typed, private)
    block = base64.b64encode(b"block").decode()
    challenge = {"SALT": SALT, "SRP_B": f"{srp.server_public(verifier, theirs):x}"}
    said = client.answer({**challenge, "USER_ID_FOR_SRP": "ann", "SECRET_BLOCK": block}, "now")
    key = srp.claim_key(verifier, int(client.public, 16), theirs, srp.server_public(verifier, theirs))
    return srp.claim_signature(key, "pool", "ann", b"block", "now"), said["PASSWORD_CLAIM_SIGNATURE"]


@settings(max_examples=6, deadline=None)
@given(
    password=st.text(min_size=1, max_size=40).filter(lambda text: text.isprintable()),
    private=st.integers(min_value=2, max_value=2**256),
    theirs=st.integers(min_value=2, max_value=2**256),
)
def test_both_sides_agree_on_the_same_password_alone(password: str, private: int, theirs: int) -> None:
    ours, clients = signatures(password, password, private, theirs)
    assert ours == clients
    ours, clients = signatures(password, f"{password}x", private, theirs)
    assert ours != clients


def test_a_password_that_is_sent_meets_its_verifier_alone() -> None:
    verifier = srp.make_verifier("pool", "ann", "right", SALT)
    assert srp.is_password("pool", "ann", "right", verifier)
    assert not srp.is_password("pool", "ann", "wrong", verifier)
    assert not srp.is_password("pool", "bob", "right", verifier)


@pytest.mark.parametrize(
    ("number", "bytes_"), [(0, b"\x00"), (0x7F, b"\x7f"), (0x80, b"\x00\x80"), (0x1FF, b"\x01\xff")]
)
def test_a_number_has_a_zero_in_front_where_it_would_look_negative(number: int, bytes_: bytes) -> None:
    assert srp.padded(number) == bytes_


@pytest.mark.parametrize("value", [0, srp.N, 2 * srp.N])
def test_a_public_value_that_gives_the_secret_away_is_none(value: int) -> None:
    assert not srp.is_public(value)
