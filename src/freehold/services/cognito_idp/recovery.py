"""Forgotten passwords: ForgotPassword, ConfirmForgotPassword, AdminResetUserPassword.

Developer Guide, "Recovering user accounts", and the settings of AccountRecoverySetting.
"""

from __future__ import annotations

from freehold.aws.call import Call, Json
from freehold.services.cognito_idp import codes, passwords
from freehold.services.cognito_idp.clients import open_request
from freehold.services.cognito_idp.record import (
    CognitoIdp,
    find_pool,
    invalid,
    not_authorized,
)
from freehold.services.cognito_idp.sign_up import ask_post_confirmation
from freehold.services.cognito_idp.users import change_user, find_unless_hidden, find_user
from freehold.state.store import Document

_ATTRIBUTES = {"verified_email": "email", "verified_phone_number": "phone_number"}
_NO_ADDRESS = "Cannot reset password for the user as there is no registered/verified email or phone_number"
_SOURCE = "CustomMessage_ForgotPassword"


async def forgot_password(service: CognitoIdp, call: Call, request: Json) -> Json:
    call, client, pool = await open_request(service, call, request)
    mechanisms = _mechanisms(pool)
    if mechanisms == ["admin_only"]:
        raise not_authorized("Contact administrator to reset password.")
    user = await find_unless_hidden(service, pool, client, request["Username"])
    if user is None:
        return {"CodeDeliveryDetails": codes.made_up_delivery(service, pool, request["Username"])}
    if not user["Enabled"]:
        raise not_authorized("User is disabled.")
    if user["Status"] == "FORCE_CHANGE_PASSWORD":
        raise not_authorized("User password cannot be reset in the current state.")
    details = await codes.send_code(
        service, call, pool, user, codes.FORGOT, _address(user, mechanisms), _SOURCE,
        client_id=client["ClientId"], metadata=request.get("ClientMetadata"),
    )  # fmt: skip
    return {"CodeDeliveryDetails": details}


async def confirm_forgot_password(service: CognitoIdp, call: Call, request: Json) -> Json:
    call, client, pool = await open_request(service, call, request)
    passwords.check_policy(pool, request["Password"])
    user = await find_unless_hidden(service, pool, client, request["Username"])
    if user is None:
        raise codes.expired()
    if not user["Enabled"]:
        raise not_authorized("User is disabled.")
    await codes.use_code(service, pool, user, codes.FORGOT, request["ConfirmationCode"])
    sealed = await passwords.sealed_password(service, pool["Id"], user["Username"], request["Password"])

    def make(changed: Document) -> None:
        codes.forget_code(changed, codes.FORGOT)
        passwords.set_password(changed, sealed, status="CONFIRMED", now_s=service.clock.now_s())

    user = await change_user(service, pool, user["Username"], make)
    passwords.forgive(service, pool["Id"], user["Username"])
    metadata = request.get("ClientMetadata")
    await ask_post_confirmation(service, call, pool, client, user, "ConfirmForgotPassword", metadata)
    return {}


async def admin_reset_user_password(service: CognitoIdp, call: Call, request: Json) -> Json:
    pool = (await find_pool(service, call, request["UserPoolId"])).document
    user = (await find_user(service, pool, request["Username"])).document
    if user["Status"] == "FORCE_CHANGE_PASSWORD":
        raise not_authorized("User password cannot be reset in the current state.")
    attribute = _address(user, _mechanisms(pool))

    def make(changed: Document) -> None:
        changed["Status"] = "RESET_REQUIRED"

    user = await change_user(service, pool, user["Username"], make)
    await codes.send_code(
        service, call, pool, user, codes.FORGOT, attribute, _SOURCE,
        client_id=None, metadata=request.get("ClientMetadata"),
    )  # fmt: skip
    return {}


def _mechanisms(pool: Document) -> list[str]:
    """By priority. Without any, the page's old behaviour: the number, else the address."""
    given = (pool.get("AccountRecoverySetting") or {}).get("RecoveryMechanisms") or ()
    ordered = [each["Name"] for each in sorted(given, key=lambda each: int(each["Priority"]))]
    return ordered or ["verified_phone_number", "verified_email"]


def _address(user: Document, mechanisms: list[str]) -> str:
    for mechanism in mechanisms:
        attribute = _ATTRIBUTES.get(mechanism, "")
        if user["Attributes"].get(attribute) and user["Attributes"].get(f"{attribute}_verified") == "true":
            return attribute
    raise invalid(_NO_ADDRESS)
