"""User pools: made, told, changed, deleted. Amazon Cognito User Pools API Reference, "CreateUserPool"."""

from __future__ import annotations

import copy

from freehold.aws.arn import Arn
from freehold.aws.call import Call, Json
from freehold.aws.errors import AwsError
from freehold.services.cognito_idp.mfa import check_pool
from freehold.services.cognito_idp.record import (
    ALIAS,
    CLIENT,
    GROUP,
    POOL,
    RESOURCE_SERVER,
    REVOKED,
    USER,
    CognitoIdp,
    change,
    find_pool,
    invalid,
    key,
    page,
    unsupported,
)
from freehold.services.cognito_idp.schema import pool_schema
from freehold.services.cognito_idp.triggers import SUPPORTED as TRIGGERS
from freehold.state.store import Delete, Document, Put, Stored, Write

# Settings that are kept and told; what each of them means is where it is used.
_KEPT = (
    "AccountRecoverySetting",
    "AdminCreateUserConfig",
    "AutoVerifiedAttributes",
    "DeletionProtection",
    "EmailConfiguration",
    "EmailVerificationMessage",
    "EmailVerificationSubject",
    "LambdaConfig",
    "MfaConfiguration",
    "Policies",
    "SmsAuthenticationMessage",
    "SmsConfiguration",
    "SmsVerificationMessage",
    "UserAttributeUpdateSettings",
    "UserPoolTags",
    "UserPoolTier",
    "VerificationMessageTemplate",
)
_FIXED = ("AliasAttributes", "UsernameAttributes", "UsernameConfiguration")
_PASSWORD_POLICY = {
    "MinimumLength": 8,
    "RequireUppercase": True,
    "RequireLowercase": True,
    "RequireNumbers": True,
    "RequireSymbols": True,
    "TemporaryPasswordValidityDays": 7,
}
_LEAST_LENGTH, _MOST_LENGTH = 6, 99


async def create_user_pool(service: CognitoIdp, call: Call, request: Json) -> Json:
    _check(request)
    if request.get("AliasAttributes") and request.get("UsernameAttributes"):
        raise invalid("Only one of the aliasAttributes or usernameAttributes can be set in a user pool.")
    pool_id = f"{call.region}_{service.ids.short(9)}"
    now_s = service.clock.now_s()
    pool: Document = {
        "Id": pool_id,
        "Name": request["PoolName"],
        "Arn": str(Arn("cognito-idp", call.region, call.account, f"userpool/{pool_id}")),
        "CreationDate": now_s,
        "LastModifiedDate": now_s,
        "SchemaAttributes": pool_schema(request.get("Schema") or []),
        **_settings(request),
        **{name: request[name] for name in _FIXED if request.get(name)},
    }
    check_pool(pool)
    place = key(pool_id)
    await service.store.write(Put(POOL, place, pool, 0), await service.keys.make(place, service.ids.hex(43)))
    return {"UserPool": _told(pool, 0)}


async def describe_user_pool(service: CognitoIdp, call: Call, request: Json) -> Json:
    pool = (await find_pool(service, call, request["UserPoolId"])).document
    users = await service.store.list_documents(USER, key(pool["Id"], ""))
    return {"UserPool": _told(pool, len(users))}


async def update_user_pool(service: CognitoIdp, call: Call, request: Json) -> Json:
    """As AWS does it, a setting that the request leaves out goes back to its default."""
    _check(request)

    def make(pool: Document) -> None:
        kept = {name: value for name, value in pool.items() if name not in _KEPT}
        pool.clear()
        pool.update({**kept, **_settings(request), "LastModifiedDate": service.clock.now_s()})
        if request.get("PoolName"):
            pool["Name"] = request["PoolName"]
        check_pool(pool)

    await change(service, POOL, lambda: find_pool(service, call, request["UserPoolId"]), make)
    return {}


async def delete_user_pool(service: CognitoIdp, call: Call, request: Json) -> Json:
    """With everything in it."""
    pool_id = request["UserPoolId"]
    stored = await find_pool(service, call, pool_id)
    if stored.document["DeletionProtection"] == "ACTIVE":
        raise invalid("The user pool cannot be deleted because deletion protection is activated. ")
    if stored.document.get("Domain"):
        raise invalid("User pool cannot be deleted. It has a domain configured that should be deleted first.")
    writes: list[Write] = [Delete(POOL, stored.key), service.keys.forget(stored.key)]
    for kind in (USER, ALIAS, GROUP, RESOURCE_SERVER, REVOKED):
        writes += [Delete(kind, found.key) for found in await service.store.list_documents(kind, f"{stored.key}/")]
    for client in await service.store.list_documents(CLIENT):
        if client.document["UserPoolId"] == pool_id:
            writes.append(Delete(CLIENT, client.key))
    await service.store.write(*writes)
    return {}


async def list_user_pools(service: CognitoIdp, call: Call, request: Json) -> Json:
    pools = [stored.document for stored in await service.store.list_documents(POOL, f"{call.region}/")]
    shown, more = page(pools, lambda pool: str(pool["Id"]), request, "MaxResults", "NextToken")
    names = ("Id", "Name", "LambdaConfig", "LastModifiedDate", "CreationDate")
    return {"UserPools": [{name: pool[name] for name in names} for pool in shown], **more}


