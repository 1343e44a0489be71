"""What EventBridge's operations may touch, and how buses and rules are found.

One decision to know: a rule is one document with its targets inside, so that a rule and its targets change together
and whoever follows rules sees whole ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from freehold.aws.arn import Arn, parse_arn
from freehold.aws.call import Bind, Call, Json
from freehold.aws.errors import AwsError
from freehold.clock import Clock, Ids
from freehold.services.events.router import Router
from freehold.state.change import TooManyChanges, change_document
from freehold.state.store import Document, Store, Stored

RULE = "events.rule"  # Key: region/bus/name.
BUS = "events.bus"  # Key: region/name. The default bus has a document only once something is set on it.
DEFAULT_BUS = "default"
_PAGE = 100
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Events:
    store: Store
    router: Router
    clock: Clock
    ids: Ids
    bind: Bind
    has: Callable[[str], bool]  # Is there a service of this name?


def bus_name(text: str | None) -> str:
    """From a name or an ARN."""
    arn = parse_arn(text or "")
    return arn.resource.removeprefix("event-bus/") if arn else text or DEFAULT_BUS


def bus_arn(call: Call, bus: str) -> str:
    return str(Arn("events", call.region, call.account, f"event-bus/{bus}"))


def rule_arn(call: Call, bus: str, name: str) -> str:
    resource = f"rule/{name}" if bus == DEFAULT_BUS else f"rule/{bus}/{name}"
    return str(Arn("events", call.region, call.account, resource))


async def require_bus(events: Events, call: Call, text: str | None) -> str:
    """The bus's name. ResourceNotFoundException."""
    bus = bus_name(text)
    if bus != DEFAULT_BUS and await events.store.read(BUS, f"{call.region}/{bus}") is None:
        raise AwsError("ResourceNotFoundException", f"Event bus {bus} does not exist.")
    return bus


async def find_rule(events: Events, call: Call, request: Json, member: str = "Name") -> Stored:
    bus = await require_bus(events, call, request.get("EventBusName"))
    stored = await events.store.read(RULE, f"{call.region}/{bus}/{request[member]}")
    if stored is None:
        raise AwsError("ResourceNotFoundException", f"Rule {request[member]} does not exist on EventBus {bus}.")
    return stored


async def change_rule(
    events: Events, call: Call, request: Json, change: Callable[[Document], None], member: str = "Name"
) -> None:
    """As `change_document`, in AWS's words."""
    try:
        await change_document(events.store, RULE, lambda: find_rule(events, call, request, member), change)
    except TooManyChanges as error:
        message = f"Rule {request[member]} was modified by others meanwhile."
        raise AwsError("ConcurrentModificationException", message) from error


def page(request: Json, items: Sequence[Item], name: Callable[[Item], str]) -> tuple[list[Item], Json]:
    """A page of what is sorted by name, and the member that tells of the next."""
    token, limit = request.get("NextToken"), request.get("Limit") or _PAGE
    rest = [item for item in items if token is None or name(item) > token]
    shown = rest[:limit]
    return shown, {"NextToken": name(shown[-1])} if len(rest) > limit else {}


def invalid(message: str) -> AwsError:
    return AwsError("ValidationException", message)
