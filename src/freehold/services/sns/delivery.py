"""What subscribers get, and how: the forms of a message and one function for each protocol.

Source: Amazon SNS Developer Guide, "Amazon SNS message and JSON formats", "Raw message delivery", "Dead-letter queues";
AWS Lambda Developer Guide, "Invoking Lambda functions with Amazon SNS notifications". One decision to know: messages
are not signed, as nobody but this server carries them; `Signature` says so.
"""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import quote

import orjson

from freehold.aws.arn import Arn, parse_arn
from freehold.aws.call import Aws, Call, Json
from freehold.aws.errors import AwsError
from freehold.services.sns.record import Sns
from freehold.state.store import Document

UNSIGNED = "UNSIGNED"
_SQS_ATTRIBUTES = 10  # A raw message with more of them is discarded.


@dataclass(frozen=True, slots=True)
class Message:
    message_id: str
    topic_arn: str
    texts: Json  # By protocol; "default" for the others.
    subject: str | None
    attributes: Json  # As Publish has them.
    timestamp: str  # "2026-01-31T12:00:00.000Z"
    group: str | None
    deduplication: str | None


async def deliver(sns: Sns, call: Call, subscription: Document, message: Message) -> None:
    """Returns when the subscriber's own durable queue has it. What is refused goes to the subscription's dead-letter
    queue, where it has one; raises what is our own fault."""
    endpoint = parse_arn(subscription["Endpoint"])
    assert endpoint is not None
    aws = _bound(sns, call, endpoint, subscription)
    try:
        await SENDERS[subscription["Protocol"]](aws, endpoint, subscription, message)
    except AwsError as error:
        if (error.status or 400) >= 500:
            raise
        await _bury(sns, call, subscription, message, error)


def _bound(sns: Sns, call: Call, target: Arn, subscription: Document) -> Aws:
    once = f"{call.once}/{subscription['SubscriptionArn']}" if call.once else ""
    return sns.bind(
        Call(
            region=target.region,
            account=target.account,
            service_principal="sns.amazonaws.com",
            once=once,
            trace_id=call.trace_id,
        )
    )


async def _to_sqs(aws: Aws, queue: Arn, subscription: Document, message: Message) -> None:
    raw = subscription["Attributes"].get("RawMessageDelivery") == "true"
    if raw and len(message.attributes) > _SQS_ATTRIBUTES:
        raise AwsError("InvalidParameterValue", f"More than {_SQS_ATTRIBUTES} attributes in a raw message.", status=400)
    body = _text(message, "sqs") if raw else orjson.dumps(_notification(subscription, message, "sqs")).decode()
    request: Json = {"QueueUrl": _url(queue), "MessageBody": body}
    if raw and message.attributes:
        request["MessageAttributes"] = message.attributes
    if message.group is not None:
        request |= {"MessageGroupId": message.group, "MessageDeduplicationId": message.deduplication}
    await aws("sqs", "SendMessage", request)


async def _to_lambda(aws: Aws, function: Arn, subscription: Document, message: Message) -> None:
    record = {
        "EventSource": "aws:sns",
        "EventVersion": "1.0",
        "EventSubscriptionArn": subscription["SubscriptionArn"],
        "Sns": _lambda_notification(subscription, message),
    }
    payload = orjson.dumps({"Records": [record]})
    await aws("lambda", "Invoke", {"FunctionName": str(function), "InvocationType": "Event", "Payload": payload})


def _lambda_notification(subscription: Document, message: Message) -> Json:
    """As for others, but for the spelling of two names and members that are always there."""
    spelt = {"SigningCertURL": "SigningCertUrl", "UnsubscribeURL": "UnsubscribeUrl"}
    notification = _notification(subscription, message, "lambda")
    shown = {spelt.get(name, name): value for name, value in notification.items()}
    return {**shown, "Subject": message.subject, "MessageAttributes": shown.get("MessageAttributes", {})}


def _notification(subscription: Document, message: Message, protocol: str) -> Json:
    host = f"https://sns.{message.topic_arn.split(':')[3]}.amazonaws.com"
    notification: Json = {"Type": "Notification", "MessageId": message.message_id, "TopicArn": message.topic_arn}
    if message.subject is not None:
        notification["Subject"] = message.subject
    notification |= {
        "Message": _text(message, protocol),
        "Timestamp": message.timestamp,
        "SignatureVersion": "1",
        "Signature": UNSIGNED,
        "SigningCertURL": f"{host}/{UNSIGNED}.pem",
        "UnsubscribeURL": f"{host}/?Action=Unsubscribe&SubscriptionArn={quote(subscription['SubscriptionArn'], ':')}",
    }
    if message.attributes:
        notification["MessageAttributes"] = {name: _shown(value) for name, value in message.attributes.items()}
    return notification


def _shown(attribute: Json) -> Json:
    if attribute["DataType"].startswith("Binary"):
        return {"Type": attribute["DataType"], "Value": base64.b64encode(attribute["BinaryValue"]).decode()}
    return {"Type": attribute["DataType"], "Value": attribute["StringValue"]}


def _text(message: Message, protocol: str) -> str:
    return str(message.texts.get(protocol, message.texts["default"]))


async def _bury(sns: Sns, call: Call, subscription: Document, message: Message, error: AwsError) -> None:
    policy = subscription["Attributes"].get("RedrivePolicy")
    queue = parse_arn(orjson.loads(policy)["deadLetterTargetArn"]) if policy else None
    if queue is None:
        return  # As on AWS: a message that cannot be delivered and has nowhere to go is gone.
    said = {"ErrorCode": error.code, "ErrorMessage": error.message or "-"}
    request: Json = {
        "QueueUrl": _url(queue),
        "MessageBody": orjson.dumps(_notification(subscription, message, subscription["Protocol"])).decode(),
        "MessageAttributes": {name: {"DataType": "String", "StringValue": value} for name, value in said.items()},
    }
    if message.group is not None:
        request |= {"MessageGroupId": message.group, "MessageDeduplicationId": message.deduplication}
    try:
        await _bound(sns, call, queue, subscription)("sqs", "SendMessage", request)
    except AwsError as refused:
        if (refused.status or 400) >= 500:
            raise


def _url(queue: Arn) -> str:
    return f"https://sqs.{queue.region}.amazonaws.com/{queue.account}/{queue.resource}"


SENDERS: dict[str, Callable[[Aws, Arn, Document, Message], Awaitable[None]]] = {"sqs": _to_sqs, "lambda": _to_lambda}
