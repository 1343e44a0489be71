"""One request of a sign-in: who asks what of which pool."""

from __future__ import annotations

from dataclasses import dataclass

from freehold.aws.call import Call, Json, in_region
from freehold.services.cognito_idp.record import CognitoIdp, client_and_pool, invalid, not_authorized, pool_region
from freehold.services.cognito_idp.users import find_user
from freehold.state.store import Document


@dataclass(frozen=True, slots=True)
class Attempt:
    service: CognitoIdp
    call: Call  # In the pool's region.
    pool: Document
    client: Document
    parameters: Json  # AuthParameters or ChallengeResponses.
    session: str | None
    metadata: Json
    wants_user: bool = False  # Of the sign-in page, which makes no tokens: whoever signed in is the answer's "User".

    def parameter(self, name: str) -> str:
        value = self.parameters.get(name)
        if not value:
            raise invalid(f"Missing required parameter {name}")
        return str(value)


async def open_attempt(service: CognitoIdp, call: Call, request: Json, parameters: str) -> Attempt:
    """`parameters`: the member of the request that holds them. Raises ResourceNotFoundException."""
    client, pool = await client_and_pool(service, call, request["ClientId"], request.get("UserPoolId"))
    return Attempt(
        service,
        in_region(call, pool_region(pool["Id"])),
        pool,
        client,
        request.get(parameters) or {},
        request.get("Session"),
        request.get("ClientMetadata") or {},
    )


async def same_user(attempt: Attempt, session: Json) -> Document:
    """The user whose sign-in began, with the password of then."""
    user = (await find_user(attempt.service, attempt.pool, attempt.parameter("USERNAME"))).document
    if user["Username"] != session["Username"] or user.get("PasswordSet") != session["PasswordSet"]:
        raise not_authorized("Invalid session for the user.")
    return user
