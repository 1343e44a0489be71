"""The compiled copies of all APIs and function URLs. They follow the store and are made at the first request after a
change, so that a deploy of many routes compiles once.

What compiles a kind is imported with its first API, so that a server that has none starts sooner.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from freehold.aws.call import Json
from freehold.gateway.compiled import Api
from freehold.gateway.function_policies import FunctionPolicies
from freehold.gateway.limits import ACCOUNT_BURST, ACCOUNT_RATE
from freehold.gateway.throttle import Bucket
from freehold.state.store import Change, Store

_V2_KINDS = tuple(
    f"apigatewayv2.{part}"
    for part in (
        "api",
        "stage",
        "route",
        "integration",
        "authorizer",
        "deployment",
        "integrationresponse",
        "routeresponse",
        "model",
    )
)
_REST_KINDS = tuple(f"apigateway.{part}" for part in ("restapi", "stage", "deployment"))
_URL_KIND = "lambda.url"
_FUNCTION_KIND = "lambda.function"  # For its resource policy.

Documents = dict[str, dict[str, Json]]
"""Kind without its service ("route") -> the part's id ("" of the API itself) -> document."""


class Apis:
    def __init__(self, account: str) -> None:
        self._account = account
        self._documents: dict[str, tuple[str, str, Documents]] = {}  # API id -> service, region, documents.
        self._urls: dict[str, tuple[str, Json]] = {}  # Key in the store -> region, document.
        self._url_keys: dict[str, str] = {}  # URL id -> key in the store.
        self.policies = FunctionPolicies(account)
        self._compiled: dict[str, Api] = {}
        self._throttles: dict[str, Bucket] = {}  # Region -> the account's, of REST and WebSocket APIs.

    def follow(self, store: Store) -> Callable[[], None]:
        """Returns what ends it."""
        return store.follow((*_V2_KINDS, *_REST_KINDS, _FUNCTION_KIND, _URL_KIND), self._changed)

    def find(self, api_id: str) -> Api | None:
        api = self._compiled.get(api_id)
        if api is not None:
            return api
        found = self._documents.get(api_id)
        if found is None:
            return None
        service, region, documents = found
        throttle = self._throttles.setdefault(region, Bucket(ACCOUNT_RATE, ACCOUNT_BURST))
        if service == "apigatewayv2":
            if "api" not in documents:
                return None
            from freehold.gateway.compile_v2 import compile_v2_api

            api = compile_v2_api(region, self._account, documents, throttle)
        else:
            if "restapi" not in documents:
                return None
            from freehold.gateway.compile_rest import compile_rest_api

            api = compile_rest_api(region, self._account, documents, throttle)
        self._compiled[api_id] = api
        return api

    def find_url(self, url_id: str) -> Api | None:
        api = self._compiled.get(f"url {url_id}")
        if api is None and url_id in self._url_keys:
            key = self._url_keys[url_id]
            region, document = self._urls[key]
            function, _, qualifier = key.rpartition("/")
            statements = self.policies.statements(function, qualifier)
            from freehold.gateway.compile_url import compile_function_url

            api = compile_function_url(region, self._account, document, statements)
            self._compiled[f"url {url_id}"] = api
        return api

    def _changed(self, changes: Sequence[Change]) -> None:
        for change in changes:
            if change.kind == _URL_KIND:
                self._url_changed(change)
                continue
            if change.kind == _FUNCTION_KIND:
                self._policy_changed(change)
                continue
            service, _, part = change.kind.partition(".")
            region, api_id, *rest = change.key.split("/", 2)
            _, _, documents = self._documents.setdefault(api_id, (service, region, {}))
            part_id = rest[0] if rest else ""
            if change.document is not None:
                documents.setdefault(part, {})[part_id] = change.document
            elif part in documents:
                documents[part].pop(part_id, None)
                if not documents[part]:
                    del documents[part]
            if not documents:
                del self._documents[api_id]
            self._compiled.pop(api_id, None)

    def _policy_changed(self, change: Change) -> None:
        if not self.policies.change(change.key, (change.document or {}).get("policies") or {}):
            return
        for key, (_, document) in self._urls.items():
            if key.rpartition("/")[0] == change.key:
                self._compiled.pop(f"url {document['UrlId']}", None)

    def _url_changed(self, change: Change) -> None:
        old = self._urls.pop(change.key, None)
        if old is not None:
            url_id = old[1]["UrlId"]
            self._url_keys.pop(url_id, None)
            self._compiled.pop(f"url {url_id}", None)
        if change.document is not None:
            self._urls[change.key] = (change.key.partition("/")[0], change.document)
            self._url_keys[change.document["UrlId"]] = change.key
