"""API Gateway's quotas that the data plane enforces.

Developer Guide, "Quotas for configuring and running a REST API" and "Quotas for HTTP APIs".
"""

from __future__ import annotations

from freehold.gateway.exchange import Exchange, Refused

BODY_MAX_BYTES = 10 * 1024 * 1024
ANSWER_MAX_BYTES = BODY_MAX_BYTES  # Of an HTTP backend.
MAX_BACKEND_REQUESTS = 1_024  # On their way to HTTP backends at once; one more is refused.
HEADERS_MAX_BYTES = 10_240  # Request line and header values together.
HTTP_TIMEOUT_S = 30.0
REST_TIMEOUT_S = 29.0
AUTHORIZER_TIMEOUT_S = 10.0
ACCOUNT_RATE = 10_000.0  # Requests a second of an account in a region; also for settings that name only one of the two.
ACCOUNT_BURST = 5_000


def check_size(exchange: Exchange) -> None:
    request = exchange.request
    if len(request.body) > BODY_MAX_BYTES:
        raise Refused("REQUEST_TOO_LARGE", f"HTTP content length exceeded {BODY_MAX_BYTES} bytes.")
    if request.head_bytes > HEADERS_MAX_BYTES:
        raise Refused("HEADERS_TOO_LARGE")
