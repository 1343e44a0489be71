"""Event buses, their policies, and tags of buses and rules. Source: Amazon EventBridge API Reference."""

from __future__ import annotations

from collections.abc import Callable

import orjson

from freehold.aws.arn import parse_arn
from freehold.aws.call import Call, Json
from freehold.aws.errors import AwsError
from freehold.clock import now_ms
from freehold.services.events.record import (
    BUS,
    DEFAULT_BUS,
    RULE,
    Events,
    bus_arn,
    bus_name,
    change_rule,
    find_rule,
    invalid,
    page,
)
from freehold.state.store import Conflict, Delete, Document, Put

_SETTINGS = ("Description", "KmsKeyIdentifier", "DeadLetterConfig", "LogConfig")


async def create_event_bus(events: Events, call: Call, request: Json) -> Json:
    name = request["Name"]
    if request.get("EventSourceName"):
        raise invalid("Freehold does not support partner event sources.")
    if name == DEFAULT_BUS or "/" in name:
        raise invalid(
            f"Cannot create event bus {name}." if name == DEFAULT_BUS else "Event bus name must not contain '/'.",
        )
    at_ms = now_ms(events.clock)
    document = {
        **_new(call, name, at_ms),
        "Tags": {tag["Key"]: tag["Value"] for tag in request.get("Tags") or []},
        **{member: request[member] for member in _SETTINGS if request.get(member)},
    }
    try:
        await events.store.write(Put(BUS, f"{call.region}/{name}", document, if_revision=0))
    except Conflict:
        raise AwsError("ResourceAlreadyExistsException", f"Event bus {name} already exists.") from None
    return {"EventBusArn": document["Arn"], **{m: document[m] for m in _SETTINGS if m in document}}


async def update_event_bus(events: Events, call: Call, request: Json) -> Json:
    name = bus_name(request.get("Name"))
    document = await _read(events, call, name)
    document.update({member: request[member] for member in _SETTINGS if member in request})
    document["lastModifiedMs"] = now_ms(events.clock)
    await events.store.write(Put(BUS, f"{call.region}/{name}", document))
    return {"Arn": document["Arn"], "Name": name, **{m: document[m] for m in _SETTINGS if m in document}}


async def delete_event_bus(events: Events, call: Call, request: Json) -> Json:
    name = bus_name(request["Name"])
    if name == DEFAULT_BUS:
        raise invalid("Cannot delete event bus default.")
    if await events.store.list_documents(RULE, f"{call.region}/{name}/", limit=1):
        raise invalid(f"Event bus {name} can't be deleted since it has rules.")
    await events.store.write(Delete(BUS, f"{call.region}/{name}"))
    return {}


async def describe_event_bus(events: Events, call: Call, request: Json) -> Json:
    document = await _read(events, call, bus_name(request.get("Name")))
    return _describe(document)


async def list_event_buses(events: Events, call: Call, request: Json) -> Json:
    stored = {one.document["Name"]: one.document for one in await events.store.list_documents(BUS, f"{call.region}/")}
    stored.setdefault(DEFAULT_BUS, _new(call, DEFAULT_BUS, 0))
    names = [name for name in sorted(stored) if name.startswith(request.get("NamePrefix") or "")]
    shown, more = page(request, names, str)
    return {"EventBuses": [_describe(stored[name]) for name in shown], **more}


async def put_permission(events: Events, call: Call, request: Json) -> Json:
    """A whole policy, or one statement of one."""
    name = bus_name(request.get("EventBusName"))
    document = await _read(events, call, name)
    if request.get("Policy"):
        policy = _read_policy(request["Policy"])
    else:
        policy = document.get("policy") or {"Version": "2012-10-17", "Statement": []}
        statement = _statement(call, document["Arn"], request)
        kept = [one for one in policy["Statement"] if one.get("Sid") != statement["Sid"]]
        policy = {**policy, "Statement": [*kept, statement]}
    await events.store.write(Put(BUS, f"{call.region}/{name}", {**document, "policy": policy}))
    return {}


