"""What an app asks for at a domain (an authorization request), checked; and the code that it gets for it.

RFC 6749, RFC 7636 (PKCE), OpenID Connect Core 1.0; Developer Guide, "Authorize endpoint". One decision to know: where
the client or its redirect address is wrong the visitor is told so and sent nowhere; anything else is told to the app,
at that address. A code is sealed text that works once, for five minutes.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass

from freehold.aws.call import Json
from freehold.aws.errors import AwsError
from freehold.services.cognito_idp.record import (
    CognitoIdp,
    close,
    find_client,
    open_sealed,
    url_safe,
)
from freehold.services.cognito_idp.visit import Malformed, Page, Visit, redirect
from freehold.state.store import Document

CODE_S = 300.0
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43,128}")
_CODE_PLACE = "cognito-idp authorization code"
_FLOWS = {"code": "code", "token": "implicit"}  # response_type -> the client's AllowedOAuthFlows.


@dataclass(frozen=True, slots=True)
class Asked:
    """An authorization request that may be granted."""

    client: Document
    redirect_uri: str
    response_type: str
    scope: str
    state: str
    nonce: str
    challenge: str  # Of PKCE, by S256; empty: none.
    prompt: str


class Denied(Exception):
    """Told to the app: an error of RFC 6749 4.1.2.1."""

    def __init__(self, where: tuple[str, str, str], error: str, description: str) -> None:
        super().__init__(description)
        self.redirect_uri, self.state, self.response_type = where
        self.error = error
        self.description = description

    def page(self) -> Page:
        told = {"error": self.error, "error_description": self.description}
        if self.state:
            told["state"] = self.state
        return redirect(self.redirect_uri, told, fragment=self.response_type == "token")


async def read_request(visit: Visit, parameters: dict[str, str]) -> Asked:
    """Raises Malformed (for the visitor) or Denied (for the app)."""
    client = await oauth_client(visit.service, visit.pool, parameters.get("client_id", ""))
    if client is None:
        raise Malformed("The client does not exist, or may not use OAuth.")
    redirect_uri = parameters.get("redirect_uri") or client.get("DefaultRedirectURI") or ""
    if redirect_uri not in (client.get("CallbackURLs") or ()):
        raise Malformed("redirect_mismatch: redirect_uri is none of the client's callback addresses.")
    response_type = parameters.get("response_type", "")
    where = (redirect_uri, parameters.get("state", ""), response_type)
    if response_type not in _FLOWS:
        raise Denied(where, "unsupported_response_type", "response_type must be code or token")
    if _FLOWS[response_type] not in client["AllowedOAuthFlows"]:
        raise Denied(where, "unauthorized_client", f"the client may not use response_type {response_type}")
    if "COGNITO" not in (client.get("SupportedIdentityProviders") or ()):
        raise Malformed(
            "The client supports no identity provider: COGNITO is not among its SupportedIdentityProviders."
        )
    if parameters.get("identity_provider", "COGNITO") != "COGNITO":
        raise Denied(where, "invalid_request", "Freehold does not support other identity providers yet")
    scope = allowed_scope(client, parameters.get("scope", ""))
    if scope is None:
        raise Denied(where, "invalid_scope", "a scope is not among those that the client may ask for")
    challenge = parameters.get("code_challenge", "")
    if challenge or parameters.get("code_challenge_method"):
        if parameters.get("code_challenge_method") != "S256":
            raise Denied(where, "invalid_request", "code_challenge_method must be S256")
        if not _CHALLENGE.fullmatch(challenge) or response_type != "code":
            raise Denied(where, "invalid_request", "code_challenge is invalid")
    nonce, prompt = parameters.get("nonce", ""), parameters.get("prompt", "")
    return Asked(client, redirect_uri, response_type, scope, where[1], nonce, challenge, prompt)


async def oauth_client(service: CognitoIdp, pool: Document, client_id: str) -> Document | None:
    """A client of the pool that may use OAuth."""
    try:
        client = (await find_client(service, client_id, pool["Id"])).document
    except AwsError:
        return None
    return client if client["AllowedOAuthFlowsUserPoolClient"] else None


def allowed_scope(client: Document, asked: str) -> str | None:
    """What is asked for, or all that the client may ask for; None: it may not."""
    allowed = client.get("AllowedOAuthScopes") or []
    wanted = asked.split() or allowed
    return " ".join(dict.fromkeys(wanted)) if set(wanted) <= set(allowed) else None


def make_code(service: CognitoIdp, asked: Asked, session: Json) -> str:
    """`session`: of the visitor who is signed in; see authorize.py."""
    content = {
        "Id": service.ids.hex(32),
        "Client": asked.client["ClientId"],
        "Redirect": asked.redirect_uri,
        "Scope": asked.scope,
        "Nonce": asked.nonce,
        "Challenge": asked.challenge,
        "Sub": session["Sub"],
        "Era": session["Era"],
        "AuthTime": session["AuthTime"],
        "Until": service.clock.now_s() + CODE_S,
    }
    return url_safe(close(service, content, _CODE_PLACE))


def use_code(service: CognitoIdp, client: Document, code: str, redirect_uri: str, verifier: str) -> Json | None:
    """What the code holds; None where it is not this client's, not for this address or verifier, or no longer good."""
    content = open_sealed(service, code, _CODE_PLACE)
    now_s = service.clock.now_s()
    if content is None or content["Client"] != client["ClientId"] or content["Until"] <= now_s:
        return None
    if not service.spent.spend(content["Id"], content["Until"], now_s):
        return None
    if content["Redirect"] != redirect_uri or not _is_verified(content["Challenge"], verifier):
        return None
    return content


def _is_verified(challenge: str, verifier: str) -> bool:
    """A verifier for a code that was asked for without a challenge is somebody else's, too (RFC 9700 4.8.2)."""
    if not challenge:
        return not verifier
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=")
    return hmac.compare_digest(digest, challenge.encode())
