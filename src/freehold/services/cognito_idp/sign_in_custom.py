"""CUSTOM_AUTH: a pool's functions define what a sign-in asks for, make the challenges and judge the answers.

Developer Guide, "Custom authentication challenge Lambda triggers". One decision to know: what was asked and answered so
far travels in the sealed session; nothing is kept here between two requests.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from freehold.aws.call import Json
from freehold.aws.errors import AwsError
from freehold.services.cognito_idp import passwords, sessions, triggers
from freehold.services.cognito_idp.attempt import Attempt
from freehold.services.cognito_idp.record import not_authorized
from freehold.services.cognito_idp.users import event_attributes
from freehold.state.store import Document

CHALLENGE = "CUSTOM_CHALLENGE"
PASSWORD = "PASSWORD_VERIFIER"
_LONGEST_SESSION = 2048  # Of the API's member.
_MOST_CHALLENGES = 20


@dataclass(frozen=True, slots=True)
class Step:
    """What the functions want next."""

    is_done: bool = False  # The user is let in.
    wants_password: bool = False  # By SRP.
    answer: Json | None = None  # A challenge.


async def define(attempt: Attempt, user: Document, history: list[Json]) -> Step:
    """`history`: [{challengeName, challengeResult, challengeMetadata}]. Raises NotAuthorizedException."""
    request: Json = {"userAttributes": event_attributes(user), "session": history, "userNotFound": False}
    empty = {"challengeName": None, "issueTokens": None, "failAuthentication": None}
    answer = await _ask(attempt, user, "DefineAuthChallenge", request, empty)
    if answer.get("failAuthentication") is True or len(history) >= _MOST_CHALLENGES:
        raise not_authorized(passwords.WRONG)
    if answer.get("issueTokens") is True:
        return Step(is_done=True)
    name = answer.get("challengeName")
    if name == PASSWORD:
        return Step(wants_password=True)
    if name != CHALLENGE:
        message = f"DefineAuthChallenge answered with the challenge {name}: it is {CHALLENGE} or {PASSWORD}."
        raise AwsError("InvalidLambdaResponseException", message, status=400)
    return Step(answer=await _challenge(attempt, user, history))


async def judge(attempt: Attempt, user: Document, session: Json) -> list[Json]:
    """The history with the caller's answer to the challenge of `session`."""
    request = {
        "userAttributes": event_attributes(user),
        "privateChallengeParameters": session["Private"],
        "challengeAnswer": attempt.parameter("ANSWER"),
        "userNotFound": False,
    }
    answer = await _ask(attempt, user, "VerifyAuthChallengeResponse", request, {"answerCorrect": None})
    return [*session["History"], _done(CHALLENGE, answer.get("answerCorrect") is True, session["Metadata"])]


def proved(name: str, history: list[Json]) -> list[Json]:
    """The history with what the caller has shown without a function: SRP_A, PASSWORD_VERIFIER."""
    return [*history, _done(name, is_right=True, metadata=None)]


def proceed(attempt: Attempt) -> Json:
    """The session of the challenge that is answered. Raises NotAuthorizedException."""
    return sessions.proceed(attempt.service, attempt.client, CHALLENGE, attempt.session)


async def _challenge(attempt: Attempt, user: Document, history: list[Json]) -> Json:
    request = {
        "userAttributes": event_attributes(user),
        "challengeName": CHALLENGE,
        "session": history,
        "userNotFound": False,
    }
    empty = {"publicChallengeParameters": None, "privateChallengeParameters": None, "challengeMetadata": None}
    made = await _ask(attempt, user, "CreateAuthChallenge", request, empty)
    metadata = made.get("challengeMetadata")
    content = {
        "Username": user["Username"],
        "PasswordSet": user.get("PasswordSet"),
        "Private": triggers.texts(made.get("privateChallengeParameters")),
        "Metadata": metadata if isinstance(metadata, str) else None,
        "History": history,
    }
    session = sessions.begin(attempt.service, attempt.client, CHALLENGE, content)
    if len(session) > _LONGEST_SESSION:
        message = "CreateAuthChallenge answered with more than a session holds."
        raise AwsError("InvalidLambdaResponseException", message, status=400)
    public = triggers.texts(made.get("publicChallengeParameters"))
    parameters = {**public, "USERNAME": user["Username"]}
    return {"ChallengeName": CHALLENGE, "Session": session, "ChallengeParameters": parameters}


async def _ask(attempt: Attempt, user: Document, trigger: str, request: Json, empty: Json) -> Json:
    if attempt.metadata:
        request = {**request, "clientMetadata": attempt.metadata}
    answer = await triggers.ask(
        attempt.service, attempt.call, attempt.pool, trigger, f"{trigger}_Authentication",
        username=user["Username"], client_id=attempt.client["ClientId"], request=request, response=empty,
    )  # fmt: skip
    if answer is None:
        raise AwsError(
            "InvalidParameterException", f"Custom auth lambda trigger {trigger} is not configured.", status=400
        )
    return answer


def _done(name: str, is_right: bool, metadata: Any) -> Json:
    told: Json = {"challengeName": name, "challengeResult": is_right}
    return told if metadata is None else {**told, "challengeMetadata": metadata}
