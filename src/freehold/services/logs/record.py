"""What the operations of CloudWatch Logs may touch, and how a group is found.

One decision to know: a group exists when the log store has it, because functions make groups by logging. Its document
holds only what a caller said about it: retention, tags, key.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from freehold.aws.arn import Arn, parse_arn
from freehold.aws.call import Call, Json
from freehold.aws.errors import AwsError
from freehold.clock import Clock
from freehold.state.logs import LogStore
from freehold.state.store import Change, Document, Put, Store

GROUP = "logs.group"
DAY_MS = 86_400_000

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Logs:
    store: Store
    logs: LogStore
    clock: Clock


def follow_retention(store: Store, logs: LogStore) -> Callable[[], None]:
    """Keeps the groups' retention in force, and makes known again the groups whose files were removed by hand."""

    def follow(changes: Sequence[Change]) -> None:
        for change in changes:
            region, _, group = change.key.partition("/")
            if change.document is not None:
                days = change.document.get("retentionInDays")
                logs.retain(region, group, days * DAY_MS if days else None)

    return store.follow([GROUP], follow)


def group_arn(call: Call, group: str) -> str:
    """Without the ":*" that IAM policies want."""
    return str(Arn("logs", call.region, call.account, f"log-group:{group}"))


def group_name(request: Json, name: str = "logGroupName", identifier: str = "logGroupIdentifier") -> str:
    """From the name, or the identifier, which is a name or an ARN."""
    given = request.get(name) or request.get(identifier)
    if not given:
        raise AwsError("InvalidParameterException", f"Either {name} or {identifier} must be specified.")
    return name_of(str(given))


def name_of(text: str) -> str:
    arn = parse_arn(text)
    if arn is None:
        return text
    return arn.resource.removeprefix("log-group:").removesuffix(":*")


def require_group(logs: Logs, call: Call, group: str) -> None:
    if not logs.logs.has_group(call.region, group):
        raise AwsError("ResourceNotFoundException", "The specified log group does not exist.")


async def read_settings(logs: Logs, call: Call, group: str) -> Document:
    stored = await logs.store.read(GROUP, f"{call.region}/{group}")
    return dict(stored.document) if stored else {}


async def change_settings(logs: Logs, call: Call, group: str, **changes: Any) -> None:
    """A value of None removes the setting."""
    require_group(logs, call, group)
    settings = await read_settings(logs, call, group)
    settings.update(changes)
    settings = {key: value for key, value in settings.items() if value is not None}
    await logs.store.write(Put(GROUP, f"{call.region}/{group}", settings))


def page_after(
    items: Sequence[Item], name: Callable[[Item], str], token: str | None, limit: int
) -> tuple[list[Item], str | None]:
    """A page of what is sorted by name, and the token of the next: the last name of this one."""
    rest = [item for item in items if token is None or name(item) > token]
    page = rest[:limit]
    return page, name(page[-1]) if len(rest) > limit else None
