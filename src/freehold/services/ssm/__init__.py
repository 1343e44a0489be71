"""AWS Systems Manager: Parameter Store.

Owns:    the documents "ssm.parameter" (the latest version) and "ssm.version" (each version).
Not:     the other capabilities of Systems Manager; how a secret is sealed (state/seal.py).
Imports: aws state
Start:   the table below, then put.py
Add:     an operation: a function in the file of its noun, a line in OPERATIONS, a test.
"""

from __future__ import annotations

from freehold.aws.call import Operation
from freehold.services.ssm import delete, describe, get, labels, put, tags
from freehold.services.ssm.record import Ssm

__all__ = ["OPERATIONS", "Ssm"]

OPERATIONS: dict[str, Operation] = {
    "PutParameter": put.put_parameter,
    "GetParameter": get.get_parameter,
    "GetParameters": get.get_parameters,
    "GetParametersByPath": get.get_parameters_by_path,
    "GetParameterHistory": get.get_parameter_history,
    "DescribeParameters": describe.describe_parameters,
    "DeleteParameter": delete.delete_parameter,
    "DeleteParameters": delete.delete_parameters,
    "LabelParameterVersion": labels.label_parameter_version,
    "UnlabelParameterVersion": labels.unlabel_parameter_version,
    "AddTagsToResource": tags.add_tags_to_resource,
    "RemoveTagsFromResource": tags.remove_tags_from_resource,
    "ListTagsForResource": tags.list_tags_for_resource,
}
