"""Deleting objects, one or up to a thousand. Source: Amazon S3 API Reference, DeleteObject, DeleteObjects."""

from __future__ import annotations

from freehold.aws.call import Call, Json
from freehold.aws.errors import AwsError
from freehold.services.s3 import notifications
from freehold.services.s3.record import S3, Bucket, find_bucket
from freehold.services.s3.versions import delete_current, delete_version

_LIMIT = 1000


async def delete_object(s3: S3, call: Call, request: Json) -> Json:
    return await _delete(s3, call, await find_bucket(s3, call, request), request["Key"], request)


async def delete_objects(s3: S3, call: Call, request: Json) -> Json:
    bucket = await find_bucket(s3, call, request)
    entries = request["Delete"]["Objects"]
    if not entries or len(entries) > _LIMIT:
        raise AwsError(
            "MalformedXML",
            "The XML you provided was not well-formed or did not validate against our published schema",
            status=400,
        )
    deleted, errors = [], []
    for entry in entries:
        key, version = entry["Key"], entry.get("VersionId")
        named = {"Key": key, **({"VersionId": version} if version else {})}
        try:
            answer = await _delete(s3, call, bucket, key, {"VersionId": version, "IfMatch": entry.get("ETag")})
        except AwsError as error:
            errors.append({**named, "Code": error.code, "Message": error.message})
            continue
        if answer.get("DeleteMarker"):
            named["DeleteMarker"] = True
            named["DeleteMarkerVersionId"] = answer["VersionId"]
        deleted.append(named)
    answer = {} if request["Delete"].get("Quiet") else {"Deleted": deleted}
    return {**answer, **({"Errors": errors} if errors else {})}


async def _delete(s3: S3, call: Call, bucket: Bucket, key: str, request: Json) -> Json:
    version_id = request.get("VersionId")
    if version_id:
        gone = await delete_version(s3, bucket, key, version_id)
        if gone is None:
            return {"VersionId": version_id}
        await notifications.removed(s3, call, bucket, gone, "Delete")
        return {"VersionId": version_id, **({"DeleteMarker": True} if gone.get("isDeleteMarker") else {})}
    marker = await delete_current(s3, bucket, key, request)
    if marker is not None:
        await notifications.removed(s3, call, bucket, marker, "DeleteMarkerCreated")
        return {"DeleteMarker": True, "VersionId": marker["versionId"]}
    await notifications.removed(s3, call, bucket, {"key": key}, "Delete")
    return {}
