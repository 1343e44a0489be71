"""A REST API's resource policy: alone, and together with each kind of authorizer.

Developer Guide, "How API Gateway resource policies affect authorization workflow". One decision to know: alone,
and beside a user pool, the policy must allow; beside a Lambda authorizer or AWS_IAM either may allow, and a denial of
either counts. Before a Lambda authorizer is asked, the policy's denials are heard.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import orjson

from freehold.aws.call import Json
from freehold.aws.errors import AwsError
from freehold.aws.policies import Asked, MalformedPolicy, Verdict, check_resource_policy, evaluate_resource_policy
from freehold.aws.policy_conditions import UnknownCondition
from freehold.gateway.authorizers.iam import INVOKE, IamAuthorizer, called_arn, hidden, request_context
from freehold.gateway.authorizers.request import RequestAuthorizer
from freehold.gateway.compiled import Authorizer
from freehold.gateway.exchange import Exchange, Refused
from freehold.gateway.unsupported import unsupported

_INVALID = "Invalid policy document. Please check the policy syntax and ensure that Principals are valid."
_SHORT = "execute-api:/"


@dataclass(frozen=True, slots=True)
class ResourcePolicy:
    document: Json

    def verdict(self, exchange: Exchange) -> Verdict:
        """Of a caller whom nothing names."""
        asked = Asked(INVOKE, called_arn(exchange), context=request_context(exchange))
        return evaluate_resource_policy(self.document, asked)

    def with_authorizer(self, authorizer: Authorizer | None) -> Authorizer:
        """What keeps the policy and, if there is one, what the method asks for."""
        if isinstance(authorizer, IamAuthorizer):
            return replace(authorizer, resource_policy=self.document)
        if isinstance(authorizer, RequestAuthorizer):
            return replace(authorizer, resource_verdict=self.heard)
        return MustAllow(self, authorizer)

    def heard(self, exchange: Exchange) -> Verdict:
        """Raises Refused where it denies."""
        verdict = self.verdict(exchange)
        if verdict is Verdict.DENY:
            raise _refused(exchange, verdict)
        return verdict


@dataclass(frozen=True, slots=True)
class MustAllow:
    """No authorizer, or one that says who it is and not what they may do."""

    policy: ResourcePolicy
    authorizer: Authorizer | None

    async def authorize(self, exchange: Exchange) -> None:
        if self.authorizer is not None:
            await self.authorizer.authorize(exchange)
        verdict = self.policy.verdict(exchange)
        if verdict is not Verdict.ALLOW:
            raise _refused(exchange, verdict)


def compile_resource_policy(text: str, api_arn: str) -> ResourcePolicy:
    """`api_arn`: what `execute-api:/dev/GET/items` is short for. Raises AwsError, BadRequestException."""
    try:
        document: Any = orjson.loads(text)
        check_resource_policy(document)
    except (orjson.JSONDecodeError, MalformedPolicy):
        raise AwsError("BadRequestException", _INVALID, status=400) from None
    except UnknownCondition as unknown:
        raise unsupported(f"the condition {unknown} of a resource policy") from None
    statements = document["Statement"] if isinstance(document["Statement"], list) else [document["Statement"]]
    return ResourcePolicy({**document, "Statement": [_in_full(statement, api_arn) for statement in statements]})


def _in_full(statement: Json, api_arn: str) -> Json:
    full = dict(statement)
    for member in ("Resource", "NotResource"):
        if member in full:
            named = full[member] if isinstance(full[member], list) else [full[member]]
            full[member] = [
                f"{api_arn}/{name.removeprefix(_SHORT)}" if name.startswith(_SHORT) else name for name in named
            ]
    return full


def _refused(exchange: Exchange, verdict: Verdict) -> Refused:
    explicit = " with an explicit deny" if verdict is Verdict.DENY else ""
    resource = hidden(called_arn(exchange))
    return Refused(
        "ACCESS_DENIED", f"User: anonymous is not authorized to perform: {INVOKE} on resource: {resource}{explicit}"
    )
