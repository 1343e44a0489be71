"""Which server a command talks to: the flag, the environment, a running `freehold dev` of this folder, port 4566."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson

from freehold.aws.call import DEFAULT_REGION
from freehold.cli.failure import Failure
from freehold.cli.options import default_region
from freehold.http.aws_client import AwsClient
from freehold.http.client import HttpClient

DEFAULT_ENDPOINT = "http://127.0.0.1:4566"


@dataclass(frozen=True, slots=True)
class Running:
    """What a running `freehold dev` tells other commands about itself, in the folder's .freehold/run/dev.json."""

    pid: int
    endpoint: str
    region: str
    stack_name: str


def find_endpoint(flag: str | None, directory: Path = Path(".")) -> str:
    named = flag or os.environ.get("FREEHOLD_ENDPOINT") or os.environ.get("AWS_ENDPOINT_URL")
    if named:
        if not named.startswith(("http://", "https://")):
            raise Failure(f"{named!r} is not an endpoint: it begins with http:// or https://.")
        return named.rstrip("/")
    running = find_running(directory)
    return running.endpoint if running else DEFAULT_ENDPOINT


def find_region(flag: str | None) -> str:
    return flag or default_region() or DEFAULT_REGION


@asynccontextmanager
async def connected(endpoint: str, region: str) -> AsyncIterator[AwsClient]:
    http = HttpClient()
    try:
        yield AwsClient(endpoint, region, http)
    finally:
        await http.close()


def find_running(directory: Path) -> Running | None:
    try:
        running = Running(**orjson.loads(_file(directory).read_bytes()))
        os.kill(running.pid, 0)
    except (OSError, ValueError, TypeError):
        # No file, half a file, or the process that wrote it is gone.
        return None
    return running


def announce(directory: Path, running: Running) -> None:
    file = _file(directory)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(orjson.dumps(asdict(running)))


def withdraw(directory: Path) -> None:
    _file(directory).unlink(missing_ok=True)


def _file(directory: Path) -> Path:
    return directory / ".freehold" / "run" / "dev.json"
