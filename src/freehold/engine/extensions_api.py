"""/2020-01-01/extension and the subscriptions of telemetry and logs, over HTTP: who asks what, and AWS's answers.

AWS: "Lambda Extensions API reference"; error types and words as in AWS's runtime interface emulator. The requests come
from the environment's own listener, runtime_api.py's.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import orjson

from freehold.engine.extensions import INVOKE, MOST, SHUTDOWN, Extension, Extensions, ExtensionState
from freehold.engine.inside_http import InsideRequest, not_found, wrong_method
from freehold.engine.telemetry_api import CLOSED, PATHS, Invalid, read_subscription

_PREFIX = "/2020-01-01/extension/"
_OK = b'{"status":"OK"}'
_NAME = re.compile(r"[\x21-\x7e ]{1,128}")
_IDENTIFIER = re.compile(r"[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")


class ExtensionsApi:
    """`begin` for the listener. `engage` is called with the first registration."""

    def __init__(self, extensions: Extensions, engage: Callable[[], None]) -> None:
        self._extensions = extensions
        self._engage = engage

    def begin(self, request: InsideRequest) -> bool:
        """False: it is none of ours."""
        path = request.path
        if path in PATHS:
            request.on_whole = self._subscribe if request.method == "PUT" else wrong_method
            return True
        if not path.startswith(_PREFIX):
            return False
        routes: dict[str, tuple[str, Callable[[InsideRequest], None]]] = {
            "register": ("POST", self._register),
            "event/next": ("GET", self._next),
            "init/error": ("POST", self._init_error),
            "exit/error": ("POST", self._exit_error),
        }
        method, handle = routes.get(path.removeprefix(_PREFIX), (request.method, not_found))
        request.on_whole = handle if method == request.method else wrong_method
        return True

    def _register(self, request: InsideRequest) -> None:
        extensions = self._extensions
        name = request.headers.get("lambda-extension-name", "")
        if not _NAME.fullmatch(name):
            request.refuse(403, "Extension.InvalidExtensionName", "Empty extension name")
            return
        wanted = _read_events(request)
        if wanted is None:
            return
        extension = extensions.find(name)
        is_external = extension is not None and extension.is_external
        for event in wanted:
            if event not in (INVOKE, SHUTDOWN):
                request.refuse(403, "Extension.InvalidEventType", f"{event[:64]}: ErrorInvalidEventType")
                return
            if event == SHUTDOWN and not is_external:
                why = "ShutdownEventNotSupportedForInternalExtension"
                request.refuse(403, "Extension.InvalidEventType", f"{event}: {why}")
                return
        if extension is None:
            if not extensions.open:
                message = "Extension registration closed already"
                request.refuse(403, "Extension.RegistrationClosed", message)
                return
            if len(extensions.all) >= MOST:
                request.refuse(403, "Extension.TooManyExtensions", f"Extension limit ({MOST}) reached")
                return
            self._engage()
            extension = extensions.add(name, is_external=False)
        elif not is_external:
            request.refuse(403, "Extension.InvalidExtensionState", "Extension with this name already registered")
            return
        if not self._may(request, extension, ExtensionState.REGISTERED):
            return
        extensions.registered(extension, wanted)
        request.answer(200, self._welcome(request), headers={"Lambda-Extension-Identifier": extension.identifier})

    def _welcome(self, request: InsideRequest) -> bytes:
        function = self._extensions.environment.function
        answer = {
            "functionName": function.name,
            "functionVersion": function.version,
            "handler": function.handler,
        }
        features = request.headers.get("lambda-extension-accept-feature", "").split(",")
        if "accountId" in (feature.strip() for feature in features):
            answer["accountId"] = function.account
        return orjson.dumps(answer)

    def _next(self, request: InsideRequest) -> None:
        extension = self._identify(request)
        if extension is None:
            return
        again = extension.state is ExtensionState.READY and extension.waiting is None
        again = again or (extension.state is ExtensionState.RUNNING and extension.unsent is not None)
        if again or self._may(request, extension, ExtensionState.READY):
            self._extensions.asked(extension, request)

    def _init_error(self, request: InsideRequest) -> None:
        self._fail(request, ExtensionState.INIT_ERROR)

    def _exit_error(self, request: InsideRequest) -> None:
        self._fail(request, ExtensionState.EXIT_ERROR)

    def _fail(self, request: InsideRequest, state: ExtensionState) -> None:
        extension = self._identify(request)
        if extension is None:
            return
        said = request.headers.get("lambda-extension-function-error-type", "")
        if not said:
            message = "Lambda-Extension-Function-Error-Type not found"
            request.refuse(403, "Extension.MissingHeader", message)
            return
        if self._may(request, extension, state):
            request.answer(202, _OK)
            self._extensions.failed(extension, state, re.sub(r"[^\x20-\x7e]", "", said)[:256])

    def _subscribe(self, request: InsideRequest) -> None:
        extension = self._identify(request)
        if extension is None:
            return
        telemetry, api = self._extensions.telemetry, PATHS[request.path]
        if not telemetry.is_open:
            request.refuse(403, *CLOSED[api])
            return
        if telemetry.api_of(extension.name) not in (None, api):
            request.refuse(403, CLOSED[api][0], "An extension subscribes to the Telemetry API or to the Logs API")
            return
        try:
            subscription = read_subscription(extension.name, api, bytes(request.body))
        except Invalid as error:
            request.refuse(400, "ValidationError", str(error)[:1000])
            return
        telemetry.subscribe(subscription)
        request.answer(200, b'"OK"')

    def _identify(self, request: InsideRequest) -> Extension | None:
        """None, and the extension was told: the header is missing, wrong, or nobody's."""
        identifier = request.headers.get("lambda-extension-identifier", "")
        if not identifier:
            message = "Missing Lambda-Extension-Identifier header"
            request.refuse(403, "Extension.MissingExtensionIdentifier", message)
        elif not _IDENTIFIER.fullmatch(identifier):
            request.refuse(403, "Extension.InvalidExtensionIdentifier", "Invalid Lambda-Extension-Identifier")
        elif (found := self._extensions.all.get(identifier.lower())) is None:
            message = f"Unknown extension {identifier}"
            request.refuse(403, "Extension.UnknownExtensionIdentifier", message)
        else:
            return found
        return None

    def _may(self, request: InsideRequest, extension: Extension, state: ExtensionState) -> bool:
        if extension.may(state):
            return True
        message = (
            f"State transition from {extension.state.value} to {state.value} failed for extension {extension.name}. "
            "Error: State transition is not allowed"
        )
        request.refuse(403, "Extension.InvalidExtensionState", message)
        return False


def _read_events(request: InsideRequest) -> list[str] | None:
    """None, and the extension was told, for a body that is not as documented."""
    try:
        body = orjson.loads(request.body)
        wanted = body.get("events") or []
        if body.get("configurationKeys"):
            raise ValueError("configurationKeys are deprecated; use environment variables instead")
        if not isinstance(wanted, list):
            raise ValueError("events must be a list")
    except (ValueError, AttributeError) as error:
        request.refuse(403, "InvalidRequestFormat", str(error)[:200])
        return None
    return list(dict.fromkeys(str(event) for event in wanted))
