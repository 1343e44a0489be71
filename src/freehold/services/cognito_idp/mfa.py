"""Second factors: what a pool offers, and what a user has set up and prefers.

User Pools API Reference, "SetUserPoolMfaConfig", "AssociateSoftwareToken", "VerifySoftwareToken",
"SetUserMFAPreference"; Developer Guide, "Adding MFA to a user pool". A user's secret is sealed in the user's document.
How a sign-in asks for them is in sign_in_mfa.py.
"""

from __future__ import annotations

from collections.abc import Sequence

from freehold.aws.call import Call, Json
from freehold.aws.errors import AwsError
from freehold.services.cognito_idp import sessions, totp
from freehold.services.cognito_idp.record import (
    POOL,
    CognitoIdp,
    change,
    find_client,
    find_pool,
    invalid,
    not_authorized,
    unsupported,
)
from freehold.services.cognito_idp.tokens import signed_in
from freehold.services.cognito_idp.users import change_user, find_user
from freehold.state.store import Document

TOTP, SMS, EMAIL = "SOFTWARE_TOKEN_MFA", "SMS_MFA", "EMAIL_OTP"
SETUP = "MFA_SETUP"
CHOSEN, DONE = f"{SETUP} chosen", f"{SETUP} done"  # What a setup's sessions are sealed for, step by step.
ADDRESSES = {SMS: "phone_number", EMAIL: "email"}
_POOL_MEMBERS = {
    "SmsMfaConfiguration": SMS,
    "SoftwareTokenMfaConfiguration": TOTP,
    "EmailMfaConfiguration": EMAIL,
}
_PREFERENCES = {"SMSMfaSettings": SMS, "SoftwareTokenMfaSettings": TOTP, "EmailMfaSettings": EMAIL}
_MISMATCH = "Code mismatch"


def offered(pool: Document) -> list[str]:
    """The second factors of a pool; none while its MFA is off."""
    if pool["MfaConfiguration"] == "OFF":
        return []
    settings = pool.get("Mfa") or {}
    is_on = {
        name: bool(settings[member].get("Enabled", member != "SoftwareTokenMfaConfiguration"))
        for member, name in _POOL_MEMBERS.items()
        if member in settings
    }
    return [name for name, on in is_on.items() if on]


def check_pool(pool: Document) -> None:
    """A pool that is made or changed with MFA has a second factor: that of its SmsConfiguration, where none is set."""
    if pool["MfaConfiguration"] == "OFF":
        return
    if pool.get("SmsConfiguration") and not pool.get("Mfa"):
        pool["Mfa"] = {"SmsMfaConfiguration": {"SmsConfiguration": pool["SmsConfiguration"]}}
    if not offered(pool):
        raise invalid("SMS configuration is required when MFA is required or optional, or SetUserPoolMfaConfig first.")


async def get_user_pool_mfa_config(service: CognitoIdp, call: Call, request: Json) -> Json:
    pool = (await find_pool(service, call, request["UserPoolId"])).document
    return {**(pool.get("Mfa") or {}), "MfaConfiguration": pool["MfaConfiguration"]}


async def set_user_pool_mfa_config(service: CognitoIdp, call: Call, request: Json) -> Json:
    if request.get("WebAuthnConfiguration"):
        raise unsupported("WebAuthnConfiguration of user pools")
    settings = {name: request[name] for name in _POOL_MEMBERS if request.get(name) is not None}
    wanted = request.get("MfaConfiguration") or "OFF"
    if wanted != "OFF" and not offered({"MfaConfiguration": wanted, "Mfa": settings}):
        raise invalid("Invalid MFA configuration given, at least one MFA method must be enabled.")

    def make(pool: Document) -> None:
        sms = settings.get("SmsMfaConfiguration")
        if sms is not None and not (sms.get("SmsConfiguration") or pool.get("SmsConfiguration")):
            raise invalid("SmsConfiguration is required for SMS MFA.")
        pool |= {"MfaConfiguration": wanted, "Mfa": settings}

    await change(service, POOL, lambda: find_pool(service, call, request["UserPoolId"]), make)
    return {**settings, "MfaConfiguration": wanted}


async def associate_software_token(service: CognitoIdp, call: Call, request: Json) -> Json:
    """For who is signed in, or is asked to set it up in the middle of a sign-in (a session)."""
    secret = totp.secret_of(service.ids.hex(totp.SECRET_HEX_DIGITS))
    if request.get("AccessToken"):
        who = await signed_in(service, call, request["AccessToken"])
        sealed = service.seal.close(secret.encode(), _place(who.pool, who.user))
        await change_user(
            service, who.pool, who.user["Username"], lambda user: _mfa_of(user).update({"Pending": sealed})
        )
        return {"SecretCode": secret}
    client, content = await _setup(service, SETUP, request.get("Session"))
    return {"SecretCode": secret, "Session": sessions.begin(service, client, CHOSEN, {**content, "Secret": secret})}


async def verify_software_token(service: CognitoIdp, call: Call, request: Json) -> Json:
    """The first code of the app. Raises EnableSoftwareTokenMFAException for a wrong one."""
    code, name = request["UserCode"], request.get("FriendlyDeviceName") or ""
    if request.get("AccessToken"):
        who = await signed_in(service, call, request["AccessToken"])
        pending = (who.user.get("Mfa") or {}).get("Pending")
        if pending is None:
            raise invalid("User has no software token to verify: call AssociateSoftwareToken first.")
        secret = service.seal.open(pending, _place(who.pool, who.user)).decode()
        await _keep(service, who.pool, who.user, secret, code, name, turn_on=False)
        return {"Status": "SUCCESS"}
    client, content = await _setup(service, CHOSEN, request.get("Session"))
    pool = (await find_pool(service, Call(region=""), client["UserPoolId"])).document
    user = (await find_user(service, pool, content["Username"])).document
    await _keep(service, pool, user, content["Secret"], code, name, turn_on=True)
    told = {each: value for each, value in content.items() if each != "Secret"}
    return {"Status": "SUCCESS", "Session": sessions.begin(service, client, DONE, told)}


