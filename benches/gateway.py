"""What the gateway itself costs: a request through an HTTP API to an invoker that answers at once, and routing.

    .venv/bin/python -m benches.gateway
Two promises: well under 100 µs a request, and matching in 5,000 routes within 1.3 times of 5.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import orjson
import uvloop
from tests.unit.gateway.memory_store import MemoryStore

from freehold.clock import RandomIds, SystemClock
from freehold.engine.invocation import Invocation, InvocationResult
from freehold.gateway.addresses import find_address
from freehold.gateway.gateway import Gateway
from freehold.gateway.routes import Node
from freehold.http.messages import Request
from freehold.state.store import Put

_REQUESTS = 20_000
_MATCHES = 200_000
_ANSWER = orjson.dumps({"statusCode": 200, "headers": {"content-type": "application/json"}, "body": '{"ok":true}'})
_FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:hello"


class _Answers:
    async def invoke(self, invocation: Invocation) -> InvocationResult:
        return InvocationResult(_ANSWER, None, "$LATEST")


async def _request_us(version: str) -> float:
    """Microseconds for one request."""
    store = MemoryStore()
    gateway = Gateway(store, _Answers(), SystemClock(), RandomIds())
    gateway.start()
    part = "us-east-1/abc/"
    integration = {
        "IntegrationId": "i",
        "IntegrationType": "AWS_PROXY",
        "IntegrationUri": _FUNCTION,
        "PayloadFormatVersion": version,
        "TimeoutInMillis": 30_000,
    }
    await store.write(
        Put("apigatewayv2.api", "us-east-1/abc", {"ApiId": "abc", "ProtocolType": "HTTP"}),
        Put("apigatewayv2.stage", part + "$default", {"StageName": "$default", "AutoDeploy": True}),
        Put("apigatewayv2.integration", part + "i", integration),
        Put("apigatewayv2.route", part + "r", {"RouteKey": "GET /items/{id}", "Target": "integrations/i"}),
    )
    headers = [
        ("Host", "abc.execute-api.localhost:4566"),
        ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64)"),
        ("Accept", "application/json"),
        ("Accept-Encoding", "gzip, deflate, br"),
        ("Accept-Language", "en-US,en;q=0.9"),
        ("Connection", "keep-alive"),
    ]

    async def one() -> None:
        request = Request("GET", "/items/42", "a=1&b=2", list(headers), b"")
        address = find_address(request)
        assert address is not None
        response = await gateway.handle(request, address)
        assert response.status == 200

    for _ in range(1000):
        await one()
    best = float("inf")
    for _ in range(20):
        began = time.perf_counter()
        for _ in range(_REQUESTS // 20):
            await one()
        best = min(best, time.perf_counter() - began)
    return best / (_REQUESTS // 20) * 1e6


def _match_ns(routes: int) -> float:
    """Nanoseconds for one match, of a path with a variable."""
    tree: Node[str] = Node()
    for index in range(routes):
        tree.add("GET", f"/service{index}/items/{{id}}", f"GET {index}")
    path = f"/service{routes // 2}/items/42"
    return _best(lambda: tree.find("GET", path))


def _best(call: Callable[[], object]) -> float:
    best = float("inf")
    for _ in range(5):
        began = time.perf_counter()
        for _ in range(_MATCHES // 5):
            call()
        best = min(best, (time.perf_counter() - began) / (_MATCHES // 5) * 1e9)
    return best


def main() -> None:
    for version in ("2.0", "1.0"):
        print(f"request through an HTTP API, payload {version}: {uvloop.run(_request_us(version)):6.1f} µs")
    few, many = _match_ns(5), _match_ns(5000)
    print(f"matching in 5 routes: {few:.0f} ns, in 5,000: {many:.0f} ns, ratio {many / few:.2f}")


if __name__ == "__main__":
    main()
