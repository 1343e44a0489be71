"""What SNS's operations may touch, and how topics and subscriptions are found by their ARNs.

Documents: "sns.topic", key region/name; "sns.subscription", key region/topic/id: those of a topic lie together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from freehold.aws.arn import Arn, parse_arn
from freehold.aws.call import Bind, Call, Json
from freehold.aws.errors import AwsError
from freehold.clock import Clock, Ids
from freehold.state.store import Store, Stored

TOPIC = "sns.topic"
SUBSCRIPTION = "sns.subscription"
_PAGE = 100


@dataclass(frozen=True, slots=True)
class Sns:
    store: Store
    clock: Clock
    ids: Ids
    bind: Bind


def topic_arn(call: Call, name: str) -> str:
    return str(Arn("sns", call.region, call.account, name))


async def find_topic(sns: Sns, arn: str) -> Stored:
    """NotFound, as AWS says it of topics."""
    stored = await sns.store.read(TOPIC, _key(arn, parts=1))
    if stored is None:
        raise AwsError("NotFoundException", "Topic does not exist", status=404)
    return stored


async def find_subscription(sns: Sns, arn: str) -> Stored:
    stored = await sns.store.read(SUBSCRIPTION, _key(arn, parts=2))
    if stored is None:
        raise AwsError("NotFoundException", "Subscription does not exist", status=404)
    return stored


async def subscriptions_of(sns: Sns, topic: Stored) -> list[Stored]:
    return await sns.store.list_documents(SUBSCRIPTION, f"{topic.key}/")


def page(request: Json, keys: Sequence[str]) -> tuple[Sequence[str], Json]:
    """The keys of a page of what is sorted, and the member that tells of the next."""
    after = request.get("NextToken") or ""
    rest = [key for key in keys if key > after]
    return rest[:_PAGE], {"NextToken": rest[_PAGE - 1]} if len(rest) > _PAGE else {}


def invalid(what: str) -> AwsError:
    return AwsError("InvalidParameterException", f"Invalid parameter: {what}", status=400)


def _key(text: str, parts: int) -> str:
    arn = parse_arn(text)
    if arn is None or arn.service != "sns" or len(arn.resource.split(":")) != parts:
        raise invalid("TopicArn" if parts == 1 else "SubscriptionArn")
    return "/".join((arn.region, *arn.resource.split(":")))
