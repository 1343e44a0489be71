"""PUT /2022-07-01/telemetry and PUT /2020-08-15/logs: who subscribes to what, and where in the sandbox it goes.

AWS: "Lambda Telemetry API reference", "Lambda Logs API". Pure: a body in, a Subscription out, or what is wrong with it.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import orjson

from freehold.engine.telemetry import EXTENSION, FUNCTION, LOGS_API, PLATFORM, TELEMETRY_API, Subscription

PATHS = {"/2022-07-01/telemetry": TELEMETRY_API, "/2020-08-15/logs": LOGS_API}
CLOSED = {
    TELEMETRY_API: ("Telemetry.SubscriptionClosed", "Telemetry API subscription is closed"),
    LOGS_API: ("Logs.SubscriptionClosed", "Logs API subscription is closed"),  # Believed, after the other one.
}
_SCHEMAS = {
    TELEMETRY_API: ("2022-07-01", "2022-12-13", "2025-01-29"),
    LOGS_API: ("2020-08-15", "2021-03-18"),
}
_HOSTS = ("sandbox.localdomain", "sandbox")
_RUNTIME_API_PORT = 9001
_BUFFERING = {"maxItems": (1000, 10_000), "maxBytes": (262_144, 1_048_576), "timeoutMs": (25, 30_000)}
_PATH = re.compile(r"[\x21-\x7e]*")


class Invalid(Exception):
    """What is wrong, for the extension."""


def read_subscription(extension: str, api: str, body: bytes) -> Subscription:
    """Raises Invalid."""
    try:
        request = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Invalid(f"failed to parse JSON: {error}") from None
    if not isinstance(request, dict):
        raise Invalid("the request is not an object")
    # The Logs API's first examples had no version.
    version = request.get("schemaVersion", "2020-08-15" if api == LOGS_API else None)
    if version not in _SCHEMAS[api]:
        raise Invalid(f"schemaVersion must be one of {', '.join(_SCHEMAS[api])}")
    types = request.get("types")
    if not isinstance(types, list) or not types or not set(map(str, types)) <= {PLATFORM, FUNCTION, EXTENSION}:
        raise Invalid("types must name at least one of platform, function, extension, and nothing else")
    protocol, port, path = _destination(request.get("destination"))
    limits = _buffering(request.get("buffering"))
    return Subscription(
        extension, api, version, frozenset(types), protocol, port, path,
        limits.get("maxItems", 10_000), limits.get("maxBytes", 262_144), limits.get("timeoutMs", 1000),
    )  # fmt: skip


def _destination(destination: object) -> tuple[str, int, str]:
    if not isinstance(destination, dict):
        raise Invalid("destination is missing")
    protocol = destination.get("protocol")
    if protocol == "TCP":
        port, path = destination.get("port"), ""
    elif protocol == "HTTP":
        if destination.get("method", "POST") not in ("POST", "PUT") or destination.get("encoding", "JSON") != "JSON":
            raise Invalid("destination.method must be POST and destination.encoding JSON")
        try:
            address = urlsplit(str(destination.get("URI", "")))
            port = address.port or 80
        except ValueError as error:
            raise Invalid(f"could not parse destination.URI: {error}") from None
        if address.scheme != "http" or address.hostname not in _HOSTS:
            raise Invalid("destination.URI host must be sandbox.localdomain")
        path = (address.path or "/") + (f"?{address.query}" if address.query else "")
        if not _PATH.fullmatch(path):
            raise Invalid("could not parse destination.URI")
    else:
        raise Invalid("destination.protocol must be HTTP or TCP")
    if not isinstance(port, int) or isinstance(port, bool) or not 1 <= port <= 65_535:
        raise Invalid("destination.port must be between 1 and 65535")
    if port == _RUNTIME_API_PORT:
        raise Invalid(f"port {_RUNTIME_API_PORT} is reserved")
    return protocol, port, path


def _buffering(buffering: object) -> dict[str, int]:
    if buffering is None:
        return {}
    if not isinstance(buffering, dict):
        raise Invalid("buffering is not an object")
    for name, (least, most) in _BUFFERING.items():
        value = buffering.get(name, least)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise Invalid(f"buffering.{name} must be between {least} and {most}")
    return {name: buffering[name] for name in _BUFFERING if name in buffering}
