"""May API Gateway invoke a function? The functions' resource policies, followed in memory.

Lambda Developer Guide, "Viewing resource-based IAM policies in Lambda"; API Gateway Developer Guide, "Control access to
an API". One decision to know: who asks is always API Gateway, for one route or authorizer, so what was decided for it
holds until a policy changes, and a request costs one look into a bounded table.
"""

from __future__ import annotations

import logging

from freehold.aws.call import Json
from freehold.aws.policies import Asked, MalformedPolicy, Verdict, evaluate_resource_policy
from freehold.gateway.integrations.roles import PRINCIPAL

ACTION = "lambda:InvokeFunction"
_REMEMBERED = 20_000
_log = logging.getLogger(__name__)


class FunctionPolicies:
    def __init__(self, account: str) -> None:
        self._account = account
        self._policies: dict[str, Json] = {}  # "region/function" -> qualifier ("" for none) -> its statements.
        self._decided: dict[tuple[str, str], bool] = {}  # (function's ARN, ARN of what asks)

    def change(self, key: str, policies: Json) -> bool:
        """`key` is the function's in the store. False: they were the same."""
        if policies == self._policies.get(key, {}):
            return False
        if policies:
            self._policies[key] = policies
        else:
            del self._policies[key]
        self._decided.clear()
        return True

    def statements(self, key: str, qualifier: str) -> list[Json]:
        entry = self._policies.get(key, {}).get(qualifier) or {}
        return list(entry.get("statements") or ())

    def allow(self, function_arn: str, source_arn: str) -> bool:
        """`function_arn` with its qualifier, if any; `source_arn` names the route or authorizer that asks."""
        asked = (function_arn, source_arn)
        decided = self._decided.get(asked)
        if decided is None:
            if len(self._decided) >= _REMEMBERED:
                self._decided.clear()
            decided = self._decided[asked] = self._decide(function_arn, source_arn)
        return decided

    def _decide(self, function_arn: str, source_arn: str) -> bool:
        _, _, _, region, _, _, name, *qualifier = function_arn.split(":")
        statements = self.statements(f"{region}/{name}", qualifier[0] if qualifier else "")
        context: dict[str, str | list[str]] = {"aws:sourcearn": source_arn, "aws:sourceaccount": self._account}
        asked = Asked(ACTION, function_arn, frozenset({PRINCIPAL}), context=context)
        try:
            allowed = evaluate_resource_policy({"Statement": statements}, asked) is Verdict.ALLOW
        except MalformedPolicy:
            allowed = False
        if not allowed:
            _log.warning(
                "%s may not invoke %s: its policy lacks a permission for %s", source_arn, function_arn, PRINCIPAL
            )
        return allowed
