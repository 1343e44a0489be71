"""Tags of secrets. Source: Secrets Manager API Reference, TagResource."""

from __future__ import annotations

from freehold.aws.call import Call, Json
from freehold.aws.errors import AwsError
from freehold.services.secretsmanager.record import SecretsManager, change_secret
from freehold.state.store import Document

_TAGS = 50


async def tag_resource(service: SecretsManager, call: Call, request: Json) -> Json:
    def change(document: Document) -> None:
        document["Tags"] = merged(document["Tags"], request["Tags"])

    await change_secret(service, call, request["SecretId"], change)
    return {}


async def untag_resource(service: SecretsManager, call: Call, request: Json) -> Json:
    def change(document: Document) -> None:
        document["Tags"] = [tag for tag in document["Tags"] if tag["Key"] not in request["TagKeys"]]

    await change_secret(service, call, request["SecretId"], change)
    return {}


def merged(old: list[Json], new: list[Json]) -> list[Json]:
    tags = {tag["Key"]: tag.get("Value", "") for tag in (*old, *new)}
    if len(tags) > _TAGS:
        raise AwsError("LimitExceededException", f"A secret can have up to {_TAGS} tags.", status=400)
    return [{"Key": key, "Value": value} for key, value in tags.items()]
