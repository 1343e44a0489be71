"""Start and stop: a stack that an earlier server left in the middle of something is brought to an end.

Creates and updates that were interrupted are rolled back, with a reason that says so; deletes, rollbacks and cleanups
go on where they were.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from freehold.aws.arn import parse_arn
from freehold.aws.call import Aws, Call, Json
from freehold.stacks.cleanup import clean_up
from freehold.stacks.documents import STACK
from freehold.stacks.record import Stacks
from freehold.stacks.rollback import (
    finish_create_rollback,
    finish_delete,
    finish_update_rollback,
    roll_back_create,
    roll_back_update,
)

_INTERRUPTED = "The server was stopped during the operation."


async def start_stacks(stacks: Stacks) -> None:
    """Takes up what was interrupted; returns when it has begun, not when it is done."""
    for stored in await stacks.store.list_documents(STACK):
        work = _rest(stacks, stored.document)
        if work is not None:
            stacks.executions.start(stored.key, work)


async def stop_stacks(stacks: Stacks) -> None:
    await stacks.executions.stop()


def _rest(stacks: Stacks, stack: Json) -> Coroutine[Any, Any, None] | None:
    aws = _bound(stacks, stack)
    match stack["StackStatus"]:
        case "CREATE_IN_PROGRESS":
            return roll_back_create(stacks, aws, stack, _INTERRUPTED)
        case "ROLLBACK_IN_PROGRESS":
            return finish_create_rollback(stacks, aws, stack)
        case "UPDATE_IN_PROGRESS":
            return roll_back_update(stacks, aws, stack, _INTERRUPTED)
        case "UPDATE_ROLLBACK_IN_PROGRESS":
            return finish_update_rollback(stacks, aws, stack)
        case "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS":
            return clean_up(stacks, aws, stack, "UPDATE_COMPLETE")
        case "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS":
            return clean_up(stacks, aws, stack, "UPDATE_ROLLBACK_COMPLETE")
        case "DELETE_IN_PROGRESS":
            return finish_delete(stacks, aws, stack, stack.get("retain", []))
    return None


def _bound(stacks: Stacks, stack: Json) -> Aws:
    arn = parse_arn(stack["StackId"])
    assert arn is not None, stack["StackId"]
    endpoint = stack.get("endpoint", {})
    call = Call(
        region=arn.region,
        account=arn.account,
        request_id=stacks.ids.uuid(),
        host=endpoint.get("host", ""),
        scheme=endpoint.get("scheme", "http"),
    )
    return stacks.bind(call)
