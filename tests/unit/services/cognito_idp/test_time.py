"""What runs out: tokens, sessions, codes, temporary passwords, locks. With a clock that the test sets."""

from __future__ import annotations

import asyncio

import jwt
import pytest
from tests.unit.services.cognito_idp.world import DAY_S, HOUR_S, PASSWORD, World

from freehold.aws.call import Json
from freehold.aws.errors import AwsError
from freehold.services.cognito_idp.users import make_user, new_user


async def test_tokens_run_out_as_the_client_says(world: World) -> None:
    await world.confirm()
    units = {"AccessToken": "minutes", "IdToken": "minutes", "RefreshToken": "hours"}
    times = {"AccessTokenValidity": 10, "IdTokenValidity": 20, "RefreshTokenValidity": 2, "TokenValidityUnits": units}
    flows = ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
    await world("UpdateUserPoolClient", UserPoolId=world.pool, ClientId=world.app, ExplicitAuthFlows=flows, **times)
    result = (await world.sign_in())["AuthenticationResult"]
    claims = jwt.decode(result["IdToken"], options={"verify_signature": False})
    assert (result["ExpiresIn"], claims["exp"] - claims["iat"]) == (600, 1200)
    world.clock.at_s += 599
    await world("GetUser", AccessToken=result["AccessToken"])
    world.clock.at_s += 1
    with pytest.raises(AwsError, match="Access Token has expired"):
        await world("GetUser", AccessToken=result["AccessToken"])
    renewed = (await world.renew(result["RefreshToken"]))["AuthenticationResult"]
    again = jwt.decode(renewed["IdToken"], options={"verify_signature": False})
    assert (again["auth_time"], again["origin_jti"]) == (claims["auth_time"], claims["origin_jti"])
    assert again["jti"] != claims["jti"]
    world.clock.at_s += 2 * HOUR_S
    with pytest.raises(AwsError, match="Refresh Token has expired"):
        await world.renew(result["RefreshToken"])


async def test_a_temporary_password_runs_out_after_seven_days(world: World) -> None:
    world.clock.at_s += 7 * DAY_S - 1
    assert (await world.sign_in("Temporary-1"))["ChallengeName"] == "NEW_PASSWORD_REQUIRED"
    world.clock.at_s += 1
    with pytest.raises(AwsError, match="Temporary password has expired"):
        await world.sign_in("Temporary-1")


async def test_a_session_runs_out_after_three_minutes(world: World) -> None:
    session = (await world.sign_in("Temporary-1"))["Session"]
    world.clock.at_s += 180
    responses = {"USERNAME": "ann", "NEW_PASSWORD": "Permanent-1"}
    answer = {"ClientId": world.app, "ChallengeName": "NEW_PASSWORD_REQUIRED", "Session": session}
    with pytest.raises(AwsError, match="session is expired"):
        await world("RespondToAuthChallenge", **answer, ChallengeResponses=responses)


async def test_a_session_is_of_the_password_that_began_it(world: World) -> None:
    session = (await world.sign_in("Temporary-1"))["Session"]
    world.clock.at_s += 1
    await world.confirm()
    responses = {"USERNAME": "ann", "NEW_PASSWORD": "Permanent-1"}
    answer = {"ClientId": world.app, "ChallengeName": "NEW_PASSWORD_REQUIRED", "Session": session}
    with pytest.raises(AwsError, match="Invalid session"):
        await world("RespondToAuthChallenge", **answer, ChallengeResponses=responses)


async def test_the_code_of_a_forgotten_password_runs_out_after_an_hour(world: World) -> None:
    await world.confirm()
    await world("ForgotPassword", ClientId=world.app, Username="ann")
    world.clock.at_s += HOUR_S
    new = {"ClientId": world.app, "Username": "ann", "Password": "Another-horse-2", "ConfirmationCode": world.code()}
    with pytest.raises(AwsError) as refused:
        await world("ConfirmForgotPassword", **new)
    assert refused.value.code == "ExpiredCodeException"


async def test_codes_are_sent_again_in_the_next_hour(world: World) -> None:
    await world.confirm()
    for _ in range(10):
        await world("ForgotPassword", ClientId=world.app, Username="ann")
    with pytest.raises(AwsError, match="Attempt limit exceeded"):
        await world("ForgotPassword", ClientId=world.app, Username="ann")
    world.clock.at_s += HOUR_S
    await world("ForgotPassword", ClientId=world.app, Username="ann")


async def test_guesses_that_come_at_once_are_counted_like_those_that_come_in_turn(world: World) -> None:
    await world.confirm()
    refused = await asyncio.gather(*(world.sign_in("wrong") for _ in range(30)), return_exceptions=True)
    words = [str(each).partition(": ")[2] for each in refused]
    assert words.count("Incorrect username or password.") == 5
    assert words.count("Password attempts exceeded") == 25
    await world("ForgotPassword", ClientId=world.app, Username="ann")
    right = world.code()
    new = {"ClientId": world.app, "Username": "ann", "Password": "Another-horse-2"}
    wrong = [code for code in (f"{number:06}" for number in range(13)) if code != right][:12]
    asked = [world("ConfirmForgotPassword", **new, ConfirmationCode=code) for code in wrong]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    codes = [each.code for each in answers if isinstance(each, AwsError)]
    assert (codes.count("CodeMismatchException"), codes.count("LimitExceededException")) == (5, 7)


