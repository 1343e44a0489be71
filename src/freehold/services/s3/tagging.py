"""Tags of objects. Source: Amazon S3 API Reference, PutObjectTagging."""

from __future__ import annotations

from freehold.aws.call import Call, Json
from freehold.aws.errors import AwsError
from freehold.services.s3.objects import check_tags
from freehold.services.s3.record import S3, find_bucket
from freehold.services.s3.versions import change_version, find_version


async def put_object_tagging(s3: S3, call: Call, request: Json) -> Json:
    entries = request["Tagging"].get("TagSet") or []
    tags = {entry["Key"]: entry["Value"] for entry in entries}
    if len(tags) != len(entries):
        raise AwsError("InvalidTag", "Cannot provide multiple Tags with the same key", status=400)
    check_tags(tags)
    return await _change(s3, call, request, tags)


async def get_object_tagging(s3: S3, call: Call, request: Json) -> Json:
    bucket = await find_bucket(s3, call, request)
    version = await find_version(s3, bucket, request["Key"], request.get("VersionId"))
    answer: Json = {"TagSet": [{"Key": key, "Value": value} for key, value in sorted(version["tags"].items())]}
    return {**answer, "VersionId": version["versionId"]} if bucket.versioning else answer


async def delete_object_tagging(s3: S3, call: Call, request: Json) -> Json:
    return await _change(s3, call, request, {})


async def _change(s3: S3, call: Call, request: Json, tags: dict[str, str]) -> Json:
    bucket = await find_bucket(s3, call, request)
    version = await change_version(s3, bucket, request["Key"], request.get("VersionId"), {"tags": tags})
    return {"VersionId": version["versionId"]} if bucket.versioning else {}
