"""Topics, their attributes, permissions and tags. Source: Amazon SNS API Reference, CreateTopic, SetTopicAttributes."""

from __future__ import annotations

import re

import orjson

from freehold.aws.call import Call, Json
from freehold.aws.errors import AwsError
from freehold.services.sns.record import (
    SUBSCRIPTION,
    TOPIC,
    Sns,
    find_topic,
    invalid,
    page,
    subscriptions_of,
    topic_arn,
)
from freehold.state.store import Delete, Document, Put, Stored

_NAME = re.compile(r"[A-Za-z0-9_-]{1,256}")
_TEXTS = frozenset({"DisplayName", "Policy", "DeliveryPolicy", "KmsMasterKeyId", "SignatureVersion", "TracingConfig"})
_FIFO = frozenset({"FifoTopic", "ContentBasedDeduplication", "FifoThroughputScope"})
_NOT_HERE = {"ArchivePolicy": "message archives", "DataProtectionPolicy": "data protection policies"}
_FEEDBACK = re.compile(r"(Success|Failure)Feedback(RoleArn|SampleRate)$")
_TAGS = 50


async def create_topic(sns: Sns, call: Call, request: Json) -> Json:
    name, given = request["Name"], dict(request.get("Attributes") or {})
    if request.get("DataProtectionPolicy"):
        given["DataProtectionPolicy"] = request["DataProtectionPolicy"]
    fifo = given.get("FifoTopic") == "true"
    if not _NAME.fullmatch(name.removesuffix(".fifo") if fifo else name) or fifo != name.endswith(".fifo"):
        raise invalid("Topic Name")
    for attribute, value in given.items():
        _check(attribute, value, fifo)
    arn, tags = topic_arn(call, name), _tags(request.get("Tags"))
    known = await sns.store.read(TOPIC, f"{call.region}/{name}")
    if known is not None:
        if any(known.document["Attributes"].get(key) != value for key, value in given.items()):
            raise invalid("Attributes Reason: Topic already exists with different attributes")
        if request.get("Tags") and tags != known.document["Tags"]:
            raise invalid("Tags Reason: Topic already exists with different tags")
        return {"TopicArn": arn}
    attributes = {"Policy": _default_policy(call, arn), "DisplayName": "", **given}
    if fifo:
        attributes.setdefault("ContentBasedDeduplication", "false")
    attributes |= {"TopicArn": arn, "Owner": call.account}
    await sns.store.write(Put(TOPIC, f"{call.region}/{name}", {"Name": name, "Attributes": attributes, "Tags": tags}))
    return {"TopicArn": arn}


async def delete_topic(sns: Sns, call: Call, request: Json) -> Json:
    try:
        topic = await find_topic(sns, request["TopicArn"])
    except AwsError as error:
        if error.code == "NotFoundException":
            return {}  # "Deleting a topic that does not exist does not result in an error."
        raise
    of_it = [Delete(SUBSCRIPTION, one.key) for one in await subscriptions_of(sns, topic)]
    await sns.store.write(Delete(TOPIC, topic.key), *of_it)
    return {}


async def list_topics(sns: Sns, call: Call, request: Json) -> Json:
    found = await sns.store.list_documents(TOPIC, f"{call.region}/")
    names, more = page(request, [stored.document["Name"] for stored in found])
    return {"Topics": [{"TopicArn": topic_arn(call, name)} for name in names], **more}


async def get_topic_attributes(sns: Sns, call: Call, request: Json) -> Json:
    topic = await find_topic(sns, request["TopicArn"])
    count = len(await subscriptions_of(sns, topic))
    counts = {"SubscriptionsConfirmed": str(count), "SubscriptionsPending": "0", "SubscriptionsDeleted": "0"}
    return {"Attributes": {**topic.document["Attributes"], **counts}}


async def set_topic_attributes(sns: Sns, call: Call, request: Json) -> Json:
    topic = await find_topic(sns, request["TopicArn"])
    name, value = request["AttributeName"], request.get("AttributeValue") or ""
    if name == "FifoTopic":
        raise invalid("AttributeName")
    attributes = topic.document["Attributes"]
    _check(name, value, attributes.get("FifoTopic") == "true")
    if name == "Policy" and not value:
        value = _default_policy(call, attributes["TopicArn"])
    await _write(sns, topic, Attributes={**attributes, name: value})
    return {}


