"""Targets of rules: which there may be, and the handing over of an event to them.

Source: Amazon EventBridge API Reference, PutTargets; User Guide, "Event bus targets", "Event retry policy".
One decision to know: an event is handed over when the target's own durable queue has it, before PutEvents answers; a
target that refuses it is not asked again, and its event goes to the target's dead-letter queue where it has one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

import orjson

from freehold.aws.arn import parse_arn
from freehold.aws.call import Aws, Call, Json
from freehold.aws.errors import AwsError
from freehold.services.events.inputs import build_input, check_target
from freehold.services.events.record import (
    Events,
    change_rule,
    find_rule,
    invalid,
    page,
    require_bus,
)
from freehold.state.store import Document

_LIMIT = 5
_SETTINGS = {
    "RunCommandParameters": "Run Command",
    "EcsParameters": "ECS tasks",
    "BatchParameters": "Batch jobs",
    "RedshiftDataParameters": "Redshift",
    "SageMakerPipelineParameters": "SageMaker pipelines",
    "AppSyncParameters": "AppSync",
    "HttpParameters": "API destinations and API Gateway targets",
}


async def put_targets(events: Events, call: Call, request: Json) -> Json:
    targets = request["Targets"]
    await find_rule(events, call, request, "Rule")
    failed = []
    for target in targets:
        check_target(target)
        refusal = _refusal(events, target)
        if refusal:
            failed.append({"TargetId": target["Id"], "ErrorCode": "ValidationException", "ErrorMessage": refusal})
    refused = {entry["TargetId"] for entry in failed}

    def change(rule: Document) -> None:
        kept = {target["Id"]: target for target in rule["Targets"]}
        kept.update({target["Id"]: target for target in targets if target["Id"] not in refused})
        if len(kept) > _LIMIT:
            raise AwsError("LimitExceededException", "The requested resource exceeds the maximum number allowed.")
        rule["Targets"] = list(kept.values())

    await change_rule(events, call, request, change, "Rule")
    return {"FailedEntryCount": len(failed), "FailedEntries": failed}


async def remove_targets(events: Events, call: Call, request: Json) -> Json:
    def change(rule: Document) -> None:
        rule["Targets"] = [target for target in rule["Targets"] if target["Id"] not in request["Ids"]]

    await change_rule(events, call, request, change, "Rule")
    return {"FailedEntryCount": 0, "FailedEntries": []}


async def list_targets_by_rule(events: Events, call: Call, request: Json) -> Json:
    rule = (await find_rule(events, call, request, "Rule")).document
    shown, more = page(request, sorted(rule["Targets"], key=_target_id), _target_id)
    return {"Targets": shown, **more}


async def list_rule_names_by_target(events: Events, call: Call, request: Json) -> Json:
    bus = await require_bus(events, call, request.get("EventBusName"))
    rules = [stored.document for stored in await events.store.list_documents("events.rule", f"{call.region}/{bus}/")]
    found = [rule["Name"] for rule in rules if any(t["Arn"] == request["TargetArn"] for t in rule["Targets"])]
    shown, more = page(request, found, str)
    return {"RuleNames": shown, **more}


async def deliver(events: Events, call: Call, rule: Document, event: Json) -> None:
    """Hands an event to each of the rule's targets. Raises only what is our own fault."""
    for target in rule["Targets"]:
        aws = events.bind(
            Call(
                region=call.region,
                account=call.account,
                request_id=call.request_id,
                service_principal="events.amazonaws.com",
                host=call.host,
                scheme=call.scheme,
                once=f"{call.once}/{rule['Arn']}/{target['Id']}" if call.once else "",
            )
        )
        text = build_input(target, rule, event)
        try:
            await _SENDERS[_service(target["Arn"])](aws, events, target, text)
        except AwsError as error:
            if (error.status or 400) >= 500:
                raise
            await _bury(aws, rule, target, text, error)


