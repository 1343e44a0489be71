"""Signing in at a user pool: every flow, its tokens, what ends them, and who is kept out."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jwt
import pytest
from botocore.exceptions import ClientError
from tests.api.cognito_idp.pool import PASSWORD, Pool, SrpClient, make_pool
from tests.live import LiveServer

Client = Callable[..., Any]


@pytest.fixture
def pool(client: Client) -> Pool:
    return make_pool(client)


def claims_of(server: LiveServer, pool: Pool, token: str, **checks: Any) -> dict[str, Any]:
    """Verified as an app does it: by the keys at the pool's address."""
    keys = jwt.PyJWKClient(f"{server.endpoint}/{pool.id}/.well-known/jwks.json")
    return jwt.decode(
        token,
        keys.get_signing_key_from_jwt(token),
        algorithms=["RS256"],
        issuer=f"https://cognito-idp.us-east-1.amazonaws.com/{pool.id}",
        **checks,
    )


def test_a_password_signs_in_and_a_jwt_library_accepts_the_tokens(server: LiveServer, pool: Pool) -> None:
    pool.add(email="ann@example.com", email_verified="true")
    pool.cognito.create_group(UserPoolId=pool.id, GroupName="staff", Precedence=2)
    pool.cognito.create_group(UserPoolId=pool.id, GroupName="admins", Precedence=1)
    for group in ("staff", "admins"):
        pool.cognito.admin_add_user_to_group(UserPoolId=pool.id, Username="ann", GroupName=group)
    result = pool.tokens()
    assert (result["TokenType"], result["ExpiresIn"]) == ("Bearer", 3600)
    identity = claims_of(server, pool, result["IdToken"], audience=pool.app)
    access = claims_of(server, pool, result["AccessToken"])
    assert (identity["token_use"], access["token_use"]) == ("id", "access")
    assert (identity["cognito:username"], access["username"]) == ("ann", "ann")
    assert (identity["email"], identity["email_verified"]) == ("ann@example.com", True)
    assert identity["cognito:groups"] == access["cognito:groups"] == ["admins", "staff"]
    assert (access["client_id"], access["scope"]) == (pool.app, "aws.cognito.signin.user.admin")
    assert identity["exp"] - identity["iat"] == 3600
    assert identity["origin_jti"] == access["origin_jti"]
    assert "aud" not in access


def test_discovery_names_the_issuer_and_where_the_keys_are(server: LiveServer, pool: Pool) -> None:
    with urllib.request.urlopen(f"{server.endpoint}/{pool.id}/.well-known/openid-configuration") as answer:
        document = json.loads(answer.read())
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert document["issuer"] == f"https://cognito-idp.us-east-1.amazonaws.com/{pool.id}"
    assert document["jwks_uri"] == f"{server.endpoint}/{pool.id}/.well-known/jwks.json"
    with urllib.request.urlopen(document["jwks_uri"]) as answer:
        (key,) = json.loads(answer.read())["keys"]
    assert {"alg": "RS256", "kty": "RSA", "use": "sig", "e": "AQAB"}.items() <= key.items()
    assert "d" not in key


def test_srp_signs_in_without_sending_the_password(server: LiveServer, pool: Pool) -> None:
    pool.add()
    srp = SrpClient.begin(pool.id, "ann", PASSWORD)
    begun = pool.cognito.initiate_auth(
        ClientId=pool.app, AuthFlow="USER_SRP_AUTH", AuthParameters={"USERNAME": "ann", "SRP_A": srp.public}
    )
    assert begun["ChallengeName"] == "PASSWORD_VERIFIER"
    answer = {"ClientId": pool.app, "ChallengeName": "PASSWORD_VERIFIER"}
    responses = srp.answer(begun["ChallengeParameters"])
    done = pool.cognito.respond_to_auth_challenge(**answer, ChallengeResponses=responses)
    assert claims_of(server, pool, done["AuthenticationResult"]["IdToken"], audience=pool.app)["sub"]
    with pytest.raises(pool.cognito.exceptions.NotAuthorizedException):  # What was overheard opens nothing.
        pool.cognito.respond_to_auth_challenge(**answer, ChallengeResponses=responses)