async def add_permission(sns: Sns, call: Call, request: Json) -> Json:
    topic = await find_topic(sns, request["TopicArn"])
    policy = orjson.loads(topic.document["Attributes"]["Policy"])
    if any(statement.get("Sid") == request["Label"] for statement in policy["Statement"]):
        raise invalid("Statement already exists")
    policy["Statement"].append({
        "Sid": request["Label"],
        "Effect": "Allow",
        "Principal": {"AWS": [f"arn:aws:iam::{account}:root" for account in request["AWSAccountId"]]},
        "Action": [f"SNS:{action}" for action in request["ActionName"]],
        "Resource": topic.document["Attributes"]["TopicArn"],
    })  # fmt: skip
    return await _put_policy(sns, topic, policy)


async def remove_permission(sns: Sns, call: Call, request: Json) -> Json:
    topic = await find_topic(sns, request["TopicArn"])
    policy = orjson.loads(topic.document["Attributes"]["Policy"])
    policy["Statement"] = [each for each in policy["Statement"] if each.get("Sid") != request["Label"]]
    return await _put_policy(sns, topic, policy)


async def tag_resource(sns: Sns, call: Call, request: Json) -> Json:
    topic = await _tagged(sns, request)
    tags = {**topic.document["Tags"], **_tags(request["Tags"])}
    if len(tags) > _TAGS:
        raise AwsError("TagLimitExceededException", "Could not complete request: tag quota of per resource exceeded")
    await _write(sns, topic, Tags=tags)
    return {}


async def untag_resource(sns: Sns, call: Call, request: Json) -> Json:
    topic = await _tagged(sns, request)
    await _write(sns, topic, Tags={k: v for k, v in topic.document["Tags"].items() if k not in request["TagKeys"]})
    return {}


async def list_tags_for_resource(sns: Sns, call: Call, request: Json) -> Json:
    tags = (await _tagged(sns, request)).document["Tags"]
    return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}


async def _tagged(sns: Sns, request: Json) -> Stored:
    try:
        return await find_topic(sns, request["ResourceArn"])
    except AwsError as error:
        raise AwsError("ResourceNotFoundException", "Resource does not exist", status=404) from error


async def _put_policy(sns: Sns, topic: Stored, policy: Json) -> Json:
    await _write(sns, topic, Attributes={**topic.document["Attributes"], "Policy": orjson.dumps(policy).decode()})
    return {}


async def _write(sns: Sns, topic: Stored, **changes: Json) -> None:
    document: Document = {**topic.document, **changes}
    await sns.store.write(Put(TOPIC, topic.key, document, topic.revision))


def _check(name: str, value: str, fifo: bool) -> None:
    what = _NOT_HERE.get(name) or ("delivery status logging" if _FEEDBACK.search(name) else "")
    if what:
        raise invalid(f"{name} Reason: Freehold does not support {what} of topics yet.")
    if name not in _TEXTS and not (fifo and name in _FIFO):
        raise invalid("AttributeName" if name not in _FIFO else f"{name} Reason: only for FIFO topics")
    if name in ("Policy", "DeliveryPolicy") and value:
        try:
            document = orjson.loads(value)
        except orjson.JSONDecodeError as error:
            raise invalid(f"{name}: failed to parse JSON. {error}") from error
        if not isinstance(document, dict):
            raise invalid(f"{name}: not an object")
        if name == "Policy" and not isinstance(document.get("Statement"), list):
            raise invalid("Policy statement must be a list")


def _tags(tags: list[Json] | None) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tags or []}


def _default_policy(call: Call, arn: str) -> str:
    """AWS's: the owner may do everything with it."""
    actions = ("GetTopicAttributes", "SetTopicAttributes", "AddPermission", "RemovePermission", "DeleteTopic",
               "Subscribe", "ListSubscriptionsByTopic", "Publish")  # fmt: skip
    statement = {
        "Effect": "Allow",
        "Sid": "__default_statement_ID",
        "Principal": {"AWS": "*"},
        "Action": [f"SNS:{action}" for action in actions],
        "Resource": arn,
        "Condition": {"StringEquals": {"AWS:SourceOwner": call.account}},
    }
    return orjson.dumps({"Version": "2008-10-17", "Id": "__default_policy_ID", "Statement": [statement]}).decode()
