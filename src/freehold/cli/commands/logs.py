"""`freehold logs`: what a function wrote, from CloudWatch Logs' operations; `--tail` follows it."""

from __future__ import annotations

import asyncio
import re
import sys
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from freehold.aws.call import Json
from freehold.aws.errors import AwsError
from freehold.cli import output, stacks
from freehold.cli.commands.invoke import chosen_name
from freehold.cli.failure import Failure, run
from freehold.cli.functions import find_function, stack_of
from freehold.cli.options import (
    Command,
    ignored_options,
    samconfig_options,
    server_options,
    stack_name_option,
    stage_option,
)
from freehold.cli.packaging import Wishes
from freehold.cli.project import find_project
from freehold.cli.target import connected, find_endpoint, find_region
from freehold.http.aws_client import AwsClient

_DEFAULT_SINCE = "10m"
_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_SPAN = re.compile(r"(\d+)\s*([smhdw])[a-z]*(?:\s+ago)?", re.IGNORECASE)
_POLL_S = 0.25
# Events of other streams may arrive a little late, with an earlier time.
_OVERLAP_MS = 5_000


@dataclass(frozen=True, slots=True)
class Span:
    """Which events are wanted; times in epoch milliseconds."""

    start_ms: int
    end_ms: int | None
    pattern: str | None


@click.command(cls=Command)
@click.argument("name", required=False)
@click.option("-f", "-n", "--function", "--name", "function", metavar="NAME", help="The same as NAME.")
@click.option("--tail", "-t", is_flag=True, help="Follow: print what comes until Ctrl-C.")
@click.option("--filter", "pattern", metavar="PATTERN", help="CloudWatch Logs' filter pattern.")
@click.option(
    "--since",
    "--start-time",
    "--startTime",
    default=_DEFAULT_SINCE,
    show_default=True,
    metavar="WHEN",
    help="30s, 10m, 2h, 3d, or a date like 2026-03-01T12:00.",
)
@click.option("--interval", hidden=True, expose_value=False)
@click.option("-C", "--dir", "directory", type=click.Path(path_type=Path), default=Path("."), help="The app's folder.")
@stack_name_option
@stage_option
@server_options
@ignored_options("--include-traces", "--debug")
@ignored_options("--aws-profile", "--profile", value=True)
def command(name: str | None, function: str | None, since: str, **options: Any) -> None:
    """Show a function's log, or follow it.

    NAME is the function's name, its logical id, or its key in serverless.yml.

    \b
    Examples:
      freehold logs getItems --tail
      freehold logs GetItemsFunction --since 2h --filter ERROR
      freehold serverless logs -f getItems --tail
      freehold sam logs -n GetItemsFunction --tail
    """
    wanted = chosen_name(name, function)
    start_ms = read_since(since, time.time())
    endpoint = find_endpoint(options["endpoint_url"], options["directory"])
    run(_run(wanted, start_ms, endpoint, since, options), endpoint, endless=options["tail"])


@click.command(cls=Command, section="logs")
@samconfig_options
@click.argument("word", metavar="[NAME]", required=False)
@click.option("-n", "--name", metavar="NAME", help="The function.  [default: all of the stack]")
@click.option("--tail", "-t", is_flag=True, help="Follow: print what comes until Ctrl-C.")
@click.option("--filter", "pattern", metavar="PATTERN", help="CloudWatch Logs' filter pattern.")
@click.option("-s", "--start-time", "since", default=_DEFAULT_SINCE, show_default=True, metavar="WHEN")
@click.option("-e", "--end-time", "until", metavar="WHEN", help="Like --start-time.  [default: now]")
@click.option("-C", "--dir", "directory", type=click.Path(path_type=Path), default=Path("."), help="The app's folder.")
@stack_name_option
@server_options
@ignored_options("--include-traces", "--debug", "--beta-features")
@ignored_options("--profile", "--output", value=True)
def sam_command(word: str | None, name: str | None, since: str, until: str | None, **options: Any) -> None:
    """Show or follow the log of a function, or of all functions of the stack.

    WHEN is 30s, 10m, 2h, "5mins ago", or a date like 2026-03-01T12:00.

    \b
    Examples:
      freehold sam logs -n GetItemsFunction --tail
      freehold sam logs --stack-name my-api-prod
      freehold sam logs -n GetItemsFunction -s 2h -e 1h --filter ERROR
    """
    start_ms = read_since(since, time.time())
    options["end_ms"] = read_since(until, time.time()) if until else None
    endpoint = find_endpoint(options["endpoint_url"], options["directory"])
    work = _run(word or name, start_ms, endpoint, since, {**options, "stage": None})
    run(work, endpoint, endless=options["tail"])


