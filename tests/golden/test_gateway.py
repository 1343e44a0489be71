"""API Gateway's events and answers, byte for byte: tests/golden/gateway/<case>/{input,output}.json.

Every input names its source. `event` cases give a request and what it met; `response` cases give what a function
returned. Refused answers are written as {"refused": type}.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from tests.unit.gateway.memory_store import MemoryStore

from freehold.clock import RandomIds, SystemClock
from freehold.engine.role_sessions import RoleSessions
from freehold.gateway.callers import Callers
from freehold.gateway.compiled import Api, Kind, Route, Stage
from freehold.gateway.exchange import Exchange, Means, Refused
from freehold.gateway.fetch import fetch_url
from freehold.gateway.function_policies import FunctionPolicies
from freehold.gateway.gateway import NoLogs
from freehold.gateway.integrations.deadlines import Deadlines
from freehold.gateway.payloads import v1, v2
from freehold.gateway.response_cache import ResponseCache
from freehold.gateway.routes import Node, names_of
from freehold.gateway.usage_plans import UsagePlans
from freehold.http.client import HttpClient
from freehold.http.messages import Request, Response

CASES = sorted((Path(__file__).parent / "gateway").iterdir())
Json = dict[str, Any]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_payload_is_as_its_source_has_it(case: Path) -> None:
    given = orjson.loads((case / "input.json").read_bytes())
    expected = orjson.loads((case / "output.json").read_bytes())
    assert given["source"]
    assert (_event(given) if "request" in given else _responses(given)) == expected


def _event(given: Json) -> Json:
    exchange = _exchange(given)
    return v2.build_event(exchange) if given["format"] in ("2.0", "url") else v1.build_event(exchange)


async def _no_answer(request: Request) -> Response:
    return Response(503)


def _exchange(given: Json) -> Exchange:
    wanted = given["request"]
    kind = {"2.0": Kind.HTTP, "1.0": Kind.HTTP, "rest": Kind.REST, "url": Kind.URL}[given["format"]]
    path = given.get("route_path", "/$default")
    route = Route(given.get("route_key", "$default"), path, names_of(path), None, resource_id="2gxmpl")
    tree: Node[Route] = Node()
    stage = Stage(
        name=given.get("stage", "$default"),
        routes=tree,
        variables=given.get("stage_variables"),
        deployment_id="d1",
        binary_media_types=tuple(given.get("binary_media_types", ())),
    )
    api = Api(kind, given["api_id"], "us-east-1", "123456789012", {stage.name: stage})
    request = Request(
        wanted["method"],
        wanted["path"],
        wanted.get("query", ""),
        [(name, value) for name, value in wanted["headers"]],
        wanted.get("body", "").encode("latin-1"),
        client="192.0.2.1",
        scheme="https",
    )
    clock = SystemClock()
    return Exchange(
        means=Means(
            _Nobody(),
            clock,
            RandomIds(),
            fetch_url,
            UsagePlans(MemoryStore(), clock),
            HttpClient(),
            Callers("123456789012", RoleSessions(b""), lambda arn: None),
            _no_answer,
            Deadlines(),
            NoLogs(),
            ResponseCache(),
            FunctionPolicies("123456789012"),
        ),
        request=request,
        api=api,
        stage=stage,
        path=given.get("path_below_stage", wanted["path"]),
        full_path=wanted["path"],
        request_id="id",
        extended_id="extended-id",
        now_s=1583348638.39,
        trace_id="Root=1-5e5ffb9e-0123456789abcdef01234567",
        invocation_id="",
        route=route,
        parameters=given.get("path_parameters", {}),
        authorizer=given.get("authorizer"),
    )


def _responses(given: Json) -> list[Json]:
    return [_response(given, each) for each in given["returned"]]


def _response(given: Json, returned: Any) -> Json:
    payload = orjson.dumps(returned)
    try:
        if given["format"] == "2.0":
            response = v2.read_response(payload)
        elif given["format"] == "1.0":
            response = v1.read_response(payload)
        else:
            types = tuple(given.get("binary_media_types", ()))
            response = v1.read_rest_response(payload, types, given.get("accept"))
    except Refused as refused:
        return {"refused": refused.type}
    return _written(response)


def _written(response: Response) -> Json:
    return {
        "status": response.status,
        "headers": [list(header) for header in response.headers],
        "body": response.body.decode("latin-1"),
    }


class _Nobody:
    async def invoke(self, invocation: object) -> Any:
        raise AssertionError("a payload invokes nobody")
