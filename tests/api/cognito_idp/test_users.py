"""The users of a pool: how they join, prove addresses, recover, change and leave; what an administrator does."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from tests.api.cognito_idp.pool import PASSWORD, Pool, SrpClient, make_pool

Client = Callable[..., Any]
BY_MAIL = {"AutoVerifiedAttributes": ["email"]}


@pytest.fixture
def pool(client: Client) -> Pool:
    return make_pool(client, **BY_MAIL)


def sign_up(pool: Pool, username: str = "ann", **attributes: str) -> Any:
    given = [{"Name": name, "Value": value} for name, value in attributes.items()]
    return pool.cognito.sign_up(ClientId=pool.app, Username=username, Password=PASSWORD, UserAttributes=given)


def attributes_of(pool: Pool, username: str = "ann") -> dict[str, str]:
    found = pool.cognito.admin_get_user(UserPoolId=pool.id, Username=username)["UserAttributes"]
    return {each["Name"]: each["Value"] for each in found}


def test_who_signs_up_confirms_with_the_code_that_was_sent(pool: Pool) -> None:
    made = sign_up(pool, email="ann@example.com")
    assert made["UserConfirmed"] is False
    assert made["CodeDeliveryDetails"] == {
        "Destination": "a***@e***",
        "DeliveryMedium": "EMAIL",
        "AttributeName": "email",
    }
    assert attributes_of(pool) == {"sub": made["UserSub"], "email": "ann@example.com"}
    with pytest.raises(pool.cognito.exceptions.UserNotConfirmedException):
        pool.sign_in()
    with pytest.raises(pool.cognito.exceptions.UsernameExistsException, match="User already exists"):
        sign_up(pool, email="other@example.com")
    confirm = {"ClientId": pool.app, "Username": "ann"}
    old = pool.code()
    pool.cognito.resend_confirmation_code(**confirm)
    new = pool.code()
    if old != new:
        with pytest.raises(pool.cognito.exceptions.CodeMismatchException):
            pool.cognito.confirm_sign_up(**confirm, ConfirmationCode=old)
    pool.cognito.confirm_sign_up(**confirm, ConfirmationCode=new)
    assert attributes_of(pool)["email_verified"] == "true"
    assert pool.sign_in()["AuthenticationResult"]["IdToken"]
    with pytest.raises(pool.cognito.exceptions.NotAuthorizedException, match="Current status is CONFIRMED"):
        pool.cognito.confirm_sign_up(**confirm, ConfirmationCode=new)


def test_who_guesses_a_code_is_stopped(pool: Pool) -> None:
    sign_up(pool, email="ann@example.com")
    right = pool.code()
    wrong = "000000" if right != "000000" else "111111"
    confirm = {"ClientId": pool.app, "Username": "ann"}
    for _ in range(5):
        with pytest.raises(pool.cognito.exceptions.CodeMismatchException):
            pool.cognito.confirm_sign_up(**confirm, ConfirmationCode=wrong)
    with pytest.raises(pool.cognito.exceptions.LimitExceededException):
        pool.cognito.confirm_sign_up(**confirm, ConfirmationCode=right)
    for _ in range(9):
        pool.cognito.resend_confirmation_code(**confirm)
    with pytest.raises(pool.cognito.exceptions.LimitExceededException):
        pool.cognito.resend_confirmation_code(**confirm)


@pytest.mark.parametrize("password", ["Sh0rt!", "nouppercase-1", "NOLOWERCASE-1", "NoNumbers-!", "NoSymbols11"])
def test_a_password_meets_the_policy(pool: Pool, password: str) -> None:
    with pytest.raises(pool.cognito.exceptions.InvalidPasswordException, match="did not conform with policy"):
        pool.cognito.sign_up(ClientId=pool.app, Username="ann", Password=password)


def test_a_forgotten_password_is_replaced_with_the_code_that_was_sent(pool: Pool) -> None:
    pool.add(email="ann@example.com", email_verified="true")
    sent = pool.cognito.forgot_password(ClientId=pool.app, Username="ann")["CodeDeliveryDetails"]
    assert sent["Destination"] == "a***@e***"
    code = pool.code()
    new = {"ClientId": pool.app, "Username": "ann", "Password": "Another-horse-2"}
    with pytest.raises(pool.cognito.exceptions.CodeMismatchException):
        pool.cognito.confirm_forgot_password(**new, ConfirmationCode="000000" if code != "000000" else "1")
    pool.cognito.confirm_forgot_password(**new, ConfirmationCode=code)
    assert pool.tokens(password="Another-horse-2")
    with pytest.raises(pool.cognito.exceptions.NotAuthorizedException):
        pool.sign_in()
    with pytest.raises(pool.cognito.exceptions.ExpiredCodeException):
        pool.cognito.confirm_forgot_password(**new, ConfirmationCode=code)


def test_without_a_verified_address_a_password_cannot_be_recovered(pool: Pool) -> None:
    pool.add(email="ann@example.com")
    with pytest.raises(pool.cognito.exceptions.InvalidParameterException, match="no registered/verified email"):
        pool.cognito.forgot_password(ClientId=pool.app, Username="ann")


def test_an_administrator_resets_a_password(pool: Pool) -> None:
    pool.add(email="ann@example.com", email_verified="true")
    pool.cognito.admin_reset_user_password(UserPoolId=pool.id, Username="ann")
    with pytest.raises(pool.cognito.exceptions.PasswordResetRequiredException):
        pool.sign_in()
    pool.cognito.confirm_forgot_password(
        ClientId=pool.app, Username="ann", Password="Another-horse-2", ConfirmationCode=pool.code()
    )
    assert pool.tokens(password="Another-horse-2")


def test_a_signed_in_user_changes_the_own_account(pool: Pool) -> None:
    pool.add(email="ann@example.com", email_verified="true")
    token = {"AccessToken": pool.tokens()["AccessToken"]}
    sent = pool.cognito.update_user_attributes(
        **token,
        UserAttributes=[{"Name": "email", "Value": "new@example.com"}, {"Name": "name", "Value": "Ann"}],
    )["CodeDeliveryDetailsList"]
    assert [each["AttributeName"] for each in sent] == ["email"]
    assert attributes_of(pool)["email_verified"] == "false"
    pool.cognito.verify_user_attribute(**token, AttributeName="email", Code=pool.code())
    assert attributes_of(pool)["email_verified"] == "true"
    pool.cognito.delete_user_attributes(**token, UserAttributeNames=["name"])
    told = pool.cognito.get_user(**token)
    assert "name" not in {each["Name"] for each in told["UserAttributes"]}
    with pytest.raises(pool.cognito.exceptions.NotAuthorizedException, match="unauthorized attribute"):
        pool.cognito.update_user_attributes(**token, UserAttributes=[{"Name": "email_verified", "Value": "true"}])
    with pytest.raises(pool.cognito.exceptions.NotAuthorizedException, match="Incorrect username or password"):
        pool.cognito.change_password(**token, PreviousPassword="wrong", ProposedPassword="Another-horse-2")
    pool.cognito.change_password(**token, PreviousPassword=PASSWORD, ProposedPassword="Another-horse-2")
    assert pool.tokens(password="Another-horse-2")
    pool.cognito.delete_user(**token)
    with pytest.raises(pool.cognito.exceptions.UserNotFoundException):
        pool.sign_in()
    with pytest.raises(pool.cognito.exceptions.UserNotFoundException):
        pool.cognito.get_user(**token)


def test_who_is_disabled_is_out_at_once(pool: Pool) -> None:
    pool.add()
    tokens = pool.tokens()
    where = {"UserPoolId": pool.id, "Username": "ann"}
    pool.cognito.admin_disable_user(**where)
    with pytest.raises(pool.cognito.exceptions.NotAuthorizedException, match="User is disabled"):
        pool.sign_in()
    with pytest.raises(pool.cognito.exceptions.NotAuthorizedException):
        pool.cognito.get_user(AccessToken=tokens["AccessToken"])
    pool.cognito.admin_enable_user(**where)
    assert pool.tokens()


def test_people_sign_in_by_their_address_where_the_pool_says_so(client: Client) -> None:
    pool = make_pool(client, UsernameAttributes=["email"], UsernameConfiguration={"CaseSensitive": False}, **BY_MAIL)
    with pytest.raises(pool.cognito.exceptions.InvalidParameterException, match="Username should be an email"):
        sign_up(pool, "ann")
    made = sign_up(pool, "Ann@example.com")
    pool.cognito.confirm_sign_up(ClientId=pool.app, Username="ann@example.com", ConfirmationCode=pool.code())
    claims = jwt.decode(pool.tokens("ann@EXAMPLE.com")["IdToken"], options={"verify_signature": False})
    assert (claims["cognito:username"], claims["sub"]) == (made["UserSub"], made["UserSub"])
    with pytest.raises(pool.cognito.exceptions.UsernameExistsException, match="given email already exists"):
        sign_up(pool, "ANN@example.com")


def test_an_alias_signs_in_once_it_is_verified_and_belongs_to_one_user(client: Client) -> None:
    pool = make_pool(client, AliasAttributes=["email"], **BY_MAIL)
    pool.add("ann", email="a@example.com", email_verified="true")
    assert pool.tokens("a@example.com")
    sign_up(pool, "eve", email="a@example.com")
    with pytest.raises(pool.cognito.exceptions.AliasExistsException):
        pool.cognito.confirm_sign_up(ClientId=pool.app, Username="eve", ConfirmationCode=pool.code())
    pool.cognito.confirm_sign_up(
        ClientId=pool.app, Username="eve", ConfirmationCode=pool.code(), ForceAliasCreation=True
    )
    claims = jwt.decode(pool.tokens("a@example.com")["IdToken"], options={"verify_signature": False})
    assert claims["cognito:username"] == "eve"
    pool.cognito.admin_delete_user(UserPoolId=pool.id, Username="ann")
    assert pool.tokens("a@example.com")


def test_users_are_listed_in_pages_and_found(pool: Pool) -> None:
    for name in ("ann", "bob", "cid"):
        pool.add(name, email=f"{name}@example.com")
    first = pool.cognito.list_users(UserPoolId=pool.id, Limit=2)
    second = pool.cognito.list_users(UserPoolId=pool.id, Limit=2, PaginationToken=first["PaginationToken"])
    assert [user["Username"] for user in first["Users"] + second["Users"]] == ["ann", "bob", "cid"]
    assert "PaginationToken" not in second

    def found(text: str) -> list[str]:
        return [user["Username"] for user in pool.cognito.list_users(UserPoolId=pool.id, Filter=text)["Users"]]

    assert found('email = "bob@example.com"') == ["bob"]
    assert found('username ^= "c"') == ["cid"]
    assert found('cognito:user_status = "CONFIRMED"') == ["ann", "bob", "cid"]
    assert found('status = "Disabled"') == []
    with pytest.raises(pool.cognito.exceptions.InvalidParameterException):
        found("email ~ x")


def test_users_and_groups_are_changed_by_who_runs_the_app(pool: Pool) -> None:
    pool.add(name="Ann", email="ann@example.com")
    where = {"UserPoolId": pool.id, "Username": "ann"}
    pool.cognito.admin_update_user_attributes(**where, UserAttributes=[{"Name": "nickname", "Value": "A"}])
    pool.cognito.admin_delete_user_attributes(**where, UserAttributeNames=["name"])
    assert {"name", "nickname"} & set(attributes_of(pool)) == {"nickname"}
    for group in ("a", "b", "c"):
        pool.cognito.create_group(UserPoolId=pool.id, GroupName=group)
        pool.cognito.admin_add_user_to_group(**where, GroupName=group)
    pool.cognito.admin_remove_user_from_group(**where, GroupName="b")
    groups = pool.cognito.get_paginator("list_groups").paginate(UserPoolId=pool.id, PaginationConfig={"PageSize": 2})
    assert [each["GroupName"] for page in groups for each in page["Groups"]] == ["a", "b", "c"]
    claims = jwt.decode(pool.tokens()["AccessToken"], options={"verify_signature": False})
    assert claims["cognito:groups"] == ["a", "c"]
    token = pool.tokens()["AccessToken"]
    pool.cognito.admin_user_global_sign_out(**where)
    with pytest.raises(pool.cognito.exceptions.NotAuthorizedException, match="revoked"):
        pool.cognito.get_user(AccessToken=token)


def test_an_address_is_verified_on_demand(pool: Pool) -> None:
    pool.add(email="ann@example.com")
    token = {"AccessToken": pool.tokens()["AccessToken"]}
    sent = pool.cognito.get_user_attribute_verification_code(**token, AttributeName="email")
    assert sent["CodeDeliveryDetails"]["AttributeName"] == "email"
    pool.cognito.verify_user_attribute(**token, AttributeName="email", Code=pool.code())
    assert attributes_of(pool)["email_verified"] == "true"
    with pytest.raises(pool.cognito.exceptions.InvalidParameterException):
        pool.cognito.get_user_attribute_verification_code(**token, AttributeName="phone_number")


def test_groups_have_members_until_they_are_deleted(pool: Pool) -> None:
    pool.add()
    group = {"UserPoolId": pool.id, "GroupName": "staff"}
    pool.cognito.create_group(**group, Description="all of us", RoleArn="arn:aws:iam::000000000000:role/staff")
    with pytest.raises(pool.cognito.exceptions.GroupExistsException):
        pool.cognito.create_group(**group)
    pool.cognito.admin_add_user_to_group(**group, Username="ann")
    pool.cognito.update_group(**group, Precedence=3)
    assert pool.cognito.get_group(**group)["Group"]["Precedence"] == 3
    assert [user["Username"] for user in pool.cognito.list_users_in_group(**group)["Users"]] == ["ann"]
    of_ann = pool.cognito.admin_list_groups_for_user(UserPoolId=pool.id, Username="ann")["Groups"]
    assert [each["GroupName"] for each in of_ann] == ["staff"]
    claims = jwt.decode(pool.tokens()["IdToken"], options={"verify_signature": False})
    assert claims["cognito:roles"] == ["arn:aws:iam::000000000000:role/staff"]
    assert claims["cognito:preferred_role"] == "arn:aws:iam::000000000000:role/staff"
    pool.cognito.delete_group(**group)
    pool.cognito.create_group(**group)
    assert pool.cognito.list_users_in_group(**group)["Users"] == []
    with pytest.raises(pool.cognito.exceptions.ResourceNotFoundException):
        pool.cognito.admin_add_user_to_group(UserPoolId=pool.id, GroupName="nobody", Username="ann")


def test_custom_attributes_have_the_pools_limits(client: Client) -> None:
    tenant = {
        "Name": "tenant",
        "AttributeDataType": "String",
        "Mutable": False,
        "StringAttributeConstraints": {"MinLength": "1", "MaxLength": "5"},
    }
    pool = make_pool(client, Schema=[tenant, {"Name": "email", "AttributeDataType": "String", "Required": True}])
    with pytest.raises(pool.cognito.exceptions.InvalidParameterException, match="email: The attribute is required"):
        sign_up(pool)
    with pytest.raises(pool.cognito.exceptions.InvalidParameterException, match="no longer than 5"):
        sign_up(pool, email="a@example.com", **{"custom:tenant": "toolong"})
    with pytest.raises(pool.cognito.exceptions.InvalidParameterException, match="does not exist in the schema"):
        sign_up(pool, email="a@example.com", **{"custom:other": "x"})
    sign_up(pool, email="a@example.com", **{"custom:tenant": "acme"})
    pool.cognito.admin_confirm_sign_up(UserPoolId=pool.id, Username="ann")
    change = {"UserPoolId": pool.id, "Username": "ann"}
    with pytest.raises(pool.cognito.exceptions.InvalidParameterException, match="cannot be updated"):
        pool.cognito.admin_update_user_attributes(
            **change, UserAttributes=[{"Name": "custom:tenant", "Value": "other"}]
        )
    claims = jwt.decode(pool.tokens()["IdToken"], options={"verify_signature": False})
    assert claims["custom:tenant"] == "acme"


def test_a_pool_is_described_changed_listed_and_deleted(client: Client) -> None:
    pool = make_pool(client, UserPoolTags={"team": "a"}, DeletionProtection="ACTIVE")
    cognito = pool.cognito
    cognito.update_user_pool(UserPoolId=pool.id, Policies={"PasswordPolicy": {"MinimumLength": 12}})
    described = cognito.describe_user_pool(UserPoolId=pool.id)["UserPool"]
    assert described["Policies"]["PasswordPolicy"]["MinimumLength"] == 12
    assert described["Arn"] == f"arn:aws:cognito-idp:us-east-1:000000000000:userpool/{pool.id}"
    assert described["DeletionProtection"] == "INACTIVE"  # What a change leaves out goes back to its default.
    cognito.tag_resource(ResourceArn=described["Arn"], Tags={"b": "2", "c": "3"})
    cognito.untag_resource(ResourceArn=described["Arn"], TagKeys=["c"])
    assert cognito.list_tags_for_resource(ResourceArn=described["Arn"])["Tags"] == {"b": "2"}
    listed = [each["Id"] for page in cognito.get_paginator("list_user_pools").paginate(MaxResults=1)
              for each in page["UserPools"]]  # fmt: skip
    assert pool.id in listed
    pool.add(password="Correct-horse-12")
    cognito.delete_user_pool(UserPoolId=pool.id)
    for gone in (lambda: cognito.describe_user_pool(UserPoolId=pool.id), pool.sign_in):
        with pytest.raises(cognito.exceptions.ResourceNotFoundException):
            gone()


def make_function(client: Client, name: str, code: str) -> str:
    """Its ARN."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("app.py", code)
    made = client("lambda").create_function(
        FunctionName=name,
        Runtime="python3.12",
        Handler="app.handler",
        Role="arn:aws:iam::000000000000:role/r",
        Code={"ZipFile": packed.getvalue()},
    )
    return str(made["FunctionArn"])


