from __future__ import annotations

import pytest

from freehold.aws.errors import AwsError
from freehold.services.logs.filter_pattern import compile_pattern

JSON = '{"level": "ERROR", "code": 502, "ok": false, "none": null, "user": {"ids": [1, 2]}, "who": "ada.l"}'
LINE = '127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534'


@pytest.mark.parametrize(
    ("pattern", "message", "expected"),
    [
        ("ERROR", "[ERROR] it broke", True),
        ("ERROR", "[error] it broke", False),
        ("ERROR broke", "broke: ERROR", True),
        ("ERROR broke", "ERROR", False),
        ('"it broke"', "ERROR it broke", True),
        ('"it broke"', "it was broke", False),
        ('"say \\"hi\\""', 'say "hi" now', True),
        ("ERROR -Exiting", "ERROR Exiting", False),
        ("ERROR -Exiting", "ERROR Staying", True),
        ('-"a b"', "a c", True),
        ("?ERROR ?WARN", "a WARN b", True),
        ("?ERROR ?WARN", "an INFO", False),
        ("?ERROR WARN", "WARN", True),
        ("?ERROR WARN", "ERROR", False),
        ("%4[0-9]{2}%", "status 418", True),
        ("%4[0-9]{2}%", "status 518", False),
        ('{ $.level = "ERROR" }', JSON, True),
        ("{ $.level = ERROR }", JSON, True),
        ('{ $.level = "ERR*" }', JSON, True),
        ('{ $.level != "ERROR" }', JSON, False),
        ('{ $.missing != "ERROR" }', JSON, False),
        ("{ $.code >= 500 && $.code < 600 }", JSON, True),
        ("{ ($.code = 404) || ($.code = 5*) }", JSON, True),
        ("{ $.code = 404 || $.code = 502 && $.ok IS TRUE }", JSON, False),
        ("{ $.ok IS FALSE }", JSON, True),
        ("{ $.none IS NULL }", JSON, True),
        ("{ $.absent IS NULL }", JSON, False),
        ("{ $.absent NOT EXISTS }", JSON, True),
        ("{ $.code NOT EXISTS }", JSON, False),
        ("{ $.user.ids[1] = 2 }", JSON, True),
        ("{ $.user.ids[*] = 1 }", JSON, True),
        ("{ $.user.ids[7] = 1 }", JSON, False),
        ("{ $.who = %^ada% }", JSON, True),
        ("{ $['level'] = ERROR }", JSON, True),
        ("{ $.level = ERROR }", "level = ERROR {", False),
        ("[ip, id, user, timestamp, request, status_code, size]", LINE, True),
        ("[ip, id, user, timestamp, request, status_code]", LINE, False),
        ("[..., status_code = 4*, size]", LINE, True),
        ("[..., status_code = 5*, size]", LINE, False),
        ("[ip, ..., size > 1000]", LINE, True),
        ("[ip, id, user, t, request = *.html*, code = 404 || code = 410, ...]", LINE, True),
        ("[ip != 127.0.0.1, ...]", LINE, False),
        ("", "anything", True),
    ],
)
def test_a_pattern_matches_what_the_user_guide_says(pattern: str, message: str, expected: bool) -> None:
    matches = compile_pattern(pattern)
    assert (matches is None or matches(message)) is expected


@pytest.mark.parametrize(
    "pattern", ['{ $.a = "x"', "{ a = 1 }", "{ $.a ~ 1 }", "[a, ..., b, ...]", "[a = ]", "%(%", '"open']
)
def test_a_broken_pattern_is_refused_in_aws_words(pattern: str) -> None:
    with pytest.raises(AwsError, match=r"InvalidParameterException: Invalid filter pattern"):
        compile_pattern(pattern)
