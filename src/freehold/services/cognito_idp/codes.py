"""Codes that prove an address: made, told to the developer (there is no mail here), checked, forgotten.

Developer Guide, "Configuring email or SMS verification". A code has six digits and lives 24 hours, for a forgotten
password one hour; five wrong ones end it. It is kept sealed in the user's document, and shown where a mail would have
said it: in the log group of the pool (`log_group`), which the developer reads and no caller of the pool does.
"""

from __future__ import annotations

import hmac

from freehold.aws.call import Call, Json
from freehold.aws.errors import AwsError
from freehold.services.cognito_idp import triggers
from freehold.services.cognito_idp.record import CognitoIdp, tell
from freehold.services.cognito_idp.users import change_user, event_attributes
from freehold.state.store import Document

SIGN_UP, FORGOT = "SignUp", "ForgotPassword"
_DAY_S = 86_400
_HOUR_S = 3600
_WRONG_LIMIT = 5
CODES_AN_HOUR = 10  # Of a user and purpose; the page on quotas says 5 to 20, by the risk.
_TOO_OFTEN = "Attempt limit exceeded, please try after some time."
_CODE_PARAMETER = "{####}"
_USERNAME_PARAMETER = "{username}"


def verify_purpose(attribute: str) -> str:
    return f"Verify:{attribute}"


async def send_code(
    service: CognitoIdp,
    call: Call,
    pool: Document,
    user: Document,
    purpose: str,
    attribute: str,
    source: str,
    *,
    client_id: str | None,
    metadata: Json | None = None,
) -> Json:
    """Makes a code and tells it; the answer's CodeDeliveryDetails. Raises LimitExceededException."""
    code = _new_code(service)
    now_s = service.clock.now_s()
    entry = {
        "Code": service.seal.close(code.encode(), _place(pool, user, purpose)),
        "Attribute": attribute,
        "Until": now_s + (_HOUR_S if purpose == FORGOT else _DAY_S),
        "Wrong": 0,
    }

    def make(changed: Document) -> None:
        codes = changed.setdefault("Codes", {})
        codes[purpose] = {**entry, **_count(codes.get(purpose), now_s)}

    await change_user(service, pool, user["Username"], make)
    return await _tell_code(service, call, pool, user, purpose, attribute, source, code, client_id, metadata)


async def send_sign_in_code(
    service: CognitoIdp,
    call: Call,
    pool: Document,
    user: Document,
    attribute: str,
    client_id: str,
    metadata: Json | None,
) -> tuple[str, Json]:
    """The second factor of a sign-in: a code that the caller keeps, and its CodeDeliveryDetails."""
    code = _new_code(service)
    source = "CustomMessage_Authentication"
    return code, await _tell_code(service, call, pool, user, "SignIn", attribute, source, code, client_id, metadata)


async def tell_invitation(
    service: CognitoIdp, call: Call, pool: Document, user: Document, source: str, password: str, metadata: Json | None
) -> None:
    attribute = "email" if user["Attributes"].get("email") else "phone_number"
    message = await _message(service, call, pool, user, source, attribute, None, metadata)
    shown = (
        f" ({message.replace(_CODE_PARAMETER, password).replace(_USERNAME_PARAMETER, user['Username'])})"
        if message
        else ""
    )
    tell(service, pool, f"The temporary password of {user['Username']} is {password}{shown}")


async def use_code(service: CognitoIdp, pool: Document, user: Document, purpose: str, given: str) -> str:
    """The attribute that the code proves. Raises CodeMismatchException, ExpiredCodeException, LimitExceededException.
    The caller takes the code away (`forget_code`) in the change that it allows."""
    is_right = False

    def make(changed: Document) -> None:
        """Judges and counts in one change: guesses that come at once are as many as those that come in turn."""
        nonlocal is_right
        entry = (changed.get("Codes") or {}).get(purpose)
        if entry is None or entry["Until"] <= service.clock.now_s():
            raise expired()
        if entry["Wrong"] >= _WRONG_LIMIT:
            raise AwsError("LimitExceededException", _TOO_OFTEN, status=400)
        code = service.seal.open(entry["Code"], _place(pool, changed, purpose))
        is_right = hmac.compare_digest(code, given.encode())
        entry["Wrong"] += not is_right

    judged = await change_user(service, pool, user["Username"], make)
    if not is_right:
        raise AwsError("CodeMismatchException", "Invalid verification code provided, please try again.", status=400)
    return str(judged["Codes"][purpose]["Attribute"])


