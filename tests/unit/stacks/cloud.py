"""AWS services that answer any valid request: what resource types ask of them is checked against botocore's models."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

import botocore.session
from botocore.model import Shape
from botocore.validate import ParamValidator

from freehold.aws.call import Aws, Call, Json
from freehold.aws.errors import AwsError
from freehold.clock import RandomIds, SystemClock
from freehold.stacks import OPERATIONS, Stacks
from freehold.state.sqlite_store import SqliteStore

CALL = Call(region="us-east-1", request_id="r-1", host="127.0.0.1:4566")

_session = botocore.session.get_session()
_numbers = itertools.count(1)
_FIXED = {
    "TableStatus": "ACTIVE",
    "IndexStatus": "ACTIVE",
    "State": "Active",
    "Status": "READY",
    "LastUpdateStatus": "Successful",
    "FailedEntryCount": 0,
}


class Cloud:
    """`calls` records (service, operation, request); `failures` makes an operation fail, by its name."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str, Json]] = []
        self.failures: dict[str, AwsError] = {}
        self.objects: dict[str, bytes] = {}
        self.parameters: dict[str, str] = {}
        self._ids: dict[str, str] = {}
        self.failing_once: dict[str, AwsError] = {}  # As `failures`, for the next call only.
        self._held: dict[str, asyncio.Event] = {}

    def bind(self, call: Call) -> Aws:
        return _Bound(self, call)

    def hold(self, operation: str) -> asyncio.Event:
        """The operation never answers, until `let_go`; the event tells that somebody waits for it."""
        self._held[operation] = asyncio.Event()
        return self._held[operation]

    def let_go(self) -> None:
        self._held.clear()

    def operations(self) -> list[str]:
        return [operation for _, operation, _ in self.calls]

    def request(self, operation: str) -> Json:
        """Of the last call of the operation."""
        return next(request for _, name, request in reversed(self.calls) if name == operation)

    async def answer(self, call: Call, service: str, operation: str, request: Json) -> Json:
        model = _session.get_service_model(service).operation_model(operation)
        if model.input_shape is not None:
            report = ParamValidator().validate(request, model.input_shape)
            assert not report.has_errors(), f"{service} {operation}: {report.generate_report()}"
        self.calls.append((service, operation, request))
        if operation in self._held:
            self._held[operation].set()
            await asyncio.Event().wait()
        if operation in self.failing_once:
            raise self.failing_once.pop(operation)
        if operation in self.failures:
            raise self.failures[operation]
        if operation == "GetObject":
            return {"Body": self.objects[f"{request['Bucket']}/{request['Key']}"]}
        if operation == "GetParameter":
            if request["Name"] not in self.parameters:
                raise AwsError("ParameterNotFound", "")
            return {"Parameter": {"Value": self.parameters[request["Name"]], "Type": "String"}}
        if operation == "DescribeTable" and self.operations()[-2] == "DeleteTable":
            raise AwsError("ResourceNotFoundException", "no such table")
        return {} if model.output_shape is None else self._made(model.output_shape, request, "", operation)

    def _made(self, shape: Shape, request: Json, name: str, operation: str) -> Any:
        if name in request and not isinstance(request[name], dict | list):
            return request[name]
        if name in _FIXED:
            return _FIXED[name]
        kind = shape.type_name
        if kind == "structure":
            return {key: self._made(inner, request, key, operation) for key, inner in shape.members.items()}
        if kind in ("list", "map"):
            return {} if kind == "map" else []
        if kind == "string":
            # What creates gives new ids; what reads or updates gives those given last.
            if name not in self._ids or operation.startswith(("Create", "Import", "Publish", "Add")):
                self._ids[name] = _identity(name)
            return self._ids[name]
        return {"boolean": False, "blob": b"", "timestamp": 0.0}.get(kind, 0)


def _identity(name: str) -> str:
    number = next(_numbers)
    if name == "UUID":
        return f"00000000-0000-0000-0000-{number:012}"
    if name == "LayerVersionArn":
        return f"arn:aws:lambda:us-east-1:000000000000:layer:layer:{number}"
    return f"{'arn:aws:test:us-east-1:000000000000:' if 'arn' in name.lower() else ''}{name}-{number}"


class _Bound:
    def __init__(self, cloud: Cloud, call: Call) -> None:
        self._cloud = cloud
        self.call = call

    async def __call__(self, service: str, operation: str, request: Json) -> Json:
        return await self._cloud.answer(self.call, service, operation, request)


class World:
    """CloudFormation over a cloud, by the names of its operations."""

    def __init__(self, store: SqliteStore, cloud: Cloud) -> None:
        self.cloud = cloud
        self.store = store
        self.stacks = Stacks(store, cloud.bind, SystemClock(), RandomIds(), lambda service: service != "sqs")

    async def __call__(self, operation: str, **request: Any) -> Json:
        return await OPERATIONS[operation](self.stacks, CALL, request)

    async def create(self, name: str, template: str, **request: Any) -> Json:
        """CreateStack, to its end; the stack as DescribeStacks shows it."""
        await self("CreateStack", StackName=name, TemplateBody=template, Capabilities=ALL, **request)
        return await self.settled(name)

    async def update(self, name: str, template: str, **request: Any) -> Json:
        await self("UpdateStack", StackName=name, TemplateBody=template, Capabilities=ALL, **request)
        return await self.settled(name)

    async def delete(self, name: str) -> Json:
        stack = (await self("DescribeStacks", StackName=name))["Stacks"][0]
        await self("DeleteStack", StackName=name)
        return await self.settled(stack["StackId"])

    async def settled(self, name: str) -> Json:
        while True:
            stack: Json = (await self("DescribeStacks", StackName=name))["Stacks"][0]
            if not stack["StackStatus"].endswith("_IN_PROGRESS"):
                return stack

    async def events(self, name: str) -> list[str]:
        """ "LogicalId STATUS" of each event, oldest first."""
        answer = await self("DescribeStackEvents", StackName=name)
        return [f"{e['LogicalResourceId']} {e['ResourceStatus']}" for e in reversed(answer["StackEvents"])]

    async def reasons(self, name: str) -> dict[str, str]:
        """ "LogicalId STATUS" -> the last reason given."""
        answer = await self("DescribeStackEvents", StackName=name)
        return {
            f"{e['LogicalResourceId']} {e['ResourceStatus']}": e.get("ResourceStatusReason", "")
            for e in reversed(answer["StackEvents"])
        }


ALL = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
