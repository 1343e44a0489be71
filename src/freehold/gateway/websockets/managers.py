"""Who may write to connections, look at them and end them: `@connections` asks for execute-api:ManageConnections.

API Gateway Developer Guide, "Control access to a WebSocket API with AWS Identity and Access Management authorization".
One decision to know: credentials that nobody here was given are the account's root, as at all AWS APIs of this server;
users, sessions and functions are held to their signature and their policies.
"""

from __future__ import annotations

from dataclasses import dataclass

from freehold.aws.call import Call
from freehold.aws.errors import AwsError
from freehold.aws.policies import Asked, Verdict
from freehold.aws.sigv4 import SignatureProblem, read_signature
from freehold.clock import Clock
from freehold.gateway.authorizers.iam import caller_context, hidden, verify_caller
from freehold.gateway.callers import Callers
from freehold.gateway.compiled import api_arn
from freehold.gateway.websockets.sockets import Sockets

ACTION = "execute-api:ManageConnections"


@dataclass(frozen=True, slots=True)
class Managers:
    callers: Callers
    clock: Clock
    sockets: Sockets

    def check(self, call: Call, connection_id: str, method: str) -> None:
        """Raises AwsError, 403."""
        if call.service_principal:
            return
        if not call.access_key:
            raise _unsigned()
        now_s = self.clock.now_s()
        caller = self.callers.find(call.access_key, call.session_token, now_s)
        if caller is None or call.signed is None:
            return
        try:
            signature = read_signature(call.signed)
            if signature is None:
                raise _unsigned()
            verify_caller(caller, signature, call.signed, call.region, "execute-api", now_s)
        except SignatureProblem as problem:
            raise AwsError(problem.code, problem.message, status=403) from problem
        place = call.socket_place or self.sockets.place_of(connection_id)
        if not place:
            return  # It is gone, as the operation will say.
        api_id, _, stage = place.partition("/")
        below = f"{api_arn(call.region, call.account, api_id)}/{stage}/{method}/@connections/"
        context = {**caller_context(caller), "aws:sourceip": call.source_ip, "aws:useragent": call.user_agent}
        asked = Asked(ACTION, f"{below}{connection_id}", caller.principals, caller.account, context)
        verdict = caller.decide(asked)
        if verdict is not Verdict.ALLOW:
            explicit = " with an explicit deny" if verdict is Verdict.DENY else ""
            resource = hidden(f"{below}{{connectionId}}")
            message = f"User: {caller.arn} is not authorized to perform: {ACTION} on resource: {resource}{explicit}"
            raise AwsError("AccessDeniedException", message, status=403)


def _unsigned() -> AwsError:
    return AwsError("MissingAuthenticationTokenException", "Missing Authentication Token", status=403)
