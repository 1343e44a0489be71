"""The address of an integration's backend: a URI with `{variables}` and stage variables, and a query string.

One decision to know: what a caller sent is encoded as it is put in, so that it can neither leave its segment of the
path nor become another host; a greedy variable keeps its slashes, and may not climb with `..`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote, quote_plus

from freehold.gateway.exchange import Exchange, Refused

_STAGE_VARIABLE = re.compile(r"\$\{stageVariables\.([A-Za-z0-9_]+)\}")
_VARIABLE = re.compile(r"\{([^{}/]+?)\+?\}")
_CLIMBS = frozenset({".", ".."})


def fill_stage_variables(uri: str, variables: Mapping[str, str] | None) -> str:
    return _STAGE_VARIABLE.sub(lambda match: (variables or {}).get(match[1], ""), uri)


def fill_path(exchange: Exchange, uri: str, values: Mapping[str, str]) -> str:
    """`uri` with its `{variables}`. Raises Refused where a variable has no value."""
    if "{" not in uri:
        return uri
    route = exchange.route
    assert route is not None

    def fill(match: re.Match[str]) -> str:
        name = match[1]
        if name not in values:
            raise Refused("API_CONFIGURATION_ERROR")
        value = values[name]
        if climbs(value):
            raise Refused("API_CONFIGURATION_ERROR")
        is_greedy = value == exchange.parameters.get(route.names[-1] if route.names else "") and route.path.endswith(
            "+}"
        )
        return quote(value, safe="/:@!$&'()*+,;=~" if is_greedy else ":@!$&'()*+,;=~")

    return _VARIABLE.sub(fill, uri)


def climbs(path: str) -> bool:
    """Whether it would leave the folder that it is put into."""
    return any(segment in _CLIMBS for segment in path.split("/"))


def write_query(pairs: Iterable[tuple[str, str]]) -> str:
    return "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in pairs)


def with_query(url: str, pairs: Iterable[tuple[str, str]]) -> str:
    query = write_query(pairs)
    if not query:
        return url
    return f"{url}{'&' if '?' in url else '?'}{query}"
