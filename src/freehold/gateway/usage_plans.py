"""API keys and usage plans, compiled: what a key may do with a stage. They follow the store; a request asks one dict.

API Gateway Developer Guide, "Usage plans and API keys for REST APIs". In a stage a key belongs to one plan at most.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from freehold.aws.call import Json
from freehold.clock import Clock
from freehold.gateway.limits import ACCOUNT_BURST, ACCOUNT_RATE
from freehold.gateway.meters import EXTENSION_KIND, USAGE_KIND, Meters, Quota
from freehold.gateway.throttle import Bucket
from freehold.state.store import Change, Store

_KEY = "apigateway.apikey"
_PLAN = "apigateway.usageplan"
_PLAN_KEY = "apigateway.usageplankey"


@dataclass(frozen=True, slots=True)
class Grant:
    """One key in one plan, for one stage."""

    key_id: str
    key: str
    meter: str  # "region/plan/key".
    throttle: Bucket | None
    methods: Mapping[str, Bucket]  # "/items/{id}/GET" -> what it has instead of `throttle`.
    quota: Quota | None


class UsagePlans:
    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self.meters = Meters(store, clock)
        self._keys: dict[tuple[str, str], Json] = {}  # Region, value -> API key.
        self._values: dict[str, tuple[str, str]] = {}  # Document key of an API key -> region, value.
        self._plans: dict[str, Json] = {}  # "region/plan" -> usage plan.
        self._plans_of: dict[str, set[str]] = {}  # "region/key" -> "region/plan", ...
        self._grants: dict[tuple[str, str, str, str], Grant] = {}  # As many as keys times stages of their plans.
        self._buckets: dict[str, tuple[float, int, Bucket]] = {}  # Kept over changes of anything else.

    def follow(self) -> Callable[[], None]:
        """Returns what ends it."""
        return self._store.follow((_KEY, _PLAN, _PLAN_KEY, USAGE_KIND, EXTENSION_KIND), self._changed)

    def find(self, region: str, api_id: str, stage: str, value: str) -> Grant | None:
        """None: no such key, or it is not enabled, or none of its plans has the stage."""
        wanted = (region, api_id, stage, value)
        grant = self._grants.get(wanted)
        if grant is None:
            grant = self._compile(region, api_id, stage, value)
            if grant is not None:
                self._grants[wanted] = grant
        return grant

    def take(self, grant: Grant, now_s: float) -> bool:
        """One request of the key's quota, if its plan has one."""
        return grant.quota is None or self.meters.take(grant.meter, grant.quota, now_s)

    def _compile(self, region: str, api_id: str, stage: str, value: str) -> Grant | None:
        key = self._keys.get((region, value))
        if key is None or not key.get("enabled"):
            return None
        for name in sorted(self._plans_of.get(f"{region}/{key['id']}", ())):
            plan = self._plans.get(name, {})
            for each in plan.get("apiStages", ()):
                if (each["apiId"], each["stage"]) == (api_id, stage):
                    return self._grant(f"{name}/{key['id']}", key, plan, each)
        return None

    def _grant(self, meter: str, key: Json, plan: Json, stage: Json) -> Grant:
        place = f"{meter}/{stage['apiId']}/{stage['stage']}"
        quota = plan.get("quota")
        return Grant(
            key_id=key["id"],
            key=key["value"],
            meter=meter,
            throttle=self._bucket(meter, plan.get("throttle")),
            methods={
                method: bucket
                for method, settings in (stage.get("throttle") or {}).items()
                if (bucket := self._bucket(f"{place} {method}", settings)) is not None
            },
            quota=Quota(quota["limit"], quota["period"], quota.get("offset", 0)) if quota else None,
        )

    def _bucket(self, name: str, settings: Json | None) -> Bucket | None:
        """The same one as long as its settings are the same: a change elsewhere must not fill it up again."""
        if not settings:
            self._buckets.pop(name, None)
            return None
        rate, burst = settings.get("rateLimit", ACCOUNT_RATE), settings.get("burstLimit", ACCOUNT_BURST)
        known = self._buckets.get(name)
        if known is None or known[:2] != (rate, burst):
            known = self._buckets[name] = (rate, burst, Bucket(rate, burst))
        return known[2]

    def _changed(self, changes: Sequence[Change]) -> None:
        # Counts before extensions: an extension that was applied is known from the counts.
        for change in sorted(changes, key=lambda each: each.kind == EXTENSION_KIND):
            if change.kind in (USAGE_KIND, EXTENSION_KIND):
                self.meters.follow(change)
                continue
            self._grants.clear()
            if change.kind == _KEY:
                self._key_changed(change)
            elif change.kind == _PLAN:
                self._plans.pop(change.key, None)
                if change.document is not None:
                    self._plans[change.key] = change.document
            else:
                region, plan, key = change.key.split("/")
                plans = self._plans_of.setdefault(f"{region}/{key}", set())
                (plans.discard if change.document is None else plans.add)(f"{region}/{plan}")
                if not plans:
                    del self._plans_of[f"{region}/{key}"]

    def _key_changed(self, change: Change) -> None:
        old = self._values.pop(change.key, None)
        if old is not None:
            self._keys.pop(old, None)
        if change.document is not None:
            name = (change.key.partition("/")[0], change.document["value"])
            self._keys[name] = change.document
            self._values[change.key] = name
        else:
            gone = change.key.partition("/")[2]
            for bucket in [each for each in self._buckets if each.split(" ")[0].split("/")[2] == gone]:
                del self._buckets[bucket]
