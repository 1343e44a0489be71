"""STS's operations. Source: AWS Security Token Service API Reference.

One decision to know: a session is a document under its temporary access key; expired ones are removed when a new one
is made. Who calls is not looked up here but asked of whoever follows these documents for the gateway: users, sessions,
and functions, which run with sessions of their roles that are no documents (engine/role_sessions.py).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

import orjson

from freehold.aws.arn import Arn, parse_arn
from freehold.aws.call import Bind, Call, Json
from freehold.aws.errors import AwsError
from freehold.clock import Clock, Ids, now_ms
from freehold.state.store import Delete, Put, Store, Write

_ACCESS_KEY = "iam.access_key"  # IAM's; key: the access key id.
SESSION = "sts.session"  # Key: the access key id.
_SESSION_S = 3600
_TOKEN_S = 43_200


class Caller(Protocol):
    @property
    def arn(self) -> str: ...

    @property
    def user_id(self) -> str: ...

    @property
    def until_s(self) -> float:
        """When the credentials end."""
        ...


FindCaller = Callable[[str, str, float], Caller | None]
"""Access key, session token and the time -> who has them; None: nobody that is known here."""


@dataclass(frozen=True, slots=True)
class Sts:
    store: Store
    clock: Clock
    ids: Ids
    bind: Bind
    find_caller: FindCaller


async def get_caller_identity(sts: Sts, call: Call, request: Json) -> Json:
    """Credentials that nobody was given are the root's, as everywhere."""
    now_s = sts.clock.now_s()
    caller = sts.find_caller(call.access_key, call.session_token, now_s) if call.access_key else None
    if caller is None:
        return {"UserId": call.account, "Account": call.account, "Arn": call.principal or _root(call)}
    if caller.until_s <= now_s:
        raise AwsError("ExpiredToken", "The security token included in the request is expired", status=403)
    return {"UserId": caller.user_id, "Account": call.account, "Arn": caller.arn}


async def _caller_arn(sts: Sts, call: Call) -> str:
    return str((await get_caller_identity(sts, call, {}))["Arn"])


async def get_access_key_info(sts: Sts, call: Call, request: Json) -> Json:
    return {"Account": call.account}


