"""Amazon EventBridge: event buses, rules, targets, PutEvents.

Owns:    the documents "events.rule", "events.bus"; compiled patterns, in memory (router.py).
Not:     the timer of scheduled rules (freehold/events/schedules.py); patterns and expressions as such (aws).
Imports: aws state
Start:   the table below, then put_events.py and targets.py
Add:     an operation: a function and a line in OPERATIONS; a target: a function and a line in targets.py.
"""

from __future__ import annotations

from freehold.aws.call import Operation
from freehold.services.events import buses, put_events, rules, targets
from freehold.services.events.record import Events
from freehold.services.events.router import Router
from freehold.services.events.targets import deliver

__all__ = ["OPERATIONS", "Events", "Router", "deliver"]

OPERATIONS: dict[str, Operation] = {
    "PutRule": rules.put_rule,
    "DeleteRule": rules.delete_rule,
    "DescribeRule": rules.describe_rule,
    "ListRules": rules.list_rules,
    "EnableRule": rules.enable_rule,
    "DisableRule": rules.disable_rule,
    "PutTargets": targets.put_targets,
    "RemoveTargets": targets.remove_targets,
    "ListTargetsByRule": targets.list_targets_by_rule,
    "ListRuleNamesByTarget": targets.list_rule_names_by_target,
    "PutEvents": put_events.put_events,
    "TestEventPattern": put_events.test_event_pattern,
    "CreateEventBus": buses.create_event_bus,
    "UpdateEventBus": buses.update_event_bus,
    "DeleteEventBus": buses.delete_event_bus,
    "DescribeEventBus": buses.describe_event_bus,
    "ListEventBuses": buses.list_event_buses,
    "PutPermission": buses.put_permission,
    "RemovePermission": buses.remove_permission,
    "TagResource": buses.tag_resource,
    "UntagResource": buses.untag_resource,
    "ListTagsForResource": buses.list_tags_for_resource,
}
