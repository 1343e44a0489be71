"""Where a browser signs in: /oauth2/authorize, the /login page and /logout.

Developer Guide, "Authorize endpoint", "Login endpoint", "Logout endpoint". One decision to know: the steps of a sign-in
are those of the API (sign_in.py), so that triggers, locks and challenges are the same; what they give here is a
cookie, sealed, which lasts an hour and ends with a global sign-out.
"""

from __future__ import annotations

import hmac
from urllib.parse import urlencode

from freehold.aws.call import Json
from freehold.aws.errors import AwsError
from freehold.services.cognito_idp import grants, login_page, sign_in, tokens
from freehold.services.cognito_idp.attempt import Attempt
from freehold.services.cognito_idp.clients import secret_hash
from freehold.services.cognito_idp.record import close, open_sealed, url_safe
from freehold.services.cognito_idp.users import find_user
from freehold.services.cognito_idp.visit import Malformed, Page, Visit, redirect
from freehold.state.store import Document

SESSION_S = 3600
_SESSION, _FORM = "cognito", "XSRF-TOKEN"  # Cookies.
_PLACE = "cognito-idp hosted session"
_SOURCE = "TokenGeneration_HostedAuth"


async def authorize(visit: Visit) -> Page:
    """Who is signed in goes on to the app at once; others see the page first."""
    return await _guarded(visit, _authorize)


async def show_login(visit: Visit) -> Page:
    return await _guarded(visit, _show_login)


async def log_in(visit: Visit) -> Page:
    return await _guarded(visit, _log_in)


async def log_out(visit: Visit) -> Page:
    """To an address of the client's LogoutURLs, or to the page to sign in again."""
    return await _guarded(visit, _log_out)


async def _authorize(visit: Visit) -> Page:
    asked = await grants.read_request(visit, visit.parameters())
    session = None if asked.prompt == "login" else await _session(visit)
    if session is not None:
        return await _grant(visit, asked, session)
    if asked.prompt == "none":
        raise grants.Denied(
            (asked.redirect_uri, asked.state, asked.response_type), "login_required", "the visitor is not signed in"
        )
    return redirect(f"{visit.base}/login?{visit.query}", {})


async def _show_login(visit: Visit) -> Page:
    parameters = visit.parameters()
    asked = await grants.read_request(visit, parameters)
    return _page(visit, asked, login_page.Form(username=parameters.get("login_hint", "")))


async def _log_in(visit: Visit) -> Page:
    asked = await grants.read_request(visit, visit.parameters())
    form = visit.form()
    username = form.get("username", "").strip()
    expected = visit.cookie(_FORM)
    if not expected or not hmac.compare_digest(expected.encode(), form.get("_csrf", "").encode()):
        return _page(visit, asked, login_page.Form(username=username, problem="The form was too old. Try again."))
    try:
        answer = await _step(visit, asked.client, username, form)
    except AwsError as error:
        # A challenge works once: who fails it begins again.
        return _page(visit, asked, login_page.Form(username=username, problem=error.message))
    user = answer.get("User")
    if user is None:
        return _page(visit, asked, login_page.of_challenge(answer, username))
    session = {
        "Pool": visit.pool["Id"],
        "Sub": user["Sub"],
        "Era": user["Era"],
        "AuthTime": int(visit.service.clock.now_s()),
        "Until": visit.service.clock.now_s() + SESSION_S,
    }
    page = await _grant(visit, asked, session)
    sealed = url_safe(close(visit.service, session, _PLACE))
    page.headers.append(visit.set_cookie(_SESSION, sealed, SESSION_S))
    page.headers.append(visit.set_cookie(_FORM, "", 0))
    return page


async def _step(visit: Visit, client: Document, username: str, form: dict[str, str]) -> Json:
    """The answer to the form: a challenge, or the user who has signed in."""
    parameters: Json = {"USERNAME": username}
    challenge = form.get("challenge", "")
    if not challenge:
        parameters["PASSWORD"] = form.get("password", "")
    else:
        parameters |= login_page.responses(form)
    made = secret_hash(visit.service, client, username)
    if made is not None:
        parameters["SECRET_HASH"] = made
    attempt = Attempt(
        visit.service, visit.call, visit.pool, client, parameters, form.get("session"), {}, wants_user=True
    )
    return await (sign_in.answer_challenge(attempt, challenge) if challenge else sign_in.with_password(attempt))


async def _grant(visit: Visit, asked: grants.Asked, session: Json) -> Page:
    more = {"state": asked.state} if asked.state else {}
    if asked.response_type == "code":
        return redirect(asked.redirect_uri, {"code": grants.make_code(visit.service, asked, session), **more})
    user = (await find_user(visit.service, visit.pool, session["Sub"])).document
    grant = tokens.Grant(asked.scope, asked.nonce, session["AuthTime"])
    made = await tokens.issue(visit.service, visit.call, visit.pool, asked.client, user, source=_SOURCE, grant=grant)
    given = {"access_token": made["AccessToken"], "token_type": "Bearer", "expires_in": str(made["ExpiresIn"]), **more}
    if "IdToken" in made:
        given["id_token"] = made["IdToken"]
    return redirect(asked.redirect_uri, given, fragment=True)


async def _session(visit: Visit) -> Json | None:
    """Of the visitor's cookie, while its user may still sign in."""
    session = open_sealed(visit.service, visit.cookie(_SESSION), _PLACE)
    if session is None or session["Pool"] != visit.pool["Id"] or session["Until"] <= visit.service.clock.now_s():
        return None
    try:
        user = (await find_user(visit.service, visit.pool, session["Sub"])).document
    except AwsError:
        return None
    return session if user["Enabled"] and user["Era"] == session["Era"] else None


async def _log_out(visit: Visit) -> Page:
    parameters = visit.parameters()
    client = await grants.oauth_client(visit.service, visit.pool, parameters.get("client_id", ""))
    if client is None:
        raise Malformed("The client does not exist, or may not use OAuth.")
    away = parameters.get("logout_uri")
    if away is not None:
        if away not in (client.get("LogoutURLs") or ()):
            raise Malformed("logout_uri is none of the client's sign-out addresses.")
        page = redirect(away, {"state": parameters["state"]} if parameters.get("state") else {})
    else:
        await grants.read_request(visit, parameters)
        page = redirect(f"{visit.base}/login?{urlencode(parameters)}", {})
    page.headers.append(visit.set_cookie(_SESSION, "", 0))
    return page


async def _guarded(visit: Visit, answer: login_page.Answer) -> Page:
    """What is wrong is told to the visitor, or to the app."""
    try:
        return await answer(visit)
    except Malformed as malformed:
        return login_page.error_page(400, str(malformed))
    except grants.Denied as denied:
        return denied.page()


def _page(visit: Visit, asked: grants.Asked, form: login_page.Form) -> Page:
    secret = visit.cookie(_FORM) or visit.service.ids.hex(32)
    action = f"{visit.base}/login?{visit.query}"
    page = login_page.show(asked.client["ClientName"], action, secret, form)
    page.headers.append(visit.set_cookie(_FORM, secret, SESSION_S))
    return page
