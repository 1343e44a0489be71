"""WebSocket APIs: documents of apigatewayv2 in, an immutable Api out. What it cannot honour it refuses by name, which
is also how operations check a part before they store it (`check_socket_parts`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from freehold.aws.call import Json
from freehold.aws.errors import AwsError
from freehold.gateway.authorizers.broken import Broken
from freehold.gateway.authorizers.iam import INVOKE, IamAuthorizer
from freehold.gateway.authorizers.request import compile_socket_authorizer
from freehold.gateway.compiled import Api, Authorizer, Integration, Kind, RequestLog, Route, SocketRoutes, Stage
from freehold.gateway.function_arns import function_arn, has_variables
from freehold.gateway.integrations.endpoints import fill_stage_variables
from freehold.gateway.integrations.lambda_proxy import LambdaProxy
from freehold.gateway.integrations.socket_http import compile_socket_http
from freehold.gateway.integrations.socket_mapped import SocketLambda, SocketMock, compile_mapped
from freehold.gateway.limits import ACCOUNT_BURST, ACCOUNT_RATE, REST_TIMEOUT_S
from freehold.gateway.request_logs.access import compile_stage_log
from freehold.gateway.request_logs.execution import ExecutionLog, compile_execution_log
from freehold.gateway.request_logs.notes import noted
from freehold.gateway.routes import Node
from freehold.gateway.selection import compile_selection
from freehold.gateway.throttle import Bucket
from freehold.gateway.unsupported import unsupported
from freehold.gateway.validation import Validation, compile_validation

Parts = Mapping[str, Json]
_KEYED = ("integrationresponse", "routeresponse", "model")
_LAMBDA_PATH = ":lambda:path/"
_SOME_URI = "http://some.example"  # Stands in for one that only a stage's variables complete.
_AUTHORIZER_KEY = "$context.authorizer.usageIdentifierKey"


def check_socket_parts(parts: Json) -> None:
    """Lists of documents, any of them absent: `Apis`, `Routes`, `Integrations`, `IntegrationResponses`, `Authorizers`.
    Raises AwsError."""
    for api in parts.get("Apis", ()):
        compile_selection(api["RouteSelectionExpression"], "RouteSelectionExpression")
    for integration in parts.get("Integrations", ()):
        if has_variables(integration.get("IntegrationUri", "")):
            if integration["IntegrationType"] not in ("HTTP", "HTTP_PROXY"):
                continue
            integration = {**integration, "IntegrationUri": _SOME_URI}
        _integration(integration, {}, None)
    for response in parts.get("IntegrationResponses", ()):
        compile_mapped({}, {"": response}, f"the integration response {response['IntegrationResponseKey']}")
    for stage in parts.get("Stages", ()):
        compile_socket_log(stage)
    for authorizer in parts.get("Authorizers", ()):
        if not has_variables(authorizer.get("AuthorizerUri", "")):
            compile_socket_authorizer(authorizer, None)


def compile_websocket_api(region: str, account: str, documents: Mapping[str, Parts], throttle: Bucket) -> Api:
    """Documents by part ("api", "stage", "route", ...) and id. `throttle` is the account's."""
    api = documents["api"][""]
    stages = {}
    for name, stage in documents.get("stage", {}).items():
        parts = _deployed(stage, documents)
        if parts is not None:
            stages[name] = _stage(api, stage, parts)
    return Api(
        kind=Kind.WEBSOCKET,
        id=api["ApiId"],
        region=region,
        account=account,
        stages=stages,
        throttle=throttle,
        is_endpoint_disabled=bool(api.get("DisableExecuteApiEndpoint")),
    )


def _deployed(stage: Json, documents: Mapping[str, Parts]) -> Mapping[str, Parts] | None:
    """What the stage serves; None: nothing was deployed to it yet."""
    if stage.get("AutoDeploy"):
        return documents
    deployment = documents.get("deployment", {}).get(stage.get("DeploymentId", ""))
    if deployment is None:
        return None
    copy = deployment.get("Copy", {})
    return {
        "route": {part["RouteId"]: part for part in copy.get("Routes", ())},
        "integration": {part["IntegrationId"]: part for part in copy.get("Integrations", ())},
        "authorizer": {part["AuthorizerId"]: part for part in copy.get("Authorizers", ())},
        **{part: copy.get(f"apigatewayv2.{part}", {}) for part in _KEYED},
    }


