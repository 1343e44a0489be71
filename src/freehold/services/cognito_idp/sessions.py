"""Between InitiateAuth and RespondToAuthChallenge: a sealed session that works once, for one client, for minutes."""

from __future__ import annotations

from freehold.aws.call import Json
from freehold.services.cognito_idp.record import CognitoIdp, close, not_authorized, open_sealed
from freehold.state.store import Document

_INVALID = "Invalid session for the user."
_EXPIRED = "Invalid session for the user, session is expired."


def begin(service: CognitoIdp, client: Document, challenge: str, content: Json) -> str:
    """The session's text. `content` is what the next request must know and its caller must not."""
    until_s = service.clock.now_s() + client["AuthSessionValidity"] * 60
    session = {"Id": service.ids.hex(32), "Client": client["ClientId"], "Until": until_s, **content}
    return close(service, session, _place(challenge))


def proceed(service: CognitoIdp, client: Document, challenge: str, text: str | None) -> Json:
    """What `begin` was given. Raises NotAuthorizedException; a session that was answered once is over."""
    session = look(service, client, challenge, text)
    if not service.spent.spend(session["Id"], session["Until"], service.clock.now_s()):
        raise not_authorized(_INVALID)
    return session


def look(service: CognitoIdp, client: Document, challenge: str, text: str | None) -> Json:
    """The same, and the session may still be answered."""
    session = open_sealed(service, text or "", _place(challenge))
    if session is None or session["Client"] != client["ClientId"]:
        raise not_authorized(_INVALID)
    if session["Until"] <= service.clock.now_s():
        raise not_authorized(_EXPIRED)
    return session


def client_of(service: CognitoIdp, challenge: str, text: str | None) -> str | None:
    """For requests that name no client; None: it is no session."""
    session = open_sealed(service, text or "", _place(challenge))
    return None if session is None else str(session["Client"])


def _place(challenge: str) -> str:
    return f"cognito-idp session {challenge}"
