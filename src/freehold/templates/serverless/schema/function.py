"""The settings of a function and of a layer. Serverless Framework documentation, "Serverless.yml Reference"."""

from __future__ import annotations

from freehold.templates.serverless.schema.shapes import Choice, Either, Keys, ListOf, Shape, Text, Whole
from freehold.templates.serverless.schema.values import (
    ANY,
    ARCHITECTURE,
    ENVIRONMENT,
    FLAG,
    LAMBDA_LOGS,
    LAYERS,
    MEMORY,
    PACKAGE,
    RETENTION_DAYS,
    ROLE,
    RUNTIME_MANAGEMENT,
    TAGS,
    TEXT,
    TEXTS,
    TIMEOUT,
    TRACING,
    VPC,
)

_URL_CORS = Keys(
    {
        "allowCredentials": FLAG,
        "allowedHeaders": TEXTS,
        "allowedMethods": TEXTS,
        "allowedOrigins": TEXTS,
        "exposedResponseHeaders": TEXTS,
        "maxAge": Whole(0),
    }
)
_URL = Keys(
    {
        "authorizer": Choice(("aws_iam",)),
        "cors": Either((FLAG, _URL_CORS)),
        "invokeMode": Choice(("BUFFERED", "RESPONSE_STREAM")),
    }
)

FUNCTION: dict[str, Shape] = {
    "architecture": ARCHITECTURE,
    "awsKmsKeyArn": ANY,
    "condition": TEXT,
    "dependsOn": TEXTS,
    "description": TEXT,
    "destinations": Keys({"onSuccess": ANY, "onFailure": ANY}),
    "disableLogs": FLAG,
    "environment": ENVIRONMENT,
    "ephemeralStorageSize": Whole(512, 10240),
    "events": ANY,  # Each is checked by its kind.
    "fileSystemConfig": Keys({"arn": ANY, "localMountPath": TEXT}, required=("arn", "localMountPath")),
    "handler": TEXT,
    "httpApi": Keys({"payload": Choice(("1.0", "2.0"))}),
    "image": ANY,
    "kmsKeyArn": ANY,
    "layers": LAYERS,
    "logDataProtectionPolicy": ANY,
    "logRetentionInDays": RETENTION_DAYS,
    "logs": LAMBDA_LOGS,
    "maximumEventAge": Whole(60, 21600),
    "maximumRetryAttempts": Whole(0, 2),
    "memorySize": MEMORY,
    "name": Text(r"^[a-zA-Z0-9-_]+$", "a name of letters, digits, - and _"),
    "onError": ANY,
    "package": Keys(PACKAGE),
    "provisionedConcurrency": Whole(0),
    "recursiveLoop": Choice(("Allow", "Terminate")),
    "reservedConcurrency": Whole(0),
    "role": ROLE,
    "runtime": TEXT,
    "runtimeManagement": RUNTIME_MANAGEMENT,
    "snapStart": FLAG,
    "tags": TAGS,
    "timeout": TIMEOUT,
    "tracing": TRACING,
    "url": Either((FLAG, _URL)),
    "versionFunction": FLAG,
    "vpc": Either((FLAG, VPC)),
}

LAYER = Keys(
    {
        "allowedAccounts": TEXTS,
        "compatibleArchitectures": ListOf(ARCHITECTURE),
        "compatibleRuntimes": TEXTS,
        "description": TEXT,
        "licenseInfo": TEXT,
        "name": TEXT,
        "package": Keys({key: PACKAGE[key] for key in ("artifact", "exclude", "include", "patterns")}),
        "path": TEXT,
        "retain": FLAG,
    }
)
