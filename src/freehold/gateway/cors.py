"""CORS of HTTP APIs and function URLs: the gateway answers preflights and writes the headers; the function's own
CORS headers are dropped. API Gateway Developer Guide, "Configure CORS for HTTP APIs".

A preflight passes the authorizer of the route that it matches, if it matches one ($default with an authorizer: the
page says to add an open `OPTIONS /{proxy+}`); the integration is not called for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from freehold.aws.call import Json
from freehold.http.messages import Headers, Request, Response

if TYPE_CHECKING:
    from freehold.gateway.exchange import Exchange

_PREFIX = "access-control-"


@dataclass(frozen=True, slots=True)
class Cors:
    origins: frozenset[str]  # Lower case; "*", "https://*" and "http://*" are patterns.
    preflight: tuple[tuple[str, str], ...]  # Headers beside the origin's.
    response: tuple[tuple[str, str], ...]

    def allowed(self, origin: str) -> str | None:
        """What Access-Control-Allow-Origin says to this origin."""
        if "*" in self.origins:
            return "*"
        lower = origin.lower()
        if lower in self.origins or lower.partition("://")[0] + "://*" in self.origins:
            return origin
        return None


def compile_cors(configuration: Json | None) -> Cors | None:
    if not configuration:
        return None
    credentials = [("access-control-allow-credentials", "true")] if configuration.get("AllowCredentials") else []
    preflight: Headers = [*credentials]
    response: Headers = [*credentials]
    if configuration.get("AllowMethods"):
        preflight.append(("access-control-allow-methods", ",".join(configuration["AllowMethods"])))
    if configuration.get("AllowHeaders"):
        preflight.append(("access-control-allow-headers", ",".join(configuration["AllowHeaders"])))
    if configuration.get("MaxAge"):
        preflight.append(("access-control-max-age", str(configuration["MaxAge"])))
    if configuration.get("ExposeHeaders"):
        exposed = ("access-control-expose-headers", ",".join(configuration["ExposeHeaders"]))
        preflight.append(exposed)
        response.append(exposed)
    origins = frozenset(origin.lower() for origin in configuration.get("AllowOrigins") or ())
    return Cors(origins, tuple(preflight), tuple(response))


def is_preflight(request: Request) -> bool:
    lower = request.lower
    return request.method == "OPTIONS" and "origin" in lower and "access-control-request-method" in lower


def answer_preflight(exchange: Exchange) -> Response | None:
    cors = exchange.api.cors
    if cors is None or not is_preflight(exchange.request):
        return None
    origin = cors.allowed(exchange.request.lower["origin"])
    if origin is None:
        return Response(204)
    return Response(204, [("access-control-allow-origin", origin), *_vary(origin), *cors.preflight])


def add_cors_headers(cors: Cors, request: Request, response: Response) -> None:
    """On every answer but a preflight's: the integration's own headers give way to the configured ones."""
    headers = [header for header in response.headers if not header[0].lower().startswith(_PREFIX)]
    named = request.lower.get("origin")
    origin = cors.allowed(named) if named else None
    if origin is not None:
        headers.append(("access-control-allow-origin", origin))
        headers += _vary(origin)
        headers += cors.response
    response.headers = headers


def _vary(origin: str) -> Headers:
    return [] if origin == "*" else [("vary", "Origin")]