@pytest.mark.parametrize("public", ["0", "00", "zz", "-1"])
def test_srp_refuses_a_public_value_that_gives_the_secret_away(pool: Pool, public: str) -> None:
    pool.add()
    with pytest.raises(pool.cognito.exceptions.InvalidParameterException):
        pool.cognito.initiate_auth(
            ClientId=pool.app, AuthFlow="USER_SRP_AUTH", AuthParameters={"USERNAME": "ann", "SRP_A": public}
        )


def test_srp_refuses_a_wrong_password(pool: Pool) -> None:
    pool.add()
    srp = SrpClient.begin(pool.id, "ann", "wrong")
    begun = pool.cognito.initiate_auth(
        ClientId=pool.app, AuthFlow="USER_SRP_AUTH", AuthParameters={"USERNAME": "ann", "SRP_A": srp.public}
    )
    with pytest.raises(pool.cognito.exceptions.NotAuthorizedException, match="Incorrect username or password"):
        pool.cognito.respond_to_auth_challenge(
            ClientId=pool.app,
            ChallengeName="PASSWORD_VERIFIER",
            ChallengeResponses=srp.answer(begun["ChallengeParameters"]),
        )


def test_a_temporary_password_must_be_replaced(pool: Pool) -> None:
    pool.cognito.admin_create_user(UserPoolId=pool.id, Username="bob", TemporaryPassword="Temporary-1")
    assert any("temporary password of bob is Temporary-1" in line for line in pool.mail())
    asked = pool.sign_in("bob", "Temporary-1")
    assert asked["ChallengeName"] == "NEW_PASSWORD_REQUIRED"
    answer = {"ClientId": pool.app, "ChallengeName": "NEW_PASSWORD_REQUIRED", "Session": asked["Session"]}
    with pytest.raises(pool.cognito.exceptions.InvalidPasswordException):
        pool.cognito.respond_to_auth_challenge(
            **answer, ChallengeResponses={"USERNAME": "bob", "NEW_PASSWORD": "short"}
        )
    responses = {"USERNAME": "bob", "NEW_PASSWORD": "Permanent-1", "userAttributes.name": "Bob"}
    done = pool.cognito.respond_to_auth_challenge(**answer, ChallengeResponses=responses)
    assert done["AuthenticationResult"]["AccessToken"]
    assert pool.sign_in("bob", "Permanent-1")["AuthenticationResult"]["IdToken"]
    with pytest.raises(pool.cognito.exceptions.NotAuthorizedException, match="Invalid session"):
        pool.cognito.respond_to_auth_challenge(**answer, ChallengeResponses=responses)


def test_a_refresh_token_renews_until_it_is_revoked(pool: Pool) -> None:
    pool.add()
    first = pool.tokens()

    def renew() -> Any:
        return pool.cognito.initiate_auth(
            ClientId=pool.app,
            AuthFlow="REFRESH_TOKEN_AUTH",
            AuthParameters={"REFRESH_TOKEN": first["RefreshToken"]},
        )["AuthenticationResult"]

    renewed = renew()
    assert "RefreshToken" not in renewed
    pool.cognito.get_user(AccessToken=renewed["AccessToken"])
    pool.cognito.revoke_token(ClientId=pool.app, Token=first["RefreshToken"])
    with pytest.raises(pool.cognito.exceptions.NotAuthorizedException, match="Refresh Token has been revoked"):
        renew()
    with pytest.raises(pool.cognito.exceptions.NotAuthorizedException, match="Access Token has been revoked"):
        pool.cognito.get_user(AccessToken=renewed["AccessToken"])


def test_a_refresh_token_is_of_one_client(pool: Pool) -> None:
    pool.add()
    token = pool.tokens()["RefreshToken"]
    other = pool.cognito.create_user_pool_client(UserPoolId=pool.id, ClientName="other")["UserPoolClient"]["ClientId"]
    for given in (token, "made up", token[:-8] + "AAAAAAA="):
        with pytest.raises(pool.cognito.exceptions.NotAuthorizedException, match="Invalid Refresh Token"):
            pool.cognito.initiate_auth(
                ClientId=other, AuthFlow="REFRESH_TOKEN_AUTH", AuthParameters={"REFRESH_TOKEN": given}
            )


