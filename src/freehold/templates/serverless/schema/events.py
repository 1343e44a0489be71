"""The settings of each kind of event. Serverless Framework documentation, the page of each event."""

from __future__ import annotations

from collections.abc import Mapping

from freehold.templates.serverless.schema.shapes import Choice, Either, Keys, ListOf, MapOf, Shape, Whole
from freehold.templates.serverless.schema.values import (
    ANY,
    FILTER_PATTERNS,
    FLAG,
    INPUT_TRANSFORMER,
    POLLERS,
    TEXT,
    TEXTS,
)

_BATCH: dict[str, Shape] = {
    "arn": ANY,
    "batchSize": Whole(1, 10000),
    "enabled": FLAG,
    "filterPatterns": FILTER_PATTERNS,
    "maximumBatchingWindow": Whole(0, 300),
}
_STARTING: dict[str, Shape] = {
    "startingPosition": Choice(("LATEST", "TRIM_HORIZON", "AT_TIMESTAMP")),
    "startingPositionTimestamp": ANY,
}
_HTTP_AUTHORIZER = Keys(
    {
        "arn": ANY,
        "authorizerId": ANY,
        "claims": TEXTS,
        "identitySource": TEXT,
        "identityValidationExpression": TEXT,
        "managedExternally": FLAG,
        "name": TEXT,
        "resultTtlInSeconds": Whole(0, 3600),
        "scopes": ListOf(ANY),
        "type": Choice(("token", "cognito_user_pools", "request", "aws_iam", "custom"), any_case=True),
    }
)
_HTTP_CORS = Keys(
    {
        "allowCredentials": FLAG,
        "cacheControl": TEXT,
        "headers": TEXTS,
        "maxAge": Whole(1),
        "methods": TEXTS,
        "origin": TEXT,
        "origins": TEXTS,
    }
)
_HTTP_PARAMETERS = MapOf(Either((FLAG, Keys({"required": FLAG, "mappedValue": ANY}))))
_HTTP_REQUEST = Keys(
    {
        "contentHandling": TEXT,
        "method": TEXT,
        "parameters": Keys({"querystrings": _HTTP_PARAMETERS, "headers": _HTTP_PARAMETERS, "paths": _HTTP_PARAMETERS}),
        "passThrough": Choice(("NEVER", "WHEN_NO_MATCH", "WHEN_NO_TEMPLATES")),
        "schemas": MapOf(ANY),
        "template": MapOf(TEXT),
        "uri": ANY,
    }
)
_STATUS = Keys({"headers": MapOf(TEXT), "pattern": TEXT, "template": ANY})
_HTTP_RESPONSE = Keys(
    {
        "contentHandling": TEXT,
        "headers": MapOf(TEXT),
        "template": TEXT,
        "transferMode": Choice(("BUFFERED", "STREAM"), any_case=True),
        "statusCodes": MapOf(_STATUS),
    }
)
_HTTP = Keys(
    {
        "async": FLAG,
        "authorizer": Either((TEXT, _HTTP_AUTHORIZER)),
        "connectionId": ANY,
        "connectionType": TEXT,
        "cors": Either((FLAG, _HTTP_CORS)),
        "integration": TEXT,
        "method": TEXT,
        "operationId": TEXT,
        "path": TEXT,
        "private": FLAG,
        "request": _HTTP_REQUEST,
        "response": _HTTP_RESPONSE,
        "timeoutInMillis": Whole(50),
    },
    required=("path", "method"),
)
_HTTP_API_AUTHORIZER = Keys({"id": ANY, "name": TEXT, "scopes": TEXTS, "type": Choice(("request", "jwt", "aws_iam"))})
_HTTP_API = Keys({"authorizer": Either((TEXT, _HTTP_API_AUTHORIZER)), "method": TEXT, "path": TEXT}, required=("path",))
_SCHEDULE = Keys(
    {
        "description": TEXT,
        "enabled": FLAG,
        "groupName": TEXT,
        "input": ANY,
        "inputPath": TEXT,
        "inputTransformer": INPUT_TRANSFORMER,
        "method": Choice(("eventBus", "scheduler")),
        "name": TEXT,
        "rate": ListOf(TEXT),
        "roleArn": ANY,
        "timezone": TEXT,
    },
    required=("rate",),
)
_EVENT_BRIDGE = Keys(
    {
        "deadLetterQueueArn": ANY,
        "description": TEXT,
        "enabled": FLAG,
        "eventBus": ANY,
        "input": MapOf(ANY),
        "inputPath": TEXT,
        "inputTransformer": INPUT_TRANSFORMER,
        "name": TEXT,
        "pattern": MapOf(ANY),
        "retryPolicy": Keys({"maximumEventAge": Whole(60, 86400), "maximumRetryAttempts": Whole(0, 185)}),
        "schedule": TEXT,
    }
)
_STREAM = Keys(
    {
        **_BATCH,
        **_STARTING,
        "batchWindow": Whole(0, 300),
        "bisectBatchOnFunctionError": FLAG,
        "consumer": ANY,
        "destinations": Keys({"onFailure": ANY}),
        "functionResponseType": Choice(("ReportBatchItemFailures",)),
        "maximumRecordAgeInSeconds": ANY,
        "maximumRetryAttempts": Whole(-1, 10000),
        "parallelizationFactor": Whole(1, 10),
        "tumblingWindowInSeconds": Whole(0, 900),
        "type": Choice(("dynamodb", "kinesis")),
    }
)
_BROKER: dict[str, Shape] = {**_BATCH, "basicAuthArn": ANY, "queue": TEXT}
_MAPPINGS: dict[str, Shape] = {
    "activemq": Keys(_BROKER),
    "rabbitmq": Keys({**_BROKER, "virtualHost": TEXT}),
    "kafka": Keys(
        {
            **_BATCH,
            **_STARTING,
            "accessConfigurations": MapOf(ListOf(ANY)),
            "bootstrapServers": TEXTS,
            "consumerGroupId": TEXT,
            "onFailureDestination": ANY,
            "provisionedPollerConfig": POLLERS,
            "topic": TEXT,
        }
    ),
    "msk": Keys(
        {
            **_BATCH,
            **_STARTING,
            "consumerGroupId": TEXT,
            "provisionedPollerConfig": POLLERS,
            "saslScram512": ANY,
            "topic": TEXT,
        }
    ),
    "sqs": Keys(
        {
            **_BATCH,
            "functionResponseType": Choice(("ReportBatchItemFailures",)),
            "maximumConcurrency": Whole(2, 1000),
        },
        required=("arn",),
    ),
    "stream": _STREAM,
}
_BALANCER = Keys(
    {
        "authorizer": TEXTS,
        "conditions": Keys(
            {
                "header": Either((ListOf(ANY), MapOf(ANY))),
                "host": TEXTS,
                "ip": TEXTS,
                "method": TEXTS,
                "path": TEXTS,
                "query": MapOf(TEXT),
            }
        ),
        "healthCheck": Either((FLAG, MapOf(ANY))),
        "listenerArn": ANY,
        "multiValueHeaders": FLAG,
        "priority": Whole(1, 50000),
        "targetGroupName": TEXT,
    }
)
_POOL = Keys(
    {
        "existing": FLAG,
        "forceDeploy": FLAG,
        "kmsKeyId": ANY,
        "lambdaVersion": TEXT,
        "pool": TEXT,
        "trigger": TEXT,
    },
    required=("pool", "trigger"),
)
_SNS = Keys(
    {
        "arn": ANY,
        "displayName": TEXT,
        "filterPolicy": MapOf(ANY),
        "filterPolicyScope": TEXT,
        "redrivePolicy": MapOf(ANY),
        "topicName": TEXT,
    }
)
_WEBSOCKET_AUTHORIZER = Keys({"arn": ANY, "identitySource": TEXTS, "name": TEXT})

