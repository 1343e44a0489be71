"""One connection of a client: its messages wait their turn here, each for a place among those that are worked on."""

from __future__ import annotations

from collections import deque
from collections.abc import Coroutine, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from freehold.gateway.turn import Caller
from freehold.http.websocket import WebSocket

if TYPE_CHECKING:
    from freehold.gateway.callers import Caller as Signer

AT_ONCE = 32  # Messages of one connection that are worked on at the same time; AWS names no limit.
READ_AHEAD = 64  # Messages that wait beyond those before the client is not read any more.


class Host(Protocol):
    """Whoever works for the connections."""

    def run(self, work: Coroutine[Any, Any, None]) -> None: ...

    def now_s(self) -> float:
        """Monotonic."""
        ...

    async def answer(self, connection: Connection, text: str) -> None: ...

    def ended(self, connection: Connection, code: int, reason: str) -> None: ...


class Connection:
    """A Listener of its WebSocket."""

    __slots__ = (
        "_host", "_is_paused", "_running", "_waiting",
        "active_s", "api_id", "authorizer", "caller", "opened_s", "region", "signer", "socket", "stage_name",
    )  # fmt: skip

    def __init__(
        self,
        host: Host,
        region: str,
        api_id: str,
        stage_name: str,
        caller: Caller,
        authorizer: Mapping[str, Any] | None,
        signer: Signer | None = None,
    ) -> None:
        self._host = host
        self._waiting: deque[str] = deque()
        self._running = 0
        self._is_paused = False
        self.region = region
        self.api_id = api_id
        self.stage_name = stage_name
        self.caller = caller
        self.authorizer = authorizer
        self.signer = signer
        self.socket: WebSocket | None = None  # None until the handshake is done.
        self.opened_s = self.active_s = host.now_s()  # Monotonic.

    @property
    def id(self) -> str:
        return self.caller.connection_id

    def send(self, data: bytes) -> bool:
        """False: it is closed."""
        if self.socket is None or not self.socket.send(data):
            return False
        self.active_s = self._host.now_s()
        return True

    # The WebSocket's side.

    def heard(self) -> None:
        self.active_s = self._host.now_s()

    def message(self, text: str) -> None:
        self._waiting.append(text)
        if self._running < AT_ONCE:
            self._running += 1
            self._host.run(self._work())
        elif len(self._waiting) >= READ_AHEAD and not self._is_paused and self.socket is not None:
            self._is_paused = True
            self.socket.pause()

    def closed(self, code: int, reason: str) -> None:
        self._host.ended(self, code, reason)

    async def _work(self) -> None:
        try:
            while self._waiting:
                text = self._waiting.popleft()
                if self._is_paused and len(self._waiting) < READ_AHEAD and self.socket is not None:
                    self._is_paused = False
                    self.socket.resume()
                await self._host.answer(self, text)
        finally:
            self._running -= 1
