"""Tags of parameters. Source: Systems Manager API Reference, AddTagsToResource."""

from __future__ import annotations

from freehold.aws.call import Call, Json
from freehold.aws.errors import AwsError
from freehold.services.ssm.record import PARAMETER, Ssm, parameter_key, plain_name
from freehold.state.store import Put, Stored

_TAGS = 50


async def add_tags_to_resource(ssm: Ssm, call: Call, request: Json) -> Json:
    stored = await _find(ssm, call, request)
    tags = {**stored.document["Tags"], **tag_map(request["Tags"])}
    if len(tags) > _TAGS:
        raise AwsError("TooManyTagsError", f"The number of tags exceeds the limit of {_TAGS}.")
    await ssm.store.write(Put(PARAMETER, stored.key, {**stored.document, "Tags": tags}, stored.revision))
    return {}


async def remove_tags_from_resource(ssm: Ssm, call: Call, request: Json) -> Json:
    stored = await _find(ssm, call, request)
    tags = {key: value for key, value in stored.document["Tags"].items() if key not in request["TagKeys"]}
    await ssm.store.write(Put(PARAMETER, stored.key, {**stored.document, "Tags": tags}, stored.revision))
    return {}


async def list_tags_for_resource(ssm: Ssm, call: Call, request: Json) -> Json:
    stored = await _find(ssm, call, request)
    return {"TagList": [{"Key": key, "Value": value} for key, value in stored.document["Tags"].items()]}


def tag_map(tags: list[Json] | None) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tags or []}


async def _find(ssm: Ssm, call: Call, request: Json) -> Stored:
    if request["ResourceType"] != "Parameter":
        raise AwsError("InvalidResourceType", f"Freehold has no {request['ResourceType']}, only Parameter.")
    stored = await ssm.store.read(PARAMETER, parameter_key(call, plain_name(request["ResourceId"])))
    if stored is None:
        raise AwsError("InvalidResourceId", "The resource ID is not valid. Verify that you entered the correct ID.")
    return stored
