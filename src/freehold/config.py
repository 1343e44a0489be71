"""Every setting of a server: its unit, its default, one sentence. Frozen; made by the CLI, by hand in a test."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Config:
    data_dir: Path  # Everything that survives a restart lies below it.
    host: str = "127.0.0.1"  # The address to listen on.
    port: int = 4566  # 0: any free one.
    account: str = "000000000000"  # The account number in every ARN.
    region: str = "us-east-1"  # Where a request names no region.
    keep_alive_s: float = 600.0  # An idle environment is let go then, until its function's history tells more.
    max_environments: int = 1000  # Execution environments of all functions together: AWS's account concurrency.
    max_body_bytes: int = 100 * 1024 * 1024  # A larger request is answered 413 unread; S3 needs much.
    max_held_bytes: int = 512 * 1024 * 1024  # Of bodies that are not answered yet; past it slow clients are let go.
    max_connections: int = 10_000  # Open at once; one more takes the place of one that keeps us waiting.
    head_s: float = 60.0  # A client has so long for a request's line and headers; also how long it may be idle.
    body_s: float = 300.0  # A client has so long for a whole request.
    grace_s: float = 30.0  # Requests in progress may go on so long when the server stops: an API's own limit.
    jail: bool = True  # Functions live in jails where the machine allows it; False: in plain processes.
    require_jail: bool = False  # Refuse to start where the machine allows no jail.
    freeze: bool = True  # Environments make no progress between invocations, as on AWS; False: background work goes on.
    internet: bool = True  # Functions use the machine's network; False: each has its own, with us in it and no more.
    throttle_tables: bool = False  # Provisioned tables take what their capacity allows and no more; else all they can.
    cpu_limit: bool = False  # A function gets memory / 1,769 MB of a CPU and no more, as on AWS; else what is free.
