"""Function URLs: a document of lambda.url in, an Api with one route out.

Lambda Developer Guide, "Control access to Lambda function URLs": since October 2025 a URL asks for both actions. One
decision to know: who may call a public URL depends on nothing that a request says, so it is settled here, once.
"""

from __future__ import annotations

from collections.abc import Sequence

from freehold.aws.call import Json
from freehold.aws.policies import Asked, MalformedPolicy, Verdict, evaluate_resource_policy
from freehold.gateway.authorizers.broken import Closed
from freehold.gateway.authorizers.iam import IamAuthorizer
from freehold.gateway.compiled import Api, Authorizer, Kind, Route, Stage
from freehold.gateway.cors import compile_cors
from freehold.gateway.integrations.function_url import FunctionUrl
from freehold.gateway.routes import Node

_ACTIONS = ("lambda:InvokeFunctionUrl", "lambda:InvokeFunction")


def compile_function_url(region: str, account: str, document: Json, statements: Sequence[Json]) -> Api:
    """`FunctionArn` (with its qualifier, if any), `UrlId`, `AuthType`, `Cors`, `InvokeMode`; and the statements of the
    function's (or alias's) resource policy."""
    policy = {"Statement": list(statements)}
    authorizer: Authorizer | None = IamAuthorizer("lambda", _ACTIONS, document["FunctionArn"], policy)
    if document["AuthType"] == "NONE":
        authorizer = None if _is_public(document["FunctionArn"], policy) else Closed()
    route = Route(
        key="$default",
        path="/$default",
        names=(),
        integration=FunctionUrl(document["FunctionArn"], document.get("InvokeMode") == "RESPONSE_STREAM"),
        authorizer=authorizer,
    )
    return Api(
        kind=Kind.URL,
        id=document["UrlId"],
        region=region,
        account=account,
        stages={"$default": Stage(name="$default", routes=Node(), default_route=route)},
        cors=compile_cors(document.get("Cors")),
    )


def _is_public(function_arn: str, policy: Json) -> bool:
    """Whether the function's policy lets anyone in. Its conditions can name nothing else, see AddPermission."""
    context: dict[str, str | list[str]] = {
        "lambda:functionurlauthtype": "NONE",
        "lambda:invokedviafunctionurl": "true",
    }
    try:
        return all(
            evaluate_resource_policy(policy, Asked(action, function_arn, context=context)) is Verdict.ALLOW
            for action in _ACTIONS
        )
    except MalformedPolicy:
        return False