def test_tokens_are_renewed_without_a_flow(client: Client) -> None:
    pool = make_pool(client, secret=True)
    pool.add()
    described = pool.cognito.describe_user_pool_client(UserPoolId=pool.id, ClientId=pool.app)["UserPoolClient"]
    secret = described["ClientSecret"]
    digest = hmac.new(secret.encode(), f"ann{pool.app}".encode(), hashlib.sha256).digest()
    first = pool.sign_in(SECRET_HASH=base64.b64encode(digest).decode())["AuthenticationResult"]
    renew = {"ClientId": pool.app, "RefreshToken": first["RefreshToken"]}
    renewed = pool.cognito.get_tokens_from_refresh_token(**renew, ClientSecret=secret)
    assert pool.cognito.get_user(AccessToken=renewed["AuthenticationResult"]["AccessToken"])["Username"] == "ann"
    with pytest.raises(pool.cognito.exceptions.NotAuthorizedException, match="Invalid client secret"):
        pool.cognito.get_tokens_from_refresh_token(**renew)


def test_an_administrator_answers_the_challenge_of_a_new_password(client: Client) -> None:
    pool = make_pool(client, flows=("ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"))
    pool.cognito.admin_create_user(UserPoolId=pool.id, Username="bob", TemporaryPassword="Temporary-1")
    where = {"UserPoolId": pool.id, "ClientId": pool.app}
    asked = pool.cognito.admin_initiate_auth(
        **where,
        AuthFlow="ADMIN_USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": "bob", "PASSWORD": "Temporary-1"},
    )
    done = pool.cognito.admin_respond_to_auth_challenge(
        **where,
        ChallengeName=asked["ChallengeName"],
        Session=asked["Session"],
        ChallengeResponses={"USERNAME": "bob", "NEW_PASSWORD": "Permanent-1"},
    )
    assert done["AuthenticationResult"]["IdToken"]


def test_the_tokens_of_a_client_that_is_gone_open_nothing(pool: Pool) -> None:
    pool.add()
    tokens = pool.tokens()
    listed = pool.cognito.list_user_pool_clients(UserPoolId=pool.id)["UserPoolClients"]
    assert [(each["ClientId"], each["ClientName"]) for each in listed] == [(pool.app, "app")]
    pool.cognito.delete_user_pool_client(UserPoolId=pool.id, ClientId=pool.app)
    with pytest.raises(pool.cognito.exceptions.NotAuthorizedException, match="Invalid Access Token"):
        pool.cognito.get_user(AccessToken=tokens["AccessToken"])
    with pytest.raises(pool.cognito.exceptions.ResourceNotFoundException):
        pool.sign_in()


def test_a_global_sign_out_ends_every_token_and_the_next_sign_in_works(pool: Pool) -> None:
    pool.add()
    one, two = pool.tokens(), pool.tokens()
    pool.cognito.global_sign_out(AccessToken=one["AccessToken"])
    for token in (one, two):
        with pytest.raises(pool.cognito.exceptions.NotAuthorizedException, match="revoked"):
            pool.cognito.get_user(AccessToken=token["AccessToken"])
        with pytest.raises(pool.cognito.exceptions.NotAuthorizedException, match="revoked"):
            pool.cognito.initiate_auth(
                ClientId=pool.app,
                AuthFlow="REFRESH_TOKEN_AUTH",
                AuthParameters={"REFRESH_TOKEN": token["RefreshToken"]},
            )
    pool.cognito.get_user(AccessToken=pool.tokens()["AccessToken"])


