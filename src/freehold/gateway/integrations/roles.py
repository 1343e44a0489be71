"""The role of an integration: API Gateway acts as it, so it must trust API Gateway and be allowed what is asked.

API Gateway Developer Guide, "Permissions for API Gateway to invoke ...", "Create AWS service integrations for HTTP
APIs". What the role may not do is answered as every misconfiguration: 500.
"""

from __future__ import annotations

from freehold.aws.policies import Asked, Verdict
from freehold.gateway.exchange import Exchange, Refused

PRINCIPAL = "apigateway.amazonaws.com"
CALLER = "arn:aws:iam::*:user/*"  # In place of a role: whoever signed the request.


def require_role(exchange: Exchange, role_arn: str, source_arn: str, action: str, resource: str) -> None:
    """`source_arn` names the method or route that asks. Raises Refused."""
    if role_arn == CALLER:
        caller = exchange.caller
    else:
        caller = exchange.means.callers.find_role(role_arn, PRINCIPAL, source_arn)
    if caller is not None:
        context: dict[str, str | list[str]] = {
            "aws:principalarn": caller.arn,
            "aws:principalaccount": caller.account,
            "aws:requestedregion": exchange.api.region,
            "aws:currenttime": str(int(exchange.now_s)),
            "aws:epochtime": str(int(exchange.now_s)),
            "aws:securetransport": "true",
        }
        asked = Asked(action, resource, caller.principals, caller.account, context)
        if caller.decide(asked) is Verdict.ALLOW:
            return
    raise Refused("NOT_PERMITTED")
