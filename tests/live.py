"""A real Freehold server in a process of its own, for the tests that talk to it as any client does."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

_PROGRAM = """
import json, sys, pathlib, uvloop
from freehold.app import serve
from freehold.config import Config
config = Config(data_dir=pathlib.Path(sys.argv[1]), port=int(sys.argv[2]), **json.loads(sys.argv[3]))
uvloop.run(serve(config, lambda app: print(app.port, flush=True)))
"""
_START_LIMIT_S = 120.0  # It takes a second or so of computing, which a machine full of other tests has to find first.


class LiveServer:
    """`start`, `stop`, `kill`, `restart`; the data directory and the port stay the same over restarts."""

    def __init__(self, data_dir: Path, **settings: int | float | bool) -> None:
        """`settings`: of Config, where they are not its defaults."""
        self.data_dir = data_dir
        self.settings = {"grace_s": 5, **settings}
        self.port = 0
        self._process: subprocess.Popen[str] | None = None
        self._clients: dict[tuple[str, str, str], Any] = {}

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        environment = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
        self._process = process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, str(self.data_dir), str(self.port), json.dumps(self.settings)],
            stdout=subprocess.PIPE,
            env=environment,
            text=True,
        )
        assert process.stdout is not None
        watchdog = threading.Timer(_START_LIMIT_S, process.kill)
        watchdog.start()
        line = process.stdout.readline()
        watchdog.cancel()
        assert line, f"the server did not start; it ended with {process.wait()}"
        self.port = int(line)

    def stop(self) -> int:
        """Its exit status, after a SIGTERM."""
        return self._end(signal.SIGTERM)

    def kill(self) -> None:
        """kill -9: no goodbye, as after a power cut of the process."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        self.stop()
        self.start()

    def client(self, service: str, region: str = "us-east-1", path: str = "") -> Any:
        """A boto3 client of what lies at a path of the server, made once; its connections end with the server."""
        key = (service, region, path)
        if key not in self._clients:
            self._clients[key] = boto3.client(
                service,
                region_name=region,
                endpoint_url=self.endpoint + path,
                aws_access_key_id="test",
                aws_secret_access_key="test",
                config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}, read_timeout=60),
            )
        return self._clients[key]

    def _end(self, number: signal.Signals) -> int:
        process = self._process
        assert process is not None
        for client in self._clients.values():
            client.close()
        if process.poll() is None:
            process.send_signal(number)
        try:
            status = process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError("the server did not stop within 20 s of a SIGTERM") from None
        finally:
            if process.stdout:
                process.stdout.close()
        return status
