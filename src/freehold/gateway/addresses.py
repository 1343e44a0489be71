"""Which API or function URL a request is for, by its path (`/_aws/execute-api/{apiId}/...`) or its Host."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from freehold.http.messages import Request

EXECUTE_API_PATH = "/_aws/execute-api/"
LAMBDA_URL_PATH = "/_aws/lambda-url/"
# a1b2c3d4e5.execute-api.localhost:4566, ....execute-api.us-east-1.amazonaws.com; ....lambda-url.us-east-1.on.aws
_HOST = re.compile(r"^([a-z0-9-]+)\.(execute-api|lambda-url)\.[a-z0-9.:-]+$", re.IGNORECASE)


class Address(NamedTuple):
    is_function_url: bool
    id: str
    path: str  # Percent-encoded, what follows the API; begins with "/".
    stage: str = ""  # Where a mapping of a custom domain name says it; else it stands in the path.
    base_path: str = ""  # "/orders/v1": what of the path the mapping took.


def find_address(request: Request) -> Address | None:
    """None when the request is for none of ours."""
    path = request.raw_path
    if path.startswith("/_aws/"):
        for prefix in (EXECUTE_API_PATH, LAMBDA_URL_PATH):
            if path.startswith(prefix):
                name, slash, rest = path[len(prefix) :].partition("/")
                return Address(prefix is LAMBDA_URL_PATH, name, slash + rest if slash else "/")
        return None
    named = _named_by(request.host)
    return None if named is None else Address(named[0], named[1], path or "/")


@lru_cache(maxsize=4096)
def _named_by(host: str) -> tuple[bool, str] | None:
    """(whether it is a function URL, its id)"""
    match = _HOST.match(host)
    return None if match is None else (match[2].lower() == "lambda-url", match[1].lower())
