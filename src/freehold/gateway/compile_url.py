"""Function URLs: a document of lambda.url in, an Api with one route out."""

from __future__ import annotations

from collections.abc import Sequence

from freehold.aws.call import Json
from freehold.gateway.authorizers.iam import IamAuthorizer
from freehold.gateway.compiled import Api, Kind, Route, Stage
from freehold.gateway.cors import compile_cors
from freehold.gateway.integrations.function_url import FunctionUrl
from freehold.gateway.routes import Node

# New function URLs ask for lambda:InvokeFunction, too; this one is what they all ask for.
_ACTION = "lambda:InvokeFunctionUrl"


def compile_function_url(region: str, account: str, document: Json, statements: Sequence[Json]) -> Api:
    """`FunctionArn` (with its qualifier, if any), `UrlId`, `AuthType`, `Cors`, `InvokeMode`; and the statements of the
    function's (or alias's) resource policy."""
    policy = {"Statement": list(statements)}
    signed = IamAuthorizer("lambda", _ACTION, document["FunctionArn"], policy)
    route = Route(
        key="$default",
        path="/$default",
        names=(),
        integration=FunctionUrl(document["FunctionArn"], document.get("InvokeMode") == "RESPONSE_STREAM"),
        authorizer=None if document["AuthType"] == "NONE" else signed,
    )
    return Api(
        kind=Kind.URL,
        id=document["UrlId"],
        region=region,
        account=account,
        stages={"$default": Stage(name="$default", routes=Node(), default_route=route)},
        cors=compile_cors(document.get("Cors")),
    )
