"""USER_SRP_AUTH: the password is proved and never sent. Developer Guide, "Sign in with persistent passwords and secure
payload". One decision to know: a client that hides who exists is given a challenge for nobody too, of the same shape
and the same salt each time, which no answer meets.
"""

from __future__ import annotations

import asyncio
import binascii
import hmac
import re
from base64 import b64decode
from dataclasses import dataclass

from freehold.aws.call import Json
from freehold.aws.errors import AwsError
from freehold.services.cognito_idp import passwords, sessions, srp
from freehold.services.cognito_idp.record import CognitoIdp, invalid, pool_name_of
from freehold.services.cognito_idp.users import find_user
from freehold.state.store import Document

CHALLENGE = "PASSWORD_VERIFIER"
_HEX = re.compile(r"[0-9a-fA-F]{1,1024}")


@dataclass(frozen=True, slots=True)
class Proof:
    signature: str  # Base64.
    secret_block: str  # Base64; ours, given back.
    timestamp: str  # "Tue Apr 25 20:52:40 UTC 2017", as the client signed it.


async def begin(
    service: CognitoIdp,
    pool: Document,
    client: Document,
    user: Document | None,
    username: str,
    public: str,
    history: list[Json] | None = None,
) -> Json:
    """The answer with the challenge. `public`: SRP_A, hexadecimal. `history`: of a custom sign-in, which goes on when
    the password is proved. Raises InvalidParameterException."""
    if not _HEX.fullmatch(public) or not srp.is_public(int(public, 16)):
        raise invalid("SRP_A is no valid public value.")
    name = username if user is None else user["Username"]
    known = None if user is None else passwords.open_verifier(service, pool["Id"], user)
    verifier = known or passwords.decoy(service, pool["Id"], name)
    private = int(service.ids.hex(srp.PRIVATE_HEX_DIGITS), 16)
    theirs = await asyncio.to_thread(srp.server_public, verifier, private)
    session = {
        "Username": name,
        "A": public,
        "Private": f"{private:x}",
        "Public": f"{theirs:x}",
        "PasswordSet": user.get("PasswordSet") if user else None,
        "History": history,
    }
    return {
        "ChallengeName": CHALLENGE,
        "ChallengeParameters": {
            "SALT": verifier.salt,
            "SECRET_BLOCK": sessions.begin(service, client, CHALLENGE, session),
            "SRP_B": f"{theirs:x}",
            "USERNAME": name,
            "USER_ID_FOR_SRP": name,
        },
    }


async def finish(
    service: CognitoIdp, pool: Document, client: Document, username: str, proof: Proof
) -> tuple[Document, list[Json] | None]:
    """The user who proved the password, and the history of a custom sign-in. Raises NotAuthorizedException; counts what
    is wrong."""
    session = sessions.proceed(service, client, CHALLENGE, proof.secret_block)
    pool_id, name = pool["Id"], session["Username"]
    user = await _asked_for(service, pool, username, session)
    await passwords.prove(service, pool_id, name, user, lambda asked: _is_proved(asked, pool_id, name, session, proof))
    assert user is not None
    return user, session["History"]


async def _asked_for(service: CognitoIdp, pool: Document, username: str, session: Json) -> Document | None:
    """The user whose sign-in began, unless it is another now, or has another password."""
    try:
        user = (await find_user(service, pool, username)).document
    except AwsError:
        return None
    is_same = user["Username"] == session["Username"] and user.get("PasswordSet") == session["PasswordSet"]
    return user if is_same else None


def _is_proved(verifier: srp.Verifier, pool_id: str, name: str, session: Json, proof: Proof) -> bool:
    try:
        secret = b64decode(proof.secret_block, validate=True)
    except (binascii.Error, ValueError):
        return False
    theirs, ours, public = (int(session[name], 16) for name in ("A", "Private", "Public"))
    claim_key = srp.claim_key(verifier, theirs, ours, public)
    expected = srp.claim_signature(claim_key, pool_name_of(pool_id), name, secret, proof.timestamp)
    return hmac.compare_digest(expected.encode(), proof.signature.encode())