def read_since(text: str, now_s: float) -> int:
    """Epoch milliseconds. Raises Failure."""
    span = _SPAN.fullmatch(text.strip())
    if span:
        return int((now_s - int(span[1]) * _UNITS_S[span[2].lower()]) * 1000)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Failure(f"{text!r} is no time: say 30s, 10m, 2h, 3d, or a date like 2026-03-01T12:00.") from None
    return int((moment if moment.tzinfo else moment.astimezone()).timestamp() * 1000)


async def _run(name: str | None, start_ms: int, endpoint: str, since: str, options: dict[str, Any]) -> None:
    """No name: every function of the stack."""
    wishes = Wishes(stage=options["stage"], region=options["region"], stack_name=options["stack_name"])
    async with connected(endpoint, find_region(options["region"])) as aws:
        await aws.answers()
        if name:
            functions = [await find_function(aws, name, options["directory"], wishes)]
        else:
            functions = await _of_stack(aws, options["directory"], wishes)
        span = Span(start_ms, options.get("end_ms"), options["pattern"])
        groups = {await _group(aws, function): function for function in functions}
        count = 0
        if options["tail"] and sys.stderr.isatty():
            output.note(f"Following {', '.join(functions)}; Ctrl-C ends it.")
        async for group, event in _events(aws, list(groups), span, follow=options["tail"]):
            count += 1
            print_event(event, groups[group] if len(groups) > 1 else "")
        if not count:
            output.note(f"No events of {', '.join(functions)} in the last {since}; an earlier start shows more.")


async def _of_stack(aws: AwsClient, directory: Path, wishes: Wishes) -> list[str]:
    stack_name = wishes.stack_name or await stack_of(find_project(directory, prefer="sam"), wishes, aws)
    stack = await stacks.require_stack(aws, stack_name)
    found = await stacks.resources(aws, stack["StackId"])
    names = [each.physical_id for each in found if each.type == "AWS::Lambda::Function"]
    if not names:
        raise Failure(f"The stack {stack_name} has no functions.")
    return names


async def _group(aws: AwsClient, function: str) -> str:
    configuration = (await aws("lambda", "GetFunction", {"FunctionName": function}))["Configuration"]
    return (configuration.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{function}"


async def _events(
    aws: AwsClient, groups: Sequence[str], span: Span, *, follow: bool
) -> AsyncIterator[tuple[str, Json]]:
    """Each event once with its group, oldest first; with `follow` it never ends."""
    seen: dict[str, int] = {}
    while True:
        async for group, event in _in_order(aws, groups, span):
            if event["eventId"] not in seen:
                seen[event["eventId"]] = event["timestamp"]
                yield group, event
        if not follow:
            return
        if seen:
            span = replace(span, start_ms=max(span.start_ms, max(seen.values()) - _OVERLAP_MS))
            seen = {key: timestamp for key, timestamp in seen.items() if timestamp >= span.start_ms}
        await asyncio.sleep(_POLL_S)


async def _in_order(aws: AwsClient, groups: Sequence[str], span: Span) -> AsyncIterator[tuple[str, Json]]:
    if len(groups) == 1:
        async for event in _page_through(aws, groups[0], span):
            yield groups[0], event
        return
    found = [(group, event) for group in groups async for event in _page_through(aws, group, span)]
    for each in sorted(found, key=lambda one: one[1]["timestamp"]):
        yield each


async def _page_through(aws: AwsClient, group: str, span: Span) -> AsyncIterator[Json]:
    request: Json = {"logGroupName": group, "startTime": span.start_ms}
    if span.end_ms is not None:
        request["endTime"] = span.end_ms
    if span.pattern:
        request["filterPattern"] = span.pattern
    while True:
        try:
            page = await aws("logs", "FilterLogEvents", request)
        except AwsError as error:
            if error.code == "ResourceNotFoundException":
                # The group is made by the first invocation.
                return
            raise
        for event in page.get("events") or []:
            yield event
        if not page.get("nextToken"):
            return
        request["nextToken"] = page["nextToken"]


def print_event(event: Json, function: str = "") -> None:
    moment = datetime.fromtimestamp(event["timestamp"] / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
    message = event["message"].rstrip("\r\n").replace("\r", "\n")
    whose = f"  {click.style(function, fg='cyan')}" if function else ""
    output.say(f"{click.style(f'{moment}Z', dim=True)}{whose}  {message}")
