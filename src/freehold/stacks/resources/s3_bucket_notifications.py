"""A bucket's NotificationConfiguration as PutBucketNotificationConfiguration takes it."""

from __future__ import annotations

from freehold.aws.call import Json

# Property -> (member of the request, property and member of the target).
_TARGETS = {
    "LambdaConfigurations": ("LambdaFunctionConfigurations", "Function", "LambdaFunctionArn"),
    "QueueConfigurations": ("QueueConfigurations", "Queue", "QueueArn"),
    "TopicConfigurations": ("TopicConfigurations", "Topic", "TopicArn"),
}


def notification_request(configuration: Json) -> Json:
    request: Json = {}
    for name, (member, target, target_arn) in _TARGETS.items():
        if configuration.get(name):
            request[member] = [_one(item, target, target_arn) for item in configuration[name]]
    if (configuration.get("EventBridgeConfiguration") or {}).get("EventBridgeEnabled", False):
        request["EventBridgeConfiguration"] = {}
    return request


def _one(item: Json, target: str, target_arn: str) -> Json:
    made: Json = {target_arn: item[target], "Events": [item["Event"]]}
    rules = ((item.get("Filter") or {}).get("S3Key") or {}).get("Rules")
    if rules:
        made["Filter"] = {"Key": {"FilterRules": rules}}
    return made
