"""A user pool without a server, with a clock that the test sets."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from tests.clocks import SetClock

from freehold.aws.call import Call, Json, OperationTable
from freehold.clock import RandomIds
from freehold.services.cognito_idp import OPERATIONS, CognitoIdp, PoolKeys
from freehold.state.logs import LogEvent
from freehold.state.seal import Seal
from freehold.state.sqlite_store import SqliteStore

PASSWORD = "Correct-horse-1"
HOUR_S = 3600.0
DAY_S = 24 * HOUR_S


class Mail:
    """A log sink that keeps what is written."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def append(self, region: str, group: str, stream: str, events: Sequence[LogEvent]) -> None:
        self.lines += [event.message for event in events]


class World:
    """A pool with a client and a confirmed user, ann."""

    def __init__(self, store: SqliteStore, seal: Seal) -> None:
        self.clock = SetClock(1_700_000_000.0)
        self.mail = Mail()
        self.store = store
        self.cognito = CognitoIdp(
            store, seal, PoolKeys(store, seal), self.clock, RandomIds(), OperationTable().bind, self.mail
        )
        self.pool = self.app = ""

    async def __call__(self, operation: str, **request: Any) -> Json:
        return await OPERATIONS[operation](self.cognito, Call("us-east-1"), request)

    async def begin(self, **client: Any) -> None:
        made = await self("CreateUserPool", PoolName="p", AutoVerifiedAttributes=["email"])
        self.pool = made["UserPool"]["Id"]
        flows = ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
        settings = {"UserPoolId": self.pool, "ClientName": "c", "ExplicitAuthFlows": flows, **client}
        self.app = (await self("CreateUserPoolClient", **settings))["UserPoolClient"]["ClientId"]
        address = [{"Name": "email", "Value": "ann@example.com"}, {"Name": "email_verified", "Value": "true"}]
        user = {"UserPoolId": self.pool, "Username": "ann"}
        await self("AdminCreateUser", **user, UserAttributes=address, TemporaryPassword="Temporary-1")

    async def confirm(self) -> None:
        user = {"UserPoolId": self.pool, "Username": "ann"}
        await self("AdminSetUserPassword", **user, Password=PASSWORD, Permanent=True)

    async def sign_in(self, password: str = PASSWORD) -> Json:
        parameters = {"USERNAME": "ann", "PASSWORD": password}
        return await self("InitiateAuth", ClientId=self.app, AuthFlow="USER_PASSWORD_AUTH", AuthParameters=parameters)

    async def renew(self, token: str) -> Json:
        parameters = {"REFRESH_TOKEN": token}
        return await self("InitiateAuth", ClientId=self.app, AuthFlow="REFRESH_TOKEN_AUTH", AuthParameters=parameters)

    def code(self) -> str:
        return re.findall(r"is (\d{6})\b", self.mail.lines[-1])[0]
