"""The second factor of a sign-in: which challenge a user gets, and what answers it.

Developer Guide, "Adding MFA to a user pool"; API Reference, "RespondToAuthChallenge". One decision to know: a code that
is sent travels in the sealed session, which no caller can read; so a wrong answer leaves the session as it was, and
wrong answers are counted as wrong passwords are.
"""

from __future__ import annotations

import hmac

import orjson

from freehold.aws.call import Json
from freehold.services.cognito_idp import codes, mfa, sessions
from freehold.services.cognito_idp.attempt import Attempt, same_user
from freehold.services.cognito_idp.record import invalid, not_authorized
from freehold.state.store import Document

SELECT = "SELECT_MFA_TYPE"
_ANSWERS = {mfa.TOTP: "SOFTWARE_TOKEN_MFA_CODE", mfa.SMS: "SMS_MFA_CODE", mfa.EMAIL: "EMAIL_OTP_CODE"}
CODES = tuple(_ANSWERS)


async def ask(attempt: Attempt, user: Document, source: str) -> Json | None:
    """The challenge that follows the password; None: none does. `source`: of the tokens' trigger."""
    pool = attempt.pool
    offered = mfa.offered(pool)
    if not offered:
        return None
    mine = mfa.enabled(pool, user)
    if not mine and pool["MfaConfiguration"] == "ON":
        mine = _by_address(offered, user)
    content = {"Username": user["Username"], "PasswordSet": user.get("PasswordSet"), "Source": source}
    if len(mine) > 1:
        told = {"MFAS_CAN_CHOOSE": orjson.dumps(sorted(mine)).decode(), "USER_ID_FOR_SRP": user["Username"]}
        return _challenge(attempt, SELECT, {**content, "Mine": mine}, told)
    if mine:
        return await _ask_code(attempt, user, mine[0], content)
    if pool["MfaConfiguration"] != "ON":
        return None
    if mfa.TOTP not in offered:
        raise not_authorized("The user has no address for the second factor that this user pool requires.")
    told = {"MFAS_CAN_SETUP": orjson.dumps([mfa.TOTP]).decode(), "USER_ID_FOR_SRP": user["Username"]}
    return _challenge(attempt, mfa.SETUP, content, told)


async def check_code(attempt: Attempt, challenge: str) -> tuple[Document, str]:
    """The user whose code was right, and the source. Raises CodeMismatchException, NotAuthorizedException."""
    service, pool = attempt.service, attempt.pool
    given = attempt.parameter(_ANSWERS[challenge]).strip()
    session = sessions.look(service, attempt.client, challenge, attempt.session)
    user = await same_user(attempt, session)
    place = f"{pool['Id']}/{user['Username']}/{challenge}"
    async with service.attempts.turn(place):
        now_s = service.clock.now_s()
        if service.attempts.is_locked(place, now_s):
            raise not_authorized("Code attempts exceeded")
        service.attempts.failed(place, now_s)  # Until it is found right.
        if challenge == mfa.TOTP:
            await mfa.use_totp(service, pool, user, given)
        elif not hmac.compare_digest(session["Code"].encode(), given.encode()):
            raise mfa.mismatch()
        sessions.proceed(service, attempt.client, challenge, attempt.session)
        service.attempts.succeeded(place)
    return user, str(session["Source"])


async def choose(attempt: Attempt) -> Json:
    """The answer to SELECT_MFA_TYPE: the challenge of the factor that was chosen."""
    session = sessions.proceed(attempt.service, attempt.client, SELECT, attempt.session)
    user = await same_user(attempt, session)
    chosen = attempt.parameter("ANSWER")
    if chosen not in session["Mine"]:
        raise invalid(f"{chosen} is none of the user's MFA methods.")
    content = {name: session[name] for name in ("Username", "PasswordSet", "Source")}
    return await _ask_code(attempt, user, chosen, content)


async def finish_setup(attempt: Attempt) -> tuple[Document, str]:
    """The user who has set up a software token meanwhile, and the source."""
    session = sessions.proceed(attempt.service, attempt.client, mfa.DONE, attempt.session)
    return await same_user(attempt, session), str(session["Source"])


async def _ask_code(attempt: Attempt, user: Document, name: str, content: Json) -> Json:
    told: Json = {"USER_ID_FOR_SRP": user["Username"]}
    if name == mfa.TOTP:
        told["FRIENDLY_DEVICE_NAME"] = user["Mfa"]["Totp"]["Name"]
        return _challenge(attempt, name, content, told)
    attribute = mfa.ADDRESSES[name]
    code, delivery = await codes.send_sign_in_code(
        attempt.service, attempt.call, attempt.pool, user, attribute, attempt.client["ClientId"], attempt.metadata
    )
    told |= {
        "CODE_DELIVERY_DELIVERY_MEDIUM": delivery["DeliveryMedium"],
        "CODE_DELIVERY_DESTINATION": delivery["Destination"],
    }
    return _challenge(attempt, name, {**content, "Code": code}, told)


def _challenge(attempt: Attempt, name: str, content: Json, told: Json) -> Json:
    session = sessions.begin(attempt.service, attempt.client, name, content)
    return {"ChallengeName": name, "Session": session, "ChallengeParameters": told}


def _by_address(offered: list[str], user: Document) -> list[str]:
    """Where MFA is required, a verified number or address is a second factor without more; the number first."""
    for name in (mfa.SMS, mfa.EMAIL):
        attribute = mfa.ADDRESSES[name]
        if name in offered and user["Attributes"].get(f"{attribute}_verified") == "true":
            return [name]
    return []