async def assume_role(sts: Sts, call: Call, request: Json) -> Json:
    role = await _find_role(sts, call, request["RoleArn"])
    seconds = _duration(request, role, _SESSION_S)
    credentials, user = await _start(sts, call, role, request, seconds)
    answer: Json = {"Credentials": credentials, "AssumedRoleUser": user}
    if request.get("Policy"):
        answer["PackedPolicySize"] = min(100, len(request["Policy"]) * 100 // 2048)
    if request.get("SourceIdentity"):
        answer["SourceIdentity"] = request["SourceIdentity"]
    return answer


async def assume_role_with_web_identity(sts: Sts, call: Call, request: Json) -> Json:
    """The token's claims are read and its times checked; whose key signed it is not."""
    claims = _claims(request["WebIdentityToken"])
    expires_s = claims.get("exp")
    if isinstance(expires_s, int | float) and expires_s < sts.clock.now_s():
        raise AwsError(
            "ExpiredTokenException",
            f"Token expired: current date/time {int(sts.clock.now_s())} must be before the expiration date/time "
            f"{int(expires_s)}",
            status=400,
        )
    role = await _find_role(sts, call, request["RoleArn"])
    seconds = _duration(request, role, _SESSION_S)
    credentials, user = await _start(sts, call, role, request, seconds)
    audience = claims.get("aud", "")
    return {
        "Credentials": credentials,
        "AssumedRoleUser": user,
        "SubjectFromWebIdentityToken": str(claims.get("sub", "")),
        "Audience": audience[0] if isinstance(audience, list) and audience else str(audience),
        "Provider": request.get("ProviderId") or str(claims.get("iss", "")),
    }


async def get_session_token(sts: Sts, call: Call, request: Json) -> Json:
    """A user's own key makes a session of the user, which may do what the user may; any other one of the root."""
    arn, user_id = call.principal or _root(call), call.account
    key = await sts.store.read(_ACCESS_KEY, call.access_key) if call.access_key else None
    if key is not None:
        user = (await sts.bind(call)("iam", "GetUser", {"UserName": key.document["user"]}))["User"]
        arn, user_id = user["Arn"], user["UserId"]
    seconds = request.get("DurationSeconds") or _TOKEN_S
    return {"Credentials": await _credentials(sts, arn, user_id, seconds)}


async def _find_role(sts: Sts, call: Call, arn: str) -> Json:
    parsed = parse_arn(arn)
    if parsed is None or not parsed.resource.startswith("role/"):
        raise AwsError("ValidationError", f"{arn} is invalid", status=400)
    try:
        role: Json = (await sts.bind(call)("iam", "GetRole", {"RoleName": parsed.resource.rpartition("/")[2]}))["Role"]
    except AwsError as error:
        if error.code != "NoSuchEntity":
            raise
        role = {}
    if role.get("Arn") != arn:
        # AWS does not tell a role that is missing from one that may not be assumed.
        raise AwsError(
            "AccessDenied",
            f"User: {await _caller_arn(sts, call)} is not authorized to perform: sts:AssumeRole on resource: {arn}",
            status=403,
        )
    return role


def _duration(request: Json, role: Json, default: int) -> int:
    seconds = int(request.get("DurationSeconds") or default)
    if seconds > role["MaxSessionDuration"]:
        raise AwsError(
            "ValidationError",
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
            status=400,
        )
    return seconds


async def _start(sts: Sts, call: Call, role: Json, request: Json, seconds: int) -> tuple[Json, Json]:
    session = request["RoleSessionName"]
    policies = [arn["arn"] for arn in request.get("PolicyArns") or ()]
    policies += [request["Policy"]] if request.get("Policy") else []
    arn = str(Arn("sts", "", call.account, f"assumed-role/{role['RoleName']}/{session}"))
    user_id = f"{role['RoleId']}:{session}"
    return await _credentials(sts, arn, user_id, seconds, policies), {"AssumedRoleId": user_id, "Arn": arn}


async def _credentials(sts: Sts, arn: str, user_id: str, seconds: int, policies: list[str] | None = None) -> Json:
    at_ms = now_ms(sts.clock)
    key = "ASIA" + sts.ids.hex(16).upper()
    secret = base64.b64encode(bytes.fromhex(sts.ids.hex(60))).decode()
    token = base64.b64encode(bytes.fromhex(sts.ids.hex(256))).decode()
    expires_ms = at_ms + seconds * 1000
    session: Json = {"arn": arn, "userId": user_id, "secret": secret, "token": token, "expiresMs": expires_ms}
    if policies:
        session["policies"] = policies  # They limit what the role may do.
    writes: list[Write] = [
        Delete(SESSION, old.key) for old in await sts.store.list_documents(SESSION) if old.document["expiresMs"] < at_ms
    ]
    await sts.store.write(Put(SESSION, key, session), *writes)
    return {
        "AccessKeyId": key,
        "SecretAccessKey": secret,
        "SessionToken": token,
        "Expiration": datetime.fromtimestamp(expires_ms // 1000, UTC),
    }


def _claims(token: str) -> Json:
    parts = token.split(".")
    try:
        padded = parts[1] + "=" * (-len(parts[1]) % 4)
        claims = orjson.loads(base64.urlsafe_b64decode(padded))
    except (IndexError, binascii.Error, orjson.JSONDecodeError):
        claims = None
    if not isinstance(claims, dict):
        raise AwsError(
            "InvalidIdentityToken",
            "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)",
            status=400,
        )
    return claims


def _root(call: Call) -> str:
    return f"arn:aws:iam::{call.account}:root"
