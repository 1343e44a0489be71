"""The integrations of HTTP APIs: a document of apigatewayv2 in, what answers the route out; else a refusal by name."""

from __future__ import annotations

from collections.abc import Mapping

from freehold.aws.call import Json
from freehold.aws.errors import AwsError
from freehold.gateway.compiled import Integration
from freehold.gateway.function_arns import function_arn, has_variables
from freehold.gateway.integrations.aws_subtype import compile_aws_subtype
from freehold.gateway.integrations.changed import Changed
from freehold.gateway.integrations.endpoints import fill_stage_variables
from freehold.gateway.integrations.http_proxy import HttpApiProxy
from freehold.gateway.integrations.lambda_proxy import LambdaProxy
from freehold.gateway.limits import HTTP_TIMEOUT_S
from freehold.gateway.parameter_changes import compile_answer_changes, compile_request_changes
from freehold.gateway.unsupported import unsupported

# Stand in for a URI that only a stage's variables complete.
_SOME_URI = {
    "AWS_PROXY": "arn:aws:lambda:us-east-1:000000000000:function:some",
    "HTTP_PROXY": "http://some.example",
}


def check_integration(document: Json) -> None:
    """Raises AwsError, BadRequestException."""
    if has_variables(document.get("IntegrationUri") or ""):
        document = {**document, "IntegrationUri": _SOME_URI.get(document["IntegrationType"], "")}
    compile_integration(document, None)


def compile_integration(document: Json, variables: Mapping[str, str] | None) -> Integration:
    """Raises AwsError, BadRequestException."""
    if document.get("ConnectionType", "INTERNET") != "INTERNET":
        raise unsupported("integrations through a VPC link")
    for member in ("ConnectionId", "TlsConfig"):
        if document.get(member):
            raise unsupported(f"{member} of an integration, which belongs to a VPC link,")
    timeout_s = min(document["TimeoutInMillis"] / 1000, HTTP_TIMEOUT_S)
    answers = compile_answer_changes(document.get("ResponseParameters") or {})
    if document.get("IntegrationSubtype"):
        inner: Integration = compile_aws_subtype(document, timeout_s)
        return Changed(inner, (), answers) if answers else inner
    changes = compile_request_changes(document.get("RequestParameters") or {})
    inner = _proxy(document, variables, timeout_s)
    return Changed(inner, changes, answers) if changes or answers else inner


def _proxy(document: Json, variables: Mapping[str, str] | None, timeout_s: float) -> Integration:
    kind = document["IntegrationType"]
    if kind == "AWS_PROXY":
        arn = function_arn(document["IntegrationUri"], variables)
        return LambdaProxy(arn, document["PayloadFormatVersion"], timeout_s, document.get("CredentialsArn") or "")
    if kind != "HTTP_PROXY":
        raise unsupported(f"integrations of type {kind} in HTTP APIs")
    uri = fill_stage_variables(document["IntegrationUri"], variables)
    if not uri.startswith(("http://", "https://")):
        raise AwsError("BadRequestException", f"Invalid HTTP endpoint specified for URI {uri}", status=400)
    if not document.get("IntegrationMethod"):
        raise AwsError("BadRequestException", "HttpMethod must be specified for HTTP_PROXY integrations", status=400)
    return HttpApiProxy(uri, document["IntegrationMethod"].upper(), timeout_s)
