"""AWS::SNS::Topic, with the subscriptions that stand in it."""

from __future__ import annotations

from freehold.aws.call import Aws, Json
from freehold.aws.errors import AwsError
from freehold.stacks.resources.types import (
    Created,
    Name,
    ResourceType,
    attribute_changes,
    attribute_text,
    pick,
    tag_changes,
    tag_list,
)

TYPE = "AWS::SNS::Topic"
_ATTRIBUTES = (
    "ContentBasedDeduplication",
    "DeliveryPolicy",
    "DisplayName",
    "KmsMasterKeyId",
    "SignatureVersion",
    "TracingConfig",
)


async def create(aws: Aws, properties: Json) -> Created:
    name = _full_name(properties)
    attributes = _attributes(properties)
    if _is_fifo(properties):
        attributes["FifoTopic"] = "true"
    request: Json = {"Name": name, "Attributes": attributes, **pick(properties, "Tags")}
    arn = (await aws("sns", "CreateTopic", request))["TopicArn"]
    try:
        await _subscribe(aws, arn, properties.get("Subscription") or [])
    except AwsError:
        await delete(aws, arn, properties)
        raise
    return _created(arn)


async def update(aws: Aws, physical_id: str, properties: Json, previous: Json) -> Created:
    changes = attribute_changes(_attributes(properties), _attributes(previous), _DEFAULTS)
    for name, value in changes.items():
        request = {"TopicArn": physical_id, "AttributeName": name, "AttributeValue": value}
        await aws("sns", "SetTopicAttributes", request)
    wanted = properties.get("Subscription") or []
    gone = [one for one in previous.get("Subscription") or [] if one not in wanted]
    if gone:
        await _unsubscribe(aws, physical_id, gone)
    await _subscribe(aws, physical_id, wanted)
    untagged, tagged = tag_changes(properties, previous)
    if untagged:
        await aws("sns", "UntagResource", {"ResourceArn": physical_id, "TagKeys": untagged})
    if tagged:
        await aws("sns", "TagResource", {"ResourceArn": physical_id, "Tags": tag_list(tagged)})
    return _created(physical_id)


async def delete(aws: Aws, physical_id: str, properties: Json) -> None:
    await aws("sns", "DeleteTopic", {"TopicArn": physical_id})


_PAGES = 100  # Of subscriptions, looked through for those that go.
# What a property that the template no longer has goes back to.
_DEFAULTS = {"ContentBasedDeduplication": "false"}


def _full_name(properties: Json) -> str:
    name = str(properties["TopicName"])
    # A made-up name of a FIFO topic ends as all of them must.
    return f"{name[:251]}.fifo" if _is_fifo(properties) and not name.endswith(".fifo") else name


def _is_fifo(properties: Json) -> bool:
    return str(properties.get("FifoTopic", "")).lower() == "true"


def _attributes(properties: Json) -> dict[str, str]:
    return {name: attribute_text(properties[name]) for name in _ATTRIBUTES if name in properties}


async def _subscribe(aws: Aws, arn: str, subscriptions: list[Json]) -> None:
    for one in subscriptions:
        await aws("sns", "Subscribe", {"TopicArn": arn, **pick(one, "Protocol", "Endpoint")})


async def _unsubscribe(aws: Aws, arn: str, gone: list[Json]) -> None:
    ends = {(one["Protocol"], one["Endpoint"]) for one in gone}
    request: Json = {"TopicArn": arn}
    for _ in range(_PAGES):
        answer = await aws("sns", "ListSubscriptionsByTopic", request)
        for one in answer["Subscriptions"]:
            if (one["Protocol"], one["Endpoint"]) in ends:
                await aws("sns", "Unsubscribe", {"SubscriptionArn": one["SubscriptionArn"]})
        if not answer.get("NextToken"):
            return
        request["NextToken"] = answer["NextToken"]


def _created(arn: str) -> Created:
    return Created(arn, {"TopicArn": arn, "TopicName": arn.rpartition(":")[2]})


RESOURCE = ResourceType(
    TYPE,
    ("sns",),
    create,
    delete,
    update,
    Name("TopicName", 256),
    frozenset({"TopicName"}),
    supported=frozenset({"TopicName", "FifoTopic", "Subscription", "Tags", *_ATTRIBUTES}),
)
