"""AWS Lambda's control plane and its Invoke. The table below is the API: to find an operation, look here.

Owns:    the documents "lambda.function", "lambda.version", "lambda.alias", "lambda.layer_version", "lambda.url", ...
Not:     running functions (engine), serving function URLs (gateway), polling event sources (events).
Imports: aws engine state
Start:   record.py, then functions.py
Add:     an operation: a function in the file of its noun, a line in OPERATIONS, a test.
"""

from __future__ import annotations

from freehold.aws.call import Operation
from freehold.services.lambda_ import (
    account,
    aliases,
    concurrency,
    event_invoke,
    functions,
    invoke,
    layers,
    management,
    mappings,
    policies,
    tags,
    urls,
    versions,
)
from freehold.services.lambda_.record import Lambda
from freehold.services.lambda_.states import Preparations

__all__ = ["OPERATIONS", "Lambda", "Preparations"]

OPERATIONS: dict[str, Operation] = {
    "CreateFunction": functions.create_function,
    "GetFunction": functions.get_function,
    "GetFunctionConfiguration": functions.get_function_configuration,
    "UpdateFunctionCode": functions.update_function_code,
    "UpdateFunctionConfiguration": functions.update_function_configuration,
    "DeleteFunction": functions.delete_function,
    "ListFunctions": functions.list_functions,
    "Invoke": invoke.invoke,
    "InvokeAsync": invoke.invoke_async,
    "InvokeWithResponseStream": invoke.invoke_with_response_stream,
    "PublishVersion": versions.publish_version,
    "ListVersionsByFunction": versions.list_versions_by_function,
    "CreateAlias": aliases.create_alias,
    "GetAlias": aliases.get_alias,
    "UpdateAlias": aliases.update_alias,
    "DeleteAlias": aliases.delete_alias,
    "ListAliases": aliases.list_aliases,
    "AddPermission": policies.add_permission,
    "RemovePermission": policies.remove_permission,
    "GetPolicy": policies.get_policy,
    "PublishLayerVersion": layers.publish_layer_version,
    "GetLayerVersion": layers.get_layer_version,
    "GetLayerVersionByArn": layers.get_layer_version_by_arn,
    "ListLayers": layers.list_layers,
    "ListLayerVersions": layers.list_layer_versions,
    "DeleteLayerVersion": layers.delete_layer_version,
    "AddLayerVersionPermission": layers.add_layer_version_permission,
    "RemoveLayerVersionPermission": layers.remove_layer_version_permission,
    "GetLayerVersionPolicy": layers.get_layer_version_policy,
    "PutFunctionConcurrency": concurrency.put_function_concurrency,
    "GetFunctionConcurrency": concurrency.get_function_concurrency,
    "DeleteFunctionConcurrency": concurrency.delete_function_concurrency,
    "PutProvisionedConcurrencyConfig": concurrency.put_provisioned_concurrency_config,
    "GetProvisionedConcurrencyConfig": concurrency.get_provisioned_concurrency_config,
    "DeleteProvisionedConcurrencyConfig": concurrency.delete_provisioned_concurrency_config,
    "ListProvisionedConcurrencyConfigs": concurrency.list_provisioned_concurrency_configs,
    "CreateFunctionUrlConfig": urls.create_function_url_config,
    "GetFunctionUrlConfig": urls.get_function_url_config,
    "UpdateFunctionUrlConfig": urls.update_function_url_config,
    "DeleteFunctionUrlConfig": urls.delete_function_url_config,
    "ListFunctionUrlConfigs": urls.list_function_url_configs,
    "PutFunctionEventInvokeConfig": event_invoke.put_function_event_invoke_config,
    "UpdateFunctionEventInvokeConfig": event_invoke.update_function_event_invoke_config,
    "GetFunctionEventInvokeConfig": event_invoke.get_function_event_invoke_config,
    "DeleteFunctionEventInvokeConfig": event_invoke.delete_function_event_invoke_config,
    "ListFunctionEventInvokeConfigs": event_invoke.list_function_event_invoke_configs,
    "CreateEventSourceMapping": mappings.create_event_source_mapping,
    "GetEventSourceMapping": mappings.get_event_source_mapping,
    "UpdateEventSourceMapping": mappings.update_event_source_mapping,
    "DeleteEventSourceMapping": mappings.delete_event_source_mapping,
    "ListEventSourceMappings": mappings.list_event_source_mappings,
    "TagResource": tags.tag_resource,
    "UntagResource": tags.untag_resource,
    "ListTags": tags.list_tags,
    "GetAccountSettings": account.get_account_settings,
    "GetFunctionCodeSigningConfig": account.get_function_code_signing_config,
    "PutRuntimeManagementConfig": management.put_runtime_management_config,
    "GetRuntimeManagementConfig": management.get_runtime_management_config,
    "PutFunctionRecursionConfig": management.put_function_recursion_config,
    "GetFunctionRecursionConfig": management.get_function_recursion_config,
}
