"""What a signed-in user may do with the own account, by an access token: read, change, verify, leave, sign out.

User Pools API Reference, "GetUser", "UpdateUserAttributes", "ChangePassword", "GlobalSignOut", "RevokeToken".
"""

from __future__ import annotations

from freehold.aws.call import Call, Json
from freehold.services.cognito_idp import codes, mfa, passwords, tokens
from freehold.services.cognito_idp.clients import client_secret
from freehold.services.cognito_idp.record import CognitoIdp, find_client, invalid, not_authorized
from freehold.services.cognito_idp.schema import check_attributes, check_writable, listed, named
from freehold.services.cognito_idp.tokens import SignedIn, signed_in
from freehold.services.cognito_idp.users import change_user, delete_user, new_era, set_attributes
from freehold.state.store import Document

_VERIFIABLE = ("email", "phone_number")


async def get_user(service: CognitoIdp, call: Call, request: Json) -> Json:
    who = await signed_in(service, call, request["AccessToken"])
    readable = who.client.get("ReadAttributes")
    attributes = {
        name: value
        for name, value in who.user["Attributes"].items()
        if not name.startswith("dev:") and (readable is None or name in readable)
    }
    told = listed({**attributes, "sub": who.user["Sub"]})
    return {"Username": who.user["Username"], "UserAttributes": told, **mfa.told(who.user)}


async def update_user_attributes(service: CognitoIdp, call: Call, request: Json) -> Json:
    who = await signed_in(service, call, request["AccessToken"])
    attributes = named(request["UserAttributes"])
    check_writable(who.client, attributes)
    check_attributes(who.pool, attributes, new=False, by_admin=False)
    fresh = [
        name for name in _VERIFIABLE if name in attributes and attributes[name] != who.user["Attributes"].get(name)
    ]
    user = await change_user(
        service, who.pool, who.user["Username"], lambda changed: set_attributes(changed, attributes)
    )
    sent = []
    for name in fresh:
        if name in (who.pool.get("AutoVerifiedAttributes") or ()) and attributes[name]:
            sent.append(await _send(service, who, user, name, "CustomMessage_UpdateUserAttribute", request))
    return {"CodeDeliveryDetailsList": sent}


async def delete_user_attributes(service: CognitoIdp, call: Call, request: Json) -> Json:
    who = await signed_in(service, call, request["AccessToken"])
    gone = dict.fromkeys(request["UserAttributeNames"], "")
    check_writable(who.client, gone)
    check_attributes(who.pool, gone, new=False, by_admin=False)
    await change_user(service, who.pool, who.user["Username"], lambda changed: set_attributes(changed, gone))
    return {}


async def get_user_attribute_verification_code(service: CognitoIdp, call: Call, request: Json) -> Json:
    who = await signed_in(service, call, request["AccessToken"])
    name = request["AttributeName"]
    if name not in _VERIFIABLE or not who.user["Attributes"].get(name):
        raise invalid(f"User does not have attribute {name} or it cannot be verified.")
    source = "CustomMessage_VerifyUserAttribute"
    return {"CodeDeliveryDetails": await _send(service, who, who.user, name, source, request)}


async def verify_user_attribute(service: CognitoIdp, call: Call, request: Json) -> Json:
    who = await signed_in(service, call, request["AccessToken"])
    purpose = codes.verify_purpose(request["AttributeName"])
    attribute = await codes.use_code(service, who.pool, who.user, purpose, request["Code"])

    def make(changed: Document) -> None:
        codes.forget_code(changed, purpose)
        changed["Attributes"][f"{attribute}_verified"] = "true"

    await change_user(service, who.pool, who.user["Username"], make)
    return {}


async def change_password(service: CognitoIdp, call: Call, request: Json) -> Json:
    who = await signed_in(service, call, request["AccessToken"])
    pool_id, username = who.pool["Id"], who.user["Username"]
    previous = request.get("PreviousPassword")
    if not previous:
        raise invalid("PreviousPassword is required.")
    passwords.check_policy(who.pool, request["ProposedPassword"])
    await passwords.check_password(service, pool_id, username, who.user, previous)
    sealed = await passwords.sealed_password(service, pool_id, username, request["ProposedPassword"])
    now_s = service.clock.now_s()
    await change_user(
        service,
        who.pool,
        username,
        lambda changed: passwords.set_password(changed, sealed, status="CONFIRMED", now_s=now_s),
    )
    return {}


async def delete_own_user(service: CognitoIdp, call: Call, request: Json) -> Json:
    who = await signed_in(service, call, request["AccessToken"])
    await delete_user(service, who.pool, who.user["Username"])
    return {}


async def global_sign_out(service: CognitoIdp, call: Call, request: Json) -> Json:
    who = await signed_in(service, call, request["AccessToken"])
    era = new_era(service)
    await change_user(service, who.pool, who.user["Username"], lambda changed: changed.update({"Era": era}))
    return {}


async def revoke_token(service: CognitoIdp, call: Call, request: Json) -> Json:
    client = (await find_client(service, request["ClientId"])).document
    if not client["EnableTokenRevocation"]:
        raise invalid("Token revocation is not enabled for this client.")
    secret = client_secret(service, client)
    if secret is not None and secret != request.get("ClientSecret"):
        raise not_authorized("Invalid client secret")
    await tokens.revoke(service, client, request["Token"])
    return {}


async def _send(service: CognitoIdp, who: SignedIn, user: Document, name: str, source: str, request: Json) -> Json:
    return await codes.send_code(
        service, who.call, who.pool, user, codes.verify_purpose(name), name, source,
        client_id=who.client["ClientId"], metadata=request.get("ClientMetadata"),
    )  # fmt: skip
