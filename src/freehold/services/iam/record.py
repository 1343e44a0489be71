"""What IAM's operations may touch, and what its things have in common: names, paths, ids, tags, pages.

One decision to know: roles, users and groups are one shape of document with their policies inside, so that a later
decision about a request reads one document.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from freehold.aws.arn import Arn
from freehold.aws.call import Call, Json
from freehold.aws.errors import AwsError
from freehold.clock import Clock, Ids, now_ms
from freehold.state.change import TooManyChanges, change_document
from freehold.state.store import Conflict, Document, Put, Store, Stored

_TAGS = 50
_PAGE = 100
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Iam:
    store: Store
    clock: Clock
    ids: Ids


@dataclass(frozen=True, slots=True)
class Thing:
    """A kind of what has a name and an ARN. Names are members of requests: "RoleName"."""

    kind: str  # Of its documents; the key is the name in lower case, as names differ by more than case.
    noun: str
    prefix: str  # Of its ids: "AROA".
    resource: str  # In its ARN: "role".

    @property
    def member(self) -> str:
        return f"{self.noun}Name"


ROLE = Thing("iam.role", "Role", "AROA", "role")
USER = Thing("iam.user", "User", "AIDA", "user")
GROUP = Thing("iam.group", "Group", "AGPA", "group")
POLICY = Thing("iam.policy", "Policy", "ANPA", "policy")
PROFILE = Thing("iam.instance_profile", "InstanceProfile", "AIPA", "instance-profile")


def new_document(iam: Iam, call: Call, thing: Thing, name: str, path: str | None) -> Document:
    path = path or "/"
    return {
        "name": name,
        "path": path,
        "id": thing.prefix + iam.ids.hex(17).upper(),
        "arn": str(Arn("iam", "", call.account, f"{thing.resource}{path}{name}")),
        "createdMs": now_ms(iam.clock),
        "tags": {},
    }


async def create(iam: Iam, thing: Thing, document: Document) -> None:
    """EntityAlreadyExists."""
    try:
        await iam.store.write(Put(thing.kind, document["name"].lower(), document, if_revision=0))
    except Conflict:
        raise AwsError(
            "EntityAlreadyExists", f"{thing.noun} with name {document['name']} already exists.", status=409
        ) from None


async def find(iam: Iam, thing: Thing, name: str) -> Stored:
    """NoSuchEntity."""
    stored = await iam.store.read(thing.kind, name.lower())
    if stored is None:
        raise no_such(f"The {thing.noun.lower()} with name {name} cannot be found.")
    return stored


async def change(iam: Iam, thing: Thing, name: str, edit: Callable[[Document], None]) -> Document:
    """As `change_document`, in AWS's words."""
    try:
        return await change_document(iam.store, thing.kind, lambda: find(iam, thing, name), edit)
    except TooManyChanges as error:
        message = f"{thing.noun} {name} was changed by others at the same time."
        raise AwsError("ConcurrentModification", message, status=409) from error


async def list_all(iam: Iam, thing: Thing, path_prefix: str | None = None) -> list[Document]:
    found = await iam.store.list_documents(thing.kind)
    return [stored.document for stored in found if stored.document["path"].startswith(path_prefix or "/")]


def page(request: Json, items: Sequence[Item], name: Callable[[Item], str]) -> tuple[list[Item], Json]:
    """A page of what is sorted by `name` in lower case, and the members that tell of the next."""
    marker, limit = request.get("Marker"), request.get("MaxItems") or _PAGE
    rest = [item for item in items if marker is None or name(item).lower() > marker]
    shown = rest[:limit]
    if len(rest) <= limit:
        return shown, {"IsTruncated": False}
    return shown, {"IsTruncated": True, "Marker": name(shown[-1]).lower()}


def moment(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms // 1000, UTC)


def read_tags(entries: Sequence[Json] | None) -> dict[str, str]:
    tags = {entry["Key"]: entry["Value"] for entry in entries or ()}
    if len({key.lower() for key in tags}) != len(entries or ()):
        raise AwsError(
            "InvalidInput", "Duplicate tag keys found. Please note that Tag keys are case insensitive.", status=400
        )
    return tags


def write_tags(tags: dict[str, str]) -> list[Json]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def merge_tags(document: Document, entries: Sequence[Json]) -> None:
    document["tags"] = {**document["tags"], **read_tags(entries)}
    if len(document["tags"]) > _TAGS:
        raise AwsError("LimitExceeded", f"The number of tags has reached the maximum limit of {_TAGS}.", status=409)


def no_such(message: str) -> AwsError:
    return AwsError("NoSuchEntity", message, status=404)


def delete_conflict(message: str) -> AwsError:
    return AwsError("DeleteConflict", message, status=409)
