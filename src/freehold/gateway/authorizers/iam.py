"""AWS_IAM: who signed the request, and may they? Routes of HTTP APIs, methods of REST APIs, function URLs, handshakes.

API Gateway Developer Guide, "Control access to an API with IAM permissions"; Lambda Developer Guide, "Control access to
Lambda function URLs". HTTP and WebSocket APIs answer every failure with the same 403; REST APIs and function URLs say
which it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote

from freehold.aws.call import Json
from freehold.aws.policies import Asked, Verdict
from freehold.aws.sigv4 import (
    Signature,
    SignatureProblem,
    SignedRequest,
    check_scope,
    check_time,
    read_signature,
    verify,
)
from freehold.gateway.callers import Caller
from freehold.gateway.compiled import Kind
from freehold.gateway.exchange import Exchange, Refused

INVOKE = "execute-api:Invoke"
_UNKNOWN = "The security token included in the request is invalid."
_EXPIRED = "The security token included in the request is expired"


@dataclass(frozen=True, slots=True)
class IamAuthorizer:
    service: str  # In the credential scope: "execute-api", "lambda".
    actions: tuple[str, ...]  # All of which the caller must be allowed: "execute-api:Invoke".
    resource: str = ""  # ARN; "": that of the method.
    resource_policy: Json | None = None

    async def authorize(self, exchange: Exchange) -> None:
        request = exchange.request
        signed = SignedRequest(request.method, request.raw_path, request.query, request.lower, request.body)
        try:
            signature = read_signature(signed)
            if signature is None:
                raise _unsigned(exchange)
            known = exchange.means.callers.find(signature.access_key, signature.token, exchange.now_s)
            caller = verify_caller(known, signature, signed, exchange.api.region, self.service, exchange.now_s)
        except SignatureProblem as problem:
            raise _refused(exchange, problem) from problem
        self._decide(exchange, caller)
        exchange.caller = caller
        if exchange.api.kind in (Kind.HTTP, Kind.URL):
            exchange.authorizer = {"iam": _told(caller)}

    def _decide(self, exchange: Exchange, caller: Caller) -> None:
        resource = self.resource or called_arn(exchange)
        context = _context(exchange, caller)
        for action in self.actions:
            asked = Asked(action, resource, caller.principals, caller.account, context)
            verdict = caller.decide(asked, self.resource_policy)
            if verdict is Verdict.ALLOW:
                continue
            told = f"User: {caller.arn} is not authorized to perform: {action} on resource: {hidden(resource)}"
            explicit = " with an explicit deny" if verdict is Verdict.DENY else ""
            raise Refused("ACCESS_DENIED", told + explicit if exchange.api.kind is Kind.REST else None)


def verify_caller(
    caller: Caller | None, signature: Signature, signed: SignedRequest, region: str, service: str, now_s: float
) -> Caller:
    """That it signed this request for this service, now. Raises SignatureProblem."""
    check_scope(signature, region, service)
    if caller is None:
        raise SignatureProblem("UnrecognizedClientException", _UNKNOWN)
    check_time(signature, now_s)
    verify(signature, signed, caller.secret)
    if caller.until_s <= now_s:
        raise SignatureProblem("ExpiredTokenException", _EXPIRED)
    return caller


def called_arn(exchange: Exchange) -> str:
    """With the path decoded, as routes are matched: `%61dmin` must not slip past a policy that denies `admin`.
    Of a WebSocket API it ends with the route's key."""
    if exchange.api.kind is Kind.WEBSOCKET:
        assert exchange.route is not None
        return f"{exchange.api.arn}/{exchange.stage.name}/{exchange.route.key}"
    path = unquote(exchange.path).lstrip("/")
    return f"{exchange.api.arn}/{exchange.stage.name}/{exchange.request.method}/{path}"


def request_context(exchange: Exchange) -> dict[str, str | list[str]]:
    """The condition keys that a request has, whoever sent it."""
    request = exchange.request
    return {
        "aws:sourceip": request.client,
        "aws:useragent": request.lower.get("user-agent", ""),
        "aws:securetransport": "true" if request.scheme == "https" else "false",
        "aws:epochtime": str(int(exchange.now_s)),
        "aws:currenttime": str(int(exchange.now_s)),
        "aws:requestedregion": exchange.api.region,
    }


def _context(exchange: Exchange, caller: Caller) -> dict[str, str | list[str]]:
    context = {**request_context(exchange), **caller_context(caller)}
    if exchange.api.kind is Kind.URL:
        context["lambda:functionurlauthtype"] = "AWS_IAM"
        context["lambda:invokedviafunctionurl"] = "true"
    return context


def caller_context(caller: Caller) -> dict[str, str | list[str]]:
    """The condition keys that tell who asks."""
    context: dict[str, str | list[str]] = {
        "aws:principalarn": caller.arn,
        "aws:principalaccount": caller.account,
        "aws:principaltype": "Account" if caller.is_root else "User" if caller.username else "AssumedRole",
        "aws:userid": caller.user_id,
    }
    if caller.username:
        context["aws:username"] = caller.username
    return context


def _unsigned(exchange: Exchange) -> Refused:
    return Refused("MISSING_AUTHENTICATION_TOKEN" if exchange.api.kind is Kind.REST else "ACCESS_DENIED")


def _refused(exchange: Exchange, problem: SignatureProblem) -> Refused:
    kind = exchange.api.kind
    if kind in (Kind.HTTP, Kind.WEBSOCKET):
        return Refused("ACCESS_DENIED")
    response = "EXPIRED_TOKEN" if problem.code == "ExpiredTokenException" else "INVALID_SIGNATURE"
    message = problem.message + (problem.details if kind is Kind.REST else "")
    return Refused(response, message, error_type=problem.code)


def hidden(arn: str) -> str:
    """The account's first eight digits are not told."""
    parts = arn.split(":")
    return ":".join([*parts[:4], "********" + parts[4][-4:], *parts[5:]])


def _told(caller: Caller) -> Json:
    """As `requestContext.authorizer.iam` has it."""
    return {
        "accessKey": caller.access_key,
        "accountId": caller.account,
        "callerId": caller.user_id,
        "cognitoIdentity": None,
        "principalOrgId": None,
        "userArn": caller.arn,
        "userId": caller.user_id,
    }