async def remove_permission(events: Events, call: Call, request: Json) -> Json:
    name = bus_name(request.get("EventBusName"))
    document = await _read(events, call, name)
    policy = document.pop("policy", None)
    if not request.get("RemoveAllPermissions"):
        statements = policy["Statement"] if policy else []
        kept = [one for one in statements if one.get("Sid") != request.get("StatementId")]
        if len(kept) == len(statements):
            raise AwsError("ResourceNotFoundException", "Statement with the provided id does not exist.")
        if kept:
            document["policy"] = {**policy, "Statement": kept}
    await events.store.write(Put(BUS, f"{call.region}/{name}", document))
    return {}


async def tag_resource(events: Events, call: Call, request: Json) -> Json:
    added = {tag["Key"]: tag["Value"] for tag in request["Tags"]}
    await _change_tags(events, call, request, lambda tags: tags.update(added))
    return {}


async def untag_resource(events: Events, call: Call, request: Json) -> Json:
    def change(tags: dict[str, str]) -> None:
        for key in request["TagKeys"]:
            tags.pop(key, None)

    await _change_tags(events, call, request, change)
    return {}


async def list_tags_for_resource(events: Events, call: Call, request: Json) -> Json:
    rule = _rule_of(request)
    if rule is None:
        document = await _read(events, call, bus_name(request["ResourceARN"]))
    else:
        document = (await find_rule(events, call, rule)).document
    return {"Tags": [{"Key": key, "Value": value} for key, value in document["Tags"].items()]}


async def _change_tags(events: Events, call: Call, request: Json, change: Callable[[dict[str, str]], None]) -> None:
    rule = _rule_of(request)
    if rule is not None:
        await change_rule(events, call, rule, lambda document: change(document["Tags"]))
        return
    name = bus_name(request["ResourceARN"])
    document = await _read(events, call, name)
    document["Tags"] = dict(document["Tags"])
    change(document["Tags"])
    await events.store.write(Put(BUS, f"{call.region}/{name}", document))


def _rule_of(request: Json) -> Json | None:
    """The rule that a ResourceARN names; None for a bus."""
    arn = parse_arn(request["ResourceARN"])
    if arn is None or not arn.resource.startswith(("rule/", "event-bus/")):
        raise invalid(f"{request['ResourceARN']} is no ARN of a rule or an event bus.")
    if arn.resource.startswith("event-bus/"):
        return None
    bus, _, name = arn.resource.removeprefix("rule/").rpartition("/")
    return {"Name": name, "EventBusName": bus or DEFAULT_BUS}


async def _read(events: Events, call: Call, name: str) -> Document:
    stored = await events.store.read(BUS, f"{call.region}/{name}")
    if stored is not None:
        return dict(stored.document)
    if name != DEFAULT_BUS:
        raise AwsError("ResourceNotFoundException", f"Event bus {name} does not exist.")
    return _new(call, name, 0)


def _new(call: Call, name: str, at_ms: int) -> Document:
    return {"Name": name, "Arn": bus_arn(call, name), "createdMs": at_ms, "lastModifiedMs": at_ms, "Tags": {}}


def _describe(document: Document) -> Json:
    described = {member: document[member] for member in ("Name", "Arn", *_SETTINGS) if member in document}
    if document.get("policy"):
        described["Policy"] = orjson.dumps(document["policy"]).decode()
    if document["createdMs"]:
        described["CreationTime"] = document["createdMs"] / 1000
        described["LastModifiedTime"] = document["lastModifiedMs"] / 1000
    return described


def _statement(call: Call, arn: str, request: Json) -> Json:
    for member in ("Action", "Principal", "StatementId"):
        if not request.get(member):
            raise invalid(f"Parameter {member} must be specified.")
    principal = request["Principal"]
    statement: Json = {
        "Sid": request["StatementId"],
        "Effect": "Allow",
        "Principal": "*" if principal == "*" else {"AWS": f"arn:aws:iam::{principal}:root"},
        "Action": request["Action"],
        "Resource": arn,
    }
    condition = request.get("Condition")
    if condition:
        statement["Condition"] = {condition["Type"]: {condition["Key"]: condition["Value"]}}
    return statement


def _read_policy(text: str) -> Json:
    try:
        policy = orjson.loads(text)
    except orjson.JSONDecodeError:
        policy = None
    if not isinstance(policy, dict) or "Statement" not in policy:
        raise invalid("Policy is not valid: it must be a JSON object with a Statement.")
    statements = policy["Statement"]
    return {**policy, "Statement": statements if isinstance(statements, list) else [statements]}