_TRIGGER = """
def handler(event, context):
    source = event["triggerSource"]
    if source == "PreSignUp_SignUp":
        if event["request"]["userAttributes"]["email"].endswith("@evil.example"):
            raise Exception("go away")
        event["response"].update(autoConfirmUser=True, autoVerifyEmail=True)
    elif source.startswith("TokenGeneration"):
        groups = {"groupsToOverride": ["made-up"]}
        claims = {"claimsToAddOrOverride": {"plan": "gold", "sub": "x"}, "claimsToSuppress": ["email"]}
        event["response"]["claimsOverrideDetails"] = {**claims, "groupOverrideDetails": groups}
    elif source == "PreAuthentication_Authentication" and event["request"].get("validationData"):
        raise Exception("not today")
    return event
"""


def test_functions_decide_at_the_pools_triggers(client: Client) -> None:
    function = make_function(client, "pool-triggers", _TRIGGER)
    names = ("PreSignUp", "PreTokenGeneration", "PreAuthentication")
    pool = make_pool(client, LambdaConfig=dict.fromkeys(names, function), **BY_MAIL)
    with pytest.raises(pool.cognito.exceptions.UserLambdaValidationException, match=r"PreSignUp failed.*go away"):
        sign_up(pool, "eve", email="eve@evil.example")
    assert sign_up(pool, email="ann@example.com")["UserConfirmed"] is True
    tokens = pool.tokens()
    claims = jwt.decode(tokens["IdToken"], options={"verify_signature": False})
    assert (claims["plan"], claims["cognito:groups"]) == ("gold", ["made-up"])
    assert claims["sub"] == attributes_of(pool)["sub"]
    assert "email" not in claims
    with pytest.raises(pool.cognito.exceptions.UserLambdaValidationException, match="not today"):
        pool.cognito.initiate_auth(
            ClientId=pool.app,
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": "ann", "PASSWORD": PASSWORD},
            ClientMetadata={"x": "1"},
        )


