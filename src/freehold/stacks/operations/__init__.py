"""CloudFormation's API. This table is the API: to find an operation, look here."""

from __future__ import annotations

from freehold.aws.call import Operation
from freehold.stacks.operations import change_sets, describe, exports, policies, stacks, templates

OPERATIONS: dict[str, Operation] = {
    "CancelUpdateStack": stacks.cancel_update_stack,
    "ContinueUpdateRollback": stacks.continue_update_rollback,
    "CreateChangeSet": change_sets.create_change_set,
    "CreateStack": stacks.create_stack,
    "DeleteChangeSet": change_sets.delete_change_set,
    "DeleteStack": stacks.delete_stack,
    "DescribeChangeSet": change_sets.describe_change_set,
    "DescribeStackEvents": describe.describe_stack_events,
    "DescribeStackResource": describe.describe_stack_resource,
    "DescribeStackResources": describe.describe_stack_resources,
    "DescribeStacks": describe.describe_stacks,
    "ExecuteChangeSet": change_sets.execute_change_set,
    "GetStackPolicy": policies.get_stack_policy,
    "GetTemplate": templates.get_template,
    "GetTemplateSummary": templates.get_template_summary,
    "ListChangeSets": change_sets.list_change_sets,
    "ListExports": exports.list_exports,
    "ListImports": exports.list_imports,
    "ListStackResources": describe.list_stack_resources,
    "ListStacks": describe.list_stacks,
    "SetStackPolicy": policies.set_stack_policy,
    "UpdateStack": stacks.update_stack,
    "UpdateTerminationProtection": policies.update_termination_protection,
    "ValidateTemplate": templates.validate_template,
}
