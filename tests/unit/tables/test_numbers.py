"""The number codec. AWS: "Supported data types and naming rules in Amazon DynamoDB", Number."""

from __future__ import annotations

import itertools
from decimal import Context, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.aws.errors import AwsError
from freehold.tables.numbers import add, canonical_number, encode_number, number_size, subtract

_EXACT = Context(prec=400)
_digits = st.integers(-(10**38) + 1, 10**38 - 1)


@st.composite
def numbers(draw: st.DrawFn) -> Decimal:
    """Any that DynamoDB takes."""
    whole = draw(_digits)
    length = len(str(abs(whole)))
    lead = draw(st.integers(-130, 125)) if whole else 0
    return Decimal(whole).scaleb(lead - length + 1, _EXACT)


@given(numbers())
def test_a_number_keeps_its_value_and_has_one_text(number: Decimal) -> None:
    text = canonical_number(str(number))
    assert Decimal(text) == number
    assert "e" not in text.lower()
    assert canonical_number(f"{number:e}") == canonical_number(text) == text
    if number >= 0:
        assert canonical_number(f"+{number}") == text
    assert 1 <= number_size(text) <= 21


@given(numbers(), numbers())
def test_encoded_numbers_sort_as_the_numbers_do_and_none_begins_another(one: Decimal, other: Decimal) -> None:
    left, right = (encode_number(canonical_number(str(number))) for number in (one, other))
    assert (left < right) == (one < other)
    assert (left == right) == (one == other)
    if one != other:
        assert not left.startswith(right)
        assert not right.startswith(left)


@given(
    st.sampled_from(
        [
            Decimal(f"{sign}{digits}E{power}")
            for sign, digits, power in itertools.product(
                ("", "-"), ("1", "9", "10", "11", "99", "100", "101", "19", "9.9", "1.01"), (-129, -2, -1, 0, 1, 2, 120)
            )
        ]
    ),
    st.sampled_from([Decimal(0), *(Decimal(f"{sign}1E{power}") for sign in ("", "-") for power in range(-3, 4))]),
)
def test_neighbours_sort_too(one: Decimal, other: Decimal) -> None:
    left, right = (encode_number(canonical_number(str(number))) for number in (one, other))
    assert (left < right) == (one < other)


@given(numbers(), numbers())
def test_sums_are_exact_or_refused(one: Decimal, other: Decimal) -> None:
    left, right = canonical_number(str(one)), canonical_number(str(other))
    for operation, exact in ((add, _EXACT.add(one, other)), (subtract, _EXACT.subtract(one, other))):
        fits = not exact or (len(exact.normalize(_EXACT).as_tuple().digits) <= 38 and -130 <= exact.adjusted() <= 125)
        if fits:
            assert Decimal(operation(left, right)) == exact
        else:
            with pytest.raises(AwsError) as refused:
                operation(left, right)
            assert refused.value.code == "ValidationException"


@given(st.text(max_size=20) | st.from_regex(r"[+-]?[0-9.eE+-]{0,12}", fullmatch=True))
def test_any_text_is_a_number_or_refused_in_dynamodbs_words(text: str) -> None:
    try:
        found = canonical_number(text)
    except AwsError as error:
        assert error.code == "ValidationException"  # noqa: PT017 - any error is one of these, or there is none.
    else:
        assert Decimal(found) == Decimal(text)
        encode_number(found)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1e126", "Number overflow. Attempting to store a number with magnitude larger than supported range"),
        ("-1e126", "Number overflow. Attempting to store a number with magnitude larger than supported range"),
        ("1e-131", "Number underflow. Attempting to store a number with magnitude smaller than supported range"),
        ("1" * 39, "Attempting to store more than 38 significant digits in a Number"),
        ("NaN", "The parameter cannot be converted to a numeric value: NaN"),
        ("Infinity", "The parameter cannot be converted to a numeric value: Infinity"),
        ("", "The parameter cannot be converted to a numeric value"),
        ("1_000", "The parameter cannot be converted to a numeric value: 1_000"),
        ("١", "The parameter cannot be converted to a numeric value: ١"),
    ],
)
def test_what_is_no_number_is_refused(text: str, message: str) -> None:
    with pytest.raises(AwsError) as refused:
        canonical_number(text)
    assert refused.value.message == message
