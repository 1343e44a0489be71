"""Amazon SNS: topics, subscriptions of queues and functions, publishing with filter policies.

Owns:    the documents "sns.topic", "sns.subscription".
Not:     queues (sqs), asynchronous invocations (lambda_), the grammar of filter policies (aws/event_patterns.py).
Imports: aws state
Start:   the table below, then publishing.py
Add:     an operation: a function in the file of its noun, a line in OPERATIONS; a protocol: a function in delivery.py.
"""

from __future__ import annotations

from freehold.aws.call import Operation
from freehold.services.sns import publishing, subscriptions, topics
from freehold.services.sns.record import Sns

__all__ = ["OPERATIONS", "Sns"]

OPERATIONS: dict[str, Operation] = {
    "CreateTopic": topics.create_topic,
    "DeleteTopic": topics.delete_topic,
    "ListTopics": topics.list_topics,
    "GetTopicAttributes": topics.get_topic_attributes,
    "SetTopicAttributes": topics.set_topic_attributes,
    "AddPermission": topics.add_permission,
    "RemovePermission": topics.remove_permission,
    "TagResource": topics.tag_resource,
    "UntagResource": topics.untag_resource,
    "ListTagsForResource": topics.list_tags_for_resource,
    "Subscribe": subscriptions.subscribe,
    "Unsubscribe": subscriptions.unsubscribe,
    "ListSubscriptions": subscriptions.list_subscriptions,
    "ListSubscriptionsByTopic": subscriptions.list_subscriptions_by_topic,
    "GetSubscriptionAttributes": subscriptions.get_subscription_attributes,
    "SetSubscriptionAttributes": subscriptions.set_subscription_attributes,
    "Publish": publishing.publish,
    "PublishBatch": publishing.publish_batch,
}
