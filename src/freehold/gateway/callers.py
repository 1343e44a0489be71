"""Who stands behind an access key, and what they may do: users, sessions of roles, functions. Follows IAM's documents.

IAM User Guide, "Policy evaluation logic". One decision to know: a caller is put together at the first request after a
change and kept, so that a request reads no document; a policy whose text is unknown allows nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from freehold.aws.call import Json
from freehold.aws.policies import Asked, MalformedPolicy, Verdict, evaluate, evaluate_resource_policy
from freehold.engine.role_sessions import RoleSessions
from freehold.gateway.authorizers.cache import Cache
from freehold.state.store import Change, Store

_KINDS = ("iam.user", "iam.group", "iam.role", "iam.policy", "iam.access_key", "sts.session")
_KEPT = 10_000
_DENY_ALL: Json = {"Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}}
# Of AWS's managed policies that forbid; their text is not kept here, so they forbid everything.
_FORBIDDING = ("AWSDenyAll", "AWSCompromisedKeyQuarantine")

FindText = Callable[[str], str | None]
"""ARN of a managed policy of AWS -> its text; None where it is not known."""


@dataclass(frozen=True, slots=True)
class Caller:
    access_key: str
    secret: str
    token: str  # "" of a user's own key.
    until_s: float  # When the credentials end.
    account: str
    arn: str  # "arn:aws:iam::...:user/ann", "arn:aws:sts::...:assumed-role/role/session", "...:root".
    user_id: str
    principals: frozenset[str]  # ARNs by which a resource's policy may name it.
    policies: tuple[Json, ...]
    limits: tuple[tuple[Json, ...], ...]  # Of each, one policy must allow, too: boundary, session policy.
    username: str  # "" unless a user.
    is_root: bool

    def decide(self, asked: Asked, resource_policy: Json | None = None) -> Verdict:
        """ALLOW only if something allows and nothing forbids."""
        verdicts = [_verdict(policy, asked) for policy in self.policies]
        if resource_policy is not None:
            verdicts.append(_resource_verdict(resource_policy, asked))
        limits = [[_verdict(policy, asked) for policy in limit] for limit in self.limits]
        if Verdict.DENY in verdicts or any(Verdict.DENY in limit for limit in limits):
            return Verdict.DENY
        if not all(Verdict.ALLOW in limit for limit in limits):
            return Verdict.NO_MATCH
        return Verdict.ALLOW if self.is_root or Verdict.ALLOW in verdicts else Verdict.NO_MATCH


class Callers:
    def __init__(self, account: str, sessions: RoleSessions, find_text: FindText) -> None:
        self._account = account
        self._sessions = sessions
        self._find_text = find_text
        self._documents: dict[str, dict[str, Json]] = {kind: {} for kind in _KINDS}
        self._known: Cache[Caller] = Cache(_KEPT)

    def follow(self, store: Store) -> Callable[[], None]:
        """Returns what ends it."""
        return store.follow(_KINDS, self._changed)

    def find(self, access_key: str, token: str, now_s: float) -> Caller | None:
        """None when nobody has this key with this token."""
        caller = self._known.get((access_key, token), now_s)
        if caller is None:
            caller = self._find(access_key, token)
            if caller is not None:
                self._known.put((access_key, token), caller, float("inf"))
        return caller

    def find_role(self, arn: str, service: str, source_arn: str) -> Caller | None:
        """A session of the role for a service of AWS, which acts for `source_arn`; None where there is no such role, or
        it does not trust the service."""
        key = (arn, service, source_arn)
        caller = self._known.get(key, 0.0)
        if caller is None:
            role = self._documents["iam.role"].get(arn.rpartition("/")[2].lower())
            if role is None or role["arn"] != arn or not _trusts(role, service, source_arn, self._account):
                return None
            caller = self._role(role["name"], service.partition(".")[0], "", "", "", float("inf"), None)
            self._known.put(key, caller, float("inf"))
        return caller

    def _changed(self, changes: Sequence[Change]) -> None:
        for change in changes:
            if change.document is None:
                self._documents[change.kind].pop(change.key, None)
            else:
                self._documents[change.kind][change.key] = change.document
        self._known = Cache(_KEPT)

    def _find(self, access_key: str, token: str) -> Caller | None:
        key = self._documents["iam.access_key"].get(access_key)
        if key is not None:
            if token or key["status"] != "Active":
                return None
            return self._user(key["user"], access_key, key["secret"])
        session = self._documents["sts.session"].get(access_key)
        if session is not None:
            return self._session(access_key, session) if token and token == session["token"] else None
        issued = self._sessions.find(access_key, token)
        if issued is None:
            return None
        return self._role(issued.role, issued.name, access_key, issued.secret, token, float("inf"), None)

    def _user(
        self, name: str, access_key: str, secret: str, token: str = "", until_s: float = float("inf")
    ) -> Caller | None:
        user = self._documents["iam.user"].get(name.lower())
        if user is None:
            return None
        groups = [group for group in self._documents["iam.group"].values() if user["name"] in group["users"]]
        return Caller(
            access_key, secret, token, until_s, self._account, user["arn"], user["id"], frozenset({user["arn"]}),
            tuple(policy for one in (user, *groups) for policy in self._policies_of(one)),
            self._boundary(user), user["name"], is_root=False,
        )  # fmt: skip

    def _session(self, access_key: str, session: Json) -> Caller | None:
        arn, until_s = str(session["arn"]), session["expiresMs"] / 1000
        resource = arn.split(":", 5)[5]
        if resource.startswith("assumed-role/"):
            _, role, name = resource.split("/", 2)
            return self._role(
                role, name, access_key, session["secret"], session["token"], until_s, session.get("policies")
            )
        if resource.startswith("user/"):
            return self._user(resource.rpartition("/")[2], access_key, session["secret"], session["token"], until_s)
        return Caller(
            access_key, session["secret"], session["token"], until_s, self._account, arn, self._account,
            frozenset({arn, self._account}), (), (), "", is_root=True,
        )  # fmt: skip

    def _role(
        self, role_name: str, name: str, access_key: str, secret: str, token: str, until_s: float,
        session_policies: list[str] | None,
    ) -> Caller:  # fmt: skip
        """Of a role that is not there, a session that may do nothing."""
        role = self._documents["iam.role"].get(role_name.lower())
        arn = f"arn:aws:sts::{self._account}:assumed-role/{role_name}/{name}"
        limits = self._boundary(role) if role else ()
        if session_policies:
            limits = (*limits, tuple(self._policy(text) for text in session_policies))
        return Caller(
            access_key, secret, token, until_s, self._account, arn,
            f"{role['id'] if role else role_name}:{name}",
            frozenset({arn, role["arn"]} if role else {arn}),
            self._policies_of(role) if role else (), limits, "", is_root=False,
        )  # fmt: skip

    def _policies_of(self, document: Json) -> tuple[Json, ...]:
        inline = [_parsed(text) for text in document["inline"].values()]
        return (*inline, *(self._policy(arn) for arn in document["attached"]))

    def _boundary(self, document: Json) -> tuple[tuple[Json, ...], ...]:
        return ((self._policy(document["boundary"]),),) if "boundary" in document else ()

    def _policy(self, arn_or_text: str) -> Json:
        """A managed policy by its ARN, or the text of a session's policy."""
        if not arn_or_text.startswith("arn:"):
            return _parsed(arn_or_text)
        if arn_or_text.startswith("arn:aws:iam::aws:policy/"):
            if arn_or_text.rpartition("/")[2].startswith(_FORBIDDING):
                return _DENY_ALL
            text = self._find_text(arn_or_text)
            return _parsed(text) if text is not None else {"Statement": []}
        for document in self._documents["iam.policy"].values():
            if document["arn"] == arn_or_text:
                return _parsed(document["versions"][document["default"]]["document"])
        return {"Statement": []}


def _trusts(role: Json, service: str, source_arn: str, account: str) -> bool:
    trust = _parsed(role["trust"])
    statements = trust.get("Statement")
    # A trust policy names no resource: it stands with the role.
    listed = [
        {**statement, "Resource": "*"}
        for statement in (statements if isinstance(statements, list) else [statements])
        if isinstance(statement, dict)
    ]
    context = {"aws:sourceaccount": account, "aws:sourcearn": source_arn}
    asked = Asked("sts:AssumeRole", role["arn"], frozenset({service}), context=context)
    return _resource_verdict({"Statement": listed}, asked) is Verdict.ALLOW


def _parsed(text: str) -> Json:
    """What is no policy forbids everything."""
    try:
        found: Any = orjson.loads(text)
    except orjson.JSONDecodeError:
        return _DENY_ALL
    return found if isinstance(found, dict) else _DENY_ALL


def _verdict(policy: Json, asked: Asked) -> Verdict:
    try:
        return evaluate(policy, asked)
    except MalformedPolicy:
        return Verdict.DENY


def _resource_verdict(policy: Json, asked: Asked) -> Verdict:
    try:
        return evaluate_resource_policy(policy, asked)
    except MalformedPolicy:
        return Verdict.DENY
