"""`freehold invoke`: one invocation of a deployed function; its result on stdout, its log on stderr."""

from __future__ import annotations

import base64
import sys
from pathlib import Path
from typing import Any

import click
import orjson

from freehold.aws.call import Json
from freehold.cli import output
from freehold.cli.failure import Failure, run
from freehold.cli.functions import find_function
from freehold.cli.options import Command, ignored_options, server_options, stack_name_option, stage_option
from freehold.cli.packaging import Wishes
from freehold.cli.target import connected, find_endpoint, find_region


@click.command(cls=Command)
@click.argument("name", required=False)
@click.option("-f", "--function", metavar="NAME", help="The same as NAME.")
@click.option("-e", "--event", "-p", "--path", metavar="FILE", help='A file that holds the event; "-" is stdin.')
@click.option("-d", "--data", metavar="JSON", help="The event itself.")
@click.option("-l", "--log", "with_log", is_flag=True, help="Show the end of the invocation's log.")
@click.option("-t", "--type", "kind", type=click.Choice(["RequestResponse", "Event", "DryRun"]), help="Wait, or not.")
@click.option("-q", "--qualifier", metavar="VERSION", help="A version or an alias.")
@click.option("-C", "--dir", "directory", type=click.Path(path_type=Path), default=Path("."), help="The app's folder.")
@stack_name_option
@stage_option
@server_options
@ignored_options("--aws-profile", value=True)
def command(name: str | None, function: str | None, event: str | None, data: str | None, **options: Any) -> None:
    """Invoke a deployed function and print its result; exit code 1 when the function failed.

    NAME is the function's name, its logical id, or its key in serverless.yml.

    \b
    Examples:
      freehold invoke getItems
      freehold invoke GetItemsFunction --event events/get.json -l
      freehold invoke hello --data '{"queryStringParameters": {"name": "Ada"}}'
      echo '{}' | freehold invoke hello --event -
    """
    wanted = chosen_name(name, function)
    payload = read_event(event, data)
    endpoint = find_endpoint(options["endpoint_url"], options["directory"])
    run(_run(wanted, payload, endpoint, options), endpoint)


def chosen_name(name: str | None, function: str | None) -> str:
    found = name or function
    if not found:
        raise click.UsageError("Which function? Say its NAME.")
    return found


def read_event(file: str | None, data: str | None) -> bytes:
    """Raises Failure where it is no JSON, with the place."""
    if file is None:
        return _checked((data if data is not None else "{}").encode(), "--data")
    if file == "-":
        return _checked(sys.stdin.buffer.read(), "stdin")
    try:
        return _checked(Path(file).read_bytes(), file)
    except OSError as error:
        raise Failure(f"Cannot read the event {file}: {error.strerror}.") from error


def _checked(body: bytes, place: str) -> bytes:
    import json

    try:
        json.loads(body or b"{}")
    except json.JSONDecodeError as error:
        raise Failure(f"{place}:{error.lineno}: the event is not JSON: {error.msg}.") from error
    except UnicodeDecodeError as error:
        raise Failure(f"{place}: the event is not UTF-8 text.") from error
    return body or b"{}"


async def _run(name: str, payload: bytes, endpoint: str, options: dict[str, Any]) -> None:
    wishes = Wishes(stage=options["stage"], region=options["region"], stack_name=options["stack_name"])
    async with connected(endpoint, find_region(options["region"])) as aws:
        await aws.answers()
        request: Json = {
            "FunctionName": await find_function(aws, name, options["directory"], wishes),
            "InvocationType": options["kind"] or "RequestResponse",
            "Payload": payload,
            "Qualifier": options["qualifier"],
        }
        if options["with_log"] and request["InvocationType"] == "RequestResponse":
            request["LogType"] = "Tail"
        show_result(await aws("lambda", "Invoke", request))


def show_result(answer: Json) -> None:
    """The function's answer as it is, indented on a terminal. Raises Exit(1) for a failed function."""
    if answer.get("LogResult"):
        output.note(base64.b64decode(answer["LogResult"]).decode(errors="replace").rstrip())
    if answer["StatusCode"] == 202:
        output.note("Accepted: it runs now.")
    body: bytes = answer["Payload"]
    if body:
        output.say(_readable(body))
    if answer.get("FunctionError"):
        output.note(f"{click.style('Error:', fg='red', bold=True)} the function failed ({answer['FunctionError']}).")
        raise click.exceptions.Exit(1)


def _readable(body: bytes) -> str:
    text = body.decode(errors="replace")
    if not sys.stdout.isatty():
        return text
    try:
        return orjson.dumps(orjson.loads(body), option=orjson.OPT_INDENT_2).decode()
    except orjson.JSONDecodeError:
        return text
