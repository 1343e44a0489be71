"""Amazon SQS: standard and FIFO queues.

Owns:    the documents "sqs.queue"; the meaning of messages.
Not:     the messages' storage (state/message_queues.py), who polls for functions (events).
Imports: aws state
Start:   the table below, then messages.py
Add:     an operation: a function in the file of its noun, a line in OPERATIONS, a test.
"""

from __future__ import annotations

from freehold.aws.call import Operation
from freehold.services.sqs import messages, queues, receiving
from freehold.services.sqs.record import Arrivals, Sqs

__all__ = ["OPERATIONS", "Arrivals", "Sqs"]

OPERATIONS: dict[str, Operation] = {
    "CreateQueue": queues.create_queue,
    "DeleteQueue": queues.delete_queue,
    "GetQueueUrl": queues.get_queue_url,
    "ListQueues": queues.list_queues,
    "ListDeadLetterSourceQueues": queues.list_dead_letter_source_queues,
    "GetQueueAttributes": queues.get_queue_attributes,
    "SetQueueAttributes": queues.set_queue_attributes,
    "PurgeQueue": queues.purge_queue,
    "TagQueue": queues.tag_queue,
    "UntagQueue": queues.untag_queue,
    "ListQueueTags": queues.list_queue_tags,
    "SendMessage": messages.send_message,
    "SendMessageBatch": messages.send_message_batch,
    "ReceiveMessage": receiving.receive_message,
    "DeleteMessage": receiving.delete_message,
    "DeleteMessageBatch": receiving.delete_message_batch,
    "ChangeMessageVisibility": receiving.change_message_visibility,
    "ChangeMessageVisibilityBatch": receiving.change_message_visibility_batch,
}
