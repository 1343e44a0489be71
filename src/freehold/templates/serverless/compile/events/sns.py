"""`sns` events: a topic, made here or elsewhere, that calls a function. Serverless Framework documentation, "SNS"."""

from __future__ import annotations

import re
from typing import Any

from freehold.aws.call import Json
from freehold.templates.serverless import names
from freehold.templates.serverless.compile.compilation import (
    ACCOUNT,
    PARTITION,
    REGION,
    SUFFIX,
    Compilation,
    get_att,
    join,
    present,
    ref,
    resource,
)
from freehold.templates.serverless.compile.roles import document
from freehold.templates.serverless.service import Event, Function


def compile_events(compilation: Compilation) -> None:
    for function in compilation.functions:
        for event in function.of_kind("sns"):
            _compile(compilation, function, event)


def _compile(compilation: Compilation, function: Function, event: Event) -> None:
    settings, name = _read(compilation, function, event)
    arn = settings.get("arn")
    redrive = _redrive(compilation, function, name, arn, settings.get("redrivePolicy"))
    subscription = {
        "Protocol": "lambda",
        "Endpoint": compilation.target(function.key),
        "FilterPolicy": settings.get("filterPolicy"),
        "FilterPolicyScope": settings.get("filterPolicyScope"),
        "RedrivePolicy": redrive,
    }
    alias = compilation.alias_id(function.key)
    if arn:
        subscription |= {"TopicArn": arn, "Region": settings.get("region")}
        source = arn
    else:
        _compile_topic(compilation, name, settings, alias)
        source = join("arn:", PARTITION, ":sns:", REGION, ":", ACCOUNT, ":", name)
    topic_id = f"SNSTopic{names.alphanumeric(name)}"
    if arn or settings.get("filterPolicy") or redrive:
        subscription.setdefault("TopicArn", ref(topic_id))
        logical_id = f"{names.resource(function.key)}SnsSubscription{names.alphanumeric(name)}"
        compilation.resources[logical_id] = resource("AWS::SNS::Subscription", subscription, DependsOn=alias)
    else:
        topic = compilation.resources[topic_id]["Properties"]
        short = {"Endpoint": subscription["Endpoint"], "Protocol": "lambda"}
        topic["Subscription"] = [*topic.get("Subscription", []), short]
    compilation.resources[names.permission(function.key, f"{names.alphanumeric(name)}SNS")] = compilation.permission(
        function.key, "sns.amazonaws.com", SourceArn=source
    )


def _read(compilation: Compilation, function: Function, event: Event) -> tuple[Json, str]:
    """The settings and the topic's name."""
    settings: Json = event.settings if isinstance(event.settings, dict) else {}
    if not isinstance(event.settings, dict):
        text = str(event.settings)
        settings = {"arn": text} if text.startswith("arn:") else {"topicName": text}
        if settings.get("arn"):
            return settings, text.split(":")[-1]
    arn, name = settings.get("arn"), settings.get("topicName")
    if isinstance(arn, str):
        parts = re.split(r"(?<!:):(?!:)", arn)
        name = name or parts[-1]
        # The framework always writes the region of a full ARN; without --region they never compare as equal.
        settings = {**settings, "region": parts[3] if len(parts) > 3 else None}
    if not name:
        raise compilation.wrong_event(
            function, event.position, "An sns event needs a topicName when its arn is not plain text."
        )
    return settings, str(name)


def _compile_topic(compilation: Compilation, name: str, settings: Json, alias: str | None) -> None:
    logical_id = f"SNSTopic{names.alphanumeric(name)}"
    topic = compilation.resources.get(logical_id)
    if topic is None:
        topic = resource("AWS::SNS::Topic", {"TopicName": name, "DisplayName": settings.get("displayName") or None})
        compilation.resources[logical_id] = topic
    if alias:
        before = topic.get("DependsOn") or []
        waits = list(dict.fromkeys([*([before] if isinstance(before, str) else before), alias]))
        topic["DependsOn"] = waits[0] if len(waits) == 1 else waits


def _redrive(compilation: Compilation, function: Function, name: str, topic: Any, policy: Any) -> Json | None:
    """Where messages go that could not be delivered, and the queue's permission for it."""
    if not policy:
        return None
    arn: Any
    url: Any
    if policy.get("deadLetterTargetArn"):
        arn = policy["deadLetterTargetArn"]
        queue, account, region = arn.split(":")[::-1][:3]
        url = join(f"https://sqs.{region}.", SUFFIX, f"/{account}/{queue}")
    elif policy.get("deadLetterTargetRef"):
        arn, url = get_att(policy["deadLetterTargetRef"], "Arn"), ref(policy["deadLetterTargetRef"])
    else:
        target = policy["deadLetterTargetImport"]
        arn, url = {"Fn::ImportValue": target["arn"]}, {"Fn::ImportValue": target["url"]}
    logical_id = f"{names.alphanumeric(name)}To{names.resource(function.key)}DLQPolicy"
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
        "Condition": {"ArnEquals": present({"aws:SourceArn": topic})},
    }
    compilation.resources[logical_id] = resource(
        "AWS::SQS::QueuePolicy",
        {"PolicyDocument": {**document([statement]), "Id": logical_id}, "Queues": [url]},
    )
    return {"deadLetterTargetArn": arn}
