"""A page in a real browser sends its visitor to a user pool's sign-in page and back, with PKCE, and asks who it was."""

from __future__ import annotations

import functools
import http.server
import json
import threading
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest

from freehold.services.cognito_idp import totp
from tests.e2e.chromium import Page, browser, find_chromium
from tests.live import LiveServer

_CHROMIUM = find_chromium()
_PASSWORD = "Correct-horse-1"
# An app without a server, as its makers would write it: the verifier waits in the tab, the code comes in the address.
_PAGE = """<!doctype html><title>app</title><p id="status">...</p><script>
const { home, app } = JSON.parse(localStorage.getItem("settings") || "{}");
const here = location.origin + "/";
const text = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes)))
  .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const say = (words) => { document.getElementById("status").textContent = words; };
async function signIn() {
  const verifier = text(crypto.getRandomValues(new Uint8Array(48)));
  const challenge = text(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier)));
  const state = text(crypto.getRandomValues(new Uint8Array(16)));
  sessionStorage.setItem("begun", JSON.stringify({ verifier, state }));
  location.href = home + "/oauth2/authorize?" + new URLSearchParams({ response_type: "code", client_id: app,
    redirect_uri: here, state, scope: "openid email", code_challenge: challenge, code_challenge_method: "S256" });
}
async function finish(code, state) {
  const begun = JSON.parse(sessionStorage.getItem("begun"));
  if (begun.state !== state) return say("another state");
  const body = new URLSearchParams({ grant_type: "authorization_code", client_id: app, redirect_uri: here, code,
    code_verifier: begun.verifier });
  const tokens = await (await fetch(home + "/oauth2/token", { method: "POST", body })).json();
  if (tokens.error) return say(tokens.error);
  const info = await fetch(home + "/oauth2/userInfo", { headers: { Authorization: "Bearer " + tokens.access_token } });
  say("signed in as " + (await info.json()).email);
}
function signOut() {
  location.href = home + "/logout?" + new URLSearchParams({ client_id: app, logout_uri: here + "?out" });
}
const found = new URLSearchParams(location.search);
if (found.has("code")) finish(found.get("code"), found.get("state")).catch((error) => say(String(error)));
else say(found.has("error") ? found.get("error") : found.has("out") ? "signed out" : "nobody");
</script>"""

pytestmark = pytest.mark.skipif(_CHROMIUM is None, reason="there is no Chromium: apt-get install chromium")


class _QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None:
        """Not on the terminal of the tests."""


@pytest.fixture
def origin(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "web").mkdir()
    (tmp_path / "web/index.html").write_text(_PAGE)
    handler = functools.partial(_QuietHandler, directory=str(tmp_path / "web"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://localhost:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def _fill_in(page: Page, **fields: str) -> None:
    for name, text in fields.items():
        page.arrive(f"document.getElementById({json.dumps(name)}) !== null")
        page.run(f"document.getElementById({json.dumps(name)}).value = {json.dumps(text)}")
    page.run("document.getElementById('submit').click()")


def _says(page: Page, words: str) -> None:
    page.arrive(f"document.getElementById('status').textContent === {json.dumps(words)}")


def test_a_visitor_signs_in_at_the_pools_own_page_with_pkce(server: LiveServer, origin: str, tmp_path: Path) -> None:
    cognito = server.client("cognito-idp")
    totp_only = {"SoftwareTokenMfaConfiguration": {"Enabled": True}, "MfaConfiguration": "OPTIONAL"}
    pool = cognito.create_user_pool(PoolName="browsed", UsernameAttributes=["email"])["UserPool"]["Id"]
    cognito.set_user_pool_mfa_config(UserPoolId=pool, **totp_only)
    cognito.create_user_pool_domain(UserPoolId=pool, Domain="browsed")
    home = cognito.describe_user_pool_domain(Domain="browsed")["DomainDescription"]["CloudFrontDistribution"]
    app = cognito.create_user_pool_client(
        UserPoolId=pool,
        ClientName="An app in a page",
        AllowedOAuthFlowsUserPoolClient=True,
        AllowedOAuthFlows=["code"],
        AllowedOAuthScopes=["openid", "email"],
        CallbackURLs=[f"{origin}/"],
        LogoutURLs=[f"{origin}/?out"],
        SupportedIdentityProviders=["COGNITO"],
        ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"],
    )["UserPoolClient"]["ClientId"]
    mine = {"UserPoolId": pool, "Username": "ann@example.com"}
    cognito.admin_create_user(**mine, MessageAction="SUPPRESS")
    cognito.admin_set_user_password(**mine, Password=_PASSWORD, Permanent=True)

    assert _CHROMIUM is not None
    with browser(_CHROMIUM, tmp_path / "profile") as page:
        page.open(f"{origin}/")
        settings = json.dumps({"home": home, "app": app})
        page.run(f"localStorage.setItem('settings', {json.dumps(settings)})")
        page.open(f"{origin}/?begin")
        page.run("signIn()")
        page.arrive("document.querySelector('h1').textContent === 'Sign in to An app in a page'")
        _fill_in(page, username="ann@example.com", password="Wrong-horse-1")
        page.arrive("document.getElementById('problem').textContent === 'Incorrect username or password.'")
        _fill_in(page, username="ann@example.com", password=_PASSWORD)
        _says(page, "signed in as ann@example.com")

        # The same visitor again is not asked again; after signing out, he is.
        page.open(f"{origin}/?again")
        page.run("signIn()")
        _says(page, "signed in as ann@example.com")
        page.run("signOut()")
        _says(page, "signed out")

        secret = _set_up_second_factor(server, app)
        page.run("signIn()")
        _fill_in(page, username="ann@example.com", password=_PASSWORD)
        page.arrive("document.getElementById('code') !== null")
        now = page.run("Date.now() / 1000")
        _fill_in(page, code=totp.code_at(secret, int(now) // totp.STEP_S))
        _says(page, "signed in as ann@example.com")


def _set_up_second_factor(server: LiveServer, app: str) -> str:
    """The secret of an authenticator app."""
    cognito = server.client("cognito-idp")
    parameters = {"USERNAME": "ann@example.com", "PASSWORD": _PASSWORD}
    signed_in = cognito.initiate_auth(ClientId=app, AuthFlow="USER_PASSWORD_AUTH", AuthParameters=parameters)
    token = signed_in["AuthenticationResult"]["AccessToken"]
    secret: str = cognito.associate_software_token(AccessToken=token)["SecretCode"]
    date = signed_in["ResponseMetadata"]["HTTPHeaders"]["date"]
    step = int(parsedate_to_datetime(date).timestamp()) // totp.STEP_S
    cognito.verify_software_token(AccessToken=token, UserCode=totp.code_at(secret, step))
    wanted = {"Enabled": True, "PreferredMfa": True}
    cognito.set_user_mfa_preference(AccessToken=token, SoftwareTokenMfaSettings=wanted)
    return secret
