"""A stand-in for the AWS client: answers by operation, and remembers what was asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from freehold.aws.call import Json
from freehold.http.aws_client import AwsClient

Answer = Json | Exception | Callable[[Json], Json]


class StubAws(AwsClient):
    """`StubAws({"DescribeStacks": [first, second]})`: a list is used up one by one, anything else answers always."""

    def __init__(self, answers: dict[str, Any] | None = None) -> None:
        super().__init__("http://127.0.0.1:4566")
        self.answers = answers or {}
        self.asked: list[tuple[str, Json]] = []
        self.objects: dict[tuple[str, str], bytes] = {}

    async def __call__(self, service: str, operation: str, request: Json) -> Json:
        self.asked.append((operation, request))
        answer: Any = self.answers[operation]
        if isinstance(answer, list):
            answer = answer.pop(0)
        if callable(answer):
            answer = answer(request)
        if isinstance(answer, Exception):
            raise answer
        result: Json = answer
        return result

    def operations(self) -> list[str]:
        return [operation for operation, _ in self.asked]

    async def has_object(self, bucket: str, key: str) -> bool:
        return (bucket, key) in self.objects

    async def put_object(self, bucket: str, key: str, body: bytes) -> None:
        self.objects[bucket, key] = body
