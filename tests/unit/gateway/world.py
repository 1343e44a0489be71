"""A gateway with its control plane, a function that a test writes, and a clock that a test sets."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import orjson
from tests.clocks import SetClock
from tests.unit.gateway.memory_store import MemoryStore

from freehold.aws.call import Call, OperationTable, Service
from freehold.aws.errors import AwsError
from freehold.clock import RandomIds
from freehold.engine.invocation import Invocation, InvocationResult
from freehold.engine.role_sessions import RoleSessions
from freehold.gateway.addresses import find_address
from freehold.gateway.callers import Callers
from freehold.gateway.compile_rest import check_rest_copy, check_rest_stage
from freehold.gateway.compile_v2 import check_v2_parts
from freehold.gateway.fetch import FetchFailed
from freehold.gateway.gateway import Gateway
from freehold.http.messages import Request, Response
from freehold.services import apigateway, apigatewayv2, iam, sts
from freehold.state.logs import LogEvent
from freehold.state.store import Put

Json = dict[str, Any]
FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:hello"
AUTHORIZER = "arn:aws:lambda:us-east-1:000000000000:function:gatekeeper"
LATER = "arn:aws:lambda:us-east-1:000000000000:function:later"
NOW_S = 1_583_348_638.39  # 2020-03-04T19:03:58Z


def invoke_uri(function_arn: str) -> str:
    return f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{function_arn}/invocations"


class Functions:
    """An Invoker: by function name, what to answer for an event. Without one, the event itself as the body."""

    def __init__(self) -> None:
        self.invocations: list[Invocation] = []
        self.answers: dict[str, Callable[[Json], Any]] = {}
        self.wait: Callable[[], Awaitable[object]] | None = None
        self.error: AwsError | None = None

    @property
    def events(self) -> list[Json]:
        return [orjson.loads(invocation.payload) for invocation in self.invocations]

    async def invoke(self, invocation: Invocation) -> InvocationResult:
        self.invocations.append(invocation)
        if self.wait is not None:
            await self.wait()
        if self.error is not None:
            raise self.error
        event = orjson.loads(invocation.payload)
        name = invocation.function_arn.split(":")[6]
        try:
            answer = self.answers.get(name, _echo)(event)
        except Exception as error:
            document = {"errorMessage": str(error), "errorType": type(error).__name__}
            return InvocationResult(orjson.dumps(document), "Unhandled", "$LATEST")
        if isinstance(answer, InvocationResult):
            return answer
        payload = answer if isinstance(answer, bytes) else orjson.dumps(answer)
        return InvocationResult(payload, None, "$LATEST")


def _echo(event: Json) -> Json:
    return {"statusCode": 200, "body": orjson.dumps(event).decode()}


class World:
    """`await world.v2("CreateApi", Name=...)`, `await world.rest(...)`, `await world.get("/_aws/execute-api/...")`."""

    def __init__(self) -> None:
        self.clock = SetClock(NOW_S, longest_sleep_s=5.0)
        self.functions = Functions()
        self.store = MemoryStore()
        self.pages: dict[str, bytes] = {}  # What `fetch` finds, by URL.
        self.fetched: list[str] = []
        self.asked: list[Request] = []  # Of our own AWS APIs.
        self.aws_answer = Response(200, [], b"{}")
        self.logged: list[tuple[str, str]] = []  # Group and line.
        self.sessions = RoleSessions(b"a key of this test")  # What functions sign with.
        callers = Callers("000000000000", self.sessions, iam.managed_policy_text)
        self.gateway = Gateway(
            self.store,
            self.functions,
            self.clock,
            RandomIds(),
            fetch=self._fetch,
            call_aws=self._call_aws,
            callers=callers,
            logs=self,
        )
        self.gateway.start()
        for function_arn in (FUNCTION, AUTHORIZER, LATER):
            self.permit(function_arn)
        self.call = Call("us-east-1", host="localhost:4566")
        self.operations = OperationTable()
        record = apigatewayv2.ApiGatewayV2(self.store, self.clock, RandomIds(), check_v2_parts, self.operations.bind)
        self.operations.add(Service("apigatewayv2", apigatewayv2.OPERATIONS, record))
        rest = apigateway.ApiGateway(
            self.store, self.clock, RandomIds(), _check_rest_copy, check_rest_stage, self.operations.bind
        )
        self.operations.add(Service("iam", iam.OPERATIONS, iam.Iam(self.store, self.clock, RandomIds())))
        self.operations.add(
            Service(
                "sts", sts.OPERATIONS, sts.Sts(self.store, self.clock, RandomIds(), self.operations.bind, callers.find)
            )
        )
        self.operations.add(Service("apigateway", apigateway.OPERATIONS, rest))

    def permit(self, function_arn: str, **condition: str) -> None:
        """API Gateway may invoke it, and nobody else: for everything, or for the ARNs that `source` is like."""
        statement: Json = {
            "Sid": "api",
            "Effect": "Allow",
            "Principal": {"Service": "apigateway.amazonaws.com"},
            "Action": "lambda:InvokeFunction",
            "Resource": function_arn,
        }
        if condition:
            statement["Condition"] = {"ArnLike": {"AWS:SourceArn": condition["source"]}}
        self.set_policy(function_arn, statement)

    def set_policy(self, function_arn: str, *statements: Json) -> None:
        _, _, _, region, _, _, name, *qualifier = function_arn.split(":")
        policies = {"".join(qualifier): {"statements": list(statements), "revision": "1"}}
        self.store.write_now(Put("lambda.function", f"{region}/{name}", {"policies": policies}))

    async def v2(self, operation: str, **request: Any) -> Json:
        return await self.operations.bind(self.call)("apigatewayv2", operation, request)

    async def rest(self, operation: str, **request: Any) -> Json:
        return await self.operations.bind(self.call)("apigateway", operation, request)

    async def send(
        self,
        method: str,
        url: str,
        headers: list[tuple[str, str]] | None = None,
        body: bytes = b"",
        host: str = "localhost:4566",
    ) -> Response:
        return await self.handle(request(method, url, headers, body, host))

    async def handle(self, request: Request) -> Response:
        """A request of an API, found by its path or Host as the application finds it."""
        address = find_address(request)
        assert address is not None
        return await self.gateway.handle(request, address)

    async def get(self, url: str, *headers: tuple[str, str]) -> Response:
        return await self.send("GET", url, list(headers))

    async def http_api(self, *route_keys: str, stage: str = "$default", version: str = "2.0", **api: Any) -> str:
        """An HTTP API whose routes call the function; its id."""
        api_id = (await self.v2("CreateApi", **{"Name": "api", "ProtocolType": "HTTP", **api}))["ApiId"]
        integration = await self.v2(
            "CreateIntegration",
            ApiId=api_id,
            IntegrationType="AWS_PROXY",
            IntegrationUri=FUNCTION,
            PayloadFormatVersion=version,
        )
        for route_key in route_keys:
            target = f"integrations/{integration['IntegrationId']}"
            await self.v2("CreateRoute", ApiId=api_id, RouteKey=route_key, Target=target)
        await self.v2("CreateStage", ApiId=api_id, StageName=stage, AutoDeploy=True)
        return str(api_id)

    async def rest_api(self, *methods: str, stage: str = "dev", deploy: bool = True, **api: Any) -> str:
        """A REST API, deployed, whose methods ("GET /items/{id}") call the function; its id."""
        api_id = (await self.rest("CreateRestApi", **{"name": "api", **api}))["id"]
        for method in methods:
            await self.rest_method(api_id, method)
        if deploy:
            await self.rest("CreateDeployment", restApiId=api_id, stageName=stage)
        return str(api_id)

    async def rest_method(self, api_id: str, method: str, **options: Any) -> None:
        verb, _, path = method.partition(" ")
        resource_id = await self.rest_resource(api_id, path)
        where = {"restApiId": api_id, "resourceId": resource_id, "httpMethod": verb}
        await self.rest("PutMethod", **{**where, "authorizationType": "NONE", **options})
        await self.rest(
            "PutIntegration", **where, type="AWS_PROXY", integrationHttpMethod="POST", uri=invoke_uri(FUNCTION)
        )

    async def rest_resource(self, api_id: str, path: str) -> str:
        """The id of the path's resource, made if it is not there."""
        resources = (await self.rest("GetResources", restApiId=api_id, limit=500))["items"]
        by_path = {resource["path"]: resource["id"] for resource in resources}
        made = ""
        for part in path.strip("/").split("/") if path != "/" else []:
            parent = by_path[made or "/"]
            made = f"{made}/{part}"
            if made not in by_path:
                resource = await self.rest("CreateResource", restApiId=api_id, parentId=parent, pathPart=part)
                by_path[made] = resource["id"]
        return str(by_path[made or "/"])

    def append(self, region: str, group: str, stream: str, events: Sequence[LogEvent]) -> None:
        """As a sink of logs."""
        self.logged += [(group, event.message) for event in events]

    async def _call_aws(self, request: Request) -> Response:
        self.asked.append(request)
        return self.aws_answer

    async def _fetch(self, url: str) -> bytes:
        self.fetched.append(url)
        if url not in self.pages:
            raise FetchFailed(url)
        return self.pages[url]


def _check_rest_copy(copy: Json) -> None:
    check_rest_copy(copy, lambda service: service != "kinesis")


def request(
    method: str,
    url: str,
    headers: list[tuple[str, str]] | None = None,
    body: bytes = b"",
    host: str = "localhost:4566",
) -> Request:
    path, _, query = url.partition("?")
    return Request(method, path, query, [("Host", host), *(headers or [])], body, client="203.0.113.7")


def header(response: Response, name: str) -> str | None:
    found = [value for each, value in response.headers if each.lower() == name.lower()]
    return found[0] if found else None


def event_of(response: Response) -> Json:
    """The event that the echoing function was given."""
    event: Json = orjson.loads(response.body)
    return event
