"""How a command fails: one clear sentence on stderr and exit code 1, whatever part the trouble came from."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import IO, Any, TypeVar

import click

from freehold.aws.errors import AwsError
from freehold.cli import interrupts
from freehold.http.client import HttpError, Unreachable
from freehold.templates.errors import TemplateError

T = TypeVar("T")

INTERRUPTED = 130  # What a shell reports for a program ended by Ctrl-C.


class Failure(click.ClickException):
    """The user's or the environment's fault; the message is all that is shown."""

    exit_code = 1

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(f"{click.style('Error:', fg='red', bold=True)} {self.format_message()}", file=file, err=file is None)


class NotAnswering(Failure):
    def __init__(self, endpoint: str) -> None:
        super().__init__(
            f"Nothing answers at {endpoint}. Start a server with `freehold serve`, "
            "or name another with --endpoint-url or FREEHOLD_ENDPOINT."
        )


def run(work: Coroutine[Any, Any, T], endpoint: str = "", *, endless: bool = False) -> T:
    """Runs a command's work; what is known to go wrong becomes a Failure. `endpoint` is whom it talks to.

    `endless`: nothing but Ctrl-C ends it, which is heard even where whoever started the command has it ignored.
    """
    import asyncio

    try:
        with interrupts.raised(even_if_ignored=endless):
            return asyncio.run(work)
    except KeyboardInterrupt:
        raise click.exceptions.Exit(INTERRUPTED) from None
    except Unreachable as error:
        raise (NotAnswering(endpoint) if endpoint else Failure(f"{error}.")) from error
    except HttpError as error:
        raise Failure(f"The server at {endpoint} did not answer: {error}.") from error
    except (AwsError, TemplateError) as error:
        raise Failure(sentence(error)) from error


def sentence(error: Exception) -> str:
    return error.message if isinstance(error, AwsError) else str(error)
