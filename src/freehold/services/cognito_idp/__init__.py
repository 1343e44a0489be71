"""Amazon Cognito user pools. This table is the API: to find an operation, look here.

Not here: multi-factor authentication, federation, domains and the hosted pages; they are refused by name.
Start: sign_in.py; record.py says where what is kept.
"""

from __future__ import annotations

from freehold.aws.call import Operation
from freehold.services.cognito_idp import (
    account,
    administration,
    clients,
    groups,
    pools,
    recovery,
    sign_in,
    sign_up,
)
from freehold.services.cognito_idp.keys import PoolKeys
from freehold.services.cognito_idp.record import LOG_GROUPS, CognitoIdp

OPERATIONS: dict[str, Operation] = {
    "AddCustomAttributes": pools.add_custom_attributes,
    "AdminAddUserToGroup": groups.admin_add_user_to_group,
    "AdminConfirmSignUp": administration.admin_confirm_sign_up,
    "AdminCreateUser": administration.admin_create_user,
    "AdminDeleteUser": administration.admin_delete_user,
    "AdminDeleteUserAttributes": administration.admin_delete_user_attributes,
    "AdminDisableUser": administration.admin_disable_user,
    "AdminEnableUser": administration.admin_enable_user,
    "AdminGetUser": administration.admin_get_user,
    "AdminInitiateAuth": sign_in.admin_initiate_auth,
    "AdminListGroupsForUser": groups.admin_list_groups_for_user,
    "AdminRemoveUserFromGroup": groups.admin_remove_user_from_group,
    "AdminResetUserPassword": recovery.admin_reset_user_password,
    "AdminRespondToAuthChallenge": sign_in.respond_to_auth_challenge,
    "AdminSetUserPassword": administration.admin_set_user_password,
    "AdminUpdateUserAttributes": administration.admin_update_user_attributes,
    "AdminUserGlobalSignOut": administration.admin_user_global_sign_out,
    "ChangePassword": account.change_password,
    "ConfirmForgotPassword": recovery.confirm_forgot_password,
    "ConfirmSignUp": sign_up.confirm_sign_up,
    "CreateGroup": groups.create_group,
    "CreateUserPool": pools.create_user_pool,
    "CreateUserPoolClient": clients.create_user_pool_client,
    "DeleteGroup": groups.delete_group,
    "DeleteUser": account.delete_own_user,
    "DeleteUserAttributes": account.delete_user_attributes,
    "DeleteUserPool": pools.delete_user_pool,
    "DeleteUserPoolClient": clients.delete_user_pool_client,
    "DescribeUserPool": pools.describe_user_pool,
    "DescribeUserPoolClient": clients.describe_user_pool_client,
    "ForgotPassword": recovery.forgot_password,
    "GetGroup": groups.get_group,
    "GetTokensFromRefreshToken": sign_in.get_tokens_from_refresh_token,
    "GetUser": account.get_user,
    "GetUserAttributeVerificationCode": account.get_user_attribute_verification_code,
    "GetUserPoolMfaConfig": pools.get_user_pool_mfa_config,
    "GlobalSignOut": account.global_sign_out,
    "InitiateAuth": sign_in.initiate_auth,
    "ListGroups": groups.list_groups,
    "ListTagsForResource": pools.list_tags_for_resource,
    "ListUserPoolClients": clients.list_user_pool_clients,
    "ListUserPools": pools.list_user_pools,
    "ListUsers": administration.list_users,
    "ListUsersInGroup": groups.list_users_in_group,
    "ResendConfirmationCode": sign_up.resend_confirmation_code,
    "RespondToAuthChallenge": sign_in.respond_to_auth_challenge,
    "RevokeToken": account.revoke_token,
    "SetUserPoolMfaConfig": pools.set_user_pool_mfa_config,
    "SignUp": sign_up.sign_up,
    "TagResource": pools.tag_resource,
    "UntagResource": pools.untag_resource,
    "UpdateGroup": groups.update_group,
    "UpdateUserAttributes": account.update_user_attributes,
    "UpdateUserPool": pools.update_user_pool,
    "UpdateUserPoolClient": clients.update_user_pool_client,
    "VerifyUserAttribute": account.verify_user_attribute,
}

__all__ = ["LOG_GROUPS", "OPERATIONS", "CognitoIdp", "PoolKeys"]
