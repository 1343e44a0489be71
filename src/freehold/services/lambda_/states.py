"""What state a function is in: Pending until its files and its runtime are in place, then Active, or Failed with why.

AWS: "Lambda function states", FunctionConfiguration. Two decisions to know: whoever makes a function waits a moment for
it, as most are Active by then. And Inactive is not here: AWS knows it of functions whose network resources it took back
after they were idle for long, and functions here have none.
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Awaitable, Callable

from freehold.aws.call import Json
from freehold.aws.errors import AwsError
from freehold.engine.functions import FUNCTION, FunctionVersion, compile_version, not_active
from freehold.runtimes.interpreters import NoInterpreter
from freehold.state.store import Conflict, Put, Store, Stored

MOMENT_S = 20.0  # What its maker waits at most for it to become Active: scripts invoke it at once.
ACTIVE, PENDING, FAILED = "Active", "Pending", "Failed"
_CREATING = "The function is being created."
_MEMBERS = ("State", "StateReason", "StateReasonCode")


class Preparations:
    """`prepare` has a function's files in place and finds its runtime; it raises NoInterpreter, AwsError or OSError."""

    def __init__(self, store: Store, prepare: Callable[[FunctionVersion], Awaitable[None]]) -> None:
        self._store = store
        self._prepare = prepare
        self._running: dict[str, asyncio.Task[None]] = {}  # By function: one at a time.

    async def start(self) -> None:
        """Goes on with what a process before this one began."""
        for stored in await self._store.list_documents(FUNCTION):
            if stored.document["configuration"].get("State") == PENDING:
                self._begin(stored.key)

    async def stop(self) -> None:
        running = list(self._running.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def settle(self, key: str, moment_s: float | None = MOMENT_S) -> Json:
        """The configuration of a function that has just become Pending, after a moment; None: when it no longer is."""
        task = self._begin(key)
        await asyncio.wait([task], timeout=moment_s)
        stored = await self._store.read(FUNCTION, key)
        found: Json = stored.document["configuration"] if stored else {}
        return found

    def _begin(self, key: str) -> asyncio.Task[None]:
        task = self._running.get(key)
        if task is None:
            task = self._running[key] = asyncio.get_running_loop().create_task(self._bring_up(key))
            task.add_done_callback(lambda _: self._running.pop(key, None))
        return task

    async def _bring_up(self, key: str) -> None:
        """Again when it was deleted and made anew meanwhile."""
        while True:
            stored = await self._store.read(FUNCTION, key)
            if stored is None or stored.document["configuration"].get("State") != PENDING:
                return
            await self._become(key, stored.document["configuration"]["RevisionId"], await self._outcome(key, stored))

    async def _outcome(self, key: str, stored: Stored) -> tuple[str, str, str]:
        """State, reason, code."""
        try:
            await self._prepare(compile_version(key, stored.document))
        except NoInterpreter as error:
            return FAILED, str(error), "InvalidRuntime"
        except AwsError as error:
            return FAILED, error.message, "InvalidConfiguration"
        except OSError as error:
            return FAILED, str(error), "InternalError"
        return ACTIVE, "", ""

    async def _become(self, key: str, revision_id: str, outcome: tuple[str, str, str]) -> None:
        while (stored := await self._store.read(FUNCTION, key)) is not None:
            document = copy.deepcopy(stored.document)
            if document["configuration"]["RevisionId"] != revision_id:
                return
            put_state(document["configuration"], *outcome)
            try:
                await self._store.write(Put(FUNCTION, key, document, if_revision=stored.revision))
            except Conflict:
                continue
            return


def put_state(configuration: Json, state: str, reason: str = "", code: str = "") -> None:
    for member in _MEMBERS:
        configuration.pop(member, None)
    configuration["State"] = state
    if reason:
        configuration |= {"StateReason": reason, "StateReasonCode": code}


def put_pending(configuration: Json) -> None:
    put_state(configuration, PENDING, _CREATING, "Creating")


def refuse_pending(configuration: Json) -> None:
    """Nothing is done with a function that is being created. Raises ResourceConflictException."""
    if configuration.get("State") == PENDING:
        raise not_active(PENDING)
