"""Deploys a package as any AWS client would: artifacts to S3, a change set, its execution, the stack's events.

One decision to know: a failure leaves nothing half-made. A change set that fails on a new stack takes the empty stack
with it, and a first deploy that rolled back is cleared away by the next one, as it holds nothing.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from freehold.aws.call import Json
from freehold.aws.errors import AwsError
from freehold.cli.failure import Failure
from freehold.cli.settle import settle
from freehold.http.aws_client import AwsClient

if TYPE_CHECKING:
    from freehold.templates.serverless.stack_settings import StackSettings

ALL_CAPABILITIES = ("CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND")
# A template in the request itself; a larger one goes by S3. AWS CloudFormation User Guide, "CloudFormation quotas".
_TEMPLATE_BODY_LIMIT = 51_200
# Short, for a stack that has come to rest is to be told at once, and CloudFormation offers nothing to wait on.
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.02, 0.1
# How CloudFormation hands on what a resource's handler said; the token tells a person nothing.
_HANDED_ON = re.compile(r'Resource handler returned message: "(.*)" \(RequestToken: [^)]*\)', re.DOTALL)
_NOTHING_TO_DO = ("didn't contain changes", "No updates are to be performed")


@dataclass(frozen=True, slots=True)
class Upload:
    bucket: str
    key: str  # Holds the content's hash: what is there already is not sent again.
    path: Path


@dataclass(frozen=True, slots=True)
class Package:
    """A compiled app: the template whose code lies at the keys of the uploads."""

    stack_name: str
    region: str
    template: Json
    uploads: tuple[Upload, ...]
    bucket: str  # Where a template that is too large for a request goes.
    functions: Mapping[str, str] = field(default_factory=dict)  # The user's name of a function -> its logical id.
    keep_versions: int | None = None  # The prune plugin's wish: so many versions of each function stay.
    warnings: tuple[str, ...] = ()
    places: Mapping[str, str] = field(default_factory=dict)  # Logical id -> "serverless.yml:12".
    settings: StackSettings | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a stack's history."""

    id: str
    logical_id: str
    type: str
    status: str
    reason: str
    timestamp: str
    physical_id: str

    @property
    def failed(self) -> bool:
        return self.status.endswith("_FAILED")


class DeployFailed(Failure):
    """The stack is back where it was; the message names the first resource that failed and why."""


OnEvent = Callable[[Event], None]
Confirm = Callable[[Sequence[Json]], bool]
"""Asks a person whether these resource changes shall be made."""


async def deploy(
    aws: AwsClient,
    package: Package,
    parameters: Mapping[str, str],
    *,
    capabilities: Sequence[str] = ALL_CAPABILITIES,
    tags: Mapping[str, str] | None = None,
    on_event: OnEvent = lambda event: None,
    confirm: Confirm | None = None,
    disable_rollback: bool = False,
) -> bool:
    """True when something changed. Raises Failure, also where `confirm` says no, AwsError, HttpError."""
    stack, _ = await asyncio.gather(find_stack(aws, package.stack_name), upload(aws, package.uploads))
    stack = await _clear_away(aws, package.stack_name, stack)
    is_new = stack is None
    request = {
        "StackName": package.stack_name,
        "ChangeSetName": f"freehold-{int(time.time() * 1000)}",
        "ChangeSetType": "CREATE" if is_new else "UPDATE",
        **_request(package, parameters, tags or {}, stack),
        "Capabilities": list(capabilities),
        **await _template(aws, package),
    }
    try:
        change_set = await aws("cloudformation", "CreateChangeSet", request)
        changes = await _planned(aws, change_set["Id"])
        if changes is None:
            # The last deployment may have ended before this.
            await _settle(aws, package)
            return False
        if confirm and not confirm([each["ResourceChange"] for each in changes]):
            await aws("cloudformation", "DeleteChangeSet", {"ChangeSetName": change_set["Id"]})
            raise Failure("Not deployed: nothing was changed.")
        seen = set() if is_new else {event.id for event in await events(aws, package.stack_name)}
        execution: Json = {"ChangeSetName": change_set["Id"]}
        if disable_rollback or (package.settings and package.settings.disable_rollback):
            execution["DisableRollback"] = True
        await aws("cloudformation", "ExecuteChangeSet", execution)
    except (AwsError, Failure):
        if is_new:
            await _forget(aws, package.stack_name)
        raise
    await follow(aws, change_set["StackId"], seen, on_event)
    await _settle(aws, package)
    return True


