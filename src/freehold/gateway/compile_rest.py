"""REST APIs: a deployment's copy of an API in, an immutable Stage out. `check_rest_copy` is what CreateDeployment asks:
it compiles the copy, and whatever cannot be honoured is refused by name before a stage could serve it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from freehold.aws.call import Json
from freehold.aws.errors import AwsError
from freehold.gateway.authorizers.broken import Broken
from freehold.gateway.authorizers.cognito import CognitoAuthorizer, compile_cognito_authorizer
from freehold.gateway.authorizers.iam import INVOKE, IamAuthorizer
from freehold.gateway.authorizers.request import compile_rest_authorizer
from freehold.gateway.authorizers.resource_policy import ResourcePolicy, compile_resource_policy
from freehold.gateway.compiled import Api, Authorizer, Canary, Integration, Kind, RequestLog, Route, Stage, api_arn
from freehold.gateway.function_arns import function_arn, has_variables
from freehold.gateway.gateway_responses import compile_gateway_response
from freehold.gateway.integrations.aws_service import HasService, compile_aws_service
from freehold.gateway.integrations.endpoints import fill_stage_variables
from freehold.gateway.integrations.http import compile_http
from freehold.gateway.integrations.lambda_custom import compile_lambda_custom
from freehold.gateway.integrations.lambda_proxy import LambdaProxy
from freehold.gateway.integrations.mock import compile_mock
from freehold.gateway.limits import ACCOUNT_BURST, ACCOUNT_RATE, REST_TIMEOUT_S
from freehold.gateway.request_logs.access import AccessLog, compile_access_log
from freehold.gateway.request_logs.execution import compile_execution_log
from freehold.gateway.request_logs.notes import noted
from freehold.gateway.response_cache import Place, check_cache_settings, new_cache, with_cache
from freehold.gateway.routes import Node, names_of
from freehold.gateway.throttle import Bucket
from freehold.gateway.unsupported import unsupported
from freehold.gateway.validation import compile_validation

Parts = Mapping[str, Json]
# A method's authorizationType -> the types of authorizers that it may name.
_AUTHORIZERS = {"CUSTOM": ("TOKEN", "REQUEST"), "COGNITO_USER_POOLS": ("COGNITO_USER_POOLS",)}


def check_rest_copy(copy: Json, has_service: HasService = lambda name: True) -> None:
    """The `copy` of a deployment: `api`, `resources`, `authorizers`, `gatewayResponses`, ...; `has_service` tells which
    AWS services there are. Raises AwsError."""
    _compile_stage(
        {"stageName": "check", "deploymentId": "", "cacheClusterEnabled": True},
        copy,
        "arn:aws:execute-api:check:check:check",
        _Shared(new_cache()),
        has_service,
    )


def check_rest_stage(stage: Json) -> None:
    """Raises AwsError, BadRequestException."""
    _access_log(stage)
    compile_execution_log((stage.get("methodSettings") or {}).items())
    if stage.get("clientCertificateId"):
        raise unsupported("client certificates of REST APIs")
    for name, settings in (stage.get("methodSettings") or {}).items():
        check_cache_settings(settings, name)


def compile_rest_api(region: str, account: str, documents: Mapping[str, Parts], throttle: Bucket) -> Api:
    """Documents by part ("restapi", "stage", "deployment") and id. `throttle` is the account's."""
    api = documents["restapi"][""]
    deployments = documents.get("deployment", {})
    arn = api_arn(region, account, api["id"])
    stages = {
        name: _with_canary(stage, deployments, arn)
        for name, stage in documents.get("stage", {}).items()
        if stage["deploymentId"] in deployments
    }
    return Api(
        kind=Kind.REST,
        id=api["id"],
        region=region,
        account=account,
        stages=stages,
        throttle=throttle,
        is_endpoint_disabled=bool(api.get("disableExecuteApiEndpoint")),
    )


@dataclass(frozen=True, slots=True)
class _Shared:
    """What a stage and its canary have in common."""

    cache: int
    buckets: dict[str, Bucket | None] = field(default_factory=dict)  # By route key.


