"""The page of examples/sign-in, in a real browser: its visitor joins and signs in at a user pool of another origin, and
calls the API of the article's `cognitoAuthorizer`, of another origin too.
"""

from __future__ import annotations

import functools
import http.server
import json
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from freehold.runtimes.node_packages import tools_directory
from tests.e2e.chromium import Page, browser, find_chromium
from tests.e2e.conftest import CommandLine, fetch, outputs, resources
from tests.live import LiveServer

_LIBRARY = tools_directory() / "browser/node_modules/amazon-cognito-identity-js/dist/amazon-cognito-identity.min.js"
_CHROMIUM = find_chromium()
_PASSWORD = "Correct-horse-1"

pytestmark = [
    pytest.mark.skipif(_CHROMIUM is None, reason="there is no Chromium: apt-get install chromium"),
    pytest.mark.skipif(not _LIBRARY.is_file(), reason="scripts/setup dev has not installed the page's library"),
]


@pytest.fixture
def web(example: Callable[[str], CommandLine], monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[CommandLine, str]]:
    """The example, and where its page is."""
    run = example("sign-in")
    folder = run.directory / "web"
    shutil.copy(_LIBRARY, folder)
    handler = functools.partial(_QuietHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        origin = f"http://localhost:{server.server_address[1]}"
        monkeypatch.setenv("WEB_ORIGIN", origin)
        yield run, origin
        server.shutdown()
        thread.join()


class _QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None:
        """Not on the terminal of the tests."""


class Visitor:
    def __init__(self, page: Page) -> None:
        self.page = page

    def type(self, **fields: str) -> None:
        for name, text in fields.items():
            self.page.run(f"document.getElementById({json.dumps(name)}).value = {json.dumps(text)}")

    def press(self, button: str) -> str:
        """What the page says then."""
        self.page.run(f"document.getElementById({json.dumps(button)}).click()")
        self.page.wait("document.getElementById('status').textContent !== '...'")
        return str(self.page.run("document.getElementById('status').textContent"))


def test_a_visitor_of_a_page_signs_up_and_in_and_calls_the_protected_api(
    own_server: LiveServer, web: tuple[CommandLine, str], tmp_path: Path
) -> None:
    run, origin = web
    run("serverless", "deploy", "--endpoint-url", own_server.endpoint)
    told = outputs(own_server, "sign-in-dev")
    pool, app = told["UserPoolId"], told["UserPoolClientId"]
    api_id = resources(own_server, "sign-in-dev")["HttpApi"]["PhysicalResourceId"]
    api = f"{own_server.endpoint}/_aws/execute-api/{api_id}"
    assert fetch(f"{api}/protected").status == 401

    assert _CHROMIUM is not None
    with browser(_CHROMIUM, tmp_path / "profile") as page:
        visitor = Visitor(page)
        page.open(f"{origin}/?endpoint={own_server.endpoint}/&pool={pool}&client={app}&api={api}")
        assert visitor.press("call") == '401 {"message":"Unauthorized"}'

        visitor.type(email="ann@example.com", password="weak")
        assert visitor.press("sign-up").startswith("InvalidPasswordException: Password did not conform with policy")
        visitor.type(password=_PASSWORD)
        assert visitor.press("sign-up") == "a code was sent"
        assert visitor.press("sign-in").startswith("UserNotConfirmedException")
        visitor.type(code="000000")
        assert visitor.press("confirm").startswith("CodeMismatchException")
        visitor.type(code=_code(own_server, pool))
        assert visitor.press("confirm") == "confirmed"

        visitor.type(password="Wrong-horse-1")
        assert visitor.press("sign-in") == "NotAuthorizedException: Incorrect username or password."
        visitor.type(password=_PASSWORD)
        assert visitor.press("sign-in") == "signed in"
        status, body = visitor.press("call").split(" ", 1)
        assert (status, json.loads(body)["message"]) == ("200", "Hello, ann@example.com!")

        own_server.restart()
        page.open(f"{origin}/?endpoint={own_server.endpoint}/&pool={pool}&client={app}&api={api}&again")
        assert visitor.press("call").startswith("200 ")  # With what the page kept.
        _spoil_tokens(page)
        assert visitor.press("call").startswith("200 ")  # With new ones, for the refresh token.

        assert visitor.press("sign-out") == "signed out"
        assert visitor.press("call") == '401 {"message":"Unauthorized"}'
        assert _others(page, own_server.endpoint) == "refused"


def _code(server: LiveServer, pool: str) -> str:
    events = server.client("logs").filter_log_events(logGroupName=f"/aws/cognito/userpools/{pool}")["events"]
    return re.findall(r"is (\d{6})\b", events[-1]["message"])[-1]


def _spoil_tokens(page: Page) -> None:
    """As if they had run out: the library renews what it cannot read an expiry from."""
    page.run(
        """Object.keys(localStorage).filter((key) => /[.](idToken|accessToken)$/.test(key))
           .forEach((key) => localStorage.setItem(key, 'e30.eyJleHAiOjF9.x'))"""
    )


def _others(page: Page, endpoint: str) -> str:
    """What becomes of a call of another service from the page."""
    target = "DynamoDB_20120810.ListTables"
    return str(
        page.run(
            f"""fetch({json.dumps(endpoint + "/")}, {{method: 'POST', body: '{{}}',
                headers: {{'X-Amz-Target': {json.dumps(target)}, 'Content-Type': 'application/x-amz-json-1.0'}}}})
                .then(() => 'answered', () => 'refused')"""
        )
    )
