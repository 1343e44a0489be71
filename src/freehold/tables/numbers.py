"""DynamoDB's numbers: 38 digits, 1E-130 to 9.99E+125, no NaN, one text for each value.

One decision to know: a number is stored in plain notation without needless zeros ("1.50" and "15E-1" are both "1.5"),
so two numbers are equal when their texts are. AWS: "Supported data types and naming rules in Amazon DynamoDB".
"""

from __future__ import annotations

import re
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal

from freehold.aws.errors import AwsError

MAX_DIGITS = 38
MAX_EXPONENT = 125
MIN_EXPONENT = -130

_SYNTAX = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,9})?")
_LONGEST_TEXT = 1024  # Far more than 38 digits in any notation; longer ones are not worth parsing.
# Wide enough that the sum of any two numbers is exact: they are 255 powers of ten apart at most, with 38 digits each.
_EXACT = Context(prec=400, Emax=MAX_EMAX, Emin=MIN_EMIN)


def canonical_number(text: str) -> str:
    """The one text of this number. Raises ValidationException in AWS's words."""
    # Nearly all numbers are small whole ones and canonical already.
    if text.isdigit() and text.isascii() and len(text) <= MAX_DIGITS and (text[0] != "0" or text == "0"):
        return text
    if not text:
        raise _invalid("The parameter cannot be converted to a numeric value")
    if len(text) > _LONGEST_TEXT or not _SYNTAX.fullmatch(text):
        raise _invalid(f"The parameter cannot be converted to a numeric value: {text}")
    return canonical_decimal(_EXACT.create_decimal(text))


def canonical_decimal(number: Decimal) -> str:
    """As `canonical_number`, of a value that arithmetic made."""
    if not number:
        return "0"
    number = number.normalize(_EXACT)
    if number.adjusted() > MAX_EXPONENT:
        raise _invalid("Number overflow. Attempting to store a number with magnitude larger than supported range")
    if number.adjusted() < MIN_EXPONENT:
        raise _invalid("Number underflow. Attempting to store a number with magnitude smaller than supported range")
    if len(number.as_tuple().digits) > MAX_DIGITS:
        raise _invalid("Attempting to store more than 38 significant digits in a Number")
    return format(number, "f")


def add(left: str, right: str) -> str:
    """Exact, or refused: a sum that needs more than 38 digits is an overflow to DynamoDB."""
    return _sum(_EXACT.add(Decimal(left), Decimal(right)))


def subtract(left: str, right: str) -> str:
    return _sum(_EXACT.subtract(Decimal(left), Decimal(right)))


def number_size(text: str) -> int:
    """Bytes that a canonical number counts for: one for two digits, and one."""
    digits = text.lstrip("-").replace(".", "").strip("0")
    return (len(digits) + 1) // 2 + 1 + (text[0] == "-")


def encode_number(text: str) -> bytes:
    """Bytes that sort as the canonical numbers do, none a prefix of another.

    Sign (1 negative, 2 zero, 3 positive), then the exponent, two digits a byte (00 is 1, 99 is 100) and a 0; of a
    negative number the complement of all that follows the sign.
    """
    if text == "0":
        return b"\x02"
    if text.isdigit():
        sign, shown, adjusted = 0, text, len(text) - 1
    else:
        sign, digits, exponent = Decimal(text).as_tuple()
        assert isinstance(exponent, int), text
        shown = "".join(map(str, digits))
        adjusted = exponent + len(shown) - 1
    shown = shown.rstrip("0")
    if len(shown) % 2:
        shown += "0"
    pairs = [int(shown[i : i + 2]) + 1 for i in range(0, len(shown), 2)]
    body = bytes([adjusted - MIN_EXPONENT, *pairs, 0])
    return b"\x01" + bytes(255 - byte for byte in body) if sign else b"\x03" + body


def _sum(number: Decimal) -> str:
    if number and len(number.normalize(_EXACT).as_tuple().digits) > MAX_DIGITS:
        raise _invalid("Number overflow. Attempting to store a number with magnitude larger than supported range")
    return canonical_decimal(number)


def _invalid(message: str) -> AwsError:
    return AwsError("ValidationException", message)
