"""Lambda triggers: a pool's functions, asked at fixed points with AWS's events.

Amazon Cognito Developer Guide, "Customizing user pool workflows with Lambda triggers": a function has five seconds, and
is asked up to three times when it does not answer in time. Fails closed: what the function refuses does not happen.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import orjson

from freehold.aws.call import Call, Json
from freehold.aws.errors import AwsError
from freehold.services.cognito_idp.record import CognitoIdp
from freehold.state.store import Document

SUPPORTED = frozenset(
    {
        "PreSignUp", "PostConfirmation", "PreAuthentication", "PostAuthentication", "PreTokenGeneration",
        "PreTokenGenerationConfig", "CustomMessage", "DefineAuthChallenge", "CreateAuthChallenge",
        "VerifyAuthChallengeResponse",
    }
)  # fmt: skip
PRINCIPAL = "cognito-idp.amazonaws.com"
TIMEOUT_S = 5.0
_ATTEMPTS = 3
_SDK = "aws-sdk-unknown-unknown"


def function_of(pool: Document, trigger: str) -> str | None:
    """The ARN of the trigger's function."""
    found = pool["LambdaConfig"].get(trigger)
    return found if isinstance(found, str) and found else None


async def ask(
    service: CognitoIdp,
    call: Call,
    pool: Document,
    trigger: str,
    source: str,
    *,
    username: str | None,
    client_id: str | None,
    request: Json,
    response: Json,
    version: str = "1",
    arn: str | None = None,
) -> Json | None:
    """The `response` of the event that the function gives back; None: the pool has no such trigger.

    Raises UserLambdaValidationException (the function failed), InvalidLambdaResponseException and
    UnexpectedLambdaException.
    """
    arn = arn or function_of(pool, trigger)
    if arn is None:
        return None
    event: Json = {
        "version": version,
        "region": call.region,
        "userPoolId": pool["Id"],
        "userName": username,
        "callerContext": {"awsSdkVersion": _SDK, "clientId": client_id or "CLIENT_ID_NOT_APPLICABLE"},
        "triggerSource": source,
        "request": request,
        "response": response,
    }
    answer = await _invoke(service, call, trigger, arn, orjson.dumps(event))
    found = answer.get("response") if isinstance(answer, dict) else None
    if not isinstance(found, dict):
        raise AwsError("InvalidLambdaResponseException", "Unrecognizable lambda output", status=400)
    return found


def texts(value: Any) -> dict[str, str]:
    """A map of text out of an answer: other values as JSON text; nothing where there is no map."""
    if not isinstance(value, dict):
        return {}
    return {str(k): v if isinstance(v, str) else orjson.dumps(v).decode() for k, v in value.items() if v is not None}


async def _invoke(service: CognitoIdp, call: Call, trigger: str, arn: str, payload: bytes) -> Any:
    aws = service.bind(replace(call, service_principal=PRINCIPAL, principal="", request_id=""))
    for attempt in range(_ATTEMPTS):
        try:
            async with asyncio.timeout(TIMEOUT_S):
                result = await aws("lambda", "Invoke", {"FunctionName": arn, "Payload": payload})
        except TimeoutError:
            if attempt + 1 < _ATTEMPTS:
                continue
            message = (
                f"{trigger} invocation failed due to configuration or timeout: no answer in {TIMEOUT_S:g} seconds."
            )
            raise AwsError("UnexpectedLambdaException", message, status=400) from None
        except AwsError as error:
            message = f"{trigger} invocation failed due to error {error.code}."
            raise AwsError("UnexpectedLambdaException", message, status=400) from error
        break
    try:
        answer = orjson.loads(result["Payload"])
    except orjson.JSONDecodeError:
        raise AwsError("InvalidLambdaResponseException", "Unrecognizable lambda output", status=400) from None
    if result.get("FunctionError"):
        told = answer.get("errorMessage", "") if isinstance(answer, dict) else ""
        raise AwsError("UserLambdaValidationException", f"{trigger} failed with error {told}.", status=400)
    return answer
