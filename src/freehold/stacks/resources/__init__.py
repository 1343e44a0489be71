"""Resource types. This table is what a template may contain: to find a type, look here; each has a file.

Add a type: its file, its line below, then `python scripts/resource_schemas.py` for the schema of its properties.
"""

from __future__ import annotations

import importlib
from functools import cache

from freehold.stacks.resources.types import Created, Place, PlacedType, ResourceType

# Type -> its file. A file is imported with the first template that has its type: few templates have many.
RESOURCE_TYPES: dict[str, str] = {
    "AWS::ApiGateway::Account": "apigateway_account",
    "AWS::ApiGateway::ApiKey": "apigateway_api_key",
    "AWS::ApiGateway::Authorizer": "apigateway_authorizer",
    "AWS::ApiGateway::BasePathMapping": "apigateway_base_path_mapping",
    "AWS::ApiGateway::Deployment": "apigateway_deployment",
    "AWS::ApiGateway::DocumentationPart": "apigateway_documentation_part",
    "AWS::ApiGateway::DocumentationVersion": "apigateway_documentation_version",
    "AWS::ApiGateway::DomainName": "apigateway_domain_name",
    "AWS::ApiGateway::GatewayResponse": "apigateway_gateway_response",
    "AWS::ApiGateway::Method": "apigateway_method",
    "AWS::ApiGateway::Model": "apigateway_model",
    "AWS::ApiGateway::RequestValidator": "apigateway_request_validator",
    "AWS::ApiGateway::Resource": "apigateway_resource",
    "AWS::ApiGateway::RestApi": "apigateway_rest_api",
    "AWS::ApiGateway::Stage": "apigateway_stage",
    "AWS::ApiGateway::UsagePlan": "apigateway_usage_plan",
    "AWS::ApiGateway::UsagePlanKey": "apigateway_usage_plan_key",
    "AWS::ApiGatewayV2::Api": "apigatewayv2_api",
    "AWS::ApiGatewayV2::ApiMapping": "apigatewayv2_api_mapping",
    "AWS::ApiGatewayV2::Authorizer": "apigatewayv2_authorizer",
    "AWS::ApiGatewayV2::Deployment": "apigatewayv2_deployment",
    "AWS::ApiGatewayV2::DomainName": "apigatewayv2_domain_name",
    "AWS::ApiGatewayV2::Integration": "apigatewayv2_integration",
    "AWS::ApiGatewayV2::IntegrationResponse": "apigatewayv2_integration_response",
    "AWS::ApiGatewayV2::Model": "apigatewayv2_model",
    "AWS::ApiGatewayV2::Route": "apigatewayv2_route",
    "AWS::ApiGatewayV2::RouteResponse": "apigatewayv2_route_response",
    "AWS::ApiGatewayV2::Stage": "apigatewayv2_stage",
    "AWS::CDK::Metadata": "cdk_metadata",
    "AWS::CertificateManager::Certificate": "acm_certificate",
    "AWS::Cognito::UserPool": "cognito_user_pool",
    "AWS::Cognito::UserPoolClient": "cognito_user_pool_client",
    "AWS::Cognito::UserPoolDomain": "cognito_user_pool_domain",
    "AWS::Cognito::UserPoolGroup": "cognito_user_pool_group",
    "AWS::Cognito::UserPoolResourceServer": "cognito_user_pool_resource_server",
    "AWS::Cognito::UserPoolUser": "cognito_user_pool_user",
    "AWS::Cognito::UserPoolUserToGroupAttachment": "cognito_user_pool_user_to_group_attachment",
    "AWS::CloudFormation::CustomResource": "custom_resource",
    "AWS::DynamoDB::Table": "dynamodb_table",
    "AWS::Events::EventBus": "events_event_bus",
    "AWS::Events::Rule": "events_rule",
    "AWS::IAM::ManagedPolicy": "iam_managed_policy",
    "AWS::IAM::Policy": "iam_policy",
    "AWS::IAM::Role": "iam_role",
    "AWS::IAM::RolePolicy": "iam_role_policy",
    "AWS::Lambda::Alias": "lambda_alias",
    "AWS::Lambda::EventInvokeConfig": "lambda_event_invoke_config",
    "AWS::Lambda::EventSourceMapping": "lambda_event_source_mapping",
    "AWS::Lambda::Function": "lambda_function",
    "AWS::Lambda::LayerVersion": "lambda_layer_version",
    "AWS::Lambda::LayerVersionPermission": "lambda_layer_version_permission",
    "AWS::Lambda::Permission": "lambda_permission",
    "AWS::Lambda::Url": "lambda_url",
    "AWS::Lambda::Version": "lambda_version",
    "AWS::Logs::LogGroup": "logs_log_group",
    "AWS::Logs::LogStream": "logs_log_stream",
    "AWS::CloudFormation::Stack": "nested_stack",
    "AWS::S3::Bucket": "s3_bucket",
    "AWS::S3::BucketPolicy": "s3_bucket_policy",
    "AWS::SecretsManager::Secret": "secretsmanager_secret",
    "AWS::SNS::Subscription": "sns_subscription",
    "AWS::SNS::Topic": "sns_topic",
    "AWS::SNS::TopicPolicy": "sns_topic_policy",
    "AWS::SQS::Queue": "sqs_queue",
    "AWS::SQS::QueuePolicy": "sqs_queue_policy",
    "AWS::SSM::Parameter": "ssm_parameter",
    "AWS::CloudFormation::WaitConditionHandle": "wait_condition_handle",
}


def find_type(name: str) -> ResourceType | PlacedType | None:
    file = RESOURCE_TYPES.get("AWS::CloudFormation::CustomResource" if is_custom(name) else name)
    return None if file is None else _load(file)


@cache
def _load(file: str) -> ResourceType | PlacedType:
    found: ResourceType | PlacedType = importlib.import_module(f"{__name__}.{file}").RESOURCE
    return found


def is_custom(name: str) -> bool:
    return name.startswith("Custom::") or name == "AWS::CloudFormation::CustomResource"


__all__ = ["RESOURCE_TYPES", "Created", "Place", "PlacedType", "ResourceType", "find_type", "is_custom"]
