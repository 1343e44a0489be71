"""Signing in: InitiateAuth, RespondToAuthChallenge and the Admin operations of the same names.

Developer Guide, "User pool authentication flow"; API Reference, "InitiateAuth". One decision to know: whatever proved
who the user is, `_admit` decides what follows - a refusal, the challenge to choose a new password, or tokens.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

import orjson

from freehold.aws.call import Call, Json
from freehold.aws.errors import AwsError
from freehold.services.cognito_idp import (
    mfa,
    passwords,
    sessions,
    sign_in_custom,
    sign_in_mfa,
    sign_in_srp,
    tokens,
    triggers,
)
from freehold.services.cognito_idp.attempt import Attempt, open_attempt, same_user
from freehold.services.cognito_idp.clients import check_secret_hash, client_secret
from freehold.services.cognito_idp.record import (
    CognitoIdp,
    invalid,
    not_authorized,
    unsupported,
)
from freehold.services.cognito_idp.schema import check_attributes, missing_attributes
from freehold.services.cognito_idp.users import change_user, event_attributes, find_unless_hidden
from freehold.state.store import Document

NEW_PASSWORD = "NEW_PASSWORD_REQUIRED"
_ATTRIBUTE = "userAttributes."
_DAY_S = 86_400
# AuthFlow -> the ExplicitAuthFlows, new and old, that allow it.
_ALLOWED_BY = {
    "USER_SRP_AUTH": {"ALLOW_USER_SRP_AUTH"},
    "USER_PASSWORD_AUTH": {"ALLOW_USER_PASSWORD_AUTH", "USER_PASSWORD_AUTH"},
    "ADMIN_USER_PASSWORD_AUTH": {"ALLOW_ADMIN_USER_PASSWORD_AUTH", "ADMIN_NO_SRP_AUTH"},
    "ADMIN_NO_SRP_AUTH": {"ALLOW_ADMIN_USER_PASSWORD_AUTH", "ADMIN_NO_SRP_AUTH"},
    "CUSTOM_AUTH": {"ALLOW_CUSTOM_AUTH", "CUSTOM_AUTH_FLOW_ONLY"},
    "REFRESH_TOKEN_AUTH": {"ALLOW_REFRESH_TOKEN_AUTH"},
    "REFRESH_TOKEN": {"ALLOW_REFRESH_TOKEN_AUTH"},
}
_OLD_FLOWS = frozenset({"ADMIN_NO_SRP_AUTH", "CUSTOM_AUTH_FLOW_ONLY", "USER_PASSWORD_AUTH"})
_ADMIN_FLOWS = frozenset({"ADMIN_USER_PASSWORD_AUTH", "ADMIN_NO_SRP_AUTH"})


async def initiate_auth(service: CognitoIdp, call: Call, request: Json) -> Json:
    if request["AuthFlow"] in _ADMIN_FLOWS:
        raise invalid("Initiate Auth method not supported.")
    return await _initiate(await open_attempt(service, call, request, "AuthParameters"), request["AuthFlow"])


async def admin_initiate_auth(service: CognitoIdp, call: Call, request: Json) -> Json:
    return await _initiate(await open_attempt(service, call, request, "AuthParameters"), request["AuthFlow"])


async def respond_to_auth_challenge(service: CognitoIdp, call: Call, request: Json) -> Json:
    attempt = await open_attempt(service, call, request, "ChallengeResponses")
    return await answer_challenge(attempt, request["ChallengeName"])


async def get_tokens_from_refresh_token(service: CognitoIdp, call: Call, request: Json) -> Json:
    attempt = await open_attempt(service, call, request, "AuthParameters")
    if (client_secret(service, attempt.client) or None) != (request.get("ClientSecret") or None):
        raise not_authorized("Invalid client secret")
    return await _renew(attempt, request["RefreshToken"], by_secret=True)


async def answer_challenge(attempt: Attempt, challenge: str) -> Json:
    """`attempt.parameters` are the ChallengeResponses."""
    answer = _CHALLENGES.get(challenge)
    if answer is None:
        raise unsupported(f"the challenge {challenge}")
    return await answer(attempt)


async def with_password(attempt: Attempt) -> Json:
    """By USERNAME and PASSWORD, whatever flows the client may use."""
    username = _check_hash(attempt)
    password = attempt.parameter("PASSWORD")
    user = await find_unless_hidden(attempt.service, attempt.pool, attempt.client, username)
    if user is not None:
        await _before(attempt, user)
    name = username if user is None else user["Username"]
    await passwords.check_password(attempt.service, attempt.pool["Id"], name, user, password)
    assert user is not None
    return await _admit(attempt, user)


async def _initiate(attempt: Attempt, flow: str) -> Json:
    if flow not in _ALLOWED_BY:
        raise unsupported(f"the authentication flow {flow}")
    _require_flow(attempt.client, flow)
    if flow in ("REFRESH_TOKEN_AUTH", "REFRESH_TOKEN"):
        return {"ChallengeParameters": {}, **await _renew(attempt, attempt.parameter("REFRESH_TOKEN"))}
    if flow not in ("USER_SRP_AUTH", "CUSTOM_AUTH"):
        return await with_password(attempt)
    username = _check_hash(attempt)
    if flow == "USER_SRP_AUTH":
        return await _begin_srp(attempt, username)
    return await _begin_custom(attempt, username)


def _require_flow(client: Document, flow: str) -> None:
    allowed = set(client["ExplicitAuthFlows"])
    # A client of the old names may renew its tokens and use SRP, which had no names then.
    if allowed <= _OLD_FLOWS and flow in ("USER_SRP_AUTH", "REFRESH_TOKEN_AUTH", "REFRESH_TOKEN"):
        return
    if not allowed & _ALLOWED_BY[flow]:
        name = "ADMIN_NO_SRP_AUTH" if flow in _ADMIN_FLOWS else flow
        if name.startswith("REFRESH"):
            raise not_authorized("Refresh Token Auth flow not enabled for this client")
        raise invalid(f"{name} flow not enabled for this client")


async def _before(attempt: Attempt, user: Document) -> None:
    request: Json = {"userAttributes": event_attributes(user), "userNotFound": False}
    if attempt.metadata:
        request["validationData"] = attempt.metadata
    await triggers.ask(
        attempt.service, attempt.call, attempt.pool, "PreAuthentication", "PreAuthentication_Authentication",
        username=user["Username"], client_id=attempt.client["ClientId"], request=request, response={},
    )  # fmt: skip


async def _begin_srp(attempt: Attempt, username: str) -> Json:
    public = attempt.parameter("SRP_A")
    user = await find_unless_hidden(attempt.service, attempt.pool, attempt.client, username)
    passwords.refuse_locked(attempt.service, attempt.pool["Id"], username if user is None else user["Username"])
    if user is not None:
        await _before(attempt, user)
    return await sign_in_srp.begin(attempt.service, attempt.pool, attempt.client, user, username, public)


async def _answer_srp(attempt: Attempt) -> Json:
    username = _check_hash(attempt)
    proof = sign_in_srp.Proof(
        attempt.parameter("PASSWORD_CLAIM_SIGNATURE"),
        attempt.parameter("PASSWORD_CLAIM_SECRET_BLOCK"),
        attempt.parameter("TIMESTAMP"),
    )
    user, history = await sign_in_srp.finish(attempt.service, attempt.pool, attempt.client, username, proof)
    if history is None:
        return await _admit(attempt, user)
    return await _go_on(attempt, user, sign_in_custom.proved(sign_in_custom.PASSWORD, history), "")


async def _begin_custom(attempt: Attempt, username: str) -> Json:
    """With a public value of SRP the functions may ask for the password among other things."""
    user = await find_unless_hidden(attempt.service, attempt.pool, attempt.client, username)
    passwords.refuse_locked(attempt.service, attempt.pool["Id"], username if user is None else user["Username"])
    if user is None:
        raise not_authorized(passwords.WRONG)
    await _before(attempt, user)
    if attempt.parameters.get("CHALLENGE_NAME") != "SRP_A":
        return await _go_on(attempt, user, [], "")
    return await _go_on(attempt, user, sign_in_custom.proved("SRP_A", []), attempt.parameter("SRP_A"))


async def _answer_custom(attempt: Attempt) -> Json:
    _check_hash(attempt)
    session = sign_in_custom.proceed(attempt)
    user = await same_user(attempt, session)
    return await _go_on(attempt, user, await sign_in_custom.judge(attempt, user, session), "")


async def _go_on(attempt: Attempt, user: Document, history: list[Json], public: str) -> Json:
    """`public`: SRP_A, where the caller has just sent it; only then may the password be asked for."""
    step = await sign_in_custom.define(attempt, user, history)
    if step.is_done:
        return await _admit(attempt, user)
    if step.answer is not None:
        return step.answer
    if not public:
        raise not_authorized(passwords.WRONG)
    return await sign_in_srp.begin(
        attempt.service, attempt.pool, attempt.client, user, user["Username"], public, history
    )


async def _admit(attempt: Attempt, user: Document) -> Json:
    """The user has proved who it is."""
    if not user["Enabled"]:
        raise not_authorized("User is disabled.")
    status = user["Status"]
    if status == "UNCONFIRMED":
        raise AwsError("UserNotConfirmedException", "User is not confirmed.", status=400)
    if status == "RESET_REQUIRED":
        raise AwsError("PasswordResetRequiredException", "Password reset required for the user", status=400)
    if status == "FORCE_CHANGE_PASSWORD":
        return _ask_new_password(attempt, user)
    return await _ask_second_factor(attempt, user, "TokenGeneration_Authentication")


async def _ask_second_factor(attempt: Attempt, user: Document, source: str) -> Json:
    return await sign_in_mfa.ask(attempt, user, source) or await _sign_in(attempt, user, source)


async def _answer_code(attempt: Attempt, challenge: str) -> Json:
    _check_hash(attempt)
    return await _sign_in(attempt, *await sign_in_mfa.check_code(attempt, challenge))


async def _answer_setup(attempt: Attempt) -> Json:
    _check_hash(attempt)
    return await _sign_in(attempt, *await sign_in_mfa.finish_setup(attempt))


async def _choose_factor(attempt: Attempt) -> Json:
    _check_hash(attempt)
    return await sign_in_mfa.choose(attempt)


def _check_hash(attempt: Attempt) -> str:
    """USERNAME, which SECRET_HASH must be of where the client has a secret."""
    username = attempt.parameter("USERNAME")
    check_secret_hash(attempt.service, attempt.client, username, attempt.parameters.get("SECRET_HASH"))
    return username


def _ask_new_password(attempt: Attempt, user: Document) -> Json:
    service, pool = attempt.service, attempt.pool
    days = pool["AdminCreateUserConfig"]["UnusedAccountValidityDays"]
    if user.get("PasswordSet", 0) + days * _DAY_S <= service.clock.now_s():
        raise not_authorized("Temporary password has expired and must be reset by an administrator.")
    missing = [f"{_ATTRIBUTE}{name}" for name in missing_attributes(pool, user["Attributes"])]
    session = {"Username": user["Username"], "PasswordSet": user.get("PasswordSet")}
    return {
        "ChallengeName": NEW_PASSWORD,
        "Session": sessions.begin(service, attempt.client, NEW_PASSWORD, session),
        "ChallengeParameters": {
            "USER_ID_FOR_SRP": user["Username"],
            "requiredAttributes": orjson.dumps(missing).decode(),
            "userAttributes": orjson.dumps(user["Attributes"]).decode(),
        },
    }


async def _answer_new_password(attempt: Attempt) -> Json:
    service, pool = attempt.service, attempt.pool
    _check_hash(attempt)
    password = attempt.parameter("NEW_PASSWORD")
    passwords.check_policy(pool, password)
    attributes = {
        name.removeprefix(_ATTRIBUTE): str(value)
        for name, value in attempt.parameters.items()
        if name.startswith(_ATTRIBUTE)
    }
    check_attributes(pool, attributes, new=False, by_admin=False)
    session = sessions.proceed(service, attempt.client, NEW_PASSWORD, attempt.session)
    user = await same_user(attempt, session)
    absent = missing_attributes(pool, {**user["Attributes"], **attributes})
    if absent:
        raise invalid(f"Invalid user attributes: user.{absent[0]}: The attribute is required\n")
    sealed = await passwords.sealed_password(service, pool["Id"], user["Username"], password)

    def make(changed: Document) -> None:
        changed["Attributes"].update(attributes)
        passwords.set_password(changed, sealed, status="CONFIRMED", now_s=service.clock.now_s())

    changed = await change_user(service, pool, user["Username"], make)
    return await _ask_second_factor(attempt, changed, "TokenGeneration_NewPasswordChallenge")


async def _sign_in(attempt: Attempt, user: Document, source: str) -> Json:
    service, call, pool, client = attempt.service, attempt.call, attempt.pool, attempt.client
    request: Json = {"userAttributes": event_attributes(user), "newDeviceUsed": False}
    if attempt.metadata:
        request["clientMetadata"] = attempt.metadata
    await triggers.ask(
        service, call, pool, "PostAuthentication", "PostAuthentication_Authentication",
        username=user["Username"], client_id=client["ClientId"], request=request, response={},
    )  # fmt: skip
    if attempt.wants_user:
        return {"User": user}
    result = await tokens.issue(service, call, pool, client, user, source=source, metadata=attempt.metadata)
    return {"ChallengeParameters": {}, "AuthenticationResult": result}


async def _renew(attempt: Attempt, token: str, *, by_secret: bool = False) -> Json:
    """`by_secret`: the client has shown its secret, and no hash of it."""
    service, call, pool, client = attempt.service, attempt.call, attempt.pool, attempt.client
    session, user = await tokens.renew(service, client, token)
    if not by_secret:
        _check_renewal_hash(attempt, user)
    if not user["Enabled"]:
        raise not_authorized("User is disabled.")
    source = "TokenGeneration_RefreshTokens"
    result = await tokens.issue(
        service, call, pool, client, user, source=source, metadata=attempt.metadata, renewed=session
    )
    return {"AuthenticationResult": result}


def _check_renewal_hash(attempt: Attempt, user: Document) -> None:
    """A renewal names no user: clients hash the username, or the sub."""
    given = attempt.parameters.get("SECRET_HASH")
    try:
        check_secret_hash(attempt.service, attempt.client, user["Username"], given)
    except AwsError:
        if not given:
            raise
        check_secret_hash(attempt.service, attempt.client, user["Sub"], given)


_CHALLENGES: dict[str, Callable[[Attempt], Awaitable[Json]]] = {
    "PASSWORD_VERIFIER": _answer_srp,
    NEW_PASSWORD: _answer_new_password,
    sign_in_custom.CHALLENGE: _answer_custom,
    sign_in_mfa.SELECT: _choose_factor,
    mfa.SETUP: _answer_setup,
    **{name: partial(_answer_code, challenge=name) for name in sign_in_mfa.CODES},
}
