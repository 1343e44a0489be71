"""Subscriptions: who gets a topic's messages. Source: Amazon SNS API Reference, Subscribe, SetSubscriptionAttributes.

One decision to know: queues and functions of this server are subscribed at once, as AWS does within an account; what
needs a confirmation by somebody outside (http, https, email, sms and the rest) is refused by name.
"""

from __future__ import annotations

import orjson

from freehold.aws.arn import parse_arn
from freehold.aws.call import Call, Json
from freehold.aws.errors import AwsError
from freehold.services.sns.delivery import SENDERS
from freehold.services.sns.filters import InvalidFilter, compile_filter
from freehold.services.sns.record import (
    SUBSCRIPTION,
    Sns,
    find_subscription,
    find_topic,
    invalid,
    page,
    subscriptions_of,
)
from freehold.state.store import Delete, Document, Put, Stored

_PROTOCOLS = ("http", "https", "email", "email-json", "sms", "application", "firehose")
_SETTABLE = frozenset({"RawMessageDelivery", "FilterPolicy", "FilterPolicyScope", "RedrivePolicy"})
_ENDPOINTS = {"sqs": "SQS endpoint ARN", "lambda": "Lambda endpoint ARN"}
_DEFAULT_SCOPE = "MessageAttributes"


async def subscribe(sns: Sns, call: Call, request: Json) -> Json:
    topic = await find_topic(sns, request["TopicArn"])
    protocol, endpoint = request["Protocol"], request.get("Endpoint") or ""
    _check_endpoint(topic, protocol, endpoint)
    given = {name: value for name, value in (request.get("Attributes") or {}).items() if value != ""}
    _check(protocol, given)
    for one in await subscriptions_of(sns, topic):
        document = one.document
        if (document["Protocol"], document["Endpoint"]) == (protocol, endpoint):
            if any(document["Attributes"].get(name) != value for name, value in given.items()):
                raise invalid("Attributes Reason: Subscription already exists with different attributes")
            return {"SubscriptionArn": document["SubscriptionArn"]}
    identity = sns.ids.uuid()
    arn = f"{topic.document['Attributes']['TopicArn']}:{identity}"
    document = {
        "SubscriptionArn": arn,
        "TopicArn": topic.document["Attributes"]["TopicArn"],
        "Protocol": protocol,
        "Endpoint": endpoint,
        "Owner": call.account,
        "Attributes": given,
    }
    await sns.store.write(Put(SUBSCRIPTION, f"{topic.key}/{identity}", document))
    return {"SubscriptionArn": arn}


async def unsubscribe(sns: Sns, call: Call, request: Json) -> Json:
    try:
        stored = await find_subscription(sns, request["SubscriptionArn"])
    except AwsError as error:
        if error.code == "NotFoundException":
            return {}
        raise
    await sns.store.write(Delete(SUBSCRIPTION, stored.key))
    return {}


async def list_subscriptions(sns: Sns, call: Call, request: Json) -> Json:
    return _listed(request, await sns.store.list_documents(SUBSCRIPTION, f"{call.region}/"))


async def list_subscriptions_by_topic(sns: Sns, call: Call, request: Json) -> Json:
    return _listed(request, await subscriptions_of(sns, await find_topic(sns, request["TopicArn"])))


async def get_subscription_attributes(sns: Sns, call: Call, request: Json) -> Json:
    document = (await find_subscription(sns, request["SubscriptionArn"])).document
    shown = {name: document[name] for name in ("SubscriptionArn", "TopicArn", "Protocol", "Endpoint", "Owner")}
    shown |= {"ConfirmationWasAuthenticated": "true", "PendingConfirmation": "false", "RawMessageDelivery": "false"}
    shown["SubscriptionPrincipal"] = f"arn:aws:iam::{document['Owner']}:root"
    shown |= document["Attributes"]
    if "FilterPolicy" in shown:
        shown.setdefault("FilterPolicyScope", _DEFAULT_SCOPE)
    return {"Attributes": shown}


async def set_subscription_attributes(sns: Sns, call: Call, request: Json) -> Json:
    stored = await find_subscription(sns, request["SubscriptionArn"])
    name, value = request["AttributeName"], request.get("AttributeValue") or ""
    attributes = {**stored.document["Attributes"], name: value}
    if value in ("", "{}") and name in ("FilterPolicy", "RedrivePolicy"):
        del attributes[name]  # An empty one takes it away.
    _check(stored.document["Protocol"], attributes)
    document: Document = {**stored.document, "Attributes": attributes}
    await sns.store.write(Put(SUBSCRIPTION, stored.key, document, stored.revision))
    return {}


def _listed(request: Json, found: list[Stored]) -> Json:
    by_key = {stored.key: stored.document for stored in found}
    keys, more = page(request, sorted(by_key))
    members = ("SubscriptionArn", "Owner", "Protocol", "Endpoint", "TopicArn")
    return {"Subscriptions": [{name: by_key[key][name] for name in members} for key in keys], **more}


def _check_endpoint(topic: Stored, protocol: str, endpoint: str) -> None:
    if protocol in _PROTOCOLS:
        raise invalid(
            f"Protocol Reason: Freehold does not support {protocol} subscriptions yet; sqs and lambda it does."
        )
    if protocol not in SENDERS:
        raise invalid(f"Amazon SNS does not support this protocol string: {protocol}")
    arn = parse_arn(endpoint)
    if arn is None or arn.service != protocol:
        raise invalid(_ENDPOINTS[protocol])
    if topic.document["Attributes"].get("FifoTopic") == "true" and not arn.resource.endswith(".fifo"):
        raise invalid("Endpoint Reason: Freehold delivers messages of FIFO topics to FIFO queues only.")
    if topic.document["Attributes"].get("FifoTopic") != "true" and protocol == "sqs" and endpoint.endswith(".fifo"):
        raise invalid("Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics")


def _check(protocol: str, attributes: Json) -> None:
    for name, value in attributes.items():
        if name not in _SETTABLE:
            raise invalid("AttributeName" if name != "ReplayPolicy" else f"{name} Reason: Freehold has no archives.")
        if name == "RawMessageDelivery" and value not in ("true", "false"):
            raise invalid("RawMessageDelivery: Invalid value. Must be true or false.")
        if name == "FilterPolicyScope" and value not in (_DEFAULT_SCOPE, "MessageBody"):
            raise invalid("FilterPolicyScope: Invalid value. Must be MessageAttributes or MessageBody.")
        if name == "RedrivePolicy":
            _check_redrive(value)
    if attributes.get("RawMessageDelivery") == "true" and protocol == "lambda":
        raise invalid("Delivery protocol [lambda] does not support raw message delivery.")
    if attributes.get("FilterPolicy"):
        try:
            compile_filter(attributes["FilterPolicy"], attributes.get("FilterPolicyScope") or _DEFAULT_SCOPE)
        except InvalidFilter as error:
            raise invalid(f"FilterPolicy: {error}") from error


def _check_redrive(text: str) -> None:
    try:
        arn = parse_arn(orjson.loads(text)["deadLetterTargetArn"])
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        arn = None
    if arn is None or arn.service != "sqs":
        raise invalid("RedrivePolicy: deadLetterTargetArn is an invalid arn")
