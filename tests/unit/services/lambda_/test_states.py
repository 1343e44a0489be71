"""AWS: "Lambda function states", and the state members of FunctionConfiguration."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.engines import ARN, MemoryStore

from freehold.aws.errors import AwsError
from freehold.engine.functions import FUNCTION, FunctionVersion
from freehold.runtimes.interpreters import NoInterpreter
from freehold.services.lambda_.states import Preparations, put_pending, refuse_pending
from freehold.state.store import Delete, Put

KEY = "us-east-1/f"


class Preparing:
    """`go` lets it end, each time with the next of `errors`, if there is one."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.begun = asyncio.Event()
        self.go = asyncio.Event()

    async def __call__(self, function: FunctionVersion) -> None:
        self.begun.set()
        await self.go.wait()
        if self.errors:
            raise self.errors.pop(0)


def pending(store: MemoryStore, runtime: str = "python3.11", revision: str = "1") -> None:
    configuration: dict[str, Any] = {
        "FunctionArn": ARN + "f", "Runtime": runtime, "Handler": "a.b", "Timeout": 3, "MemorySize": 128,
        "RevisionId": revision,
    }  # fmt: skip
    put_pending(configuration)
    store.put_now(Put(FUNCTION, KEY, {"configuration": configuration, "code": {"sha256": "x"}, "layers": []}))


def states(configuration: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in configuration.items() if name.startswith("State")}


async def test_a_function_is_pending_until_it_is_prepared_and_then_active() -> None:
    store, prepare = MemoryStore(), Preparing()
    preparations = Preparations(store, prepare)
    pending(store)
    shown = await preparations.settle(KEY, 0)
    assert states(shown) == {
        "State": "Pending", "StateReason": "The function is being created.", "StateReasonCode": "Creating"
    }  # fmt: skip
    with pytest.raises(AwsError, match="currently in the following state: Pending") as error:
        refuse_pending(shown)
    assert (error.value.code, error.value.status) == ("ResourceConflictException", 409)
    prepare.go.set()
    assert states(await preparations.settle(KEY, None)) == {"State": "Active"}


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (NoInterpreter("No Node.js on this machine can run nodejs22.x functions."), "InvalidRuntime"),
        (AwsError("InvalidParameterValueException", "a bad layer"), "InvalidConfiguration"),
        (OSError(28, "No space left on device"), "InternalError"),
    ],
)
async def test_what_cannot_be_prepared_has_failed_with_its_reason(error: Exception, code: str) -> None:
    store, prepare = MemoryStore(), Preparing(error)
    prepare.go.set()
    pending(store)
    shown = await Preparations(store, prepare).settle(KEY, None)
    assert (shown["State"], shown["StateReasonCode"]) == ("Failed", code)
    assert shown["StateReason"] in str(error)


async def test_the_next_process_goes_on_with_what_one_before_it_began() -> None:
    store, prepare = MemoryStore(), Preparing()
    pending(store)
    killed = Preparations(store, prepare)
    await killed.settle(KEY, 0)
    await killed.stop()
    prepare.go.set()
    after = Preparations(store, prepare)
    await after.start()
    assert (await after.settle(KEY, None))["State"] == "Active"


@pytest.mark.parametrize("remake", [True, False])
async def test_a_function_deleted_meanwhile_gets_nothing_of_the_old_one(remake: bool) -> None:
    store, prepare = MemoryStore(), Preparing(NoInterpreter("no"))
    preparations = Preparations(store, prepare)
    pending(store, "nodejs20.x")
    await preparations.settle(KEY, 0)
    await prepare.begun.wait()
    store.put_now(Delete(FUNCTION, KEY))
    if remake:
        pending(store, "python3.11", "2")
    prepare.go.set()
    shown = await preparations.settle(KEY, None)
    assert shown.get("State") == ("Active" if remake else None)
