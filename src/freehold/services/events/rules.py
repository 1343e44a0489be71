"""Rules: a pattern or a schedule. Source: Amazon EventBridge API Reference, PutRule and its likes."""

from __future__ import annotations

from freehold.aws.call import Call, Json
from freehold.aws.errors import AwsError
from freehold.aws.event_patterns import InvalidPattern, parse_pattern
from freehold.aws.schedule_expressions import InvalidSchedule, parse_schedule
from freehold.services.events.record import (
    DEFAULT_BUS,
    RULE,
    Events,
    change_rule,
    find_rule,
    invalid,
    page,
    require_bus,
    rule_arn,
)
from freehold.state.store import Conflict, Delete, Document, Put

_MEMBERS = ("ScheduleExpression", "EventPattern", "Description", "RoleArn")
_RULES = 300  # Of a bus.
_ATTEMPTS = 16


async def put_rule(events: Events, call: Call, request: Json) -> Json:
    """Of a rule that is there, its targets and tags stay; all else is as the request says."""
    name, bus = request["Name"], await require_bus(events, call, request.get("EventBusName"))
    pattern, schedule = request.get("EventPattern"), request.get("ScheduleExpression")
    if not pattern and not schedule:
        raise invalid("Parameter(s) EventPattern or ScheduleExpression must be specified.")
    if pattern:
        check_pattern(pattern)
    if schedule:
        _check_schedule(schedule, bus)
    key = f"{call.region}/{bus}/{name}"
    for _ in range(_ATTEMPTS):
        stored = await events.store.read(RULE, key)
        before = stored.document if stored else {"Targets": [], "Tags": _tags(request)}
        if stored is None and len(await events.store.list_documents(RULE, f"{call.region}/{bus}/")) >= _RULES:
            raise AwsError("LimitExceededException", "The requested resource exceeds the maximum number allowed.")
        rule: Document = {
            "Name": name,
            "Arn": rule_arn(call, bus, name),
            "EventBusName": bus,
            "State": request.get("State") or "ENABLED",
            "Targets": before["Targets"],
            "Tags": before["Tags"],
            "CreatedBy": call.account,
            **{member: request[member] for member in _MEMBERS if request.get(member)},
        }
        try:
            await events.store.write(Put(RULE, key, rule, if_revision=stored.revision if stored else 0))
        except Conflict:
            continue
        return {"RuleArn": rule["Arn"]}
    raise AwsError("ConcurrentModificationException", f"Rule {name} was modified by others meanwhile.")


async def delete_rule(events: Events, call: Call, request: Json) -> Json:
    bus = await require_bus(events, call, request.get("EventBusName"))
    key = f"{call.region}/{bus}/{request['Name']}"
    stored = await events.store.read(RULE, key)
    if stored is None:
        return {}
    if stored.document["Targets"]:
        raise invalid("Rule can't be deleted since it has targets.")
    await events.store.write(Delete(RULE, key))
    return {}


async def describe_rule(events: Events, call: Call, request: Json) -> Json:
    rule = (await find_rule(events, call, request)).document
    return {**_describe(rule), "CreatedBy": rule["CreatedBy"]}


async def list_rules(events: Events, call: Call, request: Json) -> Json:
    bus = await require_bus(events, call, request.get("EventBusName"))
    prefix = f"{call.region}/{bus}/{request.get('NamePrefix') or ''}"
    rules = [stored.document for stored in await events.store.list_documents(RULE, prefix)]
    shown, more = page(request, rules, lambda rule: str(rule["Name"]))
    return {"Rules": [_describe(rule) for rule in shown], **more}


async def enable_rule(events: Events, call: Call, request: Json) -> Json:
    await change_rule(events, call, request, lambda rule: rule.update(State="ENABLED"))
    return {}


async def disable_rule(events: Events, call: Call, request: Json) -> Json:
    await change_rule(events, call, request, lambda rule: rule.update(State="DISABLED"))
    return {}


def check_pattern(text: str) -> None:
    """InvalidEventPatternException."""
    try:
        parse_pattern(text)
    except InvalidPattern as error:
        raise AwsError(
            "InvalidEventPatternException", f"Event pattern is not valid. Reason: {error}", status=400
        ) from error


def _check_schedule(text: str, bus: str) -> None:
    if bus != DEFAULT_BUS:
        raise invalid("ScheduleExpression is supported only on the default event bus.")
    try:
        parse_schedule(text)
    except InvalidSchedule:
        raise invalid("Parameter ScheduleExpression is not valid.") from None


def _tags(request: Json) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in request.get("Tags") or []}


def _describe(rule: Document) -> Json:
    members = ("Name", "Arn", "State", "EventBusName", *_MEMBERS)
    return {member: rule[member] for member in members if member in rule}
