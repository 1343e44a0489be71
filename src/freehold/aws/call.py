"""Who calls which service, and the one way for a part of ours to call an AWS operation of another part."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from freehold.aws.errors import AwsError
from freehold.aws.sigv4 import SignedRequest

Json = dict[str, Any]

DEFAULT_ACCOUNT = "000000000000"
DEFAULT_REGION = "us-east-1"


@dataclass(frozen=True, slots=True)
class Call:
    """What every operation is told beside its request."""

    region: str
    account: str = DEFAULT_ACCOUNT
    request_id: str = ""
    access_key: str = ""  # Empty: the call was not signed.
    session_token: str = ""  # That came with temporary credentials.
    principal: str = ""  # ARN of the caller; empty: the account's root.
    source_ip: str = "127.0.0.1"
    user_agent: str = ""
    service_principal: str = ""  # "apigateway.amazonaws.com" and the like, when a part of ours calls for a service.
    host: str = ""  # As the client named us, with the port: what URLs in answers begin with.
    scheme: str = "http"
    trace_id: str = ""  # The caller's X-Amzn-Trace-Id, as it was sent: functions' loops are found by it.
    once: str = ""  # Names what is done, when a part of ours may come again after a crash: queues take it once.
    signed: SignedRequest | None = None  # Of operations that hold known callers to their signatures.
    socket_place: str = ""  # "{api id}/{stage}" of the WebSocket API that the request was addressed to, if any.


Operation = Callable[[Any, Call, Json], Awaitable[Json]]
"""(the service's frozen record, call, request) -> answer; raises AwsError. Dicts have the shapes of botocore's model:
blobs are bytes, timestamps are timezone-aware datetimes or epoch seconds, a streaming body is bytes."""


class Aws(Protocol):
    """An AWS operation of any service of ours, called from inside, with the identity of a fixed `Call`.

    >>> table = await aws("dynamodb", "CreateTable", {"TableName": "items", ...})
    Service names are botocore's ("lambda", "apigatewayv2", "logs"). Raises AwsError, also for an unknown operation.
    """

    @property
    def call(self) -> Call: ...

    async def __call__(self, service: str, operation: str, request: Json) -> Json: ...


class Bind(Protocol):
    """`app.py` hands this to parts that call operations of others: `aws = bind(call)`."""

    def __call__(self, call: Call) -> Aws: ...


@dataclass(frozen=True, slots=True)
class Service:
    """One AWS API: its table of operations and the record that they may touch."""

    name: str  # botocore's: "lambda", "dynamodb", "apigatewayv2".
    operations: Mapping[str, Operation]
    record: Any
    raw_json: bool = False  # Dicts are as on the JSON wire (blobs as base64 text): DynamoDB, for speed.


Check = Callable[[str, str, Json], None]
Build = Callable[[], Awaitable[Service]]


class OperationTable:
    """All services of one server; the meaning of `aws("sqs", "SendMessage", {...})`.

    `check` sees every request that comes from inside, as the listener checks those from outside.
    """

    def __init__(self, check: Check | None = None) -> None:
        self._services: dict[str, Service] = {}
        self._later: dict[str, Build] = {}
        self._building = asyncio.Lock()
        self._check = check

    def add(self, service: Service) -> None:
        assert not self.has(service.name), service.name
        self._services[service.name] = service

    def add_later(self, name: str, build: Build) -> None:
        """A service that is built by its first call, as importing all of them is most of a server's start. What
        `build` raises is that call's error, and the next call tries again. It must call no operation."""
        assert not self.has(name), name
        self._later[name] = build

    async def load(self, name: str) -> Service | None:
        """The service, built now if it was not; None where there is none of the name."""
        if name in self._later:
            async with self._building:
                build = self._later.get(name)
                if build is not None:
                    self._services[name] = await build()
                    del self._later[name]
        return self._services.get(name)

    async def load_all(self) -> None:
        for name in tuple(self._later):
            await self.load(name)

    def find(self, service: str, operation: str) -> tuple[Operation, Any]:
        """The operation of a loaded service, its record. UnknownOperationException when either is not here."""
        found = self._services.get(service)
        if found is None or operation not in found.operations:
            raise AwsError(
                "UnknownOperationException",
                f"Freehold does not support {service}:{operation} yet."
                if found
                else f"Freehold does not have the service {service} yet (operation {operation}).",
                status=501,
            )
        return found.operations[operation], found.record

    def service(self, name: str) -> Service | None:
        """None until it is loaded."""
        return self._services.get(name)

    def has(self, service: str) -> bool:
        return service in self._services or service in self._later

    def bind(self, call: Call) -> Aws:
        return _BoundOperations(self, call, self._check)


class _BoundOperations:
    __slots__ = ("_check", "_table", "call")

    def __init__(self, table: OperationTable, call: Call, check: Check | None) -> None:
        self._table = table
        self._check = check
        self.call = call

    async def __call__(self, service: str, operation: str, request: Json) -> Json:
        if self._table.service(service) is None:
            await self._table.load(service)
        function, record = self._table.find(service, operation)
        if self._check is not None:
            self._check(service, operation, request)
        return await function(record, self.call, request)


def in_region(call: Call, region: str) -> Call:
    return replace(call, region=region)
