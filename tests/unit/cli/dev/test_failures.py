"""How a broken edit is told: one line with file and line."""

from __future__ import annotations

import json
from typing import Any

import pytest

from freehold.cli.dev.failures import describe

CODE = "/data/.freehold/run/code/" + "a" * 64


@pytest.mark.parametrize(
    ("document", "first_line"),
    [
        (
            {
                "errorType": "Runtime.UserCodeSyntaxError",
                "errorMessage": "Syntax error in module 'handler': invalid syntax (handler.py, line 3)",
                "stackTrace": ['  File "/var/task/handler.py" Line 3\n    def broken(:\n'],
            },
            "handler.py:3: UserCodeSyntaxError: Syntax error in module 'handler': invalid syntax (handler.py, line 3)",
        ),
        (
            {
                "errorType": "NameError",
                "errorMessage": "name 'x' is not defined",
                "stackTrace": [
                    '  File "/usr/lib/python3.11/importlib/__init__.py", line 126, in import_module\n',
                    f'  File "{CODE}/handler.py", line 2, in <module>\n    import lib.db\n',
                    f'  File "{CODE}/lib/db.py", line 7, in <module>\n    x\n',
                ],
            },
            "lib/db.py:7: NameError: name 'x' is not defined",
        ),
        (
            {
                "errorType": "ReferenceError",
                "errorMessage": "x is not defined",
                "trace": [
                    "ReferenceError: x is not defined",
                    f"    at Object.<anonymous> ({CODE}/handlers/items.js:12:3)",
                    "    at Module._compile (node:internal/modules/cjs/loader:1554:14)",
                ],
            },
            "handlers/items.js:12: ReferenceError: x is not defined",
        ),
        (
            {
                "errorType": "Runtime.UserCodeSyntaxError",
                "errorMessage": "SyntaxError: Unexpected token '}'",
                "trace": [
                    "Runtime.UserCodeSyntaxError: SyntaxError: Unexpected token '}'",
                    f"{CODE}/handlers/items.js:3\n}}}}\n^\n",
                ],
            },
            "handlers/items.js:3: UserCodeSyntaxError: SyntaxError: Unexpected token '}'",
        ),
        (
            {
                "errorType": "Runtime.UserCodeSyntaxError",
                "errorMessage": "SyntaxError: Unexpected end of input",
                "trace": [
                    f"Runtime.UserCodeSyntaxError: {CODE}/handler.js:3",
                    "SyntaxError: Unexpected end of input",
                    "    at wrapSafe (node:internal/modules/cjs/loader:1464:18)",
                ],
            },
            "handler.js:3: UserCodeSyntaxError: SyntaxError: Unexpected end of input",
        ),
    ],
)
def test_the_place_in_the_app_comes_first(document: dict[str, Any], first_line: str) -> None:
    assert describe(json.dumps(document).encode(), "", []).splitlines()[0] == first_line


def test_without_a_document_the_words_and_the_output_tell() -> None:
    lines = [f"{CODE}/handler.mjs:5", "  await = 1", "SyntaxError: Unexpected token"]
    assert describe(b"", "Runtime exited with error: exit status 1", lines) == (
        "handler.mjs:5: Runtime exited with error: exit status 1"
    )


def test_a_trace_stands_under_the_line_without_the_runtimes_own_paths() -> None:
    document = {"errorType": "E", "errorMessage": "m", "stackTrace": ['  File "/var/task/a.py", line 1, in f\n    x\n']}
    assert describe(json.dumps(document).encode(), "", []) == (
        'a.py:1: E: m\n      File "a.py", line 1, in f\n        x'
    )


def test_the_lines_of_the_loaders_are_left_out() -> None:
    trace = [
        "TypeError: boom",
        "    at load (/opt/freehold/src/freehold/runtimes/node/loader.cjs:13:25)",
        f"    at Object.<anonymous> ({CODE}/items.js:12:3)",
        "    at Module._load (node:internal/modules/cjs/loader:1091:12)",
    ]
    told = describe(json.dumps({"errorType": "TypeError", "errorMessage": "boom", "trace": trace}).encode(), "", [])
    assert told.splitlines() == [
        "items.js:12: TypeError: boom",
        "    TypeError: boom",
        "        at Object.<anonymous> (items.js:12:3)",
    ]
