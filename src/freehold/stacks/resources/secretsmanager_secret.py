"""AWS::SecretsManager::Secret, with a password made up where the template asks for one."""

from __future__ import annotations

import json

from freehold.aws.call import Aws, Json
from freehold.aws.errors import AwsError
from freehold.stacks.resources.types import Created, Name, ResourceType, changed, pick, tag_changes, tag_list

TYPE = "AWS::SecretsManager::Secret"

_SUPPORTED = frozenset({"Description", "GenerateSecretString", "KmsKeyId", "Name", "SecretString", "Tags"})
_LAYOUT = ("SecretStringTemplate", "GenerateStringKey")


async def create(aws: Aws, properties: Json) -> Created:
    request = pick(properties, "Name", "Description", "KmsKeyId", "Tags")
    secret = await aws("secretsmanager", "CreateSecret", {**request, **await _value(aws, properties)})
    return _created(secret["ARN"])


async def update(aws: Aws, physical_id: str, properties: Json, previous: Json) -> Created:
    different = changed(properties, previous)
    request: Json = {name: properties.get(name, "") for name in ("Description", "KmsKeyId") if name in different}
    if "SecretString" in different or "GenerateSecretString" in different:
        request.update(await _value(aws, properties))
    if request:
        await aws("secretsmanager", "UpdateSecret", {"SecretId": physical_id, **request})
    gone, put = tag_changes(properties, previous)
    if gone:
        await aws("secretsmanager", "UntagResource", {"SecretId": physical_id, "TagKeys": gone})
    if put:
        await aws("secretsmanager", "TagResource", {"SecretId": physical_id, "Tags": tag_list(put)})
    return _created(physical_id)


async def delete(aws: Aws, physical_id: str, properties: Json) -> None:
    # CloudFormation deletes for good, so that the name is free for the next stack.
    request = {"SecretId": physical_id, "ForceDeleteWithoutRecovery": True}
    await aws("secretsmanager", "DeleteSecret", request)


async def _value(aws: Aws, properties: Json) -> Json:
    if "SecretString" in properties and "GenerateSecretString" in properties:
        raise AwsError("InvalidRequestException", "You can't specify both SecretString and GenerateSecretString.")
    if "SecretString" in properties:
        return {"SecretString": properties["SecretString"]}
    if "GenerateSecretString" not in properties:
        return {}
    wanted = properties["GenerateSecretString"]
    request = {name: value for name, value in wanted.items() if name not in _LAYOUT}
    password = (await aws("secretsmanager", "GetRandomPassword", request))["RandomPassword"]
    if "GenerateStringKey" not in wanted:
        return {"SecretString": password}
    try:
        document = json.loads(wanted.get("SecretStringTemplate", "{}"))
    except json.JSONDecodeError as error:
        raise AwsError("InvalidRequestException", f"SecretStringTemplate is not JSON: {error}") from error
    return {"SecretString": json.dumps({**document, wanted["GenerateStringKey"]: password})}


def _created(arn: str) -> Created:
    return Created(arn, {"Id": arn})


RESOURCE = ResourceType(TYPE, ("secretsmanager",), create, delete, update, Name("Name", 256), supported=_SUPPORTED)