def _refusal(events: Events, target: Json) -> str:
    """Why a target cannot be: one sentence, or nothing."""
    for name, what in _SETTINGS.items():
        if target.get(name):
            return f"Freehold does not support {what} as targets of rules yet."
    arn = parse_arn(target["Arn"])
    if arn is None:
        return f"Parameter {target['Arn']} is not valid. Reason: Provided Arn is not in correct format."
    service = _service(target["Arn"])
    if service not in _SENDERS or not events.has(_NAMES.get(service, service)):
        return f"Freehold does not support {arn.service} as a target of rules yet ({target['Arn']})."
    return ""


def _service(arn: str) -> str:
    parsed = parse_arn(arn)
    return parsed.service if parsed else ""


async def _to_lambda(aws: Aws, events: Events, target: Json, text: str) -> None:
    request = {"FunctionName": target["Arn"], "InvocationType": "Event", "Payload": text.encode()}
    await aws("lambda", "Invoke", request)


async def _to_sqs(aws: Aws, events: Events, target: Json, text: str) -> None:
    request = {"QueueUrl": _queue_url(target["Arn"]), "MessageBody": text}
    group = (target.get("SqsParameters") or {}).get("MessageGroupId")
    await aws("sqs", "SendMessage", {**request, "MessageGroupId": group} if group else request)


async def _to_sns(aws: Aws, events: Events, target: Json, text: str) -> None:
    await aws("sns", "Publish", {"TopicArn": target["Arn"], "Message": text})


async def _to_state_machine(aws: Aws, events: Events, target: Json, text: str) -> None:
    await aws("stepfunctions", "StartExecution", {"stateMachineArn": target["Arn"], "input": text})


async def _to_kinesis(aws: Aws, events: Events, target: Json, text: str) -> None:
    name = target["Arn"].rpartition("/")[2]
    await aws("kinesis", "PutRecord", {"StreamName": name, "Data": text.encode(), "PartitionKey": events.ids.uuid()})


async def _to_logs(aws: Aws, events: Events, target: Json, text: str) -> None:
    group = target["Arn"].split(":", 6)[6].removesuffix(":*")
    stream = events.ids.uuid()
    await aws("logs", "CreateLogStream", {"logGroupName": group, "logStreamName": stream})
    entry = {"timestamp": int(events.clock.now_s() * 1000), "message": text}
    await aws("logs", "PutLogEvents", {"logGroupName": group, "logStreamName": stream, "logEvents": [entry]})


async def _to_bus(aws: Aws, events: Events, target: Json, text: str) -> None:
    event = orjson.loads(text)
    entry = {
        "EventBusName": target["Arn"],
        "Source": event["source"],
        "DetailType": event["detail-type"],
        "Detail": orjson.dumps(event["detail"]).decode(),
        "Resources": event["resources"],
    }
    await aws("events", "PutEvents", {"Entries": [entry]})


async def _bury(aws: Aws, rule: Document, target: Json, text: str, error: AwsError) -> None:
    queue = (target.get("DeadLetterConfig") or {}).get("Arn")
    if not queue:
        return  # As on AWS, an event that cannot be delivered and has nowhere to go is gone.
    attributes = {
        "RULE_ARN": rule["Arn"],
        "TARGET_ARN": target["Arn"],
        "ERROR_CODE": error.code,
        "ERROR_MESSAGE": error.message,
    }
    message = {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()}
    request = {"QueueUrl": _queue_url(queue), "MessageBody": text, "MessageAttributes": message}
    await aws("sqs", "SendMessage", request)


def _queue_url(arn: str) -> str:
    parsed = parse_arn(arn)
    if parsed is None:
        raise invalid(f"{arn} is no ARN of a queue.")
    return f"https://sqs.{parsed.region}.amazonaws.com/{parsed.account}/{parsed.resource}"


def _target_id(target: Json) -> str:
    return str(target["Id"])


# The service in a target's ARN -> who hands over. Where botocore's name is another one, it is in _NAMES.
_SENDERS: Mapping[str, Callable[[Aws, Events, Json, str], Awaitable[None]]] = {
    "lambda": _to_lambda,
    "sqs": _to_sqs,
    "sns": _to_sns,
    "states": _to_state_machine,
    "kinesis": _to_kinesis,
    "logs": _to_logs,
    "events": _to_bus,
}
_NAMES = {"states": "stepfunctions"}
