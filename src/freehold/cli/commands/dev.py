"""`freehold dev`: a folder's app as a live API that follows edits; also `serverless offline`, `sam local start-api`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from freehold.cli.env_vars import read_env_vars
from freehold.cli.failure import Failure
from freehold.cli.options import (
    Command,
    env_vars_option,
    ignored_options,
    project_options,
    read_pairs,
    samconfig_options,
    stack_name_option,
)
from freehold.cli.packaging import Wishes
from freehold.cli.project import find_project


@click.command(cls=Command, section="local_start_api")
@project_options
@samconfig_options
@stack_name_option
@click.option("--host", "-h", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="Where the API listens.")
@click.option("--port", "-p", "--httpPort", "port", default=3000, show_default=True, type=click.IntRange(0, 65535))
@click.option("--aws-port", type=click.IntRange(0, 65535), help="For AWS clients.  [default: 4566, or a free one]")
@click.option("--watch/--no-watch", default=True, show_default=True, help="Follow edits.")
@ignored_options("--noPrependStageInUrl", "--noAuth", "--reloadHandler", "--useInProcess", "--debug", "--verbose")
@env_vars_option
@ignored_options("--lambdaPort", "--warm-containers", "--docker-network", "--profile", value=True)
def command(directory: Path, template: str | None, host: str, port: int, **options: Any) -> None:
    """Run a folder's app: its API on http://localhost:3000, every edit in force within a second.

    The app's data lives in the folder's .freehold. Each invocation prints a line with what the function printed under
    it. A broken edit shows its error, and the last good version keeps serving.

    \b
    Examples:
      freehold dev
      freehold dev examples/items-sam --port 8080
      freehold dev --parameter-overrides Stage=staging
      freehold invoke cleanupOldItems          in another terminal: fires a schedule by hand
    """
    project = find_project(directory, template)
    wishes = Wishes(
        stage=options["stage"],
        region=options["region"],
        stack_name=options["stack_name"],
        params=options["params"],
        parameters=read_pairs(options["parameter_overrides"], "--parameter-overrides"),
        env_vars=read_env_vars(options["env_vars"]),
    )
    import uvloop

    from freehold.cli.dev.session import Options, Session
    from freehold.templates.errors import TemplateError

    chosen = Options(host, port, options["aws_port"], options["watch"])

    async def work() -> None:
        await Session(project, wishes, chosen).run()

    try:
        uvloop.run(work())
    except TemplateError as error:
        raise Failure(str(error)) from error
