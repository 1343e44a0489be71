"""Resource types. This table is what a template may contain: to find a type, look here; each has a file.

Add a type: its file, its line below, then `python scripts/resource_schemas.py` for the schema of its properties.
"""

from __future__ import annotations

from freehold.stacks.resources import (
    apigatewayv2_api,
    apigatewayv2_api_mapping,
    apigatewayv2_authorizer,
    apigatewayv2_deployment,
    apigatewayv2_domain_name,
    apigatewayv2_integration,
    apigatewayv2_integration_response,
    apigatewayv2_model,
    apigatewayv2_route,
    apigatewayv2_route_response,
    apigatewayv2_stage,
    dynamodb_table,
    events_event_bus,
    events_rule,
    iam_role,
    lambda_alias,
    lambda_event_invoke_config,
    lambda_event_source_mapping,
    lambda_function,
    lambda_layer_version,
    lambda_layer_version_permission,
    lambda_permission,
    lambda_url,
    lambda_version,
    logs_log_group,
    s3_bucket,
    s3_bucket_policy,
    wait_condition_handle,
)
from freehold.stacks.resources.types import Created, Place, PlacedType, ResourceType

RESOURCE_TYPES: dict[str, ResourceType | PlacedType] = {
    resource.type: resource
    for resource in (
        apigatewayv2_api.RESOURCE,
        apigatewayv2_api_mapping.RESOURCE,
        apigatewayv2_authorizer.RESOURCE,
        apigatewayv2_deployment.RESOURCE,
        apigatewayv2_domain_name.RESOURCE,
        apigatewayv2_integration.RESOURCE,
        apigatewayv2_integration_response.RESOURCE,
        apigatewayv2_model.RESOURCE,
        apigatewayv2_route.RESOURCE,
        apigatewayv2_route_response.RESOURCE,
        apigatewayv2_stage.RESOURCE,
        dynamodb_table.RESOURCE,
        events_event_bus.RESOURCE,
        events_rule.RESOURCE,
        iam_role.RESOURCE,
        lambda_alias.RESOURCE,
        lambda_event_invoke_config.RESOURCE,
        lambda_event_source_mapping.RESOURCE,
        lambda_function.RESOURCE,
        lambda_layer_version.RESOURCE,
        lambda_layer_version_permission.RESOURCE,
        lambda_permission.RESOURCE,
        lambda_url.RESOURCE,
        lambda_version.RESOURCE,
        logs_log_group.RESOURCE,
        s3_bucket.RESOURCE,
        s3_bucket_policy.RESOURCE,
        wait_condition_handle.RESOURCE,
    )
}


def find_type(name: str) -> ResourceType | PlacedType | None:
    return RESOURCE_TYPES.get("AWS::CloudFormation::CustomResource" if is_custom(name) else name)


def is_custom(name: str) -> bool:
    return name.startswith("Custom::") or name == "AWS::CloudFormation::CustomResource"


__all__ = ["RESOURCE_TYPES", "Created", "Place", "PlacedType", "ResourceType", "find_type", "is_custom"]
