"""AWS::SNS::Subscription"""

from __future__ import annotations

from freehold.aws.arn import parse_arn
from freehold.aws.call import Aws, Json
from freehold.aws.errors import AwsError
from freehold.stacks.resources.types import Created, ResourceType, attribute_changes, attribute_text, pick

TYPE = "AWS::SNS::Subscription"
_ATTRIBUTES = ("FilterPolicy", "FilterPolicyScope", "RawMessageDelivery", "RedrivePolicy")


async def create(aws: Aws, properties: Json) -> Created:
    _check_region(properties)
    request: Json = {
        **pick(properties, "TopicArn", "Protocol", "Endpoint"),
        "Attributes": _attributes(properties),
        "ReturnSubscriptionArn": True,
    }
    arn = (await aws("sns", "Subscribe", request))["SubscriptionArn"]
    return Created(arn, {"Arn": arn})


async def update(aws: Aws, physical_id: str, properties: Json, previous: Json) -> Created:
    _check_region(properties)
    new, old = _attributes(properties), _attributes(previous)
    changes = attribute_changes(new, old, _DEFAULTS)
    # A policy for the other scope is right only once the scope is, and the other way round: the policy goes first.
    if "FilterPolicyScope" in changes and old.get("FilterPolicy"):
        await _set(aws, physical_id, "FilterPolicy", "")
        changes.setdefault("FilterPolicy", new.get("FilterPolicy", ""))
    for name in sorted(changes, key=lambda name: name == "FilterPolicy"):
        await _set(aws, physical_id, name, changes[name])
    return Created(physical_id, {"Arn": physical_id})


async def delete(aws: Aws, physical_id: str, properties: Json) -> None:
    await aws("sns", "Unsubscribe", {"SubscriptionArn": physical_id})


# What a property that the template no longer has goes back to.
_DEFAULTS = {"RawMessageDelivery": "false", "FilterPolicyScope": "MessageAttributes"}


async def _set(aws: Aws, arn: str, name: str, value: str) -> None:
    request = {"SubscriptionArn": arn, "AttributeName": name, "AttributeValue": value}
    await aws("sns", "SetSubscriptionAttributes", request)


def _attributes(properties: Json) -> dict[str, str]:
    return {name: attribute_text(properties[name]) for name in _ATTRIBUTES if name in properties}


def _check_region(properties: Json) -> None:
    """`Region` is the topic's; its ARN says it already."""
    arn = parse_arn(str(properties["TopicArn"]))
    told = properties.get("Region")
    if told and arn is not None and arn.region != told:
        raise AwsError("InvalidParameter", f"Region {told} is not that of the topic {arn}.", status=400)


RESOURCE = ResourceType(
    TYPE,
    ("sns",),
    create,
    delete,
    update,
    supported=frozenset({"TopicArn", "Protocol", "Endpoint", "Region", *_ATTRIBUTES}),
)