_CHALLENGES = """
def handler(event, context):
    request, response = event["request"], event["response"]
    if event["triggerSource"] == "DefineAuthChallenge_Authentication":
        done = [(each["challengeName"], each["challengeResult"]) for each in request["session"]]
        if done in ([], [("SRP_A", True), ("PASSWORD_VERIFIER", True)]):
            response["challengeName"] = "CUSTOM_CHALLENGE"
        elif done == [("SRP_A", True)]:
            response["challengeName"] = "PASSWORD_VERIFIER"
        elif done[-1] == ("CUSTOM_CHALLENGE", True):
            assert request["session"][-1]["challengeMetadata"] == "a sum"
            response["issueTokens"] = True
        elif len(done) < 3:
            response["challengeName"] = "CUSTOM_CHALLENGE"
        else:
            response["failAuthentication"] = True
    elif event["triggerSource"] == "CreateAuthChallenge_Authentication":
        response["publicChallengeParameters"] = {"question": "6 * 7"}
        response["privateChallengeParameters"] = {"answer": "42"}
        response["challengeMetadata"] = "a sum"
    else:
        response["answerCorrect"] = request["challengeAnswer"] == request["privateChallengeParameters"]["answer"]
    return event
"""


@pytest.fixture
def custom(client: Client, request: pytest.FixtureRequest) -> Pool:
    function = make_function(client, request.node.name.replace("_", "-")[:60], _CHALLENGES)
    names = ("DefineAuthChallenge", "CreateAuthChallenge", "VerifyAuthChallengeResponse")
    pool = make_pool(client, flows=("ALLOW_CUSTOM_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"),
                     LambdaConfig=dict.fromkeys(names, function))  # fmt: skip
    pool.add()
    return pool