def _with_canary(stage: Json, deployments: Parts, arn: str) -> Stage:
    """Developer Guide, "Set up an API Gateway canary release deployment"."""
    shared = _Shared(new_cache())
    compiled = _compile_stage(stage, deployments[stage["deploymentId"]]["copy"], arn, shared)
    settings = stage.get("canarySettings")
    if not settings:
        return compiled
    compiled = replace(compiled, is_canary=False)
    deployment_id = settings.get("deploymentId") or stage["deploymentId"]
    percent = settings.get("percentTraffic") or 0.0
    if not percent or deployment_id not in deployments:
        return compiled
    variables = {**(stage.get("variables") or {}), **(settings.get("stageVariableOverrides") or {})}
    document = {**stage, "deploymentId": deployment_id, "variables": variables}
    if not settings.get("useStageCache"):
        shared = replace(shared, cache=new_cache())
    canary = _compile_stage(document, deployments[deployment_id]["copy"], arn, shared)
    return replace(compiled, canary=Canary(replace(canary, is_canary=True), percent))


def _compile_stage(stage: Json, copy: Json, arn: str, shared: _Shared, has_service: HasService | None = None) -> Stage:
    """With `has_service` it is only checked, and URIs with stage variables are not resolved: no stage is known yet."""
    api = copy["api"]
    if "PRIVATE" in (api.get("endpointConfiguration") or {}).get("types", ()):
        raise unsupported("private REST APIs")
    policy = compile_resource_policy(api["policy"], arn) if api.get("policy") else None
    logs = _logs(stage, copy)
    return Stage(
        name=stage["stageName"],
        routes=_routes(stage, copy, policy, shared, has_service, is_logged=bool(logs)),
        variables=stage.get("variables") or None,
        deployment_id=stage["deploymentId"],
        binary_media_types=tuple(api.get("binaryMediaTypes") or ()),
        compress_from_bytes=api.get("minimumCompressionSize"),
        has_authorizers_keys=api.get("apiKeySource") == "AUTHORIZER",
        gateway_responses={
            document["responseType"]: compile_gateway_response(document)
            for document in copy.get("gatewayResponses", ())
        },
        logs=logs,
    )


def _routes(
    stage: Json,
    copy: Json,
    policy: ResourcePolicy | None,
    shared: _Shared,
    has_service: HasService | None,
    *,
    is_logged: bool,
) -> Node[Route]:
    check_only = has_service is not None
    variables = stage.get("variables") or None
    authorizers: dict[str, Authorizer] = {}
    for document in copy.get("authorizers", ()):
        if not (check_only and has_variables(document.get("authorizerUri") or "")):
            authorizers[document["id"]] = _or_broken(document, variables, check_only=check_only)
    validators = {document["id"]: document for document in copy.get("requestValidators", ())}
    models = {document["name"]: document for document in copy.get("models", ())}
    settings = stage.get("methodSettings") or {}
    tree: Node[Route] = Node()
    for path, method, resource_id, document in _methods(copy):
        what = f"{method} {path}"
        _check_guards(document, copy, what)
        integration = None
        if not (check_only and has_variables((document.get("methodIntegration") or {}).get("uri") or "")):
            integration = _or_none(document, variables, what, has_service)
        route = Route(
            key=what,
            path=path,
            names=names_of(path),
            integration=integration,
            authorizer=None if check_only else _authorizer(document, authorizers, policy),
            resource_id=resource_id,
            throttle=shared.buckets.setdefault(what, _bucket(method_settings(settings, path, method))),
            needs_api_key=bool(document.get("apiKeyRequired")),
            validation=compile_validation(document, validators, models, what),
        )
        route = noted(route) if is_logged else route
        if route.integration is not None and stage.get("cacheClusterEnabled"):
            answers = document["methodIntegration"]
            place = Place(shared.cache, answers.get("cacheNamespace") or resource_id, what)
            names = _settings_names(path, method)
            route = replace(route, integration=with_cache(route.integration, answers, settings, names, place))
        tree.add(method, "" if path == "/" else path, route)
    return tree


def _methods(copy: Json) -> Iterator[tuple[str, str, str, Json]]:
    """(path, method, the resource's id, the method's document)"""
    for resource in copy["resources"]:
        for method, document in (resource.get("resourceMethods") or {}).items():
            yield resource["path"], method, resource["id"], document


def _logs(stage: Json, copy: Json) -> tuple[RequestLog, ...]:
    settings = stage.get("methodSettings") or {}
    execution_log = compile_execution_log(
        (f"{method} {path}", method_settings(settings, path, method)) for path, method, _, _ in _methods(copy)
    )
    return tuple(log for log in (_access_log(stage), execution_log) if log is not None)


