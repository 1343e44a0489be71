"""`freehold serve`: a server in the foreground, until Ctrl-C or SIGTERM."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from freehold.cli import output
from freehold.cli.data_dir import default_data_dir
from freehold.cli.failure import Failure
from freehold.cli.options import Command

if TYPE_CHECKING:
    from freehold.app import App


@click.command(cls=Command)
@click.option("--host", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="The address to listen on.")
@click.option("--port", default=4566, show_default=True, type=click.IntRange(0, 65535), help="0: any free one.")
@click.option(
    "--data-dir",
    type=click.Path(path_type=Path, file_okay=False),
    default=default_data_dir,
    help="Everything that survives a restart lies below it.  [default: $FREEHOLD_DATA_DIR or ~/.local/share/freehold]",
)
@click.option("-r", "--region", default="us-east-1", show_default=True, help="Where a request names no region.")
@click.option("--require-sandbox", is_flag=True, help="Do not start on a machine that cannot jail functions.")
@click.option("--no-internet", is_flag=True, help="Let functions reach this server's AWS APIs and nothing else.")
@click.option("--cpu-limit", is_flag=True, help="Give functions memory / 1,769 MB of a CPU and no more, as AWS does.")
@click.option("--no-freeze", is_flag=True, help="Let functions go on working in the background between invocations.")
@click.option("--throttle-tables", is_flag=True, help="Keep tables to their provisioned capacity, as DynamoDB does.")
def command(
    host: str, port: int, data_dir: Path, region: str, require_sandbox: bool, no_internet: bool, cpu_limit: bool,
    no_freeze: bool, throttle_tables: bool,
) -> None:  # fmt: skip
    """Run a server that speaks AWS's protocols on one port and serves the apps deployed to it.

    \b
    Examples:
      freehold serve
      freehold serve --host 0.0.0.0 --port 80 --data-dir /var/lib/freehold
      AWS_ENDPOINT_URL=http://127.0.0.1:4566 aws lambda list-functions
    """
    import uvloop

    from freehold.app import CannotStart, serve
    from freehold.config import Config

    config = Config(
        data_dir=data_dir.absolute(), host=host, port=port, region=region, require_jail=require_sandbox,
        internet=not no_internet, cpu_limit=cpu_limit, freeze=not no_freeze,
        throttle_tables=throttle_tables,
    )  # fmt: skip
    try:
        uvloop.run(serve(config, _print_banner, _print_stop))
    except CannotStart as error:
        raise Failure(str(error)) from error
    output.say("Stopped.")


def _print_banner(app: App) -> None:
    """For eyes and for scripts: the first line holds the endpoint."""
    output.say(f"{output.heading('Freehold')} is ready at {click.style(app.endpoint, fg='cyan')}")
    output.say(f"  data       {app.config.data_dir}")
    output.say(f"  isolation  {app.layers.sentence}")
    output.say(f"  deploy     freehold deploy DIR{_endpoint_flag(app.endpoint)}")
    output.say(f"  AWS tools  export AWS_ENDPOINT_URL={app.endpoint} AWS_REGION={app.config.region}")
    output.say("Ctrl-C stops it.")


def _print_stop(app: App) -> None:
    if app.server.running:
        output.say(output.still_running(app.server.running))


def _endpoint_flag(endpoint: str) -> str:
    return "" if endpoint.endswith(":4566") else f" --endpoint-url {endpoint}"
