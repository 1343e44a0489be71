"""Any text at all is an expression or refused in DynamoDB's words, in bounded time; and what parses, runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.aws.errors import AwsError
from freehold.services.dynamodb.partiql_syntax import read_statement
from freehold.tables.expressions.programs import (
    parse_condition,
    parse_key_conditions,
    parse_projection,
    parse_update,
)
from freehold.tables.values import Item, check_item

_NAMES = {"#a": "a", "#b": "b.c", "#size": "size"}
_VALUES = {":n": {"N": "1"}, ":s": {"S": "x"}, ":l": {"L": [{"N": "2"}]}, ":ss": {"SS": ["x", "y"]}, ":m": {"M": {}}}
_WORDS = [
    *_NAMES, *_VALUES, "#missing", ":missing", "a", "b", "m.x", "l[0]", "l[99999]", "l[0].x[1]", "(", ")", "[", "]",
    ",", ".", "=", "<>", "<", "<=", ">", ">=", "+", "-", "AND", "OR", "NOT", "BETWEEN", "IN", "SET", "REMOVE", "ADD",
    "DELETE", "attribute_exists", "attribute_not_exists", "attribute_type", "begins_with", "contains", "size",
    "if_not_exists", "list_append", "0", "007", "\t", "''", "\x00", "é",
]  # fmt: skip
_SQL = [
    "SELECT", "*", "FROM", '"things"', "things", "WHERE", "INSERT", "INTO", "VALUE", "VALUES", "UPDATE", "DELETE",
    "SET", "REMOVE", "RETURNING", "ALL", "OLD", "NEW", "EXISTS", "ORDER", "BY", "DESC", "MISSING", "IS", "NULL", "NOT",
    "{'id':'a'}", "'it''s'", "<<1,2>>", "[1,'a']", "?", "id", "=", "1", "-1.5e3", "BETWEEN", "AND", "OR", "IN", "(",
    ")", ",", ".", ";", "\"", "'", "true", "contains", "begins_with", "attribute_type", "{", "}", "<<",
]  # fmt: skip
_ITEM: Item = {
    "a": {"N": "5"},
    "b": {"S": "x"},
    "b.c": {"SS": ["x"]},
    "m": {"M": {"x": {"L": [{"N": "1"}]}}},
    "l": {"L": [{"M": {"x": {"L": []}}}]},
    "size": {"N": "0"},
}


def _sentences(words: list[str]) -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from(words) | st.text(max_size=3), max_size=14).map(" ".join)


def _refusals(run: Callable[[], object]) -> str | None:
    """None where it ran; any exception but DynamoDB's is a bug."""
    try:
        run()
    except AwsError as error:
        assert error.code == "ValidationException", error  # noqa: PT017 - any error is one of these, or there is none.
        return error.message
    return None


@given(_sentences(_WORDS))
def test_conditions(text: str) -> None:
    def run() -> None:
        program = parse_condition("ConditionExpression", text, _NAMES)
        program.check(_VALUES)
        assert program.evaluate(_ITEM, _VALUES) in (True, False)
        assert program.evaluate({}, _VALUES) in (True, False)

    _refusals(run)


@given(_sentences(_WORDS))
def test_updates_leave_the_item_before_as_it_was_and_make_a_valid_one(text: str) -> None:
    def run() -> None:
        program = parse_update(text, _NAMES)
        program.check(_VALUES)
        before = repr(_ITEM)
        try:
            after = program.apply(_ITEM, _VALUES)
        finally:
            assert repr(_ITEM) == before
        check_item(after)
        program.touched(after)

    _refusals(run)


@given(_sentences(_WORDS))
def test_key_conditions_and_projections(text: str) -> None:
    _refusals(lambda: parse_key_conditions(text, _NAMES).check(_VALUES))
    _refusals(lambda: parse_projection(text, _NAMES).apply(_ITEM))


@given(_sentences(_SQL))
def test_partiql(text: str) -> None:
    _refusals(lambda: read_statement(text, [{"S": "a"}, {"N": "1"}]))


@pytest.mark.parametrize(
    "text",
    [
        "(" * 4000 + "a = :n" + ")" * 4000,
        "NOT " * 1300 + "a = :n",
        " AND ".join(["a = :n"] * 500),
        "a" + ".b" * 2000 + " = :n",
        "a" + "[0]" * 1300 + " = :n",
        "size(" * 800 + "a" + ")" * 800 + " = :n",
        "a IN (" + ", ".join([":n"] * 600) + ")",
        "a = :n" + " " * 4000,
    ],
)
def test_what_is_deep_or_long_is_refused_and_breaks_nothing(text: str) -> None:
    message = _refusals(lambda: parse_condition("ConditionExpression", text, _NAMES))
    assert message is None or message.startswith("Invalid ConditionExpression: ")


values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["S", "N", "B", "M", "L", "SS", "NS", "BS", "BOOL", "NULL", "x"]), inner)
    ),
    max_leaves=12,
)


@given(values)
def test_any_json_is_an_item_or_refused(value: Any) -> None:
    try:
        size = check_item(value)
    except AwsError as error:
        assert error.code in ("ValidationException", "SerializationException")  # noqa: PT017 - any error is one of these, or there is none.
    else:
        assert size == check_item(value), "what was made canonical stays as it is"
