"""AWS::Cognito::UserPool"""

from __future__ import annotations

from freehold.aws.call import Aws, Json
from freehold.aws.errors import AwsError
from freehold.stacks.resources.types import Created, Name, ResourceType, pick, without

TYPE = "AWS::Cognito::UserPool"
_FIXED = ("AliasAttributes", "UsernameAttributes", "UsernameConfiguration")
_OF_MFA = ("EmailAuthenticationMessage", "EmailAuthenticationSubject", "EnabledMfas")
_NOT_OF_UPDATES = (*_FIXED, "Schema", "UserPoolName")


async def create(aws: Aws, properties: Json) -> Created:
    request = {**_request(properties), "PoolName": properties["UserPoolName"]}
    if "Schema" in properties:
        request["Schema"] = _schema(properties["Schema"])
    pool = (await aws("cognito-idp", "CreateUserPool", request))["UserPool"]
    if properties.get("EnabledMfas"):
        try:
            await aws("cognito-idp", "SetUserPoolMfaConfig", _second_factors(properties, pool["Id"]))
        except AwsError:
            await aws("cognito-idp", "DeleteUserPool", {"UserPoolId": pool["Id"]})
            raise
    return _created(aws, pool)


async def update(aws: Aws, physical_id: str, properties: Json, previous: Json) -> Created:
    """What cannot change after the pool is made is refused, as CloudFormation does: users are not thrown away."""
    for name in _FIXED:
        if properties.get(name) != previous.get(name):
            raise AwsError("InvalidRequest", f"Updates are not allowed for property - {name}.", status=400)
    old = previous.get("Schema") or []
    added = [attribute for attribute in properties.get("Schema") or [] if attribute not in old]
    if len(old) + len(added) != len(properties.get("Schema") or []):
        message = "Invalid AttributeDataType input: existing schema attributes cannot be modified or deleted."
        raise AwsError("InvalidRequest", message, status=400)
    request = {**_request(without(properties, *_NOT_OF_UPDATES)), "UserPoolId": physical_id}
    if properties["UserPoolName"] != previous["UserPoolName"]:
        request["PoolName"] = properties["UserPoolName"]
    await aws("cognito-idp", "UpdateUserPool", request)
    if properties.get("EnabledMfas") or previous.get("EnabledMfas"):
        await aws("cognito-idp", "SetUserPoolMfaConfig", _second_factors(properties, physical_id))
    if added:
        wanted = {"UserPoolId": physical_id, "CustomAttributes": _schema(added)}
        await aws("cognito-idp", "AddCustomAttributes", wanted)
    return _created(aws, (await aws("cognito-idp", "DescribeUserPool", {"UserPoolId": physical_id}))["UserPool"])


async def delete(aws: Aws, physical_id: str, properties: Json) -> None:
    await aws("cognito-idp", "DeleteUserPool", {"UserPoolId": physical_id})


def _request(properties: Json) -> Json:
    """Where EnabledMfas says which second factors there are, they are set at once with MfaConfiguration."""
    request = without(properties, "UserPoolName", "Schema", *_OF_MFA)
    return without(request, "MfaConfiguration") if properties.get("EnabledMfas") else request


def _second_factors(properties: Json, pool_id: str) -> Json:
    enabled = properties.get("EnabledMfas") or []
    request: Json = {"UserPoolId": pool_id, "MfaConfiguration": properties.get("MfaConfiguration", "OFF")}
    if "SOFTWARE_TOKEN_MFA" in enabled:
        request["SoftwareTokenMfaConfiguration"] = {"Enabled": True}
    if "SMS_MFA" in enabled:
        request["SmsMfaConfiguration"] = pick(properties, "SmsAuthenticationMessage", "SmsConfiguration")
    if "EMAIL_OTP" in enabled:
        names = {"EmailAuthenticationMessage": "Message", "EmailAuthenticationSubject": "Subject"}
        told = {member: properties[name] for name, member in names.items() if name in properties}
        request["EmailMfaConfiguration"] = told
    return request


def _schema(attributes: list[Json]) -> list[Json]:
    """The API's limits are text."""
    return [
        {
            name: {limit: str(number) for limit, number in value.items()} if name.endswith("Constraints") else value
            for name, value in attribute.items()
        }
        for attribute in attributes
    ]


def _created(aws: Aws, pool: Json) -> Created:
    provider = f"cognito-idp.{aws.call.region}.amazonaws.com/{pool['Id']}"
    attributes = {
        "Arn": pool["Arn"],
        "ProviderName": provider,
        "ProviderURL": f"https://{provider}",
        "UserPoolId": pool["Id"],
    }
    return Created(pool["Id"], attributes)


# Others are of passkeys.
_SUPPORTED = frozenset(
    {
        "AccountRecoverySetting", "AdminCreateUserConfig", "AutoVerifiedAttributes", "DeletionProtection",
        "DeviceConfiguration", *_OF_MFA, "EmailConfiguration", "EmailVerificationMessage", "EmailVerificationSubject",
        "IssuerConfiguration", "KeyConfiguration", "LambdaConfig", "MfaConfiguration", "Policies", "Schema",
        "SmsAuthenticationMessage", "SmsConfiguration", "SmsVerificationMessage", "UserAttributeUpdateSettings",
        "UserPoolAddOns", "UserPoolName", "UserPoolTags", "UserPoolTier", "VerificationMessageTemplate", *_FIXED,
    }
)  # fmt: skip

RESOURCE = ResourceType(TYPE, ("cognito-idp",), create, delete, update, Name("UserPoolName", 128), supported=_SUPPORTED)
