"""`@connections`: a message to a client, what is known of it, and its end.

API Gateway Developer Guide, "Use @connections commands in your backend service"; ApiGatewayManagementApi API Reference.
A call that named no API and stage (AWS_ENDPOINT_URL alone) reaches any connection: their ids are unique.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from freehold.aws.call import Call, Json
from freehold.aws.errors import AwsError


class Caller(Protocol):
    @property
    def source_ip(self) -> str: ...

    @property
    def user_agent(self) -> str | None: ...

    @property
    def connected_at_ms(self) -> int: ...


class Connections(Protocol):
    """The gateway's. `place` is "{api id}/{stage}", or "" for a connection of any."""

    def post(self, connection_id: str, place: str, data: bytes) -> bool:
        """False: there is no such connection, or it does not read."""
        ...

    def describe(self, connection_id: str, place: str) -> tuple[Caller, float] | None:
        """Who it is, and when it was last active, in epoch seconds."""
        ...

    def hang_up(self, connection_id: str, place: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class ApiGatewayManagementApi:
    connections: Connections
    check: Callable[[Call, str, str], None]
    """Raises AwsError unless the caller may do this: the call, the connection's id, "POST", "GET" or "DELETE"."""


async def post_to_connection(management: ApiGatewayManagementApi, call: Call, request: Json) -> Json:
    management.check(call, request["ConnectionId"], "POST")
    if not management.connections.post(request["ConnectionId"], call.socket_place, request["Data"]):
        raise _gone()
    return {}


async def get_connection(management: ApiGatewayManagementApi, call: Call, request: Json) -> Json:
    management.check(call, request["ConnectionId"], "GET")
    found = management.connections.describe(request["ConnectionId"], call.socket_place)
    if found is None:
        raise _gone()
    caller, active_at_s = found
    return {
        "ConnectedAt": caller.connected_at_ms / 1000,
        "Identity": {"SourceIp": caller.source_ip, "UserAgent": caller.user_agent or ""},
        "LastActiveAt": active_at_s,
    }


async def delete_connection(management: ApiGatewayManagementApi, call: Call, request: Json) -> Json:
    management.check(call, request["ConnectionId"], "DELETE")
    if not management.connections.hang_up(request["ConnectionId"], call.socket_place):
        raise _gone()
    return {}


def _gone() -> AwsError:
    return AwsError("GoneException", "410", status=410)