def expired() -> AwsError:
    """Also what who asks for nobody is told, where a client hides who exists."""
    return AwsError("ExpiredCodeException", "Invalid code provided, please request a code again.", status=400)


def forget_code(user: Document, purpose: str) -> None:
    user.get("Codes", {}).pop(purpose, None)


def _new_code(service: CognitoIdp) -> str:
    return f"{int(service.ids.hex(8), 16) % 1_000_000:06}"


async def _tell_code(
    service: CognitoIdp,
    call: Call,
    pool: Document,
    user: Document,
    purpose: str,
    attribute: str,
    source: str,
    code: str,
    client_id: str | None,
    metadata: Json | None,
) -> Json:
    to = user["Attributes"].get(attribute, "")
    message = await _message(service, call, pool, user, source, attribute, client_id, metadata)
    shown = f" ({message.replace(_CODE_PARAMETER, code)})" if message else ""
    tell(service, pool, f"The {purpose} code of {user['Username']} <{to}> is {code}{shown}")
    return delivery(attribute, to)


def _count(last: Json | None, now_s: float) -> Json:
    """How many codes there were in this hour: each new one is a few guesses more. Raises LimitExceededException."""
    since_s, sent = (last["SentSince"], last["Sent"]) if last else (now_s, 0)
    if now_s - since_s >= _HOUR_S:
        since_s, sent = now_s, 0
    if sent >= CODES_AN_HOUR:
        raise AwsError("LimitExceededException", _TOO_OFTEN, status=400)
    return {"SentSince": since_s, "Sent": sent + 1}


def delivery(attribute: str, to: str) -> Json:
    """ "a***@e***" and "+*******0100", as AWS hides addresses."""
    if attribute == "email":
        name, _, domain = to.partition("@")
        return {"Destination": f"{name[:1]}***@{domain[:1]}***", "DeliveryMedium": "EMAIL", "AttributeName": attribute}
    hidden = f"+{'*' * max(len(to) - 5, 0)}{to[-4:]}"
    return {"Destination": hidden, "DeliveryMedium": "SMS", "AttributeName": attribute}


def made_up_delivery(service: CognitoIdp, pool: Document, username: str) -> Json:
    """For nobody: the same each time."""
    mark = service.seal.mark(f"{pool['Id']}/{username}")
    letters = "".join(chr(ord("a") + int(digit, 16)) for digit in mark[:2])
    return delivery("email", f"{letters[0]}@{letters[1]}")


async def _message(
    service: CognitoIdp,
    call: Call,
    pool: Document,
    user: Document,
    source: str,
    attribute: str,
    client_id: str | None,
    metadata: Json | None,
) -> str:
    """What a mail would say: the CustomMessage function's words, else the pool's own; empty where neither has any."""
    is_mail = attribute == "email"
    request = {
        "userAttributes": event_attributes(user),
        "codeParameter": _CODE_PARAMETER,
        "usernameParameter": _USERNAME_PARAMETER if source.endswith("AdminCreateUser") else None,
        "linkParameter": "{##Click Here##}",
        "clientMetadata": metadata or {},
    }
    empty = {"smsMessage": None, "emailMessage": None, "emailSubject": None}
    answer = await triggers.ask(
        service, call, pool, "CustomMessage", f"CustomMessage_{source.rpartition('_')[2]}",
        username=user["Username"], client_id=client_id, request=request, response=empty,
    )  # fmt: skip
    said = (answer or {}).get("emailMessage" if is_mail else "smsMessage")
    return str(said or _own_words(pool, source, is_mail=is_mail))


def _own_words(pool: Document, source: str, *, is_mail: bool) -> str:
    if source.endswith("AdminCreateUser"):
        invitation = pool["AdminCreateUserConfig"].get("InviteMessageTemplate") or {}
        return str(invitation.get("EmailMessage" if is_mail else "SMSMessage") or "")
    if source.endswith("Authentication"):
        mfa = pool.get("Mfa") or {}
        if is_mail:
            return str((mfa.get("EmailMfaConfiguration") or {}).get("Message") or "")
        own = (mfa.get("SmsMfaConfiguration") or {}).get("SmsAuthenticationMessage")
        return str(own or pool.get("SmsAuthenticationMessage") or "")
    template = pool["VerificationMessageTemplate"]
    if is_mail:
        return str(template.get("EmailMessage") or pool.get("EmailVerificationMessage") or "")
    return str(template.get("SmsMessage") or pool.get("SmsVerificationMessage") or "")


def _place(pool: Document, user: Document, purpose: str) -> str:
    return f"{pool['Id']}/{user['Username']}/{purpose}"
