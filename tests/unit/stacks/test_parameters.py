"""Parameters: types, constraints and AWS's words when they are broken."""

from __future__ import annotations

from typing import Any

import pytest

from freehold.aws.call import Json
from freehold.aws.errors import AwsError
from freehold.stacks.parameters import Parameters, resolve_parameters

_BROKEN: list[tuple[Json, str, str]] = [
    ({"Type": "String", "AllowedValues": ["dev", "prod"]}, "test", "Parameter 'P' must be one of AllowedValues"),
    ({"Type": "String", "AllowedPattern": "[a-z]+"}, "a1", "Parameter 'P' must match pattern [a-z]+"),
    (
        {"Type": "String", "AllowedPattern": "[a-z]+", "ConstraintDescription": "only letters."},
        "a1",
        "Parameter P failed to satisfy constraint: only letters.",
    ),
    ({"Type": "String", "MinLength": 3}, "ab", "Parameter 'P' must contain at least 3 characters"),
    ({"Type": "String", "MaxLength": "3"}, "abcd", "Parameter 'P' must contain at most 3 characters"),
    ({"Type": "Number"}, "x", "Parameter 'P' must be a number."),
    ({"Type": "Number", "MinValue": 5}, "4", "Parameter 'P' must be a number not less than 5"),
    ({"Type": "Number", "MaxValue": 5}, "6", "Parameter 'P' must be a number not greater than 5"),
    ({"Type": "List<Number>"}, "1,x", "Parameter 'P' must be a number."),
    ({"Type": "Strange"}, "x", "Unrecognized parameter type: Strange"),
]


async def _resolve(declared: Json, *given: Json, previous: dict[str, str] | None = None) -> Parameters:
    async def fetch(name: str) -> str | None:
        return {"/db/host": "db.local", "/subnets": "a,b"}.get(name)

    return await resolve_parameters(declared, given, previous, fetch)


def _given(value: str) -> Json:
    return {"ParameterKey": "P", "ParameterValue": value}


@pytest.mark.parametrize(("declaration", "value", "message"), _BROKEN)
async def test_a_broken_constraint_is_told_in_awss_words(declaration: Json, value: str, message: str) -> None:
    with pytest.raises(AwsError) as caught:
        await _resolve({"P": declaration}, _given(value))
    assert message in caught.value.message


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("String", "a,b", "a,b"),
        ("Number", "5", "5"),
        ("CommaDelimitedList", "a, b", ["a", "b"]),
        ("List<Number>", "1,2", ["1", "2"]),
        ("AWS::SSM::Parameter::Value<String>", "/db/host", "db.local"),
        ("AWS::SSM::Parameter::Value<List<String>>", "/subnets", ["a", "b"]),
        ("List<AWS::EC2::Subnet::Id>", "s-1,s-2", ["s-1", "s-2"]),
    ],
)
async def test_each_type_gives_its_value(kind: str, text: str, value: Any) -> None:
    assert (await _resolve({"P": {"Type": kind}}, _given(text))).values == {"P": value}


@pytest.mark.parametrize(
    ("pattern", "good", "bad"), [(r"\p{Alnum}+", "a1", "a-"), (r"[\p{Punct}\p{Upper}]+", "A-", "a")]
)
async def test_javas_character_classes_are_understood(pattern: str, good: str, bad: str) -> None:
    declared = {"P": {"Type": "String", "AllowedPattern": pattern}}
    assert (await _resolve(declared, _given(good))).values == {"P": good}
    with pytest.raises(AwsError, match="must match pattern"):
        await _resolve(declared, _given(bad))


async def test_missing_and_unknown_parameters_are_listed() -> None:
    with pytest.raises(AwsError, match=r"Parameters: \[A, B\] must have values"):
        await _resolve({"A": {"Type": "String"}, "B": {"Type": "String"}})
    with pytest.raises(AwsError, match=r"Parameters: \[P\] do not exist in the template"):
        await _resolve({}, _given("x"))
    with pytest.raises(AwsError, match=r"Unable to fetch parameters \[/nope\] from parameter store"):
        await _resolve({"P": {"Type": "AWS::SSM::Parameter::Value<String>"}}, _given("/nope"))


async def test_previous_values_defaults_and_secrets() -> None:
    declared = {"P": {"Type": "String", "NoEcho": True}, "Q": {"Type": "Number", "Default": 3}}
    again = {"ParameterKey": "P", "UsePreviousValue": True}
    found = await _resolve(declared, again, previous={"P": "secret"})
    assert found.values == {"P": "secret", "Q": "3"}
    assert found.shown[0] == {"ParameterKey": "P", "ParameterValue": "****"}
    with pytest.raises(AwsError, match="Cannot specify usePreviousValue"):
        await _resolve(declared, again)
