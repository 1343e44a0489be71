"""`freehold logs`: what a function wrote, from CloudWatch Logs' operations; `--tail` follows it."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from freehold.aws.call import Json
from freehold.aws.errors import AwsError
from freehold.cli import output
from freehold.cli.commands.invoke import chosen_name
from freehold.cli.failure import Failure, run
from freehold.cli.functions import find_function
from freehold.cli.options import Command, ignored_options, server_options, stack_name_option, stage_option
from freehold.cli.packaging import Wishes
from freehold.cli.target import connected, find_endpoint, find_region
from freehold.http.aws_client import AwsClient

_DEFAULT_SINCE = "10m"
_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_SPAN = re.compile(r"(\d+)\s*([smhdw])[a-z]*(?:\s+ago)?", re.IGNORECASE)
_POLL_S = 0.25
# Events of other streams may arrive a little late, with an earlier time.
_OVERLAP_MS = 5_000


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
    run(_run(wanted, start_ms, endpoint, since, options), endpoint)


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


async def _run(name: str, start_ms: int, endpoint: str, since: str, options: dict[str, Any]) -> None:
    wishes = Wishes(stage=options["stage"], region=options["region"], stack_name=options["stack_name"])
    async with connected(endpoint, find_region(options["region"])) as aws:
        await aws.answers()
        function = await find_function(aws, name, options["directory"], wishes)
        group = await _group(aws, function)
        count = 0
        async for event in _events(aws, group, start_ms, options["pattern"], follow=options["tail"]):
            count += 1
            print_event(event)
        if not count:
            output.note(f"No events of {function} in the last {since}; --since looks further back.")


async def _group(aws: AwsClient, function: str) -> str:
    configuration = (await aws("lambda", "GetFunction", {"FunctionName": function}))["Configuration"]
    return (configuration.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{function}"


async def _events(
    aws: AwsClient, group: str, start_ms: int, pattern: str | None, *, follow: bool
) -> AsyncIterator[Json]:
    """Each event once, oldest first; with `follow` it never ends."""
    seen: dict[str, int] = {}
    while True:
        async for event in _page_through(aws, group, start_ms, pattern):
            if event["eventId"] not in seen:
                seen[event["eventId"]] = event["timestamp"]
                yield event
        if not follow:
            return
        if seen:
            start_ms = max(start_ms, max(seen.values()) - _OVERLAP_MS)
            seen = {key: timestamp for key, timestamp in seen.items() if timestamp >= start_ms}
        await asyncio.sleep(_POLL_S)


async def _page_through(aws: AwsClient, group: str, start_ms: int, pattern: str | None) -> AsyncIterator[Json]:
    request: Json = {"logGroupName": group, "startTime": start_ms}
    if pattern:
        request["filterPattern"] = pattern
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


def print_event(event: Json) -> None:
    moment = datetime.fromtimestamp(event["timestamp"] / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
    message = event["message"].rstrip("\r\n").replace("\r", "\n")
    output.say(f"{click.style(f'{moment}Z', dim=True)}  {message}")
