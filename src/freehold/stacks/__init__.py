"""CloudFormation: templates become stacks, through change sets, with events, rollback and exports.

Owns:    the documents cloudformation.* (stacks, their resources, events, change sets).
Not:     serverless.yml and SAM (templates); what a resource is made of: every type acts through AWS operations only.
Imports: aws state templates
Start:   operations/__init__.py, then plan.py, execute.py
Add:     a resource type: a file in resources/, its line in the table there, and `python scripts/resource_schemas.py`.
"""

from freehold.stacks.operations import OPERATIONS
from freehold.stacks.record import Stacks
from freehold.stacks.resume import start_stacks, stop_stacks

__all__ = ["OPERATIONS", "Stacks", "start_stacks", "stop_stacks"]
