"""Signs requests as the AWS SDK for Python does, by its own code, for the time of the test."""

from __future__ import annotations

import datetime
from typing import Any
from unittest.mock import patch

from botocore import auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from tests.unit.gateway.world import NOW_S


def signed_headers(
    credentials: Credentials,
    method: str,
    url: str,
    body: bytes = b"",
    *,
    host: str = "localhost:4566",
    service: str = "execute-api",
    region: str = "us-east-1",
    at_s: float = NOW_S,
    **headers: str,
) -> list[tuple[str, str]]:
    request = AWSRequest(method, f"http://{host}{url}", headers={"Host": host, **headers}, data=body)
    with patch.object(auth, "get_current_datetime", _at(at_s)):
        auth.SigV4Auth(credentials, service, region).add_auth(request)
    return [(name, value) for name, value in request.headers.items() if name.lower() != "host"]


def presigned(
    credentials: Credentials, url: str, *, expires_s: int = 60, at_s: float = NOW_S, service: str = "execute-api"
) -> str:
    """Path and query."""
    request = AWSRequest("GET", f"http://localhost:4566{url}", headers={"Host": "localhost:4566"})
    with patch.object(auth, "get_current_datetime", _at(at_s)):
        auth.SigV4QueryAuth(credentials, service, "us-east-1", expires=expires_s).add_auth(request)
    return str(request.url).removeprefix("http://localhost:4566")


def _at(at_s: float) -> Any:
    return lambda remove_tzinfo=True: datetime.datetime.fromtimestamp(at_s, datetime.UTC).replace(tzinfo=None)
