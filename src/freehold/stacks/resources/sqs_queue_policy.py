"""AWS::SQS::QueuePolicy"""

from __future__ import annotations

from freehold.aws.call import Aws
from freehold.stacks.resources.shared_policy import policy_of_many

TYPE = "AWS::SQS::QueuePolicy"


async def _put(aws: Aws, url: str, policy: str) -> None:
    await aws("sqs", "SetQueueAttributes", {"QueueUrl": url, "Attributes": {"Policy": policy}})


RESOURCE = policy_of_many(TYPE, "sqs", "Queues", _put)
