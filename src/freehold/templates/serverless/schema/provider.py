"""The settings of the provider. Serverless Framework documentation, "Serverless.yml Reference", section "Provider"."""

from __future__ import annotations

from freehold.templates.serverless.schema.shapes import Choice, Either, Keys, ListOf, MapOf, Shape, Text, Whole
from freehold.templates.serverless.schema.values import (
    ANY,
    ARCHITECTURE,
    ENVIRONMENT,
    FLAG,
    LAMBDA_LOGS,
    LAYERS,
    MEMORY,
    RETENTION_DAYS,
    ROLE,
    RUNTIME_MANAGEMENT,
    STATEMENTS,
    TAGS,
    TEXT,
    TEXTS,
    TIMEOUT,
    TRACING,
    VPC,
)

_PLAN = Keys(
    {
        "quota": Keys({"limit": Whole(0), "offset": Whole(0), "period": TEXT}),
        "throttle": Keys({"burstLimit": Whole(0), "rateLimit": ANY}),
    }
)
_API_GATEWAY = Keys(
    {
        "apiKeys": ListOf(ANY),
        "apiKeySourceType": Choice(("HEADER", "AUTHORIZER"), any_case=True),
        "binaryMediaTypes": TEXTS,
        "description": TEXT,
        "disableDefaultEndpoint": FLAG,
        "endpoint": Keys({"securityPolicy": TEXT, "accessMode": TEXT}),
        "metrics": FLAG,
        "minimumCompressionSize": Whole(0, 10485760),
        "request": Keys({"schemas": MapOf(ANY)}),
        "resourcePolicy": STATEMENTS,
        "restApiId": ANY,
        "restApiResources": ANY,
        "restApiRootResourceId": ANY,
        "shouldStartNameWithService": FLAG,
        "stage": TEXT,
        "timeoutInMillis": Whole(50),
        "usagePlan": Either((_PLAN, ListOf(MapOf(_PLAN), wraps=False))),
        "websocketApiId": ANY,
    }
)
_HTTP_API_AUTHORIZER = Keys(
    {
        "audience": ANY,
        "enableSimpleResponses": FLAG,
        "functionArn": ANY,
        "functionName": TEXT,
        "identitySource": ANY,
        "issuerUrl": ANY,
        "managedExternally": FLAG,
        "name": TEXT,
        "payloadVersion": Choice(("1.0", "2.0")),
        "resultTtlInSeconds": Whole(0, 3600),
        "type": Choice(("jwt", "request")),
    }
)
_HTTP_API_CORS = Keys(
    {
        "allowCredentials": FLAG,
        "allowedHeaders": TEXTS,
        "allowedMethods": TEXTS,
        "allowedOrigins": TEXTS,
        "exposedResponseHeaders": TEXTS,
        "maxAge": Whole(0),
    }
)
_HTTP_API = Keys(
    {
        "authorizers": MapOf(_HTTP_API_AUTHORIZER),
        "cors": Either((FLAG, _HTTP_API_CORS)),
        "description": TEXT,
        "disableDefaultEndpoint": FLAG,
        "id": ANY,
        "metrics": FLAG,
        "name": TEXT,
        "payload": TEXT,
        "shouldStartNameWithService": FLAG,
        "useProviderTags": FLAG,
    }
)
_ROLE = Keys(
    {
        "managedPolicies": ListOf(ANY),
        "name": TEXT,
        "path": TEXT,
        "permissionBoundary": ANY,
        "permissionsBoundary": ANY,
        "statements": STATEMENTS,
        "tags": TAGS,
    }
)
_API_LOGS: dict[str, Shape] = {
    "accessLogging": FLAG,
    "executionLogging": FLAG,
    "format": TEXT,
    "fullExecutionData": FLAG,
    "level": Choice(("INFO", "ERROR")),
}
_LOGS = Keys(
    {
        "frameworkLambda": FLAG,
        "httpApi": Either((FLAG, Keys({"format": TEXT}))),
        "lambda": LAMBDA_LOGS,
        "restApi": Either((FLAG, Keys({**_API_LOGS, "role": ANY, "roleManagedExternally": FLAG}))),
        "websocket": Either((FLAG, Keys(_API_LOGS))),
    }
)
_BUCKET = Keys(
    {
        "blockPublicAccess": FLAG,
        "maxPreviousDeploymentArtifacts": Whole(0),
        "name": TEXT,
        "serverSideEncryption": TEXT,
        "skipPolicySetup": FLAG,
        "sseCustomerAlgorithim": TEXT,
        "sseCustomerKey": TEXT,
        "sseCustomerKeyMD5": TEXT,
        "sseKMSKeyId": TEXT,
        "tags": TAGS,
        "versioning": FLAG,
    }
)

PROVIDER: dict[str, Shape] = {
    "alb": Keys({"authorizers": MapOf(MapOf(ANY)), "targetGroupPrefix": TEXT}),
    "apiGateway": _API_GATEWAY,
    "apiName": TEXT,
    "architecture": ARCHITECTURE,
    "cfnRole": ANY,
    "cloudFront": ANY,
    "deploymentBucket": Either((TEXT, _BUCKET)),
    "deploymentMethod": Choice(("changesets", "direct")),
    "deploymentPrefix": TEXT,
    "disableRollback": FLAG,
    "ecr": ANY,
    "endpointType": Choice(("REGIONAL", "EDGE", "PRIVATE"), any_case=True),
    "environment": ENVIRONMENT,
    "eventBridge": Keys({"useCloudFormation": FLAG}),
    "httpApi": _HTTP_API,
    "iam": Keys({"deploymentRole": ANY, "role": Either((TEXT, _ROLE))}),
    "iamManagedPolicies": ListOf(ANY),
    "iamRoleStatements": STATEMENTS,
    "kinesis": Keys({"consumerNamingMode": TEXT}),
    "kmsKeyArn": ANY,
    "lambdaHashingVersion": TEXT,
    "layers": LAYERS,
    "logDataProtectionPolicy": ANY,
    "logRetentionInDays": RETENTION_DAYS,
    "logs": _LOGS,
    "memorySize": MEMORY,
    "name": TEXT,
    "notificationArns": TEXTS,
    "profile": TEXT,
    "region": TEXT,
    "role": ROLE,
    "rolePermissionsBoundary": ANY,
    "rollbackConfiguration": ANY,
    "runtime": TEXT,
    "runtimeManagement": RUNTIME_MANAGEMENT,
    "s3": MapOf(MapOf(ANY)),
    "stackName": Text(r"^[a-zA-Z][a-zA-Z0-9-]{0,127}$", "a name of letters, digits and -"),
    "stackParameters": ListOf(MapOf(ANY)),
    "stackPolicy": ListOf(MapOf(ANY)),
    "stackTags": TAGS,
    "stage": TEXT,
    "tags": TAGS,
    "timeout": TIMEOUT,
    "tracing": Keys({"apiGateway": FLAG, "lambda": TRACING}),
    "versionFunctions": FLAG,
    "vpc": VPC,
    "vpcEndpointIds": ListOf(ANY),
    "websocket": Keys({"useProviderTags": FLAG}),
    "websocketsApiName": TEXT,
    "websocketsApiRouteSelectionExpression": TEXT,
    "websocketsDescription": TEXT,
}