EVENTS: Mapping[str, Shape] = {
    **{kind: Either((TEXT, shape)) for kind, shape in _MAPPINGS.items()},
    "alb": _BALANCER,
    "alexaSkill": Either((TEXT, Keys({"appId": TEXT, "enabled": FLAG}))),
    "alexaSmartHome": Either((TEXT, Keys({"appId": TEXT, "enabled": FLAG}))),
    "cloudFront": ANY,
    "cloudwatchEvent": Keys(
        {
            "description": TEXT,
            "enabled": FLAG,
            "event": MapOf(ANY),
            "input": ANY,
            "inputPath": TEXT,
            "inputTransformer": INPUT_TRANSFORMER,
            "name": TEXT,
        }
    ),
    "cloudwatchLog": Either((TEXT, Keys({"filter": TEXT, "logGroup": TEXT}, required=("logGroup",)))),
    "cognitoUserPool": _POOL,
    "eventBridge": _EVENT_BRIDGE,
    "http": Either((TEXT, _HTTP)),
    "httpApi": Either((TEXT, _HTTP_API)),
    "iot": Keys({"description": TEXT, "enabled": FLAG, "name": TEXT, "sql": TEXT, "sqlVersion": TEXT}),
    "iotFleetProvisioning": Keys(
        {"enabled": FLAG, "provisioningRoleArn": ANY, "templateBody": ANY, "templateName": TEXT}
    ),
    "s3": Either(
        (
            TEXT,
            Keys(
                {"bucket": ANY, "event": TEXT, "existing": FLAG, "forceDeploy": FLAG, "rules": ListOf(MapOf(ANY))},
                required=("bucket",),
            ),
        )
    ),
    "schedule": Either((TEXT, _SCHEDULE)),
    "sns": Either((TEXT, _SNS)),
    "websocket": Either(
        (
            TEXT,
            Keys(
                {
                    "authorizer": Either((TEXT, _WEBSOCKET_AUTHORIZER)),
                    "route": TEXT,
                    "routeResponseSelectionExpression": TEXT,
                },
                required=("route",),
            ),
        )
    ),
}
