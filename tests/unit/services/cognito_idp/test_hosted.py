"""A domain's sign-in page and OAuth 2.0's endpoints: who gets a code and tokens, and who gets none."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import jwt
import orjson
import pytest
from tests.unit.services.cognito_idp.world import PASSWORD, World

from freehold.aws.errors import AwsError
from freehold.services.cognito_idp import hosted
from freehold.services.cognito_idp.visit import Page

BACK = "https://app.example/back"
OUT = "https://app.example/out"
VERIFIER = "a-verifier-of-at-least-forty-three-characters-0"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
PKCE = {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}
OAUTH: dict[str, Any] = {
    "AllowedOAuthFlowsUserPoolClient": True,
    "AllowedOAuthFlows": ["code"],
    "AllowedOAuthScopes": ["openid", "email", "aws.cognito.signin.user.admin"],
    "CallbackURLs": [BACK],
    "LogoutURLs": [OUT],
    "SupportedIdentityProviders": ["COGNITO"],
    "ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
}
FORM = {"content-type": "application/x-www-form-urlencoded"}


class Browser:
    """Keeps cookies, and follows nothing."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.cookies: dict[str, str] = {}

    async def __call__(self, method: str, path: str, form: dict[str, str] | None = None, **headers: str) -> Page:
        place = hosted.find_place(f"/_aws/cognito-idp/people{path.partition('?')[0]}", "localhost")
        assert place is not None
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if form is not None:
            sent |= FORM
        if self.cookies:
            sent["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        body = urlencode(form or {}).encode()
        page = await hosted.serve(self._world.cognito, place, method, path.partition("?")[2], sent, body)
        for name, value in page.headers:
            if name == "Set-Cookie":
                cookie, _, _ = value.partition(";")
                key, _, content = cookie.partition("=")
                if "Max-Age=0" in value:
                    self.cookies.pop(key, None)
                else:
                    self.cookies[key] = content
        return page

    async def log_in(self, query: str, **fields: str) -> Page:
        """Fills in the form of the page."""
        shown = await self("GET", f"/login?{query}")
        return await self.fill_in(query, shown, **fields)

    async def fill_in(self, query: str, shown: Page, **fields: str) -> Page:
        hidden = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', shown.body.decode()))
        return await self("POST", f"/login?{query}", {**hidden, **fields})


def header(page: Page, name: str) -> str:
    return next((value for key, value in page.headers if key.lower() == name.lower()), "")


def told(page: Page) -> dict[str, str]:
    """What the app is told at its address."""
    parts = urlsplit(header(page, "Location"))
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == BACK
    return dict(parse_qsl(parts.query or parts.fragment))


def problem(page: Page) -> str:
    found = re.search(r'id="problem">([^<]*)<', page.body.decode())
    return found[1] if found else ""


@pytest.fixture
async def oauth(world: World) -> Browser:
    await world.confirm()
    await world("CreateUserPoolDomain", UserPoolId=world.pool, Domain="people")
    await world("UpdateUserPoolClient", UserPoolId=world.pool, ClientId=world.app, **OAUTH)
    return Browser(world)


def asked(world: World, **more: str) -> str:
    wanted = {"response_type": "code", "client_id": world.app, "redirect_uri": BACK, "state": "s&1", **more}
    return urlencode({name: value for name, value in wanted.items() if value})


async def trade(browser: Browser, world: World, code: str, **more: str) -> dict[str, Any]:
    form = {"grant_type": "authorization_code", "client_id": world.app, "redirect_uri": BACK, "code": code, **more}
    page = await browser("POST", "/oauth2/token", {name: value for name, value in form.items() if value})
    found: dict[str, Any] = orjson.loads(page.body)
    assert (page.status == 200) is ("error" not in found)
    assert header(page, "Cache-Control") == "no-store"
    return found


async def test_who_signs_in_at_the_page_gets_a_code_and_for_it_tokens(world: World, oauth: Browser) -> None:
    query = asked(world, nonce="n1", scope="openid email", **PKCE)
    first = await oauth("GET", f"/oauth2/authorize?{query}")
    assert header(first, "Location") == f"/_aws/cognito-idp/people/login?{query}"
    answer = told(await oauth.log_in(query, username="ann", password=PASSWORD))
    assert answer["state"] == "s&1"
    tokens = await trade(oauth, world, answer["code"], code_verifier=VERIFIER)
    assert (tokens["token_type"], tokens["expires_in"]) == ("Bearer", 3600)
    access = jwt.decode(tokens["access_token"], options={"verify_signature": False})
    identity = jwt.decode(tokens["id_token"], options={"verify_signature": False})
    assert (access["scope"], access["version"], access["client_id"]) == ("openid email", 2, world.app)
    assert (identity["nonce"], identity["email"], identity["email_verified"]) == ("n1", "ann@example.com", True)
    digest = hashlib.sha256(tokens["access_token"].encode()).digest()[:16]
    assert identity["at_hash"] == base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

    info = await oauth("GET", "/oauth2/userInfo", authorization=f"Bearer {tokens['access_token']}")
    assert orjson.loads(info.body) == {
        "sub": access["sub"], "email": "ann@example.com", "email_verified": "true", "username": "ann",
    }  # fmt: skip
    with pytest.raises(AwsError, match="does not have required scopes"):
        await world("GetUser", AccessToken=tokens["access_token"])

    form = {"grant_type": "refresh_token", "client_id": world.app, "refresh_token": tokens["refresh_token"]}
    renewed = orjson.loads((await oauth("POST", "/oauth2/token", form)).body)
    again = jwt.decode(renewed["access_token"], options={"verify_signature": False})
    assert (again["scope"], again["origin_jti"]) == ("openid email", access["origin_jti"])
    assert "refresh_token" not in renewed
    gone = await oauth("POST", "/oauth2/revoke", {"token": tokens["refresh_token"], "client_id": world.app})
    assert (gone.status, gone.body) == (200, b"")
    assert orjson.loads((await oauth("POST", "/oauth2/token", form)).body) == {"error": "invalid_grant"}


async def test_a_visitor_who_has_signed_in_goes_on_at_once_until_signing_out(world: World, oauth: Browser) -> None:
    query = asked(world)
    await oauth.log_in(query, username="ann", password=PASSWORD)
    assert "code" in told(await oauth("GET", f"/oauth2/authorize?{query}"))
    again = await oauth("GET", f"/oauth2/authorize?{asked(world, prompt='login')}")
    assert "/login?" in header(again, "Location")
    out = await oauth("GET", f"/logout?{urlencode({'client_id': world.app, 'logout_uri': OUT})}")
    assert header(out, "Location") == OUT
    assert told(await oauth("GET", f"/oauth2/authorize?{asked(world, prompt='none')}"))["error"] == "login_required"
    page = await oauth("GET", f"/logout?{query}")
    assert "/login?" in header(page, "Location")


async def test_a_visit_ends_with_the_hour_the_users_sign_out_and_the_user(world: World, oauth: Browser) -> None:
    query = asked(world)

    async def is_in() -> bool:
        return BACK in header(await oauth("GET", f"/oauth2/authorize?{query}"), "Location")

    await oauth.log_in(query, username="ann", password=PASSWORD)
    world.clock.at_s += 3599
    assert await is_in()
    world.clock.at_s += 1
    assert not await is_in()
    await oauth.log_in(query, username="ann", password=PASSWORD)
    await world("AdminUserGlobalSignOut", UserPoolId=world.pool, Username="ann")
    assert not await is_in()
    page = await oauth.log_in(query, username="ann", password=PASSWORD)
    await world("AdminDisableUser", UserPoolId=world.pool, Username="ann")
    assert not await is_in()
    assert await trade(oauth, world, told(page)["code"]) == {"error": "invalid_grant"}


async def test_a_code_works_once_for_its_client_its_address_and_its_verifier(world: World, oauth: Browser) -> None:
    query = asked(world, **PKCE)
    await oauth.log_in(query, username="ann", password=PASSWORD)

    async def code(**more: str) -> str:
        return told(await oauth("GET", f"/oauth2/authorize?{asked(world, **more)}"))["code"]

    refused = {"error": "invalid_grant"}
    good = await code(**PKCE)
    assert "access_token" in await trade(oauth, world, good, code_verifier=VERIFIER)
    assert await trade(oauth, world, good, code_verifier=VERIFIER) == refused
    assert await trade(oauth, world, await code(**PKCE), code_verifier="another") == refused
    assert await trade(oauth, world, await code(**PKCE)) == refused
    assert await trade(oauth, world, await code(), code_verifier=VERIFIER) == refused
    assert await trade(oauth, world, await code(), redirect_uri="https://app.example/other") == refused
    assert await trade(oauth, world, "made-up") == refused
    late = await code()
    world.clock.at_s += 301
    assert await trade(oauth, world, late) == refused
    other = {"UserPoolId": world.pool, "ClientName": "other", **OAUTH}
    other_id = (await world("CreateUserPoolClient", **other))["UserPoolClient"]["ClientId"]
    assert await trade(oauth, world, await code(), client_id=other_id) == refused


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"client_id": "nobody"}, "The client does not exist"),
        ({"redirect_uri": "https://evil.example/"}, "redirect_mismatch"),
        ({"redirect_uri": f"{BACK}/../evil"}, "redirect_mismatch"),
        ({"redirect_uri": f"{BACK}?x=1"}, "redirect_mismatch"),
        ({"redirect_uri": ""}, "redirect_mismatch"),
    ],
)
async def test_nobody_is_sent_to_an_address_that_is_not_the_clients(
    world: World, oauth: Browser, more: dict[str, str], said: str
) -> None:
    for path in ("/oauth2/authorize", "/login"):
        page = await oauth("GET", f"{path}?{asked(world, **more)}")
        assert (page.status, header(page, "Location")) == (400, "")
        assert said in problem(page)
    twice = await oauth("GET", f"/oauth2/authorize?{asked(world)}&redirect_uri=https://evil.example/")
    assert twice.status == 400


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"response_type": "id_token"}, "unsupported_response_type"),
        ({"response_type": "token"}, "unauthorized_client"),
        ({"scope": "openid phone"}, "invalid_scope"),
        ({"code_challenge": CHALLENGE}, "invalid_request"),
        ({"code_challenge": CHALLENGE, "code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": "short", "code_challenge_method": "S256"}, "invalid_request"),
        ({"identity_provider": "Google"}, "invalid_request"),
    ],
)
async def test_what_is_else_wrong_is_told_to_the_app(
    world: World, oauth: Browser, more: dict[str, str], error: str
) -> None:
    answer = told(await oauth("GET", f"/oauth2/authorize?{asked(world, **more)}"))
    assert (answer["error"], answer["state"]) == (error, "s&1")


