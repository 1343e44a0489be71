"""The expressions of one request: which may stand together, their names and values, all placeholders used.

AWS: "Expressions in DynamoDB", "Legacy conditional parameters". The order of the checks is DynamoDB's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from freehold.aws.errors import AwsError
from freehold.services.dynamodb.record import Json, invalid
from freehold.tables.expressions.programs import Program, check_placeholders
from freehold.tables.values import Value, check_name, check_value

_NAME = re.compile(r"#[A-Za-z0-9_]+")
_VALUE = re.compile(r":[A-Za-z0-9_]+")

NAMES: Mapping[str, str] = {}
VALUES: Mapping[str, Value] = {}


def check_mixture(request: Json, expressions: Sequence[str], legacy: Sequence[str]) -> None:
    """Expressions and the parameters that they replaced do not go together, nor placeholders without an expression."""
    given = [name for name in expressions if request.get(name) is not None]
    if given:
        old = [name for name in legacy if request.get(name) is not None]
        if "KeyConditionExpression" in expressions and "KeyConditionExpression" not in given:
            # The one old parameter that goes with the new ones: a filter beside KeyConditions.
            old = [name for name in old if name != "KeyConditions"]
        if old:
            raise invalid(
                "Can not use both expression and non-expression parameters in the same request: Non-expression "
                f"parameters: {{{', '.join(old)}}} Expression parameters: {{{', '.join(given)}}}"
            )
    elif request.get("ExpressionAttributeNames") is not None:
        raise invalid("ExpressionAttributeNames can only be specified when using expressions")
    if request.get("ExpressionAttributeValues") is not None:
        takers = [name for name in expressions if name != "ProjectionExpression"]
        if not any(request.get(name) is not None for name in takers):
            verb = "are" if len(takers) > 1 else "is"
            raise invalid(
                "ExpressionAttributeValues can only be specified when using expressions: "
                f"{' and '.join(takers)} {verb} null"
            )


def read_names(request: Json) -> Mapping[str, str]:
    names = request.get("ExpressionAttributeNames")
    if names is None:
        return NAMES
    if not names:
        raise invalid("ExpressionAttributeNames must not be empty")
    for placeholder, name in names.items():
        if not _NAME.fullmatch(placeholder):
            raise invalid(f'ExpressionAttributeNames contains invalid key: Syntax error; key: "{placeholder}"')
        if name is None:
            raise invalid(f"ExpressionAttributeNames contains invalid value: Null for key {placeholder}")
        try:
            check_name(name)
        except AwsError as error:
            raise invalid(
                f"ExpressionAttributeNames contains invalid value: {error.message} for key {placeholder}"
            ) from None
    return names  # type: ignore[no-any-return]


def read_values(request: Json) -> Mapping[str, Value]:
    values = request.get("ExpressionAttributeValues")
    if values is None:
        return VALUES
    if not values:
        raise invalid("ExpressionAttributeValues must not be empty")
    for placeholder in values:
        if not _VALUE.fullmatch(placeholder):
            raise invalid(f'ExpressionAttributeValues contains invalid key: Syntax error; key: "{placeholder}"')
    for placeholder, value in values.items():
        try:
            check_value(value)
        except AwsError as error:
            if error.code != "ValidationException":
                raise
            raise invalid(
                f"ExpressionAttributeValues contains invalid value: {error.message} for key {placeholder}"
            ) from None
    return values  # type: ignore[no-any-return]


def check_used(programs: Sequence[Program | None], names: Mapping[str, str], values: Mapping[str, Value]) -> None:
    check_placeholders([program for program in programs if program is not None], names, values)
