"""AWS Security Token Service: who is calling, and temporary credentials.

Owns:    the documents "sts.session": which role or user stands behind a temporary access key.
Not:     roles and their trust policies (services/iam); deciding whether a request is allowed.
Imports: aws state
Start:   operations.py
Add:     an operation: a function in operations.py, a line in OPERATIONS, a test.
"""

from __future__ import annotations

from freehold.aws.call import Operation
from freehold.services.sts import operations
from freehold.services.sts.operations import Sts

__all__ = ["OPERATIONS", "Sts"]

OPERATIONS: dict[str, Operation] = {
    "GetCallerIdentity": operations.get_caller_identity,
    "GetAccessKeyInfo": operations.get_access_key_info,
    "AssumeRole": operations.assume_role,
    "AssumeRoleWithWebIdentity": operations.assume_role_with_web_identity,
    "GetSessionToken": operations.get_session_token,
}