async def remove(aws: AwsClient, stack_name: str, *, on_event: OnEvent = lambda event: None) -> bool:
    """False when there is no such stack. Raises DeployFailed."""
    stack = await find_stack(aws, stack_name)
    if stack is None:
        return False
    stack_id = str(stack["StackId"])
    seen = {event.id for event in await events(aws, stack_id)}
    await aws("cloudformation", "DeleteStack", {"StackName": stack_id})
    await follow(aws, stack_id, seen, on_event, gone_is_done=True)
    return True


async def upload(aws: AwsClient, uploads: Sequence[Upload]) -> None:
    async def send(each: Upload) -> None:
        if not await aws.has_object(each.bucket, each.key):
            await aws.put_object(each.bucket, each.key, each.path.read_bytes())

    await asyncio.gather(*(send(each) for each in dict.fromkeys(uploads)))


async def find_stack(aws: AwsClient, stack_name: str) -> Json | None:
    try:
        answer = await aws("cloudformation", "DescribeStacks", {"StackName": stack_name})
    except AwsError as error:
        if error.code == "ValidationError" and "does not exist" in error.message:
            return None
        raise
    stacks = answer.get("Stacks") or []
    return stacks[0] if stacks else None


async def events(aws: AwsClient, stack_name: str) -> list[Event]:
    """Oldest first, and only the first page of the newest hundred or so: what a deploy in progress adds."""
    answer = await aws("cloudformation", "DescribeStackEvents", {"StackName": stack_name})
    return [_event(each) for each in reversed(answer.get("StackEvents") or [])]


async def follow(
    aws: AwsClient, stack_id: str, seen: set[str], on_event: OnEvent, *, gone_is_done: bool = False
) -> None:
    """Calls `on_event` with each new event until the stack has come to rest. Raises DeployFailed."""
    first_failure: Event | None = None
    async for event in _new_events(aws, stack_id, seen):
        on_event(event)
        if event.failed and first_failure is None and event.type != "AWS::CloudFormation::Stack":
            first_failure = event
        if event.physical_id == stack_id and event.type == "AWS::CloudFormation::Stack":
            if event.status in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "DELETE_COMPLETE"):
                return
            if event.status.endswith(
                ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "UPDATE_FAILED", "DELETE_FAILED")
            ):
                raise _failed(event, first_failure)
    assert gone_is_done


def _failed(end: Event, first: Event | None) -> DeployFailed:
    outcome = {
        "ROLLBACK_COMPLETE": "everything it had made was removed",
        "UPDATE_ROLLBACK_COMPLETE": "the stack is back as it was",
    }.get(end.status, f"the stack is now {end.status}")
    if first is None:
        return DeployFailed(f"{end.logical_id} failed: {end.reason or end.status}. ({outcome})")
    reason = _HANDED_ON.sub(r"\1", first.reason).rstrip(".") or first.status
    return DeployFailed(f"{first.logical_id} ({first.type}) failed: {reason}; {outcome}.")


async def _new_events(aws: AwsClient, stack_id: str, seen: set[str]) -> AsyncIterator[Event]:
    """Ends only where the stack is gone."""
    wait_s = _FIRST_WAIT_S
    while True:
        try:
            fresh = [event for event in await events(aws, stack_id) if event.id not in seen]
        except AwsError as error:
            if "does not exist" in error.message:
                return
            raise
        for event in fresh:
            seen.add(event.id)
            yield event
        wait_s = _FIRST_WAIT_S if fresh else min(wait_s * 1.5, _LONGEST_WAIT_S)
        await asyncio.sleep(wait_s)