async def test_a_wrong_password_stays_on_the_page_and_locks_as_the_api_does(world: World, oauth: Browser) -> None:
    query = asked(world)
    page = await oauth.log_in(query, username='ann"><script>', password="Wrong-horse-1")
    assert b"<script>" not in page.body
    for _ in range(5):
        page = await oauth.log_in(query, username="ann", password="Wrong-horse-1")
        assert (page.status, problem(page)) == (200, "Incorrect username or password.")
    page = await oauth.log_in(query, username="ann", password=PASSWORD)
    assert problem(page) == "Password attempts exceeded"


async def test_a_form_that_the_page_did_not_give_signs_nobody_in(world: World, oauth: Browser) -> None:
    query = asked(world)
    fields = {"username": "ann", "password": PASSWORD}
    for form in (fields, {**fields, "_csrf": ""}, {**fields, "_csrf": "x"}):
        page = await oauth("POST", f"/login?{query}", form)
        assert "The form was too old" in problem(page)
        oauth.cookies.clear()
    shown = await oauth("GET", f"/login?{query}")
    for name in ("Content-Security-Policy", "X-Frame-Options", "Referrer-Policy"):
        assert header(shown, name)


async def test_cookies_are_of_the_domains_pages_alone_and_out_of_reach_of_scripts(world: World, oauth: Browser) -> None:
    shown = await oauth("GET", f"/login?{asked(world)}")
    cookie = header(shown, "Set-Cookie")
    for part in ("; Path=/_aws/cognito-idp/people;", "; HttpOnly", "; SameSite=Lax"):
        assert part in cookie
    assert "Secure" not in cookie
    behind_tls = await oauth("GET", f"/login?{asked(world)}", x_forwarded_proto="https")
    assert header(behind_tls, "Set-Cookie").endswith("; Secure")


