"""One request of a domain's pages, and the answer, as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, urlencode

import orjson

from freehold.aws.call import Call, Json
from freehold.services.cognito_idp.record import CognitoIdp, pool_region
from freehold.state.store import Document


@dataclass(frozen=True, slots=True)
class Visit:
    service: CognitoIdp
    pool: Document
    base: str  # What the paths of the domain's pages begin with: "/_aws/cognito-idp/my-app", or nothing.
    query: str
    headers: dict[str, str]  # By lower-case name.
    body: bytes

    @property
    def call(self) -> Call:
        """Nobody signed it; in the pool's region."""
        return Call(region=pool_region(self.pool["Id"]), account=self.pool["Arn"].split(":")[4])

    def parameters(self) -> dict[str, str]:
        """Of the query. Raises Malformed."""
        return _once(self.query)

    def form(self) -> dict[str, str]:
        """Of the body. Raises Malformed."""
        try:
            return _once(self.body.decode())
        except UnicodeDecodeError:
            raise Malformed("The form is not UTF-8.") from None

    def cookie(self, name: str) -> str:
        try:
            found = SimpleCookie(self.headers.get("cookie", "")).get(name)
        except CookieError:
            return ""
        return "" if found is None else found.value

    def set_cookie(self, name: str, value: str, seconds: int) -> tuple[str, str]:
        """For this domain's pages only, and out of reach of scripts."""
        # Behind a web server that speaks TLS, only there.
        secure = "; Secure" if self.headers.get("x-forwarded-proto", "").strip().lower() == "https" else ""
        path = self.base or "/"
        return ("Set-Cookie", f"{name}={value}; Path={path}; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}")


class Malformed(Exception):
    """The request is none that OAuth allows; the words are for who sent it."""


@dataclass(frozen=True, slots=True)
class Page:
    status: int
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""


def text_page(status: int, text: str) -> Page:
    return Page(status, [("Content-Type", "text/plain; charset=utf-8")], text.encode())


def json_page(status: int, document: Json, *headers: tuple[str, str]) -> Page:
    """Tokens are kept by no cache (RFC 6749 5.1)."""
    fixed = [("Content-Type", "application/json;charset=UTF-8"), ("Cache-Control", "no-store"), ("Pragma", "no-cache")]
    return Page(status, [*fixed, *headers], orjson.dumps(document))


def redirect(url: str, parameters: dict[str, str], *headers: tuple[str, str], fragment: bool = False) -> Page:
    """To an address that may have a query already."""
    more = urlencode(parameters)
    mark = "#" if fragment else "&" if "?" in url else "?"
    return Page(302, [("Location", f"{url}{mark}{more}" if more else url), ("Cache-Control", "no-store"), *headers])


def _once(text: str) -> dict[str, str]:
    """No parameter may come twice (RFC 6749 3.1)."""
    pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=100) if text.count("&") < 100 else []
    found = dict(pairs)
    if len(found) != len(pairs) or (text and not pairs):
        raise Malformed("A parameter comes twice, or there are too many.")
    return found