async def _clear_away(aws: AwsClient, stack_name: str, stack: Json | None) -> Json | None:
    """A stack that a failed first deploy left behind cannot be updated, and holds nothing worth keeping."""
    status = stack["StackStatus"] if stack else ""
    if status in ("ROLLBACK_COMPLETE", "REVIEW_IN_PROGRESS"):
        await remove(aws, stack_name)
        return None
    if status.endswith("_IN_PROGRESS"):
        raise Failure(f"The stack {stack_name} is {status}: another deploy is at work. Try again when it has ended.")
    return stack


async def _forget(aws: AwsClient, stack_name: str) -> None:
    stack = await find_stack(aws, stack_name)
    if stack and stack["StackStatus"] == "REVIEW_IN_PROGRESS":
        await remove(aws, stack_name)


async def _planned(aws: AwsClient, change_set_id: str) -> list[Json] | None:
    """Its first hundred changes, when it is made; None when there is nothing to change. Raises DeployFailed."""
    wait_s = _FIRST_WAIT_S
    while True:
        change_set = await aws("cloudformation", "DescribeChangeSet", {"ChangeSetName": change_set_id})
        status, reason = change_set["Status"], change_set.get("StatusReason") or ""
        if status == "CREATE_COMPLETE":
            return change_set.get("Changes") or []
        if status == "FAILED":
            if any(words in reason for words in _NOTHING_TO_DO):
                await aws("cloudformation", "DeleteChangeSet", {"ChangeSetName": change_set_id})
                return None
            raise DeployFailed(reason or "The change set failed without a reason.")
        await asyncio.sleep(wait_s)
        wait_s = min(wait_s * 1.5, _LONGEST_WAIT_S)


def _request(package: Package, parameters: Mapping[str, str], tags: Mapping[str, str], stack: Json | None) -> Json:
    """What the command line says comes before what the app's file says."""
    own = package.settings
    tags = {**own.tags, **tags} if own else tags
    parameters = {**own.parameters, **parameters} if own else parameters
    return {
        **(own.request if own else {}),
        "Parameters": _parameters(package.template, parameters, stack),
        "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
    }


async def _settle(aws: AwsClient, package: Package) -> None:
    if package.settings:
        await settle(aws, package.stack_name, package.settings)


async def _template(aws: AwsClient, package: Package) -> Json:
    import hashlib

    body = orjson.dumps(package.template)
    if len(body) <= _TEMPLATE_BODY_LIMIT:
        return {"TemplateBody": body.decode()}
    key = f"{package.stack_name}/{hashlib.sha256(body).hexdigest()}.template"
    await aws.put_object(package.bucket, key, body)
    return {"TemplateURL": f"{aws.endpoint}/{package.bucket}/{key}"}


def _parameters(template: Json, given: Mapping[str, str], stack: Json | None) -> list[Json]:
    """What is not given keeps its value on an update. Raises Failure for what the template does not declare."""
    declared = template.get("Parameters") or {}
    for name in given:
        if name not in declared:
            known = f"it has {', '.join(declared)}" if declared else "it has none"
            raise Failure(f"The template has no parameter {name}: {known}.")
    held = {each["ParameterKey"] for each in (stack.get("Parameters") or [])} if stack else set()
    found: list[Json] = [{"ParameterKey": name, "ParameterValue": value} for name, value in given.items()]
    for name, settings in declared.items():
        if name in given:
            continue
        if name in held:
            found.append({"ParameterKey": name, "UsePreviousValue": True})
        elif not isinstance(settings, dict) or "Default" not in settings:
            raise Failure(f"The parameter {name} needs a value: --parameter-overrides {name}=VALUE.")
    return found


def _event(found: Json) -> Event:
    return Event(
        id=found["EventId"],
        logical_id=found.get("LogicalResourceId", ""),
        type=found.get("ResourceType", ""),
        status=found.get("ResourceStatus", ""),
        reason=found.get("ResourceStatusReason", ""),
        timestamp=found.get("Timestamp", ""),
        physical_id=found.get("PhysicalResourceId", ""),
    )
