"""Which API or function URL a request is for, by its path (`/_aws/execute-api/{apiId}/...`) or its Host."""

from __future__ import annotations

import re
from dataclasses import dataclass

from freehold.http.messages import Request

EXECUTE_API_PATH = "/_aws/execute-api/"
LAMBDA_URL_PATH = "/_aws/lambda-url/"
# a1b2c3d4e5.execute-api.localhost:4566, ....execute-api.us-east-1.amazonaws.com; ....lambda-url.us-east-1.on.aws
_HOST = re.compile(r"^([a-z0-9-]+)\.(execute-api|lambda-url)\.[a-z0-9.:-]+$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Address:
    is_function_url: bool
    id: str
    path: str  # Percent-encoded, what follows the API; begins with "/".


def find_address(request: Request) -> Address | None:
    """None when the request is for none of ours."""
    path = request.raw_path
    if path.startswith("/_aws/"):
        for prefix in (EXECUTE_API_PATH, LAMBDA_URL_PATH):
            if path.startswith(prefix):
                name, slash, rest = path[len(prefix) :].partition("/")
                return Address(prefix is LAMBDA_URL_PATH, name, slash + rest if slash else "/")
        return None
    host = _HOST.match(request.host)
    if host is None:
        return None
    return Address(host[2].lower() == "lambda-url", host[1].lower(), path or "/")
