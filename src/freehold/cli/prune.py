"""What serverless-prune-plugin does after a deploy: the newest versions of each function stay, older ones go."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from freehold.aws.call import Json
from freehold.http.aws_client import AwsClient


async def prune_versions(aws: AwsClient, functions: Sequence[str], keep: int) -> int:
    """The number of versions deleted. One that an alias points to stays, as in the plugin."""
    return sum(await asyncio.gather(*(_prune(aws, name, keep) for name in functions)))


async def _prune(aws: AwsClient, name: str, keep: int) -> int:
    aliases = await _all(aws, "ListAliases", name, "Aliases")
    held = {str(alias["FunctionVersion"]) for alias in aliases}
    for alias in aliases:
        held |= set((alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {})
    versions = [str(each["Version"]) for each in await _all(aws, "ListVersionsByFunction", name, "Versions")]
    numbered = sorted((each for each in versions if each.isdigit()), key=int, reverse=True)
    old = [each for each in numbered[keep:] if each not in held]
    for version in old:
        await aws("lambda", "DeleteFunction", {"FunctionName": name, "Qualifier": version})
    return len(old)


async def _all(aws: AwsClient, operation: str, name: str, member: str) -> list[Json]:
    found: list[Json] = []
    marker = None
    while True:
        page = await aws("lambda", operation, {"FunctionName": name, **({"Marker": marker} if marker else {})})
        found += page.get(member) or []
        marker = page.get("NextMarker")
        if not marker:
            return found
