"""What apps call at a domain: /oauth2/token, /oauth2/revoke and /oauth2/userInfo.

Developer Guide, "Token endpoint", "Revoke endpoint", "userInfo endpoint"; RFC 6749 and RFC 7009. Errors are those
pages' names, as JSON.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from urllib.parse import unquote_plus

from freehold.aws.call import Json
from freehold.aws.errors import AwsError
from freehold.services.cognito_idp import grants, tokens
from freehold.services.cognito_idp.clients import client_secret
from freehold.services.cognito_idp.users import find_user
from freehold.services.cognito_idp.visit import Malformed, Page, Visit, json_page
from freehold.state.store import Document

_SOURCE = "TokenGeneration_HostedAuth"
_RENEWED = "TokenGeneration_RefreshTokens"


class _Refused(Exception):
    """`error` of the answer."""


async def give_tokens(visit: Visit) -> Page:
    try:
        form = _form(visit)
        client = await _client(visit, form)
        grant_type = form.get("grant_type", "")
        if grant_type == "authorization_code":
            return json_page(200, await _by_code(visit, client, form))
        if grant_type == "refresh_token":
            return json_page(200, await _by_refresh_token(visit, client, form))
        if grant_type == "client_credentials":
            return json_page(200, await _by_credentials(visit, client, form))
        raise _Refused("unsupported_grant_type" if grant_type else "invalid_request")
    except _Refused as refused:
        return json_page(400, {"error": str(refused)})


async def revoke(visit: Visit) -> Page:
    """Refresh tokens only, as AWS's."""
    try:
        form = _form(visit)
        client = await _client(visit, form)
        if not form.get("token"):
            raise _Refused("invalid_request")
        if not client["EnableTokenRevocation"]:
            raise _Refused("invalid_request")
        await tokens.revoke(visit.service, client, form["token"])
    except _Refused as refused:
        return json_page(400, {"error": str(refused)})
    except AwsError as error:
        name = "unsupported_token_type" if error.code == "UnsupportedTokenTypeException" else "unauthorized_client"
        return json_page(400, {"error": name})
    return Page(200, [("Cache-Control", "no-store")])


async def user_info(visit: Visit) -> Page:
    """The user's attributes that the token's scopes open; flags are text, as AWS has them here."""
    kind, _, token = visit.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not token:
        return _unauthorized("invalid_request", "Access token is missing.")
    try:
        who = await tokens.signed_in(visit.service, visit.call, token.strip(), "openid")
    except AwsError as error:
        return _unauthorized("invalid_token", error.message)
    if who.pool["Id"] != visit.pool["Id"]:
        return _unauthorized("invalid_token", "Access token is of another user pool.")
    attributes = tokens.attributes_of(who.client, who.user["Attributes"], str(who.claims["scope"]))
    return json_page(200, {"sub": who.user["Sub"], **attributes, "username": who.user["Username"]})


async def _by_code(visit: Visit, client: Document, form: dict[str, str]) -> Json:
    if "code" not in (client.get("AllowedOAuthFlows") or ()):
        raise _Refused("unauthorized_client")
    if not form.get("code") or not form.get("redirect_uri"):
        raise _Refused("invalid_request")
    verifier = form.get("code_verifier", "")
    content = grants.use_code(visit.service, client, form["code"], form["redirect_uri"], verifier)
    if content is None:
        raise _Refused("invalid_grant")
    try:
        user = (await find_user(visit.service, visit.pool, content["Sub"])).document
    except AwsError:
        raise _Refused("invalid_grant") from None
    if not user["Enabled"] or user["Era"] != content["Era"]:
        raise _Refused("invalid_grant")
    grant = tokens.Grant(content["Scope"], content["Nonce"], content["AuthTime"])
    return _answer(await _issue(visit, client, user, source=_SOURCE, grant=grant))


async def _by_refresh_token(visit: Visit, client: Document, form: dict[str, str]) -> Json:
    if not form.get("refresh_token"):
        raise _Refused("invalid_request")
    try:
        session, user = await tokens.renew(visit.service, client, form["refresh_token"])
    except AwsError:
        raise _Refused("invalid_grant") from None
    if not user["Enabled"]:
        raise _Refused("invalid_grant")
    return _answer(await _issue(visit, client, user, source=_RENEWED, renewed=session))


async def _by_credentials(visit: Visit, client: Document, form: dict[str, str]) -> Json:
    if "client_credentials" not in (client.get("AllowedOAuthFlows") or ()):
        raise _Refused("unauthorized_client")
    scope = grants.allowed_scope(client, form.get("scope", ""))
    if scope is None:
        raise _Refused("invalid_scope")
    return _answer(await tokens.issue_to_client(visit.service, visit.pool, client, scope))


async def _issue(
    visit: Visit,
    client: Document,
    user: Document,
    *,
    source: str,
    grant: tokens.Grant | None = None,
    renewed: Json | None = None,
) -> Json:
    """A trigger that refuses ends it here, too."""
    try:
        return await tokens.issue(
            visit.service, visit.call, visit.pool, client, user, source=source, grant=grant, renewed=renewed
        )
    except AwsError:
        raise _Refused("invalid_request") from None


def _answer(made: Json) -> Json:
    answer = {"access_token": made["AccessToken"], "expires_in": made["ExpiresIn"], "token_type": made["TokenType"]}
    for member, name in (("IdToken", "id_token"), ("RefreshToken", "refresh_token")):
        if member in made:
            answer[name] = made[member]
    return answer


def _form(visit: Visit) -> dict[str, str]:
    content_type = visit.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/x-www-form-urlencoded":
        raise _Refused("invalid_request")
    try:
        return visit.form()
    except Malformed:
        raise _Refused("invalid_request") from None


async def _client(visit: Visit, form: dict[str, str]) -> Document:
    """Who asks, by its secret where it has one: in the Authorization header or in the form."""
    client_id, given = _credentials(visit, form)
    client = await grants.oauth_client(visit.service, visit.pool, client_id)
    if client is None:
        raise _Refused("invalid_client")
    secret = client_secret(visit.service, client)
    if not hmac.compare_digest((secret or "").encode(), given.encode()):
        raise _Refused("invalid_client")
    return client


def _credentials(visit: Visit, form: dict[str, str]) -> tuple[str, str]:
    header = visit.headers.get("authorization", "")
    kind, _, text = header.partition(" ")
    if not header:
        return form.get("client_id", ""), form.get("client_secret", "")
    if kind.lower() != "basic" or "client_secret" in form:
        raise _Refused("invalid_request")
    try:
        name, _, secret = base64.b64decode(text.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise _Refused("invalid_client") from None
    name = unquote_plus(name)
    if form.get("client_id", name) != name:
        raise _Refused("invalid_request")
    return name, unquote_plus(secret)


def _unauthorized(error: str, description: str) -> Page:
    told = f'Bearer error="{error}", error_description="{description}"'
    return json_page(401, {"error": error, "error_description": description}, ("WWW-Authenticate", told))
