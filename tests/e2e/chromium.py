"""A real browser without a window: Debian's Chromium, driven over its DevTools protocol. It reaches this machine alone.

`scripts/setup dev` installs it where it may; where it could not, the browser's tests are skipped and say so.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

_START_LIMIT_S = 60.0
_WAIT_LIMIT_MS = 30_000
_PAGE_IS_GONE = ("context was destroyed", "navigated or closed", "Cannot find context")
_MOST_PAGES = 200
_OPTIONS = (
    "--headless=new",
    "--no-sandbox",  # Tests may run as root, in a container.
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
    "--remote-debugging-port=0",
)


def find_chromium() -> str | None:
    return shutil.which("chromium") or shutil.which("chromium-browser")


class Page:
    """One tab."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._number = 0

    def open(self, url: str) -> None:
        """Returns when the page and its scripts are loaded."""
        self._call("Page.navigate", url=url)
        self.wait(f"location.href === {json.dumps(url)} && document.readyState === 'complete'")

    def run(self, script: str) -> Any:
        """The value of a JavaScript expression; of a promise, when it is settled."""
        result = self._call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    def wait(self, condition: str) -> None:
        """Until the JavaScript expression is true."""
        found = self.run(
            f"""new Promise((resolve) => {{
                const until = performance.now() + {_WAIT_LIMIT_MS};
                const look = () => {{
                    let is = false;
                    try {{ is = Boolean({condition}); }} catch (error) {{ is = false; }}
                    if (is || performance.now() > until) resolve(is); else setTimeout(look, 20);
                }};
                look();
            }})"""
        )
        assert found, f"the page did not come to: {condition}"

    def arrive(self, condition: str) -> None:
        """As `wait`, over pages that come one after the other: a script ends with the page that it runs in."""
        for _ in range(_MOST_PAGES):
            try:
                self.wait(condition)
                return
            except AssertionError as error:
                if not any(words in str(error) for words in _PAGE_IS_GONE):
                    raise
        raise AssertionError(f"the pages did not come to: {condition}")

    def _call(self, method: str, **parameters: Any) -> Any:
        self._number += 1
        self._connection.send(json.dumps({"id": self._number, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self._connection.recv(timeout=_WAIT_LIMIT_MS / 1000 + 10))
            if answer.get("id") == self._number:
                assert "error" not in answer, answer["error"]
                return answer["result"]


@contextmanager
def browser(program: str, profile: Path) -> Iterator[Page]:
    """A browser with a fresh profile and one empty page; ended with its processes."""
    process = subprocess.Popen(
        [program, *_OPTIONS, f"--user-data-dir={profile}", "about:blank"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    watchdog = threading.Timer(_START_LIMIT_S, process.kill)
    watchdog.start()
    try:
        port = _port(process)
        watchdog.cancel()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list", timeout=10) as answer:
            (page,) = [each for each in json.loads(answer.read()) if each["type"] == "page"]
        with connect(page["webSocketDebuggerUrl"], max_size=None) as connection:
            yield Page(connection)
    finally:
        watchdog.cancel()
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stderr is not None:
            process.stderr.close()


def _port(process: subprocess.Popen[str]) -> int:
    """Where it listens, as it says on its way up; whatever else it says is read and forgotten."""
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        said.append(line)
        if line.startswith("DevTools listening on ws://"):
            threading.Thread(target=process.stderr.read, daemon=True).start()
            return int(line.split("://", 1)[1].split("/", 1)[0].rsplit(":", 1)[1])
    raise AssertionError(f"the browser did not start:\n{''.join(said)}")