async def add_custom_attributes(service: CognitoIdp, call: Call, request: Json) -> Json:
    def make(pool: Document) -> None:
        known = {attribute["Name"] for attribute in pool["SchemaAttributes"]}
        added = [a for a in pool_schema(request["CustomAttributes"], only_custom=True) if a["Name"] not in known]
        if len(added) < len(request["CustomAttributes"]):
            raise invalid("Existing attribute already has name in CustomAttributes.")
        pool["SchemaAttributes"] += added

    await change(service, POOL, lambda: find_pool(service, call, request["UserPoolId"]), make)
    return {}


async def tag_resource(service: CognitoIdp, call: Call, request: Json) -> Json:
    await change(
        service, POOL, lambda: _tagged(service, call, request), lambda p: p["UserPoolTags"].update(request["Tags"])
    )
    return {}


async def untag_resource(service: CognitoIdp, call: Call, request: Json) -> Json:
    def make(pool: Document) -> None:
        for name in request["TagKeys"]:
            pool["UserPoolTags"].pop(name, None)

    await change(service, POOL, lambda: _tagged(service, call, request), make)
    return {}


async def list_tags_for_resource(service: CognitoIdp, call: Call, request: Json) -> Json:
    return {"Tags": (await _tagged(service, call, request)).document["UserPoolTags"]}


async def _tagged(service: CognitoIdp, call: Call, request: Json) -> Stored:
    return await find_pool(service, call, request["ResourceArn"].rpartition("/")[2])


def _settings(request: Json) -> Json:
    """What is kept of a request, with AWS's defaults."""
    settings = {name: copy.deepcopy(request[name]) for name in _KEPT if request.get(name) is not None}
    policies = settings.setdefault("Policies", {})
    policies["PasswordPolicy"] = {**_PASSWORD_POLICY, **policies.get("PasswordPolicy", {})}
    settings.setdefault("LambdaConfig", {})
    settings.setdefault("MfaConfiguration", "OFF")
    settings.setdefault("DeletionProtection", "INACTIVE")
    settings.setdefault("UserPoolTags", {})
    settings.setdefault("UserPoolTier", "ESSENTIALS")
    settings.setdefault("EmailConfiguration", {"EmailSendingAccount": "COGNITO_DEFAULT"})
    settings.setdefault("VerificationMessageTemplate", {"DefaultEmailOption": "CONFIRM_WITH_CODE"})
    admin = settings.setdefault("AdminCreateUserConfig", {})
    admin.setdefault("AllowAdminCreateUserOnly", False)
    admin.setdefault("UnusedAccountValidityDays", policies["PasswordPolicy"]["TemporaryPasswordValidityDays"])
    return settings


def _check(request: Json) -> None:
    """What is not honoured is refused by name."""
    for name in ("DeviceConfiguration", "KeyConfiguration", "DcrConfiguration", "AcrConfiguration"):
        if request.get(name):
            raise unsupported(f"{name} of user pools")
    if (request.get("UserPoolAddOns") or {}).get("AdvancedSecurityMode", "OFF") != "OFF":
        raise unsupported("AdvancedSecurityMode of user pools")
    if (request.get("IssuerConfiguration") or {}).get("Type", "ORIGINAL") != "ORIGINAL":
        raise unsupported("IssuerConfiguration of user pools")
    if (request.get("UserAttributeUpdateSettings") or {}).get("AttributesRequireVerificationBeforeUpdate"):
        raise unsupported("AttributesRequireVerificationBeforeUpdate of user pools")
    policies = request.get("Policies") or {}
    factors = (policies.get("SignInPolicy") or {}).get("AllowedFirstAuthFactors") or ["PASSWORD"]
    if factors != ["PASSWORD"]:
        raise unsupported(f"the first factor {next(each for each in factors if each != 'PASSWORD')} of user pools")
    policy = policies.get("PasswordPolicy") or {}
    if policy.get("PasswordHistorySize"):
        raise unsupported("PasswordHistorySize of user pools")
    if not _LEAST_LENGTH <= policy.get("MinimumLength", 8) <= _MOST_LENGTH:
        raise invalid(f"Minimum length of a password must be between {_LEAST_LENGTH} and {_MOST_LENGTH}.")
    if (request.get("VerificationMessageTemplate") or {}).get("DefaultEmailOption") == "CONFIRM_WITH_LINK":
        raise unsupported("CONFIRM_WITH_LINK of user pools")
    for name, value in (request.get("LambdaConfig") or {}).items():
        if value and name not in TRIGGERS:
            raise unsupported(f"the trigger {name} of user pools")
        if name == "PreTokenGenerationConfig" and value["LambdaVersion"] not in ("V1_0", "V2_0"):
            raise unsupported(f"PreTokenGenerationConfig of version {value['LambdaVersion']}")
    old = (request.get("LambdaConfig") or {}).get("PreTokenGeneration")
    new = ((request.get("LambdaConfig") or {}).get("PreTokenGenerationConfig") or {}).get("LambdaArn")
    if old and new and old != new:
        raise invalid("PreTokenGeneration and PreTokenGenerationConfig must name the same function.")
    mechanisms = (request.get("AccountRecoverySetting") or {}).get("RecoveryMechanisms") or []
    if len(mechanisms) > 1 and any(each["Name"] == "admin_only" for each in mechanisms):
        raise AwsError(
            "InvalidParameterException",
            "Account Recovery Setting cannot use admin_only setting with any other recovery mechanisms.",
            status=400,
        )


def _told(pool: Document, users: int) -> Json:
    told = {name: value for name, value in pool.items() if name != "Mfa"}  # GetUserPoolMfaConfig tells that.
    return {**told, "EstimatedNumberOfUsers": users}