async def test_a_temporary_password_is_changed_at_the_page(world: World, oauth: Browser) -> None:
    user = {"UserPoolId": world.pool, "Username": "bob", "TemporaryPassword": "Temporary-1"}
    await world("AdminCreateUser", **user, MessageAction="SUPPRESS")
    query = asked(world)
    shown = await oauth.log_in(query, username="bob", password="Temporary-1")
    assert b"Choose a new password." in shown.body
    page = await oauth.fill_in(query, shown, password="Permanent-horse-1")
    assert "code" in told(page)


async def test_openid_alone_opens_all_attributes_and_no_openid_gives_no_id_token(world: World, oauth: Browser) -> None:
    await oauth.log_in(asked(world), username="ann", password=PASSWORD)

    async def claims(scope: str) -> tuple[dict[str, Any], dict[str, Any]]:
        code = told(await oauth("GET", f"/oauth2/authorize?{asked(world, scope=scope)}"))["code"]
        tokens = await trade(oauth, world, code)
        own = tokens.get("id_token")
        identity = jwt.decode(own, options={"verify_signature": False}) if own else {}
        return jwt.decode(tokens["access_token"], options={"verify_signature": False}), identity

    given = [{"Name": "name", "Value": "Ann"}]
    await world("AdminUpdateUserAttributes", UserPoolId=world.pool, Username="ann", UserAttributes=given)
    _, identity = await claims("openid")
    assert (identity["name"], identity["email"]) == ("Ann", "ann@example.com")
    _, identity = await claims("openid email")
    assert "name" not in identity
    _, identity = await claims("aws.cognito.signin.user.admin")
    assert identity == {}
    whole, _ = await claims("")
    assert whole["scope"] == "openid email aws.cognito.signin.user.admin"


