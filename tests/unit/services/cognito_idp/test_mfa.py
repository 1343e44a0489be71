"""Second factors: set up, asked for, answered, guessed; with a clock that the test sets."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from tests.unit.services.cognito_idp.world import PASSWORD, World

from freehold.aws.call import Json
from freehold.aws.errors import AwsError
from freehold.services.cognito_idp import totp

_TOTP = {"SoftwareTokenMfaConfiguration": {"Enabled": True}}
_SMS = {"SmsMfaConfiguration": {"SmsConfiguration": {"SnsCallerArn": "arn:aws:iam::000000000000:role/sms"}}}
_EMAIL: dict[str, Any] = {"EmailMfaConfiguration": {"Message": "Your code: {####}"}}


@pytest.mark.parametrize(
    ("now_s", "code"),
    [(59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (1234567890, "005924"), (2000000000, "279037")],
)
def test_codes_are_those_of_rfc_6238(now_s: int, code: str) -> None:
    """Its appendix B, the last six of the eight digits."""
    secret = totp.secret_of(b"12345678901234567890".hex())
    assert totp.code_at(secret, now_s // 30) == code
    assert totp.step_of(secret, code, now_s + 30) == now_s // 30
    assert totp.step_of(secret, code, now_s + 90) is None
    assert totp.step_of(secret, "no code", now_s) is None


class User:
    """Ann, with an authenticator app."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.secret = ""

    def code(self) -> str:
        return totp.code_at(self.secret, int(self.world.clock.now_s()) // 30)

    async def set_up(self) -> str:
        """An access token of a user whose app is verified and preferred."""
        token = str((await self.world.sign_in())["AuthenticationResult"]["AccessToken"])
        self.secret = (await self.world("AssociateSoftwareToken", AccessToken=token))["SecretCode"]
        await self.world("VerifySoftwareToken", AccessToken=token, UserCode=self.code(), FriendlyDeviceName="Phone")
        wanted = {"Enabled": True, "PreferredMfa": True}
        await self.world("SetUserMFAPreference", AccessToken=token, SoftwareTokenMfaSettings=wanted)
        self.world.clock.at_s += 30
        return token

    async def answer(self, challenge: Json, **responses: str) -> Json:
        return await self.world(
            "RespondToAuthChallenge",
            ClientId=self.world.app,
            ChallengeName=challenge["ChallengeName"],
            Session=challenge["Session"],
            ChallengeResponses={"USERNAME": "ann", **responses},
        )


@pytest.fixture
async def user(world: World) -> User:
    await world.confirm()
    return User(world)


async def offer(world: World, mode: str, **settings: Any) -> None:
    await world("SetUserPoolMfaConfig", UserPoolId=world.pool, MfaConfiguration=mode, **settings)


async def test_a_software_token_is_set_up_and_asked_for(world: World, user: User) -> None:
    await offer(world, "OPTIONAL", **_TOTP)
    assert "AuthenticationResult" in await world.sign_in()
    token = await user.set_up()
    told = await world("GetUser", AccessToken=token)
    assert (told["UserMFASettingList"], told["PreferredMfaSetting"]) == (["SOFTWARE_TOKEN_MFA"], "SOFTWARE_TOKEN_MFA")
    challenge = await world.sign_in()
    assert challenge["ChallengeName"] == "SOFTWARE_TOKEN_MFA"
    assert challenge["ChallengeParameters"] == {"USER_ID_FOR_SRP": "ann", "FRIENDLY_DEVICE_NAME": "Phone"}
    with pytest.raises(AwsError, match="Invalid code received for user"):
        await user.answer(challenge, SOFTWARE_TOKEN_MFA_CODE="000000")
    # A wrong code leaves the session as it was; a right one ends it.
    used = user.code()
    assert "AuthenticationResult" in await user.answer(challenge, SOFTWARE_TOKEN_MFA_CODE=used)
    world.clock.at_s += 30
    with pytest.raises(AwsError, match="Invalid session"):
        await user.answer(challenge, SOFTWARE_TOKEN_MFA_CODE=user.code())
    fresh = await world.sign_in()
    with pytest.raises(AwsError, match="already been used once"):
        await user.answer(fresh, SOFTWARE_TOKEN_MFA_CODE=used)
    await offer(world, "OFF")
    assert "AuthenticationResult" in await world.sign_in()


async def test_codes_cannot_be_guessed(world: World, user: User) -> None:
    await offer(world, "OPTIONAL", **_TOTP)
    await user.set_up()
    for _ in range(5):
        challenge = await world.sign_in()
        with pytest.raises(AwsError, match="Invalid code received"):
            await user.answer(challenge, SOFTWARE_TOKEN_MFA_CODE="000000")
    challenge = await world.sign_in()
    with pytest.raises(AwsError, match="Code attempts exceeded"):
        await user.answer(challenge, SOFTWARE_TOKEN_MFA_CODE=user.code())
    world.clock.at_s += 2
    assert "AuthenticationResult" in await user.answer(challenge, SOFTWARE_TOKEN_MFA_CODE=user.code())


async def test_where_it_is_required_who_has_none_sets_it_up_in_the_middle_of_the_sign_in(
    world: World, user: User
) -> None:
    await offer(world, "ON", **_TOTP)
    challenge = await world.sign_in()
    assert challenge["ChallengeName"] == "MFA_SETUP"
    assert orjson.loads(challenge["ChallengeParameters"]["MFAS_CAN_SETUP"]) == ["SOFTWARE_TOKEN_MFA"]
    with pytest.raises(AwsError, match="Invalid session"):
        await user.answer(challenge)
    challenge = await world.sign_in()
    associated = await world("AssociateSoftwareToken", Session=challenge["Session"])
    user.secret = associated["SecretCode"]
    with pytest.raises(AwsError, match="Code mismatch"):
        await world("VerifySoftwareToken", Session=associated["Session"], UserCode="000000")
    challenge = await world.sign_in()
    associated = await world("AssociateSoftwareToken", Session=challenge["Session"])
    user.secret = associated["SecretCode"]
    verified = await world("VerifySoftwareToken", Session=associated["Session"], UserCode=user.code())
    assert verified["Status"] == "SUCCESS"
    done = await user.answer({**challenge, "Session": verified["Session"]})
    assert "AuthenticationResult" in done
    assert (await world.sign_in())["ChallengeName"] == "SOFTWARE_TOKEN_MFA"


async def test_a_new_password_does_not_go_round_the_second_factor(world: World) -> None:
    await offer(world, "ON", **_TOTP)
    begun = await world.sign_in("Temporary-1")
    answer = await world(
        "RespondToAuthChallenge",
        ClientId=world.app,
        ChallengeName="NEW_PASSWORD_REQUIRED",
        Session=begun["Session"],
        ChallengeResponses={"USERNAME": "ann", "NEW_PASSWORD": PASSWORD},
    )
    assert answer["ChallengeName"] == "MFA_SETUP"


async def test_codes_are_sent_where_the_codes_of_a_sign_up_are(world: World, user: User) -> None:
    await offer(world, "ON", **_EMAIL)
    challenge = await world.sign_in()
    assert challenge["ChallengeName"] == "EMAIL_OTP"
    assert challenge["ChallengeParameters"]["CODE_DELIVERY_DESTINATION"] == "a***@e***"
    code = world.code()
    assert f"(Your code: {code})" in world.mail.lines[-1]
    with pytest.raises(AwsError, match="Invalid code received"):
        await user.answer(challenge, EMAIL_OTP_CODE="000000" if code != "000000" else "111111")
    assert "AuthenticationResult" in await user.answer(challenge, EMAIL_OTP_CODE=code)

    await offer(world, "ON", **_SMS)
    with pytest.raises(AwsError, match="no address for the second factor"):
        await world.sign_in()
    number = [{"Name": "phone_number", "Value": "+15555550100"}, {"Name": "phone_number_verified", "Value": "true"}]
    await world("AdminUpdateUserAttributes", UserPoolId=world.pool, Username="ann", UserAttributes=number)
    challenge = await world.sign_in()
    assert challenge["ChallengeParameters"]["CODE_DELIVERY_DELIVERY_MEDIUM"] == "SMS"
    assert "AuthenticationResult" in await user.answer(challenge, SMS_MFA_CODE=world.code())


async def test_who_has_several_chooses(world: World, user: User) -> None:
    await offer(world, "OPTIONAL", **_TOTP, **_EMAIL)
    await user.set_up()
    mine = {"UserPoolId": world.pool, "Username": "ann"}
    both = {"SoftwareTokenMfaSettings": {"Enabled": True}, "EmailMfaSettings": {"Enabled": True}}
    await world("AdminSetUserMFAPreference", **mine, **both)
    challenge = await world.sign_in()
    assert challenge["ChallengeName"] == "SELECT_MFA_TYPE"
    choices = orjson.loads(challenge["ChallengeParameters"]["MFAS_CAN_CHOOSE"])
    assert choices == ["EMAIL_OTP", "SOFTWARE_TOKEN_MFA"]
    chosen = await user.answer(challenge, ANSWER="EMAIL_OTP")
    assert "AuthenticationResult" in await user.answer(chosen, EMAIL_OTP_CODE=world.code())
    with pytest.raises(AwsError, match="none of the user's MFA methods"):
        await user.answer(await world.sign_in(), ANSWER="SMS_MFA")
    await world("AdminSetUserMFAPreference", **mine, EmailMfaSettings={"PreferredMfa": True})
    assert (await world.sign_in())["ChallengeName"] == "EMAIL_OTP"
    off = {"SoftwareTokenMfaSettings": {"Enabled": False}, "EmailMfaSettings": {"Enabled": False}}
    await world("AdminSetUserMFAPreference", **mine, **off)
    assert "AuthenticationResult" in await world.sign_in()
    told = await world("AdminGetUser", **mine)
    assert "PreferredMfaSetting" not in told


async def test_what_a_user_has_not_cannot_be_preferred(world: World, user: User) -> None:
    mine = {"UserPoolId": world.pool, "Username": "ann"}
    for settings in ("SoftwareTokenMfaSettings", "SMSMfaSettings"):
        with pytest.raises(AwsError, match="does not have delivery config set to turn on"):
            await world("AdminSetUserMFAPreference", **mine, **{settings: {"Enabled": True}})
    two = {"SMSMfaSettings": {"PreferredMfa": True}, "EmailMfaSettings": {"PreferredMfa": True}}
    with pytest.raises(AwsError, match="Only one MFA method can be preferred"):
        await world("AdminSetUserMFAPreference", **mine, **two)


async def test_a_pool_offers_what_it_is_told_to(world: World) -> None:
    with pytest.raises(AwsError, match="at least one MFA method must be enabled"):
        await offer(world, "ON")
    with pytest.raises(AwsError, match="SmsConfiguration is required"):
        await offer(world, "ON", SmsMfaConfiguration={"SmsAuthenticationMessage": "{####}"})
    with pytest.raises(AwsError, match="does not support WebAuthnConfiguration"):
        await offer(world, "ON", WebAuthnConfiguration={"RelyingPartyId": "x"}, **_TOTP)
    with pytest.raises(AwsError, match="SMS configuration is required"):
        await world("CreateUserPool", PoolName="x", MfaConfiguration="ON")
    sms = {"SnsCallerArn": "arn:aws:iam::000000000000:role/sms"}
    made = await world("CreateUserPool", PoolName="x", MfaConfiguration="ON", SmsConfiguration=sms)
    told = await world("GetUserPoolMfaConfig", UserPoolId=made["UserPool"]["Id"])
    assert told == {"MfaConfiguration": "ON", "SmsMfaConfiguration": {"SmsConfiguration": sms}}
    await offer(world, "OPTIONAL", **_TOTP)
    pool = (await world("DescribeUserPool", UserPoolId=world.pool))["UserPool"]
    assert (pool["MfaConfiguration"], "Mfa" in pool) == ("OPTIONAL", False)
