"""A domain's pages: the sign-in page and OAuth 2.0's endpoints, by AWS's paths below the domain.

Amazon Cognito Developer Guide, "User pool endpoints and managed login reference". One decision to know: a domain is
served at `/_aws/cognito-idp/{prefix}` of our endpoint, and by AWS's host name where a client sends that; here are
values only, whoever listens makes requests of them.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from freehold.services.cognito_idp import authorize, oauth_tokens
from freehold.services.cognito_idp.domains import HOSTED_PATH, pool_of_domain
from freehold.services.cognito_idp.record import CognitoIdp
from freehold.services.cognito_idp.visit import Page, Visit, text_page

_HOST = re.compile(r"(?P<prefix>[a-z0-9-]+)\.auth\.[a-z0-9-]+\.(?:amazoncognito\.com|localhost)(?::\d+)?")
_MOST_BYTES = 64 * 1024
_PAGES: dict[tuple[str, str], Callable[[Visit], Awaitable[Page]]] = {
    ("GET", "/oauth2/authorize"): authorize.authorize,
    ("GET", "/login"): authorize.show_login,
    ("POST", "/login"): authorize.log_in,
    ("GET", "/logout"): authorize.log_out,
    ("POST", "/oauth2/token"): oauth_tokens.give_tokens,
    ("POST", "/oauth2/revoke"): oauth_tokens.revoke,
    ("GET", "/oauth2/userInfo"): oauth_tokens.user_info,
    ("POST", "/oauth2/userInfo"): oauth_tokens.user_info,
}
# What scripts of other origins may call: an app in a page trades its code for tokens.
_OPEN_TO_PAGES = frozenset({"/oauth2/token", "/oauth2/revoke", "/oauth2/userInfo"})
_ANY_ORIGIN = ("Access-Control-Allow-Origin", "*")
_PREFLIGHT = [
    _ANY_ORIGIN,
    ("Access-Control-Allow-Headers", "authorization,content-type"),
    ("Access-Control-Allow-Methods", "GET,POST"),
    ("Access-Control-Max-Age", "7200"),
]


@dataclass(frozen=True, slots=True)
class Place:
    prefix: str  # The domain's name.
    base: str  # What the paths of its pages begin with; empty where the host names it.
    path: str  # Below that.


def find_place(path: str, host: str) -> Place | None:
    """None: no domain is meant."""
    if path.startswith(HOSTED_PATH):
        prefix, slash, rest = path[len(HOSTED_PATH) :].partition("/")
        return Place(prefix, HOSTED_PATH + prefix, slash + rest)
    found = _HOST.fullmatch(host) if ".auth." in host else None
    return None if found is None else Place(found["prefix"], "", path)


async def serve(
    service: CognitoIdp, place: Place, method: str, query: str, headers: dict[str, str], body: bytes
) -> Page:
    """`headers` by lower-case name."""
    pool = await pool_of_domain(service, place.prefix)
    if pool is None:
        return text_page(404, f"There is no user pool domain {place.prefix}.")
    if place.path in _OPEN_TO_PAGES and method == "OPTIONS":
        return Page(200, list(_PREFLIGHT))
    answer = _PAGES.get((method, place.path))
    if answer is None:
        known = {path for _, path in _PAGES}
        status = 405 if place.path in known else 404
        return text_page(status, f"Freehold does not have {method} {place.path} of user pool domains.")
    if len(body) > _MOST_BYTES:
        return text_page(413, "The form is too large.")
    page = await answer(Visit(service, pool, place.base, query, headers, body))
    if place.path in _OPEN_TO_PAGES:
        page.headers.append(_ANY_ORIGIN)
    return page