def test_an_access_token_is_what_it_must_be(pool: Pool) -> None:
    pool.add()
    tokens = pool.tokens()
    forged = jwt.encode(jwt.decode(tokens["AccessToken"], options={"verify_signature": False}), "k" * 32, "HS256")
    for token in (tokens["IdToken"], tokens["AccessToken"][:-6] + "AAAAAA", forged, "a.b.c", "x"):
        with pytest.raises(pool.cognito.exceptions.NotAuthorizedException, match="Invalid Access Token"):
            pool.cognito.get_user(AccessToken=token)


def test_who_guesses_is_locked_out(pool: Pool) -> None:
    pool.add()
    for _ in range(5):
        with pytest.raises(pool.cognito.exceptions.NotAuthorizedException, match="Incorrect username or password"):
            pool.sign_in(password="wrong")
    with pytest.raises(pool.cognito.exceptions.NotAuthorizedException, match="Password attempts exceeded"):
        pool.sign_in()


def test_a_client_may_hide_who_exists(pool: Pool) -> None:
    pool.add()
    with pytest.raises(pool.cognito.exceptions.UserNotFoundException, match="User does not exist"):
        pool.sign_in("nobody", "x")
    hiding = pool.cognito.create_user_pool_client(
        UserPoolId=pool.id,
        ClientName="hiding",
        PreventUserExistenceErrors="ENABLED",
        ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH", "ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
    )["UserPoolClient"]["ClientId"]
    hidden = Pool(pool.client, pool.id, hiding)
    with pytest.raises(pool.cognito.exceptions.NotAuthorizedException, match="Incorrect username or password"):
        hidden.sign_in("nobody", "x")
    srp = SrpClient.begin(pool.id, "nobody", "x")
    salts = set()
    for _ in range(2):
        begun = pool.cognito.initiate_auth(
            ClientId=hiding, AuthFlow="USER_SRP_AUTH", AuthParameters={"USERNAME": "nobody", "SRP_A": srp.public}
        )
        salts.add(begun["ChallengeParameters"]["SALT"])
    assert len(salts) == 1
    with pytest.raises(pool.cognito.exceptions.NotAuthorizedException, match="Incorrect username or password"):
        pool.cognito.respond_to_auth_challenge(
            ClientId=hiding,
            ChallengeName="PASSWORD_VERIFIER",
            ChallengeResponses=srp.answer(begun["ChallengeParameters"]),
        )
    sent = pool.cognito.forgot_password(ClientId=hiding, Username="nobody")["CodeDeliveryDetails"]
    assert sent["DeliveryMedium"] == "EMAIL"


def test_a_flow_that_the_client_does_not_allow_is_refused(client: Client) -> None:
    pool = make_pool(client, flows=("ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"))
    pool.add()
    with pytest.raises(pool.cognito.exceptions.InvalidParameterException, match="USER_PASSWORD_AUTH flow not enabled"):
        pool.sign_in()
    admin = {"UserPoolId": pool.id, "ClientId": pool.app, "AuthParameters": {"USERNAME": "ann", "PASSWORD": PASSWORD}}
    with pytest.raises(pool.cognito.exceptions.InvalidParameterException, match="flow not enabled"):
        pool.cognito.admin_initiate_auth(**admin, AuthFlow="ADMIN_USER_PASSWORD_AUTH")
    pool.cognito.update_user_pool_client(
        UserPoolId=pool.id, ClientId=pool.app, ExplicitAuthFlows=["ALLOW_ADMIN_USER_PASSWORD_AUTH"]
    )
    done = pool.cognito.admin_initiate_auth(**admin, AuthFlow="ADMIN_USER_PASSWORD_AUTH")
    assert done["AuthenticationResult"]["AccessToken"]


