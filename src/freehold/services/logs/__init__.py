"""Amazon CloudWatch Logs: groups, streams, events, filter patterns.

Owns:    the documents "logs.group", "logs.resource_policy".
Not:     the events' files (state/log_files.py), what a function logs (engine).
Imports: aws state
Start:   the table below, then events.py
Add:     an operation: a function in the file of its noun, a line in OPERATIONS, a test.
"""

from __future__ import annotations

from freehold.aws.call import Operation
from freehold.services.logs import events, groups, policies, streams, tags
from freehold.services.logs.record import Logs, follow_retention

__all__ = ["OPERATIONS", "Logs", "follow_retention"]

OPERATIONS: dict[str, Operation] = {
    "CreateLogGroup": groups.create_log_group,
    "DeleteLogGroup": groups.delete_log_group,
    "DescribeLogGroups": groups.describe_log_groups,
    "ListLogGroups": groups.list_log_groups,
    "PutRetentionPolicy": groups.put_retention_policy,
    "DeleteRetentionPolicy": groups.delete_retention_policy,
    "AssociateKmsKey": groups.associate_kms_key,
    "DisassociateKmsKey": groups.disassociate_kms_key,
    "PutLogGroupDeletionProtection": groups.put_log_group_deletion_protection,
    "CreateLogStream": streams.create_log_stream,
    "DeleteLogStream": streams.delete_log_stream,
    "DescribeLogStreams": streams.describe_log_streams,
    "PutLogEvents": events.put_log_events,
    "GetLogEvents": events.get_log_events,
    "FilterLogEvents": events.filter_log_events,
    "TagLogGroup": tags.tag_log_group,
    "UntagLogGroup": tags.untag_log_group,
    "ListTagsLogGroup": tags.list_tags_log_group,
    "TagResource": tags.tag_resource,
    "UntagResource": tags.untag_resource,
    "ListTagsForResource": tags.list_tags_for_resource,
    "PutResourcePolicy": policies.put_resource_policy,
    "DeleteResourcePolicy": policies.delete_resource_policy,
    "DescribeResourcePolicies": policies.describe_resource_policies,
}
