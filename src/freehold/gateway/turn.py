"""One thing that happens on a WebSocket connection: it is asked for, a message comes, it ends. Events tell of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from freehold.gateway.callers import Caller as Signer

EventType = Literal["CONNECT", "MESSAGE", "DISCONNECT"]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is at the other end, as long as the connection lasts."""

    connection_id: str
    connected_at_ms: int  # Epoch milliseconds.
    source_ip: str
    user_agent: str | None
    domain: str  # Under which functions reach the connection: `https://{domain}/{stage}/@connections/{id}`.


@dataclass(frozen=True, slots=True)
class Turn:
    event_type: EventType
    caller: Caller
    message_id: str = ""  # MESSAGE only.
    code: int = 0  # DISCONNECT only: of the close frame, or in place of one.
    reason: str = ""
    authorizer: Mapping[str, Any] | None = None  # What the authorizer of $connect said.
    signer: Signer | None = None  # Who signed the handshake, where AWS_IAM asked for that.

    @property
    def domain(self) -> str:
        return self.caller.domain
