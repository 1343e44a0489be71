"""The services that need no function to run. Each is imported and built by its first call: importing all of them was
a third of a server's start.

Add a service: a function here, its line in `_SERVICES`.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from freehold.aws.call import Json, OperationTable, Service
from freehold.clock import Clock, Ids
from freehold.gateway.callers import Caller
from freehold.state.logs import LogSink
from freehold.state.message_queues import MessageQueues
from freehold.state.object_files import ObjectFiles
from freehold.state.seal import Seal
from freehold.state.store import Store


@dataclass(frozen=True, slots=True)
class AccountParts:
    """What they are built of."""

    store: Store
    seal: Seal
    clock: Clock
    ids: Ids
    logs: LogSink
    messages: MessageQueues
    objects: ObjectFiles
    find_caller: Callable[[str, str, float], Caller | None]  # Access key, session token, now in epoch seconds.
    endpoint: Callable[[], str]


_Build = Callable[[OperationTable, AccountParts], Service]


def add_account_services(operations: OperationTable, parts: AccountParts) -> None:
    for name, build in _SERVICES.items():
        operations.add_later(name, _loading(name, partial(build, operations, parts)))


def _loading(name: str, build: Callable[[], Service]) -> Callable[[], Awaitable[Service]]:
    async def load() -> Service:
        # In a thread: requests go on meanwhile.
        await asyncio.to_thread(importlib.import_module, f"freehold.services.{name.replace('-', '_')}")
        return build()

    return load


def _acm(operations: OperationTable, parts: AccountParts) -> Service:
    from freehold.services import acm

    return Service("acm", acm.OPERATIONS, acm.Acm(parts.store, parts.clock, parts.ids))


def _apigatewayv2(operations: OperationTable, parts: AccountParts) -> Service:
    from freehold.gateway.compile_v2 import check_v2_parts
    from freehold.services import apigatewayv2

    record = apigatewayv2.ApiGatewayV2(parts.store, parts.clock, parts.ids, check_v2_parts, operations.bind)
    return Service("apigatewayv2", apigatewayv2.OPERATIONS, record)


def _apigateway(operations: OperationTable, parts: AccountParts) -> Service:
    from freehold.gateway.compile_rest import check_rest_copy, check_rest_stage
    from freehold.services import apigateway

    def check_copy(copy: Json) -> None:
        check_rest_copy(copy, operations.has)

    record = apigateway.ApiGateway(parts.store, parts.clock, parts.ids, check_copy, check_rest_stage, operations.bind)
    return Service("apigateway", apigateway.OPERATIONS, record)


def _sts(operations: OperationTable, parts: AccountParts) -> Service:
    from freehold.services import sts

    return Service(
        "sts", sts.OPERATIONS, sts.Sts(parts.store, parts.clock, parts.ids, operations.bind, parts.find_caller)
    )


def _ssm(operations: OperationTable, parts: AccountParts) -> Service:
    from freehold.services import ssm

    return Service("ssm", ssm.OPERATIONS, ssm.Ssm(parts.store, parts.seal, parts.clock, operations.bind))


def _sqs(operations: OperationTable, parts: AccountParts) -> Service:
    from freehold.services import sqs

    record = sqs.Sqs(parts.store, parts.messages, sqs.Arrivals(), parts.clock, parts.ids)
    return Service("sqs", sqs.OPERATIONS, record)


def _sns(operations: OperationTable, parts: AccountParts) -> Service:
    from freehold.services import sns

    return Service("sns", sns.OPERATIONS, sns.Sns(parts.store, parts.clock, parts.ids, operations.bind))


def _secretsmanager(operations: OperationTable, parts: AccountParts) -> Service:
    from freehold.services import secretsmanager

    record = secretsmanager.SecretsManager(parts.store, parts.seal, parts.clock, parts.ids)
    return Service("secretsmanager", secretsmanager.OPERATIONS, record)


def _cognito_idp(operations: OperationTable, parts: AccountParts) -> Service:
    from freehold.services import cognito_idp

    keys = cognito_idp.PoolKeys(parts.store, parts.seal)
    record = cognito_idp.CognitoIdp(
        parts.store, parts.seal, keys, parts.clock, parts.ids, operations.bind, parts.logs, endpoint=parts.endpoint
    )
    return Service("cognito-idp", cognito_idp.OPERATIONS, record)


def _s3(operations: OperationTable, parts: AccountParts) -> Service:
    from freehold.services import s3

    record = s3.S3(parts.store, parts.objects, parts.clock, parts.ids, operations.bind)
    return Service("s3", s3.OPERATIONS, record)


_SERVICES: dict[str, _Build] = {
    "acm": _acm,
    "apigateway": _apigateway,
    "apigatewayv2": _apigatewayv2,
    "cognito-idp": _cognito_idp,
    "s3": _s3,
    "secretsmanager": _secretsmanager,
    "sns": _sns,
    "sqs": _sqs,
    "ssm": _ssm,
    "sts": _sts,
}
