"""AWS Secrets Manager.

Owns:    the documents "secretsmanager.secret": a secret with its sealed versions, tags and policy.
Not:     how a value is sealed (state/seal.py); GenerateSecretString of templates (stacks/resources).
Imports: aws state
Start:   the table below, then record.py
Add:     an operation: a function in the file of its noun, a line in OPERATIONS, a test.
"""

from __future__ import annotations

from freehold.aws.call import Operation
from freehold.services.secretsmanager import listing, passwords, policies, secrets, tags, values, versions
from freehold.services.secretsmanager.record import SecretsManager

__all__ = ["OPERATIONS", "SecretsManager"]

OPERATIONS: dict[str, Operation] = {
    "CreateSecret": secrets.create_secret,
    "UpdateSecret": secrets.update_secret,
    "DeleteSecret": secrets.delete_secret,
    "RestoreSecret": secrets.restore_secret,
    "DescribeSecret": listing.describe_secret,
    "ListSecrets": listing.list_secrets,
    "GetSecretValue": values.get_secret_value,
    "BatchGetSecretValue": values.batch_get_secret_value,
    "PutSecretValue": versions.put_secret_value,
    "UpdateSecretVersionStage": versions.update_secret_version_stage,
    "ListSecretVersionIds": versions.list_secret_version_ids,
    "GetRandomPassword": passwords.get_random_password,
    "TagResource": tags.tag_resource,
    "UntagResource": tags.untag_resource,
    "PutResourcePolicy": policies.put_resource_policy,
    "GetResourcePolicy": policies.get_resource_policy,
    "DeleteResourcePolicy": policies.delete_resource_policy,
}