def _stage(api: Json, stage: Json, parts: Mapping[str, Parts]) -> Stage:
    variables = stage.get("StageVariables") or None
    authorizers = {name: _or_broken(part, variables) for name, part in parts.get("authorizer", {}).items()}
    two_way = {name.partition("/")[0] for name in parts.get("routeresponse", {})}
    models = {part["Name"]: {**part, "schema": part["Schema"]} for part in parts.get("model", {}).values()}
    keys = [document["RouteKey"] for document in parts.get("route", {}).values()]
    logs: tuple[RequestLog, ...] = compile_stage_log(stage)
    execution = compile_socket_log(stage, keys)
    logs = logs if execution is None else (*logs, execution)
    routes = {}
    for document in parts.get("route", {}).values():
        key = document["RouteKey"]
        authorizer: Authorizer | None = None
        if document.get("AuthorizationType") == "AWS_IAM":
            authorizer = IamAuthorizer("execute-api", (INVOKE,))
        elif document.get("AuthorizationType", "NONE") != "NONE":
            authorizer = authorizers.get(document.get("AuthorizerId", ""), Broken())
        routes[key] = Route(
            key=key,
            path=f"/{key}",
            names=(),
            integration=_integration_of(document, parts, variables),
            authorizer=authorizer,
            throttle=_bucket(_settings(stage, key)),
            needs_api_key=bool(document.get("ApiKeyRequired")),
            validation=_validation(document, models),
            is_two_way=document["RouteId"] in two_way,
        )
        routes[key] = noted(routes[key]) if logs else routes[key]
    return Stage(
        name=stage["StageName"],
        routes=Node(),
        variables=variables,
        deployment_id=stage.get("DeploymentId", ""),
        has_authorizers_keys=api.get("ApiKeySelectionExpression") == _AUTHORIZER_KEY,
        sockets=SocketRoutes(routes, compile_selection(api["RouteSelectionExpression"], "RouteSelectionExpression")),
        logs=logs,
    )


def compile_socket_log(stage: Json, route_keys: Iterable[str] = ()) -> ExecutionLog | None:
    """The stage's execution log of these routes and of those that its settings name. Raises AwsError."""
    keys = dict.fromkeys(("$default", *stage.get("RouteSettings", {}), *route_keys))
    levels = []
    for key in keys:
        settings = _settings(stage, key)
        level = settings.get("LoggingLevel") or "OFF"
        levels.append((key, {"loggingLevel": level, "dataTraceEnabled": settings.get("DataTraceEnabled")}))
    return compile_execution_log(levels)


def _settings(stage: Json, key: str) -> Json:
    return {**stage.get("DefaultRouteSettings", {}), **stage.get("RouteSettings", {}).get(key, {})}


def _integration_of(route: Json, parts: Mapping[str, Parts], variables: Mapping[str, str] | None) -> Integration | None:
    """None: the route has no target, or its URI names no function once this stage's variables are put in."""
    integration_id = (route.get("Target") or "").removeprefix("integrations/")
    document = parts.get("integration", {}).get(integration_id)
    if document is None:
        return None
    responses = {
        name: part
        for name, part in parts.get("integrationresponse", {}).items()
        if name.startswith(f"{integration_id}/")
    }
    try:
        return _integration(document, responses, variables)
    except AwsError:
        return None


def _or_broken(document: Json, variables: Mapping[str, str] | None) -> Authorizer:
    try:
        return compile_socket_authorizer(document, variables)
    except AwsError:
        return Broken()


def _bucket(settings: Json) -> Bucket | None:
    rate, burst = settings.get("ThrottlingRateLimit"), settings.get("ThrottlingBurstLimit")
    if rate is None and burst is None:
        return None
    return Bucket(ACCOUNT_RATE if rate is None else rate, ACCOUNT_BURST if burst is None else burst)


def _validation(route: Json, models: Mapping[str, Json]) -> Validation | None:
    """Parameters of a handshake, and the model that every message of the route must fit."""
    parameters = {
        name.replace("route.", "method.", 1): bool(settings.get("Required"))
        for name, settings in (route.get("RequestParameters") or {}).items()
    }
    wanted = route.get("RequestModels") or {}
    method = {
        "requestValidatorId": "route",
        "requestParameters": parameters,
        "requestModels": {"$default": wanted["$default"]} if "$default" in wanted else {},
    }
    both = {"route": {"validateRequestParameters": True, "validateRequestBody": True}}
    return compile_validation(method, both, models, f"the route {route['RouteKey']}")


def _integration(document: Json, responses: Mapping[str, Json], variables: Mapping[str, str] | None) -> Integration:
    kind = document["IntegrationType"]
    uri = document.get("IntegrationUri", "")
    what = f"an integration of type {kind}"
    role_arn = document.get("CredentialsArn") or ""
    if document.get("ConnectionType", "INTERNET") != "INTERNET":
        raise unsupported("integrations through a VPC link")
    is_http = kind in ("HTTP", "HTTP_PROXY")
    for member in ("ResponseParameters",) if is_http else ("RequestParameters", "ResponseParameters"):
        if document.get(member):
            raise unsupported(f"parameter mapping ({member} of an integration)")
    timeout_s = min(document["TimeoutInMillis"] / 1000, REST_TIMEOUT_S)
    if kind == "AWS_PROXY":
        return LambdaProxy(function_arn(uri, variables), "", timeout_s, role_arn)
    if kind == "MOCK":
        return SocketMock(compile_mapped(document, responses, what))
    if kind == "AWS" and _LAMBDA_PATH in uri:
        mapped = compile_mapped(document, responses, what)
        return SocketLambda(function_arn(uri, variables), mapped, timeout_s, role_arn)
    if is_http:
        sent = None if kind == "HTTP_PROXY" else compile_mapped(document, responses, what)
        return compile_socket_http(document, fill_stage_variables(uri, variables), sent, timeout_s)
    raise unsupported(f"integrations of type {kind} in WebSocket APIs")