def _check_guards(method: Json, copy: Json, what: str) -> None:
    """Whatever keeps requests out must be enforced, or the API is not deployed."""
    kind = method.get("authorizationType", "NONE")
    if kind in _AUTHORIZERS:
        types = {document["id"]: document["type"] for document in copy.get("authorizers", ())}
        found = types.get(method.get("authorizerId", ""))
        if found not in _AUTHORIZERS[kind]:
            raise AwsError("BadRequestException", f"{what} needs an authorizer that does not exist", status=400)
    elif kind not in ("NONE", "AWS_IAM"):
        raise unsupported(f"authorization of type {kind} in REST APIs ({what})")


def _authorizer(
    method: Json, authorizers: Mapping[str, Authorizer], policy: ResourcePolicy | None
) -> Authorizer | None:
    authorizer = _method_authorizer(method, authorizers)
    return policy.with_authorizer(authorizer) if policy is not None else authorizer


def _method_authorizer(method: Json, authorizers: Mapping[str, Authorizer]) -> Authorizer | None:
    if method.get("authorizationType", "NONE") == "NONE":
        return None
    if method["authorizationType"] == "AWS_IAM":
        return IamAuthorizer("execute-api", (INVOKE,))
    found = authorizers.get(method.get("authorizerId") or "", Broken())
    return found.with_scopes(method.get("authorizationScopes") or ()) if isinstance(found, CognitoAuthorizer) else found


def _or_broken(document: Json, variables: Mapping[str, str] | None, *, check_only: bool) -> Authorizer:
    """A URI may name no function once the stage's variables are put in: then it keeps everyone out."""
    try:
        if document["type"] == "COGNITO_USER_POOLS":
            return compile_cognito_authorizer(document)
        return compile_rest_authorizer(document, variables)
    except AwsError:
        if check_only:
            raise
        return Broken()


def _access_log(stage: Json) -> AccessLog | None:
    settings = stage.get("accessLogSettings") or {}
    return compile_access_log(settings.get("destinationArn"), settings.get("format"))


def method_settings(settings: Mapping[str, Json], path: str, method: str) -> Json:
    """A stage's `methodSettings` are keyed "items~1{id}/GET"; "*/*" is for all, and gives way."""
    found: Json = {}
    for name in ("*/*", *_settings_names(path, method)):
        found |= settings.get(name, {})
    return found


def _settings_names(path: str, method: str) -> tuple[str, ...]:
    escaped = path.strip("/").replace("/", "~1") or "~1"
    return f"{escaped}/{method}", f"~1{escaped}/{method}"


def _bucket(settings: Json) -> Bucket | None:
    rate, burst = settings.get("throttlingRateLimit"), settings.get("throttlingBurstLimit")
    if rate is None and burst is None:
        return None
    return Bucket(ACCOUNT_RATE if rate is None else rate, ACCOUNT_BURST if burst is None else burst)


def _or_none(
    method: Json, variables: Mapping[str, str] | None, what: str, has_service: HasService | None
) -> Integration | None:
    try:
        return _integration(method, variables, what, has_service)
    except AwsError:
        if has_service is not None:
            raise
        return None


def _integration(
    method: Json, variables: Mapping[str, str] | None, what: str, has_service: HasService | None
) -> Integration:
    document = method.get("methodIntegration")
    if not document:
        raise AwsError("BadRequestException", f"No integration defined for method ({what})", status=400)
    if document.get("connectionType", "INTERNET") != "INTERNET":
        raise unsupported(f"integrations through a VPC link ({what})")
    if document.get("responseTransferMode", "BUFFERED") != "BUFFERED":
        raise unsupported(f"response streaming of REST APIs ({what})")
    if (document.get("tlsConfig") or {}).get("insecureSkipVerification"):
        raise unsupported(f"tlsConfig.insecureSkipVerification of integrations ({what})")
    if document["type"] == "MOCK":
        return compile_mock(document, what)
    timeout_s = min(document.get("timeoutInMillis", REST_TIMEOUT_S * 1000) / 1000, REST_TIMEOUT_S)
    if document["type"] in ("HTTP", "HTTP_PROXY"):
        return compile_http(document, fill_stage_variables(document["uri"], variables), timeout_s, what)
    if document["type"] == "AWS" and ":lambda:path/" not in document["uri"]:
        uri = fill_stage_variables(document["uri"], variables)
        return compile_aws_service(document, uri, timeout_s, what, has_service)
    if document["type"] == "AWS":
        return compile_lambda_custom(document, function_arn(document["uri"], variables), timeout_s, what)
    arn = function_arn(document["uri"], variables)
    return LambdaProxy(arn, "", timeout_s, role_arn=document.get("credentials") or "")
