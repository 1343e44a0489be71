"""AWS Identity and Access Management: roles, policies, users, groups, instance profiles, access keys.

Owns:    the documents "iam.role", "iam.policy", "iam.user", "iam.group", "iam.instance_profile", "iam.access_key".
Not:     temporary credentials (services/sts); deciding whether a request is allowed.
Imports: aws state
Start:   the table below, then record.py and principals.py
Add:     an operation: a function in the file of its noun, a line in OPERATIONS, a test.
"""

from __future__ import annotations

from freehold.aws.call import Operation
from freehold.services.iam import policies, profiles, roles, users
from freehold.services.iam.aws_managed import managed_policy_text
from freehold.services.iam.principals import boundary_operations, policy_operations, tag_operations
from freehold.services.iam.record import GROUP, PROFILE, ROLE, USER, Iam

__all__ = ["OPERATIONS", "Iam", "managed_policy_text"]

OPERATIONS: dict[str, Operation] = {
    "CreateRole": roles.create_role,
    "GetRole": roles.get_role,
    "ListRoles": roles.list_roles,
    "DeleteRole": roles.delete_role,
    "UpdateRole": roles.update_role,
    "UpdateRoleDescription": roles.update_role_description,
    "UpdateAssumeRolePolicy": roles.update_assume_role_policy,
    "CreateServiceLinkedRole": roles.create_service_linked_role,
    "DeleteServiceLinkedRole": roles.delete_service_linked_role,
    "GetServiceLinkedRoleDeletionStatus": roles.get_service_linked_role_deletion_status,
    **policy_operations(ROLE),
    **tag_operations(ROLE),
    **boundary_operations(ROLE),
    "CreatePolicy": policies.create_policy,
    "GetPolicy": policies.get_policy,
    "DeletePolicy": policies.delete_policy,
    "ListPolicies": policies.list_policies,
    "CreatePolicyVersion": policies.create_policy_version,
    "GetPolicyVersion": policies.get_policy_version,
    "ListPolicyVersions": policies.list_policy_versions,
    "DeletePolicyVersion": policies.delete_policy_version,
    "SetDefaultPolicyVersion": policies.set_default_policy_version,
    "ListEntitiesForPolicy": policies.list_entities_for_policy,
    "TagPolicy": policies.tag_policy,
    "UntagPolicy": policies.untag_policy,
    "ListPolicyTags": policies.list_policy_tags,
    "CreateUser": users.create_user,
    "GetUser": users.get_user,
    "ListUsers": users.list_users,
    "DeleteUser": users.delete_user,
    "CreateAccessKey": users.create_access_key,
    "ListAccessKeys": users.list_access_keys,
    "UpdateAccessKey": users.update_access_key,
    "DeleteAccessKey": users.delete_access_key,
    "GetAccessKeyLastUsed": users.get_access_key_last_used,
    **policy_operations(USER),
    **tag_operations(USER),
    **boundary_operations(USER),
    "CreateGroup": users.create_group,
    "GetGroup": users.get_group,
    "ListGroups": users.list_groups,
    "DeleteGroup": users.delete_group,
    "AddUserToGroup": users.add_user_to_group,
    "RemoveUserFromGroup": users.remove_user_from_group,
    "ListGroupsForUser": users.list_groups_for_user,
    **policy_operations(GROUP),
    "CreateInstanceProfile": profiles.create_instance_profile,
    "GetInstanceProfile": profiles.get_instance_profile,
    "DeleteInstanceProfile": profiles.delete_instance_profile,
    "ListInstanceProfiles": profiles.list_instance_profiles,
    "ListInstanceProfilesForRole": profiles.list_instance_profiles_for_role,
    "AddRoleToInstanceProfile": profiles.add_role_to_instance_profile,
    "RemoveRoleFromInstanceProfile": profiles.remove_role_from_instance_profile,
    **tag_operations(PROFILE),
}
