"""People who join by themselves: SignUp, ConfirmSignUp, ResendConfirmationCode.

Developer Guide, "Signing up and confirming user accounts".
"""

from __future__ import annotations

from freehold.aws.call import Call, Json
from freehold.services.cognito_idp import codes, passwords, triggers
from freehold.services.cognito_idp.clients import open_request
from freehold.services.cognito_idp.record import CognitoIdp, invalid, not_authorized
from freehold.services.cognito_idp.schema import check_attributes, check_writable, named
from freehold.services.cognito_idp.users import (
    change_user,
    event_attributes,
    find_unless_hidden,
    make_user,
    new_name,
    new_user,
)
from freehold.state.store import Document


async def sign_up(service: CognitoIdp, call: Call, request: Json) -> Json:
    call, client, pool = await open_request(service, call, request)
    if pool["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"]:
        raise not_authorized("SignUp is not permitted for this user pool")
    if not request.get("Password"):
        raise invalid("Password is required.")
    passwords.check_policy(pool, request["Password"])
    attributes = named(request.get("UserAttributes"))
    check_writable(client, attributes)
    sub = service.ids.uuid()
    name = new_name(pool, request["Username"], sub, attributes)
    check_attributes(pool, attributes, new=True, by_admin=False)
    user = new_user(service, name, sub, attributes, "UNCONFIRMED")
    await ask_pre_sign_up(
        service, call, pool, user, "PreSignUp_SignUp", client["ClientId"],
        named(request.get("ValidationData")), request.get("ClientMetadata"),
    )  # fmt: skip
    sealed = await passwords.sealed_password(service, pool["Id"], name, request["Password"])
    passwords.set_password(user, sealed, status=user["Status"], now_s=service.clock.now_s())
    await make_user(service, pool, user, "User already exists")
    answer: Json = {"UserConfirmed": user["Status"] == "CONFIRMED", "UserSub": sub}
    if answer["UserConfirmed"]:
        await ask_post_confirmation(service, call, pool, client, user, "ConfirmSignUp", request.get("ClientMetadata"))
        return answer
    attribute = _to_verify(pool, user)
    if attribute is not None:
        answer["CodeDeliveryDetails"] = await codes.send_code(
            service, call, pool, user, codes.SIGN_UP, attribute, "CustomMessage_SignUp",
            client_id=client["ClientId"], metadata=request.get("ClientMetadata"),
        )  # fmt: skip
    return answer


async def confirm_sign_up(service: CognitoIdp, call: Call, request: Json) -> Json:
    call, client, pool = await open_request(service, call, request)
    user = await find_unless_hidden(service, pool, client, request["Username"])
    if user is None:
        raise codes.expired()
    if user["Status"] != "UNCONFIRMED":
        raise not_authorized(f"User cannot be confirmed. Current status is {user['Status']}")
    attribute = await codes.use_code(service, pool, user, codes.SIGN_UP, request["ConfirmationCode"])

    def make(changed: Document) -> None:
        codes.forget_code(changed, codes.SIGN_UP)
        changed["Attributes"][f"{attribute}_verified"] = "true"
        changed["Status"] = "CONFIRMED"

    force = bool(request.get("ForceAliasCreation"))
    user = await change_user(service, pool, user["Username"], make, force_alias=force)
    await ask_post_confirmation(service, call, pool, client, user, "ConfirmSignUp", request.get("ClientMetadata"))
    return {}


async def resend_confirmation_code(service: CognitoIdp, call: Call, request: Json) -> Json:
    call, client, pool = await open_request(service, call, request)
    user = await find_unless_hidden(service, pool, client, request["Username"])
    if user is None:
        return {"CodeDeliveryDetails": codes.made_up_delivery(service, pool, request["Username"])}
    if user["Status"] != "UNCONFIRMED":
        raise invalid("User is already confirmed.")
    attribute = _to_verify(pool, user)
    if attribute is None:
        raise invalid("Cannot resend codes. Auto verification not turned on.")
    details = await codes.send_code(
        service, call, pool, user, codes.SIGN_UP, attribute, "CustomMessage_ResendCode",
        client_id=client["ClientId"], metadata=request.get("ClientMetadata"),
    )  # fmt: skip
    return {"CodeDeliveryDetails": details}


async def ask_pre_sign_up(
    service: CognitoIdp,
    call: Call,
    pool: Document,
    user: Document,
    source: str,
    client_id: str | None,
    validation: Json,
    metadata: Json | None,
) -> None:
    """Sets what the trigger decides on a user who is not written yet."""
    answer = await triggers.ask(
        service, call, pool, "PreSignUp", source, username=user["Username"], client_id=client_id,
        request={
            "userAttributes": dict(user["Attributes"]),
            "validationData": validation or None,
            "clientMetadata": metadata or {},
        },
        response={"autoConfirmUser": False, "autoVerifyEmail": False, "autoVerifyPhone": False},
    )  # fmt: skip
    if answer is None:
        return
    if answer.get("autoConfirmUser") is True and user["Status"] == "UNCONFIRMED":
        user["Status"] = "CONFIRMED"
    for wish, attribute in (("autoVerifyEmail", "email"), ("autoVerifyPhone", "phone_number")):
        if answer.get(wish) is True and user["Attributes"].get(attribute):
            user["Attributes"][f"{attribute}_verified"] = "true"


async def ask_post_confirmation(
    service: CognitoIdp,
    call: Call,
    pool: Document,
    client: Document | None,
    user: Document,
    what: str,
    metadata: Json | None,
) -> None:
    """`what`: "ConfirmSignUp" or "ConfirmForgotPassword"."""
    await triggers.ask(
        service, call, pool, "PostConfirmation", f"PostConfirmation_{what}",
        username=user["Username"], client_id=None if client is None else client["ClientId"],
        request={"userAttributes": event_attributes(user), "clientMetadata": metadata or {}}, response={},
    )  # fmt: skip


def _to_verify(pool: Document, user: Document) -> str | None:
    """The page: with both a number and an address, the code goes to the number."""
    wanted = pool.get("AutoVerifiedAttributes") or ()
    for attribute in ("phone_number", "email"):
        if attribute in wanted and user["Attributes"].get(attribute):
            return attribute
    return None
