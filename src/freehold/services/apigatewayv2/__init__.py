"""API Gateway V2's control plane: HTTP and WebSocket APIs. This table is the API: to find an operation, look here.

Owns:    apigatewayv2.* documents.
Not:     serving APIs (gateway), REST APIs (services/apigateway).
Imports: aws state
Start:   record.py, then apis.py
Add:     an operation: a function in the module of its resource, and its line in OPERATIONS.
"""

from __future__ import annotations

from freehold.aws.call import Operation
from freehold.services.apigatewayv2 import (
    api_mappings,
    apis,
    authorizers,
    domain_names,
    imports,
    integration_responses,
    integrations,
    models,
    route_responses,
    routes,
    stages,
    tags,
)
from freehold.services.apigatewayv2.record import ApiGatewayV2, Check

__all__ = ["OPERATIONS", "ApiGatewayV2", "Check"]

OPERATIONS: dict[str, Operation] = {
    "CreateApi": apis.create_api,
    "GetApi": apis.get_api,
    "GetApis": apis.get_apis,
    "UpdateApi": apis.update_api,
    "DeleteApi": apis.delete_api,
    "DeleteCorsConfiguration": apis.delete_cors_configuration,
    "ImportApi": imports.import_api,
    "ReimportApi": imports.reimport_api,
    "CreateRoute": routes.create_route,
    "GetRoute": routes.get_route,
    "GetRoutes": routes.get_routes,
    "UpdateRoute": routes.update_route,
    "DeleteRoute": routes.delete_route,
    "CreateIntegration": integrations.create_integration,
    "GetIntegration": integrations.get_integration,
    "GetIntegrations": integrations.get_integrations,
    "UpdateIntegration": integrations.update_integration,
    "DeleteIntegration": integrations.delete_integration,
    "CreateIntegrationResponse": integration_responses.create_integration_response,
    "GetIntegrationResponse": integration_responses.get_integration_response,
    "GetIntegrationResponses": integration_responses.get_integration_responses,
    "UpdateIntegrationResponse": integration_responses.update_integration_response,
    "DeleteIntegrationResponse": integration_responses.delete_integration_response,
    "CreateRouteResponse": route_responses.create_route_response,
    "GetRouteResponse": route_responses.get_route_response,
    "GetRouteResponses": route_responses.get_route_responses,
    "UpdateRouteResponse": route_responses.update_route_response,
    "DeleteRouteResponse": route_responses.delete_route_response,
    "CreateModel": models.create_model,
    "GetModel": models.get_model,
    "GetModelTemplate": models.get_model_template,
    "GetModels": models.get_models,
    "UpdateModel": models.update_model,
    "DeleteModel": models.delete_model,
    "CreateAuthorizer": authorizers.create_authorizer,
    "GetAuthorizer": authorizers.get_authorizer,
    "GetAuthorizers": authorizers.get_authorizers,
    "UpdateAuthorizer": authorizers.update_authorizer,
    "DeleteAuthorizer": authorizers.delete_authorizer,
    "ResetAuthorizersCache": authorizers.reset_authorizers_cache,
    "CreateStage": stages.create_stage,
    "GetStage": stages.get_stage,
    "GetStages": stages.get_stages,
    "UpdateStage": stages.update_stage,
    "DeleteStage": stages.delete_stage,
    "DeleteAccessLogSettings": stages.delete_access_log_settings,
    "DeleteRouteSettings": stages.delete_route_settings,
    "CreateDeployment": stages.create_deployment,
    "GetDeployment": stages.get_deployment,
    "GetDeployments": stages.get_deployments,
    "UpdateDeployment": stages.update_deployment,
    "DeleteDeployment": stages.delete_deployment,
    "CreateDomainName": domain_names.create_domain_name,
    "GetDomainName": domain_names.get_domain_name,
    "GetDomainNames": domain_names.get_domain_names,
    "UpdateDomainName": domain_names.update_domain_name,
    "DeleteDomainName": domain_names.delete_domain_name,
    "CreateApiMapping": api_mappings.create_api_mapping,
    "GetApiMapping": api_mappings.get_api_mapping,
    "GetApiMappings": api_mappings.get_api_mappings,
    "UpdateApiMapping": api_mappings.update_api_mapping,
    "DeleteApiMapping": api_mappings.delete_api_mapping,
    "GetTags": tags.get_tags,
    "TagResource": tags.tag_resource,
    "UntagResource": tags.untag_resource,
}
