"""What environments reach that have a network of their own: the Runtime API and the AWS endpoint, nothing else.

One decision to know: the sandbox makes what listens there, in that network, and the server accepts from outside; so no
packet ever leaves it, and no other environment's address can even be named.
"""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from freehold.engine.runtime_api import RuntimeApi
from freehold.sandbox.sandbox import SandboxProcess

_RUNTIME_API_PORT = 9001  # As on AWS, where nothing else may listen on it.
ServeEndpoint = Callable[[socket.socket], Awaitable[Callable[[], None]]]
"""Serves the AWS endpoint on a socket that is then its own, until what it returns is called."""


@dataclass(frozen=True, slots=True)
class ClosedNetwork:
    endpoint_port: int
    serve_endpoint: ServeEndpoint

    @property
    def ports(self) -> tuple[int, int]:
        """For the sandbox."""
        return _RUNTIME_API_PORT, self.endpoint_port

    @property
    def runtime_api(self) -> str:
        return f"127.0.0.1:{_RUNTIME_API_PORT}"

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.endpoint_port}"

    async def open(self, process: SandboxProcess, api: RuntimeApi) -> None:
        """Serves both ports in the network of a process that is up; what it sent before waited. Ends with the API."""
        # At once: they are closed with the process, whose end is somebody else's to notice.
        runtime_api, endpoint = [listening.dup() for listening in process.listening]
        api.owns(endpoint.close)
        await api.hear(runtime_api)
        api.owns(await self.serve_endpoint(endpoint))
