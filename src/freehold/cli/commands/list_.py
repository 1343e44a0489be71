"""`freehold list`: the stacks of a server."""

from __future__ import annotations

import click

from freehold.cli import output, stacks
from freehold.cli.failure import run
from freehold.cli.options import Command, server_options
from freehold.cli.target import connected, find_endpoint, find_region


@click.command(cls=Command)
@server_options
def command(endpoint_url: str | None, region: str | None) -> None:
    """List the stacks of a region.

    \b
    Examples:
      freehold list
      freehold list --region eu-central-1
    """
    endpoint = find_endpoint(endpoint_url)
    run(_run(endpoint, find_region(region)), endpoint)


async def _run(endpoint: str, region: str) -> None:
    async with connected(endpoint, region) as aws:
        found = await stacks.all_stacks(aws)
    if not found:
        output.say(f"No stacks in {region} at {endpoint}.")
        return
    rows = [
        [each["StackName"], each["StackStatus"], each.get("LastUpdatedTime") or each.get("CreationTime", "")]
        for each in found
    ]
    output.say(output.table(("STACK", "STATUS", "CHANGED"), sorted(rows)))