async def test_a_mail_says_what_the_pool_says(world: World) -> None:
    template = {"EmailMessage": "Type {####} quickly"}
    invitation = {"InviteMessageTemplate": {"EmailMessage": "You are {username}, with {####}"}}
    await world(
        "UpdateUserPool",
        UserPoolId=world.pool,
        VerificationMessageTemplate=template,
        AdminCreateUserConfig=invitation,
    )
    await world.confirm()
    await world("ForgotPassword", ClientId=world.app, Username="ann")
    assert f"Type {world.code()} quickly" in world.mail.lines[-1]
    address = [{"Name": "email", "Value": "bob@example.com"}]
    bob = {"UserPoolId": world.pool, "Username": "bob", "TemporaryPassword": "Temporary-2"}
    await world("AdminCreateUser", **bob, UserAttributes=address)
    assert "You are bob, with Temporary-2" in world.mail.lines[-1]


async def test_a_lock_doubles_and_ends(world: World) -> None:
    await world.confirm()
    for _ in range(5):
        with pytest.raises(AwsError, match="Incorrect username or password"):
            await world.sign_in("wrong")
    with pytest.raises(AwsError, match="Password attempts exceeded"):
        await world.sign_in()
    world.clock.at_s += 1
    with pytest.raises(AwsError, match="Incorrect username or password"):
        await world.sign_in("wrong")
    world.clock.at_s += 1
    with pytest.raises(AwsError, match="Password attempts exceeded"):
        await world.sign_in()
    world.clock.at_s += 1
    assert (await world.sign_in())["AuthenticationResult"]


async def test_revocations_are_forgotten_once_their_tokens_have_run_out(world: World) -> None:
    await world.confirm()
    for _ in range(3):
        for _ in range(4):
            token = (await world.sign_in())["AuthenticationResult"]["RefreshToken"]
            await world("RevokeToken", ClientId=world.app, Token=token)
        world.clock.at_s += 31 * DAY_S
    kept = await world.store.list_documents("cognito-idp.revoked")
    assert len(kept) < 12


async def test_a_password_a_code_and_a_secret_are_kept_by_no_document_as_they_are(world: World) -> None:
    await world.confirm()
    await world("ForgotPassword", ClientId=world.app, Username="ann")
    made = await world("CreateUserPoolClient", UserPoolId=world.pool, ClientName="s", GenerateSecret=True)
    secrets = (PASSWORD, "Temporary-1", world.code(), made["UserPoolClient"]["ClientSecret"])
    kinds = ("user", "client", "pool", "key", "alias")
    stored = [await world.store.list_documents(f"cognito-idp.{kind}") for kind in kinds]
    text = repr([each.document for documents in stored for each in documents])
    assert [secret for secret in secrets if secret in text] == []
    assert "ann@example.com" in text


async def test_a_token_that_was_changed_anywhere_is_no_access_token(world: World) -> None:
    await world.confirm()
    token = (await world.sign_in())["AuthenticationResult"]["AccessToken"]
    for at in range(0, len(token) - 1, 7):  # The last letter has bits that mean nothing.
        changed = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]
        with pytest.raises(AwsError) as refused:
            await world("GetUser", AccessToken=changed)
        assert refused.value.code == "NotAuthorizedException", at
    header, payload, signature = token.split(".")
    claims = jwt.decode(token, options={"verify_signature": False})
    public = await world.cognito.keys.jwks(f"us-east-1/{world.pool}")
    unsigned = jwt.encode(claims, None, "none")
    # By the public key as a shared secret: whoever takes any algorithm would take it.
    confused = jwt.encode(claims, public["keys"][0]["n"], "HS256", {"kid": public["keys"][0]["kid"]})
    for bad in (unsigned, confused, f"{header}.{payload}.", f"{header}..{signature}", payload, "", "." * 9000):
        with pytest.raises(AwsError) as refused:
            await world("GetUser", AccessToken=bad)
        assert refused.value.code == "NotAuthorizedException", bad[:40]


async def test_a_page_of_users_goes_on_after_the_last_one_that_was_told(world: World) -> None:
    names = [f"user{number:03}" for number in range(450)]
    pool = (await world("DescribeUserPool", UserPoolId=world.pool))["UserPool"]
    users = [new_user(world.cognito, name, name, {}, "CONFIRMED") for name in names]
    await asyncio.gather(*(make_user(world.cognito, pool, user, "") for user in users))
    for text, wanted in (('username ^= "user"', names), ('username ^= "user44"', names[440:])):
        found: list[str] = []
        token: Json = {}
        while True:
            page = await world("ListUsers", UserPoolId=world.pool, Limit=60, Filter=text, **token)
            found += [user["Username"] for user in page["Users"]]
            if "PaginationToken" not in page:
                break
            token = {"PaginationToken": page["PaginationToken"]}
        assert found == wanted
