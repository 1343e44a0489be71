"""AWS::SNS::TopicPolicy"""

from __future__ import annotations

from freehold.aws.call import Aws
from freehold.stacks.resources.shared_policy import policy_of_many

TYPE = "AWS::SNS::TopicPolicy"


async def _put(aws: Aws, arn: str, policy: str) -> None:
    request = {"TopicArn": arn, "AttributeName": "Policy", "AttributeValue": policy}
    await aws("sns", "SetTopicAttributes", request)


RESOURCE = policy_of_many(TYPE, "sns", "Topics", _put)
