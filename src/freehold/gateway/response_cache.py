"""Response caching of REST APIs. Developer Guide, "Cache settings for REST APIs in API Gateway".

One decision to know: all APIs share one bounded memory, whatever size of cluster a stage names; caching is best effort
there, too. The least recently used answer goes first, and a stage that is changed or flushed starts empty.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import count

from freehold.aws.call import Json
from freehold.aws.errors import AwsError
from freehold.aws.policies import Asked, Verdict
from freehold.gateway.authorizers.iam import called_arn, request_context
from freehold.gateway.compiled import Integration
from freehold.gateway.exchange import Exchange, Refused
from freehold.gateway.parameters import Source, compile_source
from freehold.http.messages import Response

CACHE_MAX_BYTES = 64 * 1024 * 1024  # Of all answers together.
ANSWER_MAX_BYTES = 1_048_576  # A larger one is not cached.
TTL_DEFAULT_S = 300
TTL_MAX_S = 3600
INVALIDATE = "execute-api:InvalidateCache"
_ENTRY_BYTES = 1_000  # What an entry takes beside its body and its key.
_FOR_ALL = "*/*"  # Of the method settings that are every method's.
# Believed: the guide says that a warning header is added, not how it reads.
WARNING = ("Warning", '199 API-Gateway "Cache invalidation is not authorized"')
_FAIL, _WARN = "FAIL_WITH_403", "SUCCEED_WITH_RESPONSE_HEADER"
_STRATEGIES = (_FAIL, _WARN, "SUCCEED_WITHOUT_RESPONSE_HEADER")

_names = count()


class ResponseCache:
    __slots__ = ("_entries", "_size_bytes")

    def __init__(self) -> None:
        self._entries: OrderedDict[Key, tuple[float, int, Response]] = OrderedDict()  # Until when, its size, itself.
        self._size_bytes = 0

    @property
    def size_bytes(self) -> int:
        return self._size_bytes

    def get(self, key: Key, now_s: float) -> Response | None:
        """One that may be changed."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        until_s, size, response = entry
        if until_s <= now_s:
            del self._entries[key]
            self._size_bytes -= size
            return None
        self._entries.move_to_end(key)
        return replace(response, headers=list(response.headers))

    def put(self, key: Key, response: Response, until_s: float) -> None:
        """Keeps a copy, if it is not too large and no stream."""
        old = self._entries.pop(key, None)
        if old is not None:
            self._size_bytes -= old[1]
        size = _size(key, response)
        if response.stream is not None or size > ANSWER_MAX_BYTES:
            return
        self._entries[key] = (until_s, size, replace(response, headers=list(response.headers)))
        self._size_bytes += size
        while self._size_bytes > CACHE_MAX_BYTES:
            _, (_, gone, _) = self._entries.popitem(last=False)
            self._size_bytes -= gone


@dataclass(frozen=True, slots=True)
class Place:
    """Where a method's answers are."""

    cache: int  # The stage's.
    namespace: str
    method: str


Key = tuple[Place, str, tuple[tuple[str, ...], ...]]
"""And the verb of the request, and what its cache key parameters are."""


def _size(key: Key, response: Response) -> int:
    headers = sum(len(name) + len(value) for name, value in response.headers)
    parameters = sum(len(value) for values in key[2] for value in values)
    return len(response.body) + headers + 4 * parameters + _ENTRY_BYTES


def new_cache() -> int:
    """Of a compiled stage: no other's answers are ever in it."""
    return next(_names)


@dataclass(frozen=True, slots=True)
class Cached:
    """An integration whose good answers are kept."""

    integration: Integration
    place: Place
    parts: tuple[Source, ...]  # What makes answers different.
    gets_alone: bool  # Whether other verbs of the method are not cached.
    ttl_s: int
    needs_permission: bool  # To ask for a fresh answer.
    strategy: str  # What is answered to who may not.

    async def answer(self, exchange: Exchange) -> Response:
        request = exchange.request
        if self.gets_alone and request.method != "GET":
            return await self.integration.answer(exchange)
        key = (self.place, request.method, tuple(tuple(part(exchange)) for part in self.parts))
        wants_fresh = "max-age=0" in request.lower.get("cache-control", "").replace(" ", "")
        is_ignored = wants_fresh and self.needs_permission and not _may_invalidate(exchange)
        if is_ignored and self.strategy == _FAIL:
            raise Refused("ACCESS_DENIED")
        cache = exchange.means.cache
        response = None if wants_fresh and not is_ignored else cache.get(key, exchange.now_s)
        if response is None:
            response = await self.integration.answer(exchange)
            if 200 <= response.status < 300:
                cache.put(key, response, exchange.now_s + self.ttl_s)
        if is_ignored and self.strategy == _WARN:
            response.headers.append(WARNING)
        return response


def _may_invalidate(exchange: Exchange) -> bool:
    """Only who signed the request can have the permission."""
    caller = exchange.caller
    if caller is None:
        return False
    context = {**request_context(exchange), "aws:principalarn": caller.arn}
    asked = Asked(INVALIDATE, called_arn(exchange), caller.principals, caller.account, context)
    return caller.decide(asked) is Verdict.ALLOW


def with_cache(
    integration: Integration, document: Json, settings: Mapping[str, Json], names: tuple[str, ...], place: Place
) -> Integration:
    """`integration`, with its answers kept where the stage's method `settings` say so; `names`: under which the
    method's own are. By settings for all methods only GET is cached. Raises AwsError."""
    parts = tuple(_compile_part(text, document, place.method) for text in document.get("cacheKeyParameters") or ())
    own = {member: value for name in names for member, value in settings.get(name, {}).items()}
    found = {**settings.get(_FOR_ALL, {}), **own}
    ttl_s = found.get("cacheTtlInSeconds", TTL_DEFAULT_S)
    if not found.get("cachingEnabled") or not ttl_s:
        return integration
    return Cached(
        integration,
        place,
        parts,
        "cachingEnabled" not in own,
        ttl_s,
        found.get("requireAuthorizationForCacheControl", True),
        found.get("unauthorizedCacheControlHeaderStrategy", _WARN),
    )


def check_cache_settings(settings: Json, what: str) -> None:
    """Of a method. Raises AwsError."""
    if not 0 <= settings.get("cacheTtlInSeconds", 0) <= TTL_MAX_S:
        raise _bad(f"Invalid cache TTL of {what}: it must be between 0 and {TTL_MAX_S}")
    strategy = settings.get("unauthorizedCacheControlHeaderStrategy", _WARN)
    if strategy not in _STRATEGIES:
        raise _bad(f"Invalid unauthorizedCacheControlHeaderStrategy of {what}: it must be one of {_STRATEGIES}")


def _compile_part(text: str, document: Json, what: str) -> Source:
    """`method.request.querystring.page`, or `integration.request.header.X` by what is mapped to it."""
    if not text.startswith("integration.request."):
        return compile_source(text, f"the cache key of {what}")
    source = (document.get("requestParameters") or {}).get(text)
    if source is None:
        raise _bad(f"Invalid cache key parameter specified: {text} of {what} is mapped from nothing")
    return compile_source(source, f"the cache key of {what}")


def _bad(message: str) -> AwsError:
    return AwsError("BadRequestException", message, status=400)