async def test_the_implicit_flow_gives_tokens_behind_the_address(world: World, oauth: Browser) -> None:
    implicit = {**OAUTH, "AllowedOAuthFlows": ["implicit"]}
    await world("UpdateUserPoolClient", UserPoolId=world.pool, ClientId=world.app, **implicit)
    page = await oauth.log_in(asked(world, response_type="token"), username="ann", password=PASSWORD)
    assert "#" in header(page, "Location")
    answer = told(page)
    assert set(answer) == {"access_token", "id_token", "token_type", "expires_in", "state"}
    assert await trade(oauth, world, "any") == {"error": "unauthorized_client"}


async def test_an_app_with_a_secret_gets_tokens_for_itself(world: World, oauth: Browser) -> None:
    scopes = [{"ScopeName": "read", "ScopeDescription": "r"}, {"ScopeName": "write", "ScopeDescription": "w"}]
    server = {"UserPoolId": world.pool, "Identifier": "https://items.example", "Name": "items"}
    await world("CreateResourceServer", **server, Scopes=scopes)
    wanted = {
        "UserPoolId": world.pool, "ClientName": "machine", "GenerateSecret": True,
        "AllowedOAuthFlowsUserPoolClient": True, "AllowedOAuthFlows": ["client_credentials"],
        "AllowedOAuthScopes": ["https://items.example/read"],
    }  # fmt: skip
    client = (await world("CreateUserPoolClient", **wanted))["UserPoolClient"]
    name, secret = client["ClientId"], client["ClientSecret"]
    basic = "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()
    form = {"grant_type": "client_credentials"}
    page = await oauth("POST", "/oauth2/token", form, authorization=basic)
    tokens = orjson.loads(page.body)
    assert set(tokens) == {"access_token", "expires_in", "token_type"}
    claims = jwt.decode(tokens["access_token"], options={"verify_signature": False})
    assert (claims["sub"], claims["scope"]) == (name, "https://items.example/read")
    assert "username" not in claims
    info = await oauth("GET", "/oauth2/userInfo", authorization=f"Bearer {tokens['access_token']}")
    assert info.status == 401

    async def error(form: dict[str, str], **headers: str) -> str:
        page = await oauth("POST", "/oauth2/token", form, **headers)
        assert page.status == 400
        return str(orjson.loads(page.body)["error"])

    wrong = "Basic " + base64.b64encode(f"{name}:{secret}x".encode()).decode()
    assert await error(form, authorization=wrong) == "invalid_client"
    assert await error({**form, "client_id": name}) == "invalid_client"
    assert await error({**form, "client_id": "nobody"}) == "invalid_client"
    assert await error({**form, "client_id": world.app, "client_secret": "x"}) == "invalid_client"
    assert await error({**form, "client_id": world.app}) == "unauthorized_client"
    assert await error({**form, "scope": "https://items.example/write"}, authorization=basic) == "invalid_scope"
    assert await error({**form, "client_id": world.app}, authorization=basic) == "invalid_request"
    assert await error({"grant_type": "password"}, authorization=basic) == "unsupported_grant_type"
    assert await error({}, authorization=basic) == "invalid_request"
    with pytest.raises(AwsError, match=r"Invalid scope requested: https://items\.example/gone"):
        await world("CreateUserPoolClient", **{**wanted, "AllowedOAuthScopes": ["https://items.example/gone"]})


