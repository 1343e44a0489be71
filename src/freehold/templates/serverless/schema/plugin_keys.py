"""Keys that plugins bring along: known where the plugin is named, and without effect unless the plugin is built in."""

from __future__ import annotations

from collections.abc import Sequence

_ROLES = {
    "iamRoleStatements",
    "iamRoleStatementsName",
    "iamRoleStatementsInherit",
    "iamPermissionsBoundary",
    "iamManagedPolicies",
}
# plugin -> place -> keys; places: top, provider, function, event.
_KEYS: dict[str, dict[str, set[str]]] = {
    "serverless-iam-roles-per-function": {"function": _ROLES},
    "serverless-python-requirements": {"function": {"module"}},
    "serverless-esbuild": {"function": {"disabled"}},
    "serverless-plugin-warmup": {"function": {"warmup"}},
    "serverless-aws-documentation": {"function": {"documentation"}, "event": {"documentation"}},
    "serverless-openapi-documentation": {"function": {"documentation"}, "event": {"documentation"}},
    "serverless-openapi-documenter": {"function": {"documentation"}, "event": {"documentation"}},
    "serverless-auto-swagger": {
        "event": {"bodyType", "responseData", "queryStringParameters", "swaggerTags", "summary", "description"}
    },
    "serverless-api-gateway-caching": {"event": {"caching"}},
    "serverless-api-gateway-throttling": {"event": {"throttling"}},
    "serverless-plugin-canary-deployments": {"function": {"deploymentSettings"}},
    "serverless-plugin-aws-alerts": {"function": {"alarms"}},
    "serverless-sentry": {"function": {"sentry"}},
    "serverless-plugin-lambda-dead-letter": {"function": {"deadLetter"}},
    "serverless-plugin-tracing": {"function": {"tracing"}, "provider": {"tracing"}},
    "serverless-localstack": {"top": {"localstack"}},
}
_PLACES = ("top", "provider", "function", "event")


def keys_of(plugins: Sequence[str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {place: set() for place in _PLACES}
    for plugin in plugins:
        for place, keys in _KEYS.get(plugin, {}).items():
            found[place] |= keys
    return found
