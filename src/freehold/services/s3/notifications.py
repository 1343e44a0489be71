"""Event notifications: which events go where, and their sending after the write that they tell of.

Source: Amazon S3 User Guide, "Amazon S3 Event Notifications" (event types, filter rules, message structure 2.1).
One decision to know: an event is handed to the durable queue behind Lambda's asynchronous invocation before the
request is answered, so a crash after the answer loses none.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote_plus

import orjson

from freehold.aws.arn import Arn, parse_arn
from freehold.aws.call import Call, Json
from freehold.aws.errors import AwsError
from freehold.services.s3.record import S3, Bucket, find_bucket, invalid, owner
from freehold.services.s3.settings import change_bucket
from freehold.state.store import Document

_MEMBER = "NotificationConfiguration"
_EVENTS = frozenset(
    {
        "s3:ObjectCreated:*",
        "s3:ObjectCreated:Put",
        "s3:ObjectCreated:Post",
        "s3:ObjectCreated:Copy",
        "s3:ObjectCreated:CompleteMultipartUpload",
        "s3:ObjectRemoved:*",
        "s3:ObjectRemoved:Delete",
        "s3:ObjectRemoved:DeleteMarkerCreated",
    }
)
_DETAIL = {
    "Put": "PutObject",
    "Copy": "CopyObject",
    "CompleteMultipartUpload": "CompleteMultipartUpload",
    "Delete": "DeleteObject",
    "DeleteMarkerCreated": "DeleteObject",
}
# Kind of destination -> (list, its ARN's member).
_LAMBDA = ("LambdaFunctionConfigurations", "LambdaFunctionArn")
_QUEUE = ("QueueConfigurations", "QueueArn")
_TOPIC = ("TopicConfigurations", "TopicArn")


async def put_bucket_notification_configuration(s3: S3, call: Call, request: Json) -> Json:
    configuration = request[_MEMBER]
    kept: Json = {}
    for entries, arn in (_LAMBDA, _QUEUE, _TOPIC):
        for entry in configuration.get(entries) or []:
            _check_entry(entry)
            if not request.get("SkipDestinationValidation"):
                await _check_destination(s3, call, entry[arn])
            kept.setdefault(entries, []).append({"Id": s3.ids.uuid(), **entry})
    if configuration.get("EventBridgeConfiguration") is not None:
        kept["EventBridgeConfiguration"] = {}

    def change(document: Json) -> None:
        document["settings"][_MEMBER] = kept

    await change_bucket(s3, call, request, change)
    return {}


async def get_bucket_notification_configuration(s3: S3, call: Call, request: Json) -> Json:
    bucket = await find_bucket(s3, call, request)
    return dict(bucket.document["settings"].get(_MEMBER, {}))


async def created(s3: S3, call: Call, bucket: Bucket, version: Document, what: str) -> None:
    await _send(s3, call, bucket, version, f"ObjectCreated:{what}")


async def removed(s3: S3, call: Call, bucket: Bucket, version: Document, what: str) -> None:
    await _send(s3, call, bucket, version, f"ObjectRemoved:{what}")


def matches(entry: Json, event_name: str, key: str) -> bool:
    """Does a notification want this event? `event_name` without "s3:"."""
    names = {name.removeprefix("s3:") for name in entry["Events"]}
    if event_name not in names and f"{event_name.split(':')[0]}:*" not in names:
        return False
    for rule in (entry.get("Filter") or {}).get("Key", {}).get("FilterRules", []):
        fits = key.startswith if rule["Name"].lower() == "prefix" else key.endswith
        if not fits(rule["Value"]):
            return False
    return True


def build_event(
    call: Call, bucket: Bucket, version: Document, event_name: str, configuration_id: str, at: datetime
) -> Json:
    """The message {"Records": [...]}, version 2.1."""
    described: dict[str, Any] = {"key": quote_plus(version["key"], safe="/")}
    if "size" in version and not event_name.startswith("ObjectRemoved"):
        described["size"], described["eTag"] = version["size"], version["etag"]
    if bucket.versioning and "versionId" in version:
        described["versionId"] = version["versionId"]
    described["sequencer"] = f"{version.get('sequence', int(at.timestamp() * 1_000_000)):018X}"
    user = {"principalId": owner(call)["ID"]}
    record = {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": bucket.document["region"],
        "eventTime": f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z",
        "eventName": event_name,
        "userIdentity": user,
        "requestParameters": {"sourceIPAddress": call.source_ip},
        "responseElements": {"x-amz-request-id": call.request_id, "x-amz-id-2": call.request_id},
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": configuration_id,
            "bucket": {"name": bucket.name, "ownerIdentity": user, "arn": _bucket_arn(bucket)},
            "object": described,
        },
    }
    return {"Records": [record]}


async def _send(s3: S3, call: Call, bucket: Bucket, version: Document, event_name: str) -> None:
    configuration = bucket.document["settings"].get(_MEMBER)
    if not configuration:
        return
    at = datetime.fromtimestamp(s3.clock.now_s(), UTC)
    for entries, arn in (_LAMBDA, _QUEUE, _TOPIC):
        for entry in configuration.get(entries, ()):
            if matches(entry, event_name, version["key"]):
                event = build_event(call, bucket, version, event_name, entry["Id"], at)
                await _deliver(s3, call, bucket, entry[arn], orjson.dumps(event))
    if "EventBridgeConfiguration" in configuration:
        await _put_event(s3, call, bucket, version, event_name)


async def _deliver(s3: S3, call: Call, bucket: Bucket, arn: str, event: bytes) -> None:
    aws = s3.bind(_as_s3(call, bucket))
    try:
        if ":lambda:" in arn:
            await aws("lambda", "Invoke", {"FunctionName": arn, "InvocationType": "Event", "Payload": event})
        elif ":sqs:" in arn:
            await aws("sqs", "SendMessage", {"QueueUrl": _queue_url(arn), "MessageBody": event.decode()})
        else:
            request = {"TopicArn": arn, "Subject": "Amazon S3 Notification", "Message": event.decode()}
            await aws("sns", "Publish", request)
    except AwsError as error:
        if (error.status or 400) >= 500:
            raise
        # The destination was deleted since it was set: the writer of the object is not told, as on AWS.


async def _put_event(s3: S3, call: Call, bucket: Bucket, version: Document, event_name: str) -> None:
    kind, what = event_name.split(":")
    is_created = kind == "ObjectCreated"
    described: dict[str, Any] = {"key": version["key"], "sequencer": f"{version.get('sequence', 0):018X}"}
    if "size" in version:
        described["size"], described["etag"] = version["size"], version["etag"]
    if bucket.versioning and "versionId" in version:
        described["version-id"] = version["versionId"]
    detail = {
        "version": "0",
        "bucket": {"name": bucket.name},
        "object": described,
        "request-id": call.request_id,
        "requester": call.account,
        "source-ip-address": call.source_ip,
        "reason": _DETAIL[what],
    }
    if not is_created:
        detail["deletion-type"] = "Delete Marker Created" if what == "DeleteMarkerCreated" else "Permanently Deleted"
    entry = {
        "Source": "aws.s3",
        "DetailType": "Object Created" if is_created else "Object Deleted",
        "Resources": [_bucket_arn(bucket)],
        "Detail": orjson.dumps(detail).decode(),
    }
    await s3.bind(_as_s3(call, bucket))("events", "PutEvents", {"Entries": [entry]})


async def _check_destination(s3: S3, call: Call, arn: str) -> None:
    """Refuses what does not exist, and by name what Freehold does not have."""
    aws, parsed = s3.bind(call), parse_arn(arn)
    service = parsed.service if parsed else ""
    try:
        if service == "lambda":
            await aws("lambda", "GetFunctionConfiguration", {"FunctionName": arn})
        elif service == "sqs":
            await aws("sqs", "GetQueueAttributes", {"QueueUrl": _queue_url(arn)})
        elif service == "sns":
            await aws("sns", "GetTopicAttributes", {"TopicArn": arn})
        else:
            raise invalid("The ARN could not be parsed", ArgumentName="NotificationConfiguration", ArgumentValue=arn)
    except AwsError as error:
        if error.code in ("UnknownOperationException", "InvalidArgument"):
            raise
        raise invalid(
            "Unable to validate the following destination configurations", ArgumentName=arn, ArgumentValue=error.message
        ) from error


def _check_entry(entry: Json) -> None:
    for name in entry.get("Events") or []:
        if name not in _EVENTS:
            raise invalid(f"The event {name} is not supported for notifications.", ArgumentName="Event")
    for rule in (entry.get("Filter") or {}).get("Key", {}).get("FilterRules", []):
        if str(rule.get("Name")).lower() not in ("prefix", "suffix"):
            raise invalid("filter rule name must be either prefix or suffix", ArgumentName="FilterRule.Name")


def _queue_url(arn: str) -> str:
    parsed = parse_arn(arn)
    assert parsed is not None, arn
    return f"https://sqs.{parsed.region}.amazonaws.com/{parsed.account}/{parsed.resource}"


def _bucket_arn(bucket: Bucket) -> str:
    return str(Arn("s3", "", "", bucket.name))


def _as_s3(call: Call, bucket: Bucket) -> Call:
    return Call(
        region=bucket.document["region"],
        account=call.account,
        request_id=call.request_id,
        service_principal="s3.amazonaws.com",
        host=call.host,
        scheme=call.scheme,
        trace_id=call.trace_id,
    )