async def test_pages_of_other_origins_may_trade_codes_and_ask_who_signed_in(world: World, oauth: Browser) -> None:
    for path in ("/oauth2/token", "/oauth2/userInfo", "/oauth2/revoke"):
        preflight = await oauth("OPTIONS", path, origin="https://app.example")
        assert (preflight.status, header(preflight, "Access-Control-Allow-Origin")) == (200, "*")
        assert header(await oauth("POST", path, {}), "Access-Control-Allow-Origin") == "*"
    shown = await oauth("GET", f"/login?{asked(world)}")
    assert header(shown, "Access-Control-Allow-Origin") == ""
    assert (await oauth("OPTIONS", "/login")).status == 405
    assert (await oauth("GET", "/signup")).status == 404


@pytest.mark.parametrize("token", ["", "made.up", "e30.e30.e30"])
async def test_user_info_wants_an_access_token(world: World, oauth: Browser, token: str) -> None:
    page = await oauth("GET", "/oauth2/userInfo", authorization=f"Bearer {token}")
    assert page.status == 401
    assert header(page, "WWW-Authenticate").startswith('Bearer error="invalid_')
    plain = (await world.sign_in())["AuthenticationResult"]["AccessToken"]
    refused = await oauth("GET", "/oauth2/userInfo", authorization=f"Bearer {plain}")
    assert refused.status == 401  # Of the API: its scope is not openid.


async def test_domains_are_made_told_and_taken_away(world: World) -> None:
    mine = {"UserPoolId": world.pool, "Domain": "people"}
    for name, said in (("Upper", "Invalid domain"), ("-x", "Invalid domain"), ("my-cognito", "reserved word: cognito")):
        with pytest.raises(AwsError, match=said):
            await world("CreateUserPoolDomain", UserPoolId=world.pool, Domain=name)
    with pytest.raises(AwsError, match="does not support custom domains"):
        await world("CreateUserPoolDomain", **mine, CustomDomainConfig={"CertificateArn": "arn:aws:acm:x"})
    assert await world("CreateUserPoolDomain", **mine) == {"ManagedLoginVersion": 1}
    with pytest.raises(AwsError, match="already has a domain"):
        await world("CreateUserPoolDomain", UserPoolId=world.pool, Domain="other")
    second = (await world("CreateUserPool", PoolName="second"))["UserPool"]["Id"]
    with pytest.raises(AwsError, match="already associated"):
        await world("CreateUserPoolDomain", UserPoolId=second, Domain="people")
    described = (await world("DescribeUserPoolDomain", Domain="people"))["DomainDescription"]
    assert (described["UserPoolId"], described["Status"]) == (world.pool, "ACTIVE")
    assert described["CloudFrontDistribution"].endswith("/_aws/cognito-idp/people")
    assert (await world("DescribeUserPool", UserPoolId=world.pool))["UserPool"]["Domain"] == "people"
    assert await world("UpdateUserPoolDomain", **mine, ManagedLoginVersion=2) == {"ManagedLoginVersion": 2}
    with pytest.raises(AwsError, match="It has a domain configured"):
        await world("DeleteUserPool", UserPoolId=world.pool)
    with pytest.raises(AwsError, match="No such domain"):
        await world("DeleteUserPoolDomain", UserPoolId=second, Domain="people")
    await world("DeleteUserPoolDomain", **mine)
    assert await world("DescribeUserPoolDomain", Domain="people") == {"DomainDescription": {}}
    await world("DeleteUserPool", UserPoolId=world.pool)


@pytest.mark.parametrize(
    ("path", "host", "expected"),
    [
        ("/_aws/cognito-idp/people/login", "localhost:4566", ("people", "/_aws/cognito-idp/people", "/login")),
        ("/oauth2/token", "people.auth.us-east-1.amazoncognito.com", ("people", "", "/oauth2/token")),
        ("/login", "people.auth.us-east-1.localhost:4566", ("people", "", "/login")),
        ("/x", "bucket.auth.s3.amazonaws.com", None),
        ("/x", "localhost", None),
    ],
)  # fmt: skip
def test_a_domain_is_named_by_path_or_host(path: str, host: str, expected: tuple[str, str, str] | None) -> None:
    place = hosted.find_place(path, host)
    assert (None if place is None else (place.prefix, place.base, place.path)) == expected
