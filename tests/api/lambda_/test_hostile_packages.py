"""Packages that are none, too large or reach outside: AWS's error, nothing written, and the server goes on."""

from __future__ import annotations

import io
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.api.lambda_.conftest import ROLE, zipped
from tests.live import LiveServer

Make = Callable[..., str]
_MEMORY_KB = 96 * 1024  # What a bomb of half a gigabyte may cost the server.


def _zip(fill: Callable[[zipfile.ZipFile], None]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        fill(archive)
    return data.getvalue()


def _bomb(archive: zipfile.ZipFile) -> None:
    with archive.open("app.py", "w", force_zip64=True) as file:
        part = bytes(1024 * 1024)
        for _ in range(512):
            file.write(part)


def _many_small(archive: zipfile.ZipFile) -> None:
    part = bytes(16 * 1024 * 1024)
    for number in range(20):
        archive.writestr(f"part{number}", part)


def _escape(archive: zipfile.ZipFile) -> None:
    archive.writestr("../../escaped.py", "1")


def _absolute(archive: zipfile.ZipFile) -> None:
    archive.writestr("/tmp/freehold-escaped.py", "1")


def _link(archive: zipfile.ZipFile) -> None:
    entry = zipfile.ZipInfo("passwd")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    archive.writestr(entry, "/etc/passwd")


def _write_through_a_link(archive: zipfile.ZipFile) -> None:
    entry = zipfile.ZipInfo("out")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    archive.writestr(entry, "/tmp")
    archive.writestr("out/freehold-escaped.py", "1")


@pytest.mark.parametrize("fill", [_bomb, _many_small, _escape, _absolute, _link, _write_through_a_link])
def test_a_hostile_package_is_refused_and_leaves_nothing(
    server: LiveServer, lambda_: Any, make: Make, fill: Callable[[zipfile.ZipFile], None]
) -> None:
    other = make("def handler(event, context):\n    return 'fine'\n")
    code = _zip(fill)
    peak_kb = _peak_kb(server.pid)
    packages = _packages(server)
    for refused in (_create, _update_of(other)):
        with pytest.raises(ClientError) as error:
            refused(lambda_, code)
        assert error.value.response["Error"]["Code"] == "InvalidParameterValueException"
    assert _peak_kb(server.pid) - peak_kb < _MEMORY_KB
    assert _packages(server) == packages
    assert not list(server.data_dir.parent.rglob("*escaped*"))
    assert not Path("/tmp/freehold-escaped.py").exists()
    assert lambda_.invoke(FunctionName=other)["Payload"].read() == b'"fine"'


def test_what_is_no_zip_is_refused_in_awss_words(lambda_: Any) -> None:
    with pytest.raises(ClientError, match="Could not unzip uploaded file") as error:
        _create(lambda_, b"no zip")
    assert error.value.response["Error"]["Code"] == "InvalidParameterValueException"


def test_a_bootstrap_that_is_not_executable_is_told_to_its_caller(make: Make, lambda_: Any) -> None:
    code = {"ZipFile": zipped({"bootstrap": "#!/bin/sh\n"})}
    name = make("", Runtime="provided.al2023", Handler="x", Code=code)
    answer = lambda_.invoke(FunctionName=name)
    assert answer["FunctionError"] == "Unhandled"
    assert b"Runtime.InvalidEntrypoint" in answer["Payload"].read()


def _create(lambda_: Any, code: bytes) -> None:
    lambda_.create_function(
        FunctionName="hostile", Runtime="python3.11", Handler="app.handler", Role=ROLE, Code={"ZipFile": code}
    )


def _update_of(name: str) -> Callable[[Any, bytes], None]:
    def update(lambda_: Any, code: bytes) -> None:
        lambda_.update_function_code(FunctionName=name, ZipFile=code)

    return update


def _packages(server: LiveServer) -> set[str]:
    """Unpacked, or left half unpacked."""
    return {place.name for place in (server.data_dir / "code").iterdir()}


def _peak_kb(pid: int) -> int:
    line = next(each for each in Path(f"/proc/{pid}/status").read_text().splitlines() if each.startswith("VmHWM"))
    return int(line.split()[1])
