"""Shapes that the provider, functions and events share."""

from __future__ import annotations

from freehold.templates.serverless.schema.shapes import (
    Anything,
    Choice,
    Either,
    Flag,
    Keys,
    ListOf,
    MapOf,
    Shape,
    Text,
    Whole,
)

ANY = Anything()
TEXT = Text()
FLAG = Flag()
TEXTS = ListOf(TEXT)
ARN = Text(r"^arn:", "an ARN")
TAGS = MapOf(TEXT)
MEMORY = Whole(128, 10240)
TIMEOUT = Whole(1, 900)
ARCHITECTURE = Choice(("x86_64", "arm64"))
TRACING = Either((FLAG, Choice(("Active", "PassThrough"))))
# CloudWatch Logs API, PutRetentionPolicy.
RETENTION_DAYS = Choice(
    (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)
)
# Lambda Developer Guide, "Using Lambda environment variables": names begin with a letter.
ENVIRONMENT = MapOf(TEXT)
VPC = Keys({"ipv6AllowedForDualStack": FLAG, "securityGroupIds": ListOf(ANY), "subnetIds": ListOf(ANY)})
ROLE = Either((TEXT, MapOf(ANY)))
LAYERS = ListOf(ARN)
LAMBDA_LOGS = Keys(
    {
        "applicationLogLevel": Choice(("DEBUG", "ERROR", "FATAL", "INFO", "TRACE", "WARN")),
        "logFormat": Choice(("JSON", "Text")),
        "logGroup": TEXT,
        "systemLogLevel": Choice(("DEBUG", "INFO", "WARN")),
    }
)
RUNTIME_MANAGEMENT = Either(
    (Choice(("auto", "onFunctionUpdate")), Keys({"mode": Choice(("auto", "onFunctionUpdate", "manual")), "arn": ANY}))
)
STATEMENTS = ListOf(
    Keys(
        {
            "Sid": TEXT,
            "Effect": Choice(("Allow", "Deny")),
            "Action": TEXTS,
            "NotAction": TEXTS,
            "Principal": ANY,
            "NotPrincipal": ANY,
            "Resource": ANY,
            "NotResource": ANY,
            "Condition": MapOf(ANY),
        },
        required=("Effect",),
    )
)
PACKAGE: dict[str, Shape] = {
    "artifact": TEXT,
    "disable": FLAG,
    "exclude": TEXTS,
    "include": TEXTS,
    "individually": FLAG,
    "patterns": TEXTS,
}
FILTER_PATTERNS = ListOf(MapOf(ANY))
POLLERS = Keys({"minimumPollers": Whole(1), "maximumPollers": Whole(1)})
INPUT_TRANSFORMER = Keys({"inputPathsMap": MapOf(TEXT), "inputTemplate": TEXT}, required=("inputTemplate",))
