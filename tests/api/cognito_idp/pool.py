"""A user pool on the live server, as an app and its operator use it; and the client's side of SRP, written apart."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from freehold.services.cognito_idp.srp import N

Client = Callable[..., Any]
PASSWORD = "Correct-horse-1"


@dataclass(frozen=True, slots=True)
class Pool:
    """One pool and one client of it."""

    client: Client
    id: str
    app: str

    @property
    def cognito(self) -> Any:
        return self.client("cognito-idp")

    def add(self, username: str = "ann", password: str = PASSWORD, **attributes: str) -> None:
        """A confirmed user."""
        given = [{"Name": name, "Value": value} for name, value in attributes.items()]
        self.cognito.admin_create_user(
            UserPoolId=self.id, Username=username, UserAttributes=given, MessageAction="SUPPRESS"
        )
        self.cognito.admin_set_user_password(UserPoolId=self.id, Username=username, Password=password, Permanent=True)

    def sign_in(self, username: str = "ann", password: str = PASSWORD, **more: str) -> Any:
        parameters = {"USERNAME": username, "PASSWORD": password, **more}
        return self.cognito.initiate_auth(ClientId=self.app, AuthFlow="USER_PASSWORD_AUTH", AuthParameters=parameters)

    def tokens(self, username: str = "ann", password: str = PASSWORD) -> dict[str, str]:
        result: dict[str, str] = self.sign_in(username, password)["AuthenticationResult"]
        return result

    def mail(self) -> list[str]:
        """What was written where a mail would go."""
        found = self.client("logs").filter_log_events(logGroupName=f"/aws/cognito/userpools/{self.id}")["events"]
        return [event["message"] for event in found]

    def code(self) -> str:
        """The last one that was sent."""
        return re.findall(r"is (\d{6})\b", self.mail()[-1])[-1]


def make_pool(client: Client, flows: tuple[str, ...] = (), secret: bool = False, **settings: Any) -> Pool:
    cognito = client("cognito-idp")
    pool_id = cognito.create_user_pool(PoolName="people", **settings)["UserPool"]["Id"]
    allowed = flows or ("ALLOW_USER_PASSWORD_AUTH", "ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH")
    app = cognito.create_user_pool_client(
        UserPoolId=pool_id, ClientName="app", ExplicitAuthFlows=list(allowed), GenerateSecret=secret
    )["UserPoolClient"]
    return Pool(client, pool_id, app["ClientId"])


@dataclass(frozen=True, slots=True)
class SrpClient:
    """RFC 5054 as Cognito's clients do it: what a browser computes, from the password."""

    pool_id: str
    username: str
    password: str
    private: int

    @classmethod
    def begin(cls, pool_id: str, username: str, password: str) -> SrpClient:
        return cls(pool_id, username, password, secrets.randbits(1024))

    @property
    def public(self) -> str:
        return f"{pow(2, self.private, N):x}"

    def answer(self, challenge: dict[str, str], timestamp: str = "Sat Nov 28 06:00:00 UTC 2026") -> dict[str, str]:
        """ChallengeResponses of PASSWORD_VERIFIER."""
        user, theirs = challenge["USER_ID_FOR_SRP"], int(challenge["SRP_B"], 16)
        name = self.pool_id.split("_")[1]
        k = int(_sha(_pad(N) + _pad(2)), 16)
        u = int(_sha(_pad(int(self.public, 16)) + _pad(theirs)), 16)
        inner = hashlib.sha256(f"{name}{user}:{self.password}".encode()).digest()
        x = int(_sha(_pad(int(challenge["SALT"], 16)) + inner), 16)
        shared = pow(theirs - k * pow(2, x, N), self.private + u * x, N)
        extracted = hmac.new(_pad(u), _pad(shared), hashlib.sha256).digest()
        key = hmac.new(extracted, b"Caldera Derived Key\x01", hashlib.sha256).digest()[:16]
        block = base64.b64decode(challenge["SECRET_BLOCK"])
        message = name.encode() + user.encode() + block + timestamp.encode()
        signature = base64.b64encode(hmac.new(key, message, hashlib.sha256).digest()).decode()
        return {
            "USERNAME": user,
            "TIMESTAMP": timestamp,
            "PASSWORD_CLAIM_SECRET_BLOCK": challenge["SECRET_BLOCK"],
            "PASSWORD_CLAIM_SIGNATURE": signature,
        }


def _sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _pad(number: int) -> bytes:
    digits = f"{number:x}"
    digits = f"0{digits}" if len(digits) % 2 else digits
    return bytes.fromhex(f"00{digits}" if digits[0] in "89abcdef" else digits)
