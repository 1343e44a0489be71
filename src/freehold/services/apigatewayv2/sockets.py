"""What WebSocket APIs may have where HTTP APIs have something else: checks of their parts.

API Gateway V2 API Reference, "Apis", "Routes", "Integrations", "Authorizers"; Developer Guide, "WebSocket APIs".
"""

from __future__ import annotations

from freehold.aws.call import Json
from freehold.services.apigatewayv2.record import WEBSOCKET, ApiGatewayV2, bad_request

SOCKET_TIMEOUT_MAX_MS = 29_000  # Also the default.
_TIMEOUT_MIN_MS = 50
_CONNECT = "$connect"
_PREDEFINED = (_CONNECT, "$disconnect", "$default")
_KEY_SOURCES = ("$request.header.x-api-key", "$context.authorizer.usageIdentifierKey")
_NEED_URI = ("AWS", "AWS_PROXY", "HTTP", "HTTP_PROXY")
_PASSTHROUGH = ("WHEN_NO_MATCH", "WHEN_NO_TEMPLATES", "NEVER")
_LONGEST_KEY = 512


def check_socket_api(gateway: ApiGatewayV2, api: Json) -> None:
    if not api.get("RouteSelectionExpression"):
        raise bad_request("RouteSelectionExpression is required for WebSocket APIs")
    if api.get("CorsConfiguration"):
        raise bad_request("CORS configuration is supported only for HTTP APIs")
    if api.get("DisableSchemaValidation"):
        raise bad_request("Freehold does not support DisableSchemaValidation yet.")
    if api["ApiKeySelectionExpression"] not in _KEY_SOURCES:
        raise bad_request(f"ApiKeySelectionExpression must be one of {', '.join(_KEY_SOURCES)}")
    gateway.check({"ProtocolType": WEBSOCKET, "Apis": [api]})


def check_socket_route(gateway: ApiGatewayV2, route: Json) -> None:
    key = route["RouteKey"]
    if not key or len(key) > _LONGEST_KEY or (key.startswith("$") and key not in _PREDEFINED):
        raise bad_request(
            f"Invalid route key {key}: keys that begin with $ are reserved, and none is longer than {_LONGEST_KEY}"
        )
    kind = route["AuthorizationType"]
    if kind not in ("NONE", "CUSTOM", "AWS_IAM"):
        raise bad_request("Invalid AuthorizationType. Must be one of NONE, AWS_IAM or CUSTOM")
    if (kind != "NONE" or route.get("ApiKeyRequired")) and key != _CONNECT:
        raise bad_request("Currently, authorization is restricted to the $connect route only")
    if (kind == "CUSTOM") != bool(route.get("AuthorizerId")):
        raise bad_request("AuthorizerId is required when AuthorizationType is CUSTOM, and given with no other")
    if route.get("AuthorizationScopes"):
        raise bad_request("AuthorizationScopes are supported only for HTTP APIs")
    if route.get("RouteResponseSelectionExpression", "$default") != "$default":
        raise bad_request("RouteResponseSelectionExpression can only be $default")
    if route.get("RequestParameters") and key != _CONNECT:
        raise bad_request("RequestParameters are supported only on the $connect route")
    expression = (route.get("ModelSelectionExpression") or "$default").replace("\\$", "$")
    models = set(route.get("RequestModels") or ()) - {"$default"}
    if expression != "$default" or models:
        raise bad_request("Freehold does not support the selection of models yet; the model $default is held to.")
    gateway.check({"ProtocolType": WEBSOCKET, "Routes": [route]})


def check_socket_integration(gateway: ApiGatewayV2, integration: Json) -> None:
    if not _TIMEOUT_MIN_MS <= integration["TimeoutInMillis"] <= SOCKET_TIMEOUT_MAX_MS:
        raise bad_request(f"Timeout should be between {_TIMEOUT_MIN_MS} ms and {SOCKET_TIMEOUT_MAX_MS} ms")
    if integration.get("IntegrationSubtype"):
        raise bad_request("IntegrationSubtype is supported only for HTTP APIs")
    if integration["PayloadFormatVersion"] != "1.0":
        raise bad_request("PayloadFormatVersion 1.0 is the only one of WebSocket APIs")
    if integration["IntegrationType"] in _NEED_URI and not integration.get("IntegrationUri"):
        raise bad_request("IntegrationUri is required")
    if integration.get("PassthroughBehavior", _PASSTHROUGH[0]) not in _PASSTHROUGH:
        raise bad_request(f"PassthroughBehavior must be one of {', '.join(_PASSTHROUGH)}")
    check_conversion(integration)
    gateway.check({"ProtocolType": WEBSOCKET, "Integrations": [integration]})


def check_socket_authorizer(gateway: ApiGatewayV2, authorizer: Json) -> None:
    if authorizer["AuthorizerType"] != "REQUEST":
        raise bad_request("Only authorizers of type REQUEST are supported for WebSocket APIs")
    if not authorizer.get("AuthorizerUri"):
        raise bad_request("AuthorizerUri is required for authorizers of type REQUEST")
    for member in ("AuthorizerPayloadFormatVersion", "EnableSimpleResponses", "AuthorizerResultTtlInSeconds"):
        if authorizer.get(member):
            raise bad_request(f"{member} is supported only for HTTP APIs")
    gateway.check({"ProtocolType": WEBSOCKET, "Authorizers": [authorizer]})


def check_conversion(part: Json) -> None:
    """Of an integration or its response."""
    if part.get("ContentHandlingStrategy"):
        raise bad_request(f"Freehold does not support ContentHandlingStrategy {part['ContentHandlingStrategy']} yet.")
