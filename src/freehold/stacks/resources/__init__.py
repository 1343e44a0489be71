"""Resource types. This table is what a template may contain: to find a type, look here; each has a file.

Add a type: its file, its line below, then `python scripts/resource_schemas.py` for the schema of its properties.
"""

from __future__ import annotations

from freehold.stacks.resources import (
    apigateway_account,
    apigateway_api_key,
    apigateway_authorizer,
    apigateway_deployment,
    apigateway_gateway_response,
    apigateway_method,
    apigateway_model,
    apigateway_request_validator,
    apigateway_resource,
    apigateway_rest_api,
    apigateway_stage,
    apigateway_usage_plan,
    apigateway_usage_plan_key,
    apigatewayv2_api,
    apigatewayv2_authorizer,
    apigatewayv2_deployment,
    apigatewayv2_integration,
    apigatewayv2_integration_response,
    apigatewayv2_model,
    apigatewayv2_route,
    apigatewayv2_route_response,
    apigatewayv2_stage,
    cdk_metadata,
    cognito_user_pool,
    cognito_user_pool_client,
    cognito_user_pool_group,
    cognito_user_pool_user,
    cognito_user_pool_user_to_group_attachment,
    custom_resource,
    dynamodb_table,
    events_event_bus,
    events_rule,
    iam_managed_policy,
    iam_policy,
    iam_role,
    iam_role_policy,
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
    logs_log_stream,
    nested_stack,
    s3_bucket,
    s3_bucket_policy,
    secretsmanager_secret,
    sqs_queue,
    sqs_queue_policy,
    ssm_parameter,
    wait_condition_handle,
)
from freehold.stacks.resources.types import Created, Place, PlacedType, ResourceType

RESOURCE_TYPES: dict[str, ResourceType | PlacedType] = {
    resource.type: resource
    for resource in (
        apigateway_account.RESOURCE,
        apigateway_api_key.RESOURCE,
        apigateway_authorizer.RESOURCE,
        apigateway_deployment.RESOURCE,
        apigateway_gateway_response.RESOURCE,
        apigateway_method.RESOURCE,
        apigateway_model.RESOURCE,
        apigateway_request_validator.RESOURCE,
        apigateway_resource.RESOURCE,
        apigateway_rest_api.RESOURCE,
        apigateway_stage.RESOURCE,
        apigateway_usage_plan.RESOURCE,
        apigateway_usage_plan_key.RESOURCE,
        apigatewayv2_api.RESOURCE,
        apigatewayv2_authorizer.RESOURCE,
        apigatewayv2_deployment.RESOURCE,
        apigatewayv2_integration.RESOURCE,
        apigatewayv2_integration_response.RESOURCE,
        apigatewayv2_model.RESOURCE,
        apigatewayv2_route.RESOURCE,
        apigatewayv2_route_response.RESOURCE,
        apigatewayv2_stage.RESOURCE,
        cdk_metadata.RESOURCE,
        cognito_user_pool.RESOURCE,
        cognito_user_pool_client.RESOURCE,
        cognito_user_pool_group.RESOURCE,
        cognito_user_pool_user.RESOURCE,
        cognito_user_pool_user_to_group_attachment.RESOURCE,
        custom_resource.RESOURCE,
        dynamodb_table.RESOURCE,
        events_event_bus.RESOURCE,
        events_rule.RESOURCE,
        iam_managed_policy.RESOURCE,
        iam_policy.RESOURCE,
        iam_role.RESOURCE,
        iam_role_policy.RESOURCE,
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
        logs_log_stream.RESOURCE,
        nested_stack.RESOURCE,
        s3_bucket.RESOURCE,
        s3_bucket_policy.RESOURCE,
        secretsmanager_secret.RESOURCE,
        sqs_queue.RESOURCE,
        sqs_queue_policy.RESOURCE,
        ssm_parameter.RESOURCE,
        wait_condition_handle.RESOURCE,
    )
}


def find_type(name: str) -> ResourceType | PlacedType | None:
    return RESOURCE_TYPES.get("AWS::CloudFormation::CustomResource" if is_custom(name) else name)


def is_custom(name: str) -> bool:
    return name.startswith("Custom::") or name == "AWS::CloudFormation::CustomResource"


__all__ = ["RESOURCE_TYPES", "Created", "Place", "PlacedType", "ResourceType", "find_type", "is_custom"]