def begin(pool: Pool, **more: str) -> Any:
    parameters = {"USERNAME": "ann", **more}
    return pool.cognito.initiate_auth(ClientId=pool.app, AuthFlow="CUSTOM_AUTH", AuthParameters=parameters)


def answer(pool: Pool, asked: Any, text: str) -> Any:
    return pool.cognito.respond_to_auth_challenge(
        ClientId=pool.app,
        ChallengeName="CUSTOM_CHALLENGE",
        Session=asked["Session"],
        ChallengeResponses={"USERNAME": "ann", "ANSWER": text},
    )


def test_functions_may_define_what_a_sign_in_asks(custom: Pool) -> None:
    asked = begin(custom)
    assert asked["ChallengeName"] == "CUSTOM_CHALLENGE"
    assert asked["ChallengeParameters"] == {"question": "6 * 7", "USERNAME": "ann"}
    assert "42" not in asked["Session"]
    again = answer(custom, asked, "41")
    assert again["ChallengeName"] == "CUSTOM_CHALLENGE"
    with pytest.raises(custom.cognito.exceptions.NotAuthorizedException):  # A challenge is answered once.
        answer(custom, asked, "42")
    assert answer(custom, again, "42")["AuthenticationResult"]["IdToken"]


def test_functions_may_refuse_a_sign_in(custom: Pool) -> None:
    asked = begin(custom)
    for _ in range(2):
        asked = answer(custom, asked, "41")
    with pytest.raises(custom.cognito.exceptions.NotAuthorizedException, match="Incorrect username or password"):
        answer(custom, asked, "41")


def test_functions_may_ask_for_the_password_too(custom: Pool) -> None:
    srp = SrpClient.begin(custom.id, "ann", PASSWORD)
    asked = begin(custom, CHALLENGE_NAME="SRP_A", SRP_A=srp.public)
    assert asked["ChallengeName"] == "PASSWORD_VERIFIER"
    respond = {"ClientId": custom.app, "ChallengeName": "PASSWORD_VERIFIER"}
    wrong = SrpClient(custom.id, "ann", "wrong", srp.private)
    with pytest.raises(custom.cognito.exceptions.NotAuthorizedException):
        custom.cognito.respond_to_auth_challenge(
            **respond, ChallengeResponses=wrong.answer(asked["ChallengeParameters"])
        )
    asked = begin(custom, CHALLENGE_NAME="SRP_A", SRP_A=srp.public)
    next_one = custom.cognito.respond_to_auth_challenge(
        **respond, ChallengeResponses=srp.answer(asked["ChallengeParameters"])
    )
    assert next_one["ChallengeName"] == "CUSTOM_CHALLENGE"
    assert answer(custom, next_one, "42")["AuthenticationResult"]["IdToken"]
