"""What an asynchronous invocation came to is told once to its destination and its dead-letter queue, over kills."""

from __future__ import annotations

import json
import random
from collections import Counter
from typing import Any

from tests.api.lambda_.conftest import ROLE, zipped
from tests.api.lambda_.test_invoke import until
from tests.live import LiveServer

_ROUNDS, _EVENTS = 3, 12
_SOURCE = "def handler(event, context):\n    if event['fail']:\n        raise ValueError('no')\n"


def test_kills_at_any_moment_lose_nothing_and_tell_nothing_twice(own_server: LiveServer) -> None:
    lambda_, sqs = own_server.client("lambda"), own_server.client("sqs")
    urls, arns = {}, {}
    for name in ("told", "dead"):
        urls[name] = sqs.create_queue(QueueName=name)["QueueUrl"]
        attributes = sqs.get_queue_attributes(QueueUrl=urls[name], AttributeNames=["QueueArn"])["Attributes"]
        arns[name] = attributes["QueueArn"]
    lambda_.create_function(
        FunctionName="f", Runtime="python3.11", Handler="app.handler", Role=ROLE, Timeout=20,
        Code={"ZipFile": zipped({"app.py": _SOURCE})}, DeadLetterConfig={"TargetArn": arns["dead"]},
    )  # fmt: skip
    lambda_.put_function_event_invoke_config(
        FunctionName="f", MaximumRetryAttempts=0, DestinationConfig={"OnSuccess": {"Destination": arns["told"]}}
    )
    chance, accepted = random.Random(20), 0
    for _ in range(_ROUNDS):
        for number in range(_EVENTS):
            event = {"fail": bool(number % 2), "number": accepted}
            lambda_.invoke(FunctionName="f", InvocationType="Event", Payload=json.dumps(event))
            accepted += 1
        enough = accepted - chance.randint(1, _EVENTS - 1)
        until(lambda enough=enough: _count(sqs, urls) >= enough)
        own_server.kill()
        own_server.start()
    until(lambda: _count(sqs, urls) >= accepted)
    # Whatever was to be told again has been told before what comes now.
    lambda_.invoke(FunctionName="f", InvocationType="Event", Payload=json.dumps({"fail": False, "number": -1}))
    told: Counter[int] = Counter()
    until(lambda: told.update(_receive(sqs, urls)) or told[-1] > 0)
    told.update(_receive(sqs, urls))
    assert told == Counter(range(-1, accepted))


def _count(sqs: Any, urls: dict[str, str]) -> int:
    wanted = ["ApproximateNumberOfMessages"]
    return sum(
        int(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=wanted)["Attributes"][wanted[0]])
        for url in urls.values()
    )


def _receive(sqs: Any, urls: dict[str, str]) -> list[int]:
    """The numbers of all events that can be received now."""
    numbers = []
    for name, url in urls.items():
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=600).get(
            "Messages"
        ):
            for message in messages:
                body = json.loads(message["Body"])
                numbers.append((body["requestPayload"] if name == "told" else body)["number"])
    return numbers
