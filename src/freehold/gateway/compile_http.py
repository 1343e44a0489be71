"""HTTP APIs: documents of apigatewayv2 in, an immutable Api out. What it cannot honour it refuses by name, which is
also how operations check a part before they store it (`check_http_parts`)."""

from __future__ import annotations

from collections.abc import Mapping

from freehold.aws.call import Json
from freehold.aws.errors import AwsError
from freehold.gateway.authorizers.broken import Broken
from freehold.gateway.authorizers.iam import INVOKE, IamAuthorizer
from freehold.gateway.authorizers.jwt import JwtAuthorizer, compile_jwt_authorizer
from freehold.gateway.authorizers.request import RequestAuthorizer, compile_http_request_authorizer
from freehold.gateway.compile_http_integration import check_integration, compile_integration
from freehold.gateway.compiled import Api, Authorizer, Integration, Kind, Route, Stage
from freehold.gateway.cors import compile_cors
from freehold.gateway.function_arns import has_variables
from freehold.gateway.limits import ACCOUNT_BURST, ACCOUNT_RATE
from freehold.gateway.request_logs.access import compile_stage_log
from freehold.gateway.request_logs.notes import noted
from freehold.gateway.routes import Node, names_of
from freehold.gateway.throttle import Bucket

Parts = Mapping[str, Json]


def check_http_parts(parts: Json) -> None:
    """`Routes`, `Integrations`, `Authorizers`: lists of documents, any of them absent. Raises AwsError."""
    for integration in parts.get("Integrations", ()):
        check_integration(integration)
    for authorizer in parts.get("Authorizers", ()):
        if not has_variables(authorizer.get("AuthorizerUri", "")):
            _authorizer(authorizer, None)


def compile_http_api(region: str, account: str, documents: Mapping[str, Parts]) -> Api:
    """Documents by part ("api", "stage", "route", "integration", "authorizer", "deployment") and id."""
    api = documents["api"][""]
    stages = {}
    for name, stage in documents.get("stage", {}).items():
        compiled = _stage(stage, documents)
        if compiled is not None:
            stages[name] = compiled
    return Api(
        kind=Kind.HTTP,
        id=api["ApiId"],
        region=region,
        account=account,
        stages=stages,
        cors=compile_cors(api.get("CorsConfiguration")),
        is_endpoint_disabled=bool(api.get("DisableExecuteApiEndpoint")),
    )


def _stage(stage: Json, documents: Mapping[str, Parts]) -> Stage | None:
    """None: nothing was deployed to it yet."""
    if stage.get("AutoDeploy"):
        routes = list(documents.get("route", {}).values())
        integrations = documents.get("integration", {})
        authorizers = documents.get("authorizer", {})
    else:
        deployment = documents.get("deployment", {}).get(stage.get("DeploymentId", ""))
        if deployment is None:
            return None
        copy = deployment.get("Copy", {})
        routes = copy.get("Routes", [])
        integrations = {part["IntegrationId"]: part for part in copy.get("Integrations", ())}
        authorizers = {part["AuthorizerId"]: part for part in copy.get("Authorizers", ())}
    variables = stage.get("StageVariables") or None
    # One compiled authorizer for all its routes: they share its cache.
    compiled_authorizers = {name: _or_broken(part, variables) for name, part in authorizers.items()}
    logs = compile_stage_log(stage)
    tree: Node[Route] = Node()
    default_route = None
    for document in routes:
        integration = integrations.get((document.get("Target") or "").removeprefix("integrations/"))
        route = _route(document, stage, integration, variables, compiled_authorizers)
        route = noted(route) if logs else route
        if route.key == "$default":
            default_route = route
        else:
            tree.add(document["RouteKey"].partition(" ")[0], route.path, route)
    return Stage(
        name=stage["StageName"],
        routes=tree,
        default_route=default_route,
        variables=variables,
        deployment_id=stage.get("DeploymentId", ""),
        logs=logs,
    )


def _route(
    document: Json,
    stage: Json,
    integration: Json | None,
    variables: Mapping[str, str] | None,
    authorizers: Mapping[str, Authorizer],
) -> Route:
    key = document["RouteKey"]
    path = "/$default" if key == "$default" else key.partition(" ")[2]
    authorizer: Authorizer | None = None
    if document.get("AuthorizationType") == "AWS_IAM":
        authorizer = IamAuthorizer("execute-api", (INVOKE,))
    elif document.get("AuthorizationType", "NONE") != "NONE":
        found = authorizers.get(document.get("AuthorizerId", ""), Broken())
        authorizer = found
        if isinstance(found, JwtAuthorizer):
            authorizer = found.with_scopes(document.get("AuthorizationScopes") or ())
    return Route(
        key=key,
        path=path,
        names=() if key == "$default" else names_of(path),
        integration=None if integration is None else _or_none(integration, variables),
        authorizer=authorizer,
        throttle=_bucket({**stage.get("DefaultRouteSettings", {}), **stage.get("RouteSettings", {}).get(key, {})}),
    )


def _or_none(document: Json, variables: Mapping[str, str] | None) -> Integration | None:
    """A URI may name no function once this stage's variables are put in: its route answers 500, the others live on."""
    try:
        return compile_integration(document, variables)
    except AwsError:
        return None


def _or_broken(document: Json, variables: Mapping[str, str] | None) -> Authorizer:
    try:
        return _authorizer(document, variables)
    except AwsError:
        return Broken()


def _bucket(settings: Json) -> Bucket | None:
    rate = settings.get("ThrottlingRateLimit")
    burst = settings.get("ThrottlingBurstLimit")
    if rate is None and burst is None:
        return None
    return Bucket(ACCOUNT_RATE if rate is None else rate, ACCOUNT_BURST if burst is None else burst)


def _authorizer(document: Json, variables: Mapping[str, str] | None) -> JwtAuthorizer | RequestAuthorizer:
    if document["AuthorizerType"] == "JWT":
        return compile_jwt_authorizer(document)
    return compile_http_request_authorizer(document, variables)