def test_a_client_with_a_secret_needs_its_hash(client: Client) -> None:
    pool = make_pool(client, secret=True)
    pool.add()
    with pytest.raises(pool.cognito.exceptions.NotAuthorizedException, match="SECRET_HASH was not received"):
        pool.sign_in()
    with pytest.raises(pool.cognito.exceptions.NotAuthorizedException, match="SecretHash does not match"):
        pool.sign_in(SECRET_HASH="wrong")
    described = pool.cognito.describe_user_pool_client(UserPoolId=pool.id, ClientId=pool.app)["UserPoolClient"]
    digest = hmac.new(described["ClientSecret"].encode(), f"ann{pool.app}".encode(), hashlib.sha256).digest()
    secret_hash = base64.b64encode(digest).decode()
    token = pool.sign_in(SECRET_HASH=secret_hash)["AuthenticationResult"]["RefreshToken"]
    renewed = pool.cognito.initiate_auth(
        ClientId=pool.app,
        AuthFlow="REFRESH_TOKEN_AUTH",
        AuthParameters={"REFRESH_TOKEN": token, "SECRET_HASH": secret_hash},
    )
    assert renewed["AuthenticationResult"]["AccessToken"]


def test_what_is_not_supported_is_refused_by_name(client: Client, pool: Pool) -> None:
    cognito = client("cognito-idp")
    with pytest.raises(ClientError, match="DeviceConfiguration of user pools"):
        cognito.create_user_pool(PoolName="x", DeviceConfiguration={"ChallengeRequiredOnNewDevice": True})
    assert cognito.get_user_pool_mfa_config(UserPoolId=pool.id)["MfaConfiguration"] == "OFF"
    assert cognito.set_user_pool_mfa_config(UserPoolId=pool.id, MfaConfiguration="OFF")["MfaConfiguration"] == "OFF"
    with pytest.raises(ClientError, match="the identity provider Google"):
        cognito.create_user_pool_client(UserPoolId=pool.id, ClientName="x", SupportedIdentityProviders=["Google"])
    details = {"client_id": "x"}
    with pytest.raises(ClientError, match="does not support cognito-idp:CreateIdentityProvider yet"):
        cognito.create_identity_provider(
            UserPoolId=pool.id, ProviderName="Google", ProviderType="Google", ProviderDetails=details
        )
    arn = "arn:aws:lambda:us-east-1:000000000000:function:f"
    with pytest.raises(ClientError, match="the trigger UserMigration of user pools"):
        cognito.create_user_pool(PoolName="x", LambdaConfig={"UserMigration": arn})


def test_users_keys_and_tokens_survive_a_kill_and_no_password_is_on_disk(own_server: LiveServer) -> None:
    pool = make_pool(own_server.client)
    pool.add(email="ann@example.com")
    before = pool.tokens()
    jwks = f"{own_server.endpoint}/{pool.id}/.well-known/jwks.json"
    with urllib.request.urlopen(jwks) as answer:
        keys = answer.read()
    own_server.kill()
    files = [path for path in Path(own_server.data_dir).rglob("*") if path.is_file()]
    assert [path for path in files if PASSWORD.encode() in path.read_bytes()] == []
    own_server.start()
    with urllib.request.urlopen(f"{own_server.endpoint}/{pool.id}/.well-known/jwks.json") as answer:
        assert answer.read() == keys
    assert pool.cognito.get_user(AccessToken=before["AccessToken"])["Username"] == "ann"
    renewed = pool.cognito.initiate_auth(
        ClientId=pool.app, AuthFlow="REFRESH_TOKEN_AUTH", AuthParameters={"REFRESH_TOKEN": before["RefreshToken"]}
    )
    assert renewed["AuthenticationResult"]["IdToken"]
    assert pool.tokens()["IdToken"]


def test_a_pool_of_another_region_is_found_by_whoever_signs_in(server: LiveServer) -> None:
    pool = make_pool(lambda service: server.client(service, "eu-west-1"))
    assert pool.id.startswith("eu-west-1_")
    pool.add()
    signed = server.client("cognito-idp").initiate_auth(  # Public operations are not signed: they say no region.
        ClientId=pool.app,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": "ann", "PASSWORD": PASSWORD},
    )
    claims = jwt.decode(signed["AuthenticationResult"]["IdToken"], options={"verify_signature": False})
    assert claims["iss"] == f"https://cognito-idp.eu-west-1.amazonaws.com/{pool.id}"
    with pytest.raises(ClientError, match="does not exist"):
        server.client("cognito-idp").describe_user_pool(UserPoolId=pool.id)
