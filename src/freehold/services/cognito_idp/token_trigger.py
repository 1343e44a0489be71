"""The PreTokenGeneration trigger: a pool's function changes claims, scopes and groups before tokens are signed.

Amazon Cognito Developer Guide, "Pre token generation Lambda trigger"; version 1 changes the ID token, version 2 both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from freehold.aws.call import Call, Json
from freehold.services.cognito_idp import triggers
from freehold.services.cognito_idp.record import CognitoIdp
from freehold.services.cognito_idp.users import event_attributes
from freehold.state.store import Document

# What no function may change; the page's list.
_FIXED_IDENTITY = frozenset(
    {
        "acr", "amr", "at_hash", "auth_time", "azp", "aud", "event_id", "exp", "iat", "iss", "jti", "nonce",
        "origin_jti", "sub", "token_use", "cognito:username", "identities",
    }
)  # fmt: skip
_FIXED_ACCESS = _FIXED_IDENTITY | {"username", "client_id", "scope", "device_key", "version"}


@dataclass(frozen=True, slots=True)
class Tokens:
    """What is to be signed."""

    identity: Json
    access: Json
    groups: list[str]
    roles: list[str]
    preferred_role: str | None = None

    def identity_claims(self) -> Json:
        claims = dict(self.identity)
        if self.groups:
            claims["cognito:groups"] = self.groups
        if self.roles:
            claims["cognito:roles"] = self.roles
        preferred = self.preferred_role or (self.roles[0] if self.roles else None)
        if preferred:
            claims["cognito:preferred_role"] = preferred
        return claims

    def access_claims(self) -> Json:
        return {**self.access, **({"cognito:groups": self.groups} if self.groups else {})}


async def ask(
    service: CognitoIdp,
    call: Call,
    pool: Document,
    client: Document,
    user: Document,
    source: str,
    metadata: Json | None,
    tokens: Tokens,
) -> Tokens:
    configuration = pool["LambdaConfig"].get("PreTokenGenerationConfig") or {}
    is_v2 = configuration.get("LambdaVersion") == "V2_0"
    groups = {
        "groupsToOverride": tokens.groups,
        "iamRolesToOverride": tokens.roles,
        "preferredRole": tokens.roles[0] if tokens.roles else None,
    }
    request: Json = {"userAttributes": event_attributes(user), "groupConfiguration": groups}
    if is_v2:
        request["scopes"] = str(tokens.access["scope"]).split()
    if metadata:
        request["clientMetadata"] = metadata
    member = "claimsAndScopeOverrideDetails" if is_v2 else "claimsOverrideDetails"
    answer = await triggers.ask(
        service, call, pool, "PreTokenGeneration", source,
        username=user["Username"], client_id=client["ClientId"], request=request, response={member: None},
        version="2" if is_v2 else "1", arn=configuration.get("LambdaArn"),
    )  # fmt: skip
    if answer is None:
        return tokens
    return _changed(tokens, _map(answer.get(member)), is_v2)


def _changed(tokens: Tokens, wanted: Json, is_v2: bool) -> Tokens:
    for_identity = _map(wanted.get("idTokenGeneration")) if is_v2 else wanted
    for_access = _map(wanted.get("accessTokenGeneration")) if is_v2 else {}
    groups = _map(wanted.get("groupOverrideDetails"))
    access = _override(tokens.access, for_access, _FIXED_ACCESS, any_value=True)
    scopes = [
        scope for scope in str(access["scope"]).split() if scope not in (for_access.get("scopesToSuppress") or ())
    ]
    scopes += [scope for scope in for_access.get("scopesToAdd") or () if scope not in scopes]
    preferred = groups.get("preferredRole")
    return Tokens(
        identity=_override(tokens.identity, for_identity, _FIXED_IDENTITY, any_value=is_v2),
        access={**access, "scope": " ".join(map(str, scopes))},
        groups=_texts(groups["groupsToOverride"]) if "groupsToOverride" in groups else tokens.groups,
        roles=_texts(groups["iamRolesToOverride"]) if "iamRolesToOverride" in groups else tokens.roles,
        preferred_role=preferred if isinstance(preferred, str) else None,
    )


def _override(claims: Json, wanted: Json, fixed: frozenset[str], *, any_value: bool) -> Json:
    suppressed = set(wanted.get("claimsToSuppress") or ()) - fixed
    kept = {name: value for name, value in claims.items() if name not in suppressed}
    added = _map(wanted.get("claimsToAddOrOverride"))
    texts = added if any_value else triggers.texts(added)
    return {**kept, **{name: value for name, value in texts.items() if name not in fixed and name not in suppressed}}


def _map(value: Any) -> Json:
    return value if isinstance(value, dict) else {}


def _texts(value: Any) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list) else []