async def set_user_mfa_preference(service: CognitoIdp, call: Call, request: Json) -> Json:
    who = await signed_in(service, call, request["AccessToken"])
    return await _prefer(service, who.pool, who.user["Username"], request)


async def admin_set_user_mfa_preference(service: CognitoIdp, call: Call, request: Json) -> Json:
    pool = (await find_pool(service, call, request["UserPoolId"])).document
    return await _prefer(service, pool, request["Username"], request)


def told(user: Document) -> Json:
    """As GetUser and AdminGetUser tell it."""
    mfa = user.get("Mfa") or {}
    answer: Json = {}
    if mfa.get("Enabled"):
        answer["UserMFASettingList"] = mfa["Enabled"]
    if mfa.get("Preferred"):
        answer["PreferredMfaSetting"] = mfa["Preferred"]
    return answer


def enabled(pool: Document, user: Document) -> list[str]:
    """Of a user, among those that the pool offers; the preferred one alone, where there is one."""
    mfa = user.get("Mfa") or {}
    mine = [name for name in mfa.get("Enabled") or () if name in offered(pool) and _can(user, name)]
    return [mfa["Preferred"]] if mfa.get("Preferred") in mine else mine


async def use_totp(service: CognitoIdp, pool: Document, user: Document, code: str) -> None:
    """Each code once. Raises CodeMismatchException, ExpiredCodeException."""

    def make(changed: Document) -> None:
        token = (changed.get("Mfa") or {}).get("Totp")
        if token is None:
            raise mismatch()
        secret = service.seal.open(token["Secret"], _place(pool, changed)).decode()
        step = totp.step_of(secret, code, service.clock.now_s())
        if step is None:
            raise mismatch()
        if step <= token["Used"]:
            raise AwsError("ExpiredCodeException", "Your software token has already been used once.", status=400)
        token["Used"] = step

    await change_user(service, pool, user["Username"], make)


def mismatch() -> AwsError:
    return AwsError("CodeMismatchException", "Invalid code received for user", status=400)


async def _setup(service: CognitoIdp, step: str, session: str | None) -> tuple[Document, Json]:
    """The client and the content of a setup's session."""
    client_id = sessions.client_of(service, step, session)
    if client_id is None:
        raise not_authorized("Invalid session for the user.")
    client = (await find_client(service, client_id)).document
    content = sessions.proceed(service, client, step, session)
    return client, {name: value for name, value in content.items() if name not in ("Id", "Client", "Until")}


async def _keep(
    service: CognitoIdp, pool: Document, user: Document, secret: str, code: str, name: str, *, turn_on: bool
) -> None:
    step = totp.step_of(secret, code, service.clock.now_s())
    if step is None:
        raise AwsError("EnableSoftwareTokenMFAException", _MISMATCH, status=400)
    sealed = service.seal.close(secret.encode(), _place(pool, user))

    def make(changed: Document) -> None:
        mfa = _mfa_of(changed)
        mfa.pop("Pending", None)
        mfa["Totp"] = {"Secret": sealed, "Name": name, "Used": step if turn_on else 0}
        if turn_on:
            _switch(mfa, TOTP, on=True)

    await change_user(service, pool, user["Username"], make)


async def _prefer(service: CognitoIdp, pool: Document, username: str, request: Json) -> Json:
    if request.get("WebAuthnMfaSettings"):
        raise unsupported("WebAuthnMfaSettings of users")
    wanted = {name: request[member] for member, name in _PREFERENCES.items() if request.get(member) is not None}
    preferred = [name for name, settings in wanted.items() if settings.get("PreferredMfa")]
    if len(preferred) > 1:
        raise invalid("Only one MFA method can be preferred.")

    def make(user: Document) -> None:
        mfa = _mfa_of(user)
        for name, settings in wanted.items():
            # "If an MFA type is activated for a user, the user will be prompted": a preferred one is activated.
            is_on = bool(settings.get("Enabled") or settings.get("PreferredMfa"))
            if is_on and not _can(user, name):
                raise invalid(f"User does not have delivery config set to turn on {name}")
            _switch(mfa, name, on=is_on)
            if mfa.get("Preferred") == name and name not in preferred:
                mfa.pop("Preferred")
        if preferred:
            mfa["Preferred"] = preferred[0]

    await change_user(service, pool, username, make)
    return {}


def _can(user: Document, name: str) -> bool:
    """Whether the user has what the factor needs."""
    if name == TOTP:
        return "Totp" in (user.get("Mfa") or {})
    attribute = ADDRESSES[name]
    return bool(user["Attributes"].get(attribute)) and user["Attributes"].get(f"{attribute}_verified") == "true"


def _switch(mfa: Json, name: str, *, on: bool) -> None:
    others: Sequence[str] = [each for each in mfa.get("Enabled") or () if each != name]
    mfa["Enabled"] = [*others, name] if on else list(others)


def _mfa_of(user: Document) -> Json:
    found: Json = user.setdefault("Mfa", {})
    return found


def _place(pool: Document, user: Document) -> str:
    return f"{pool['Id']}/{user['Username']}/software token"
