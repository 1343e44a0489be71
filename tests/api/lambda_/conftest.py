"""Functions for the tests of Lambda's API: made from source text, gone with the test."""

from __future__ import annotations

import io
import itertools
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.live import LiveServer

ROLE = "arn:aws:iam::000000000000:role/tests"
_number = itertools.count()


def zipped(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), text)
    return buffer.getvalue()


@pytest.fixture
def lambda_(server: LiveServer) -> Any:
    return server.client("lambda")


@pytest.fixture
def make(lambda_: Any) -> Iterator[Callable[..., str]]:
    """`make("def handler(event, context): ...", Timeout=3)` -> the function's name."""
    made = []

    def create(source: str, **settings: Any) -> str:
        name = f"made-{next(_number)}"
        lambda_.create_function(
            **{
                "FunctionName": name,
                "Runtime": "python3.11",
                "Handler": "app.handler",
                "Role": ROLE,
                "Code": {"ZipFile": zipped({"app.py": source})},
                **settings,
            }
        )
        made.append(name)
        return name

    yield create
    for name in made:
        lambda_.delete_function(FunctionName=name)
