"""Versions of an object: the current one, those behind it, and delete markers.

Source: Amazon S3 User Guide, "Using versioning". One decision to know: the current version is one document under the
object's key, so reading and listing never look at old versions; the others lie in a kind of their own, newest first.
"""

from __future__ import annotations

from typing import Any

from freehold.aws.call import Json
from freehold.aws.errors import AwsError
from freehold.clock import now_ms
from freehold.services.s3.conditions import check_write
from freehold.services.s3.record import NONCURRENT, OBJECT, S3, Bucket
from freehold.state.store import Conflict, Delete, Document, Put, Stored, Write

NULL = "null"  # The version id of what was written without versioning.
_ATTEMPTS = 16
_NEWEST = 10**20


async def find_version(s3: S3, bucket: Bucket, key: str, version_id: str | None) -> Document:
    """NoSuchKey, NoSuchVersion, or MethodNotAllowed for a delete marker that is asked for by its id."""
    stored = await s3.store.read(OBJECT, f"{bucket.name}/{key}")
    if version_id is None:
        if stored is None or stored.document.get("isDeleteMarker"):
            raise AwsError("NoSuchKey", "The specified key does not exist.", status=404, fields={"Key": key})
        return stored.document
    found = stored.document if stored and stored.document["versionId"] == version_id else None
    if found is None:
        found = next(
            (v.document for v in await noncurrent(s3, bucket, key) if v.document["versionId"] == version_id), None
        )
    if found is None:
        raise AwsError(
            "NoSuchVersion",
            "The specified version does not exist.",
            status=404,
            fields={"Key": key, "VersionId": version_id},
        )
    if found.get("isDeleteMarker"):
        raise AwsError("MethodNotAllowed", "The specified method is not allowed against this resource.", status=405)
    return found


async def noncurrent(s3: S3, bucket: Bucket, key: str, limit: int | None = None) -> list[Stored]:
    """Newest first."""
    return await s3.store.list_documents(NONCURRENT, f"{bucket.name}/{key}\0", limit=limit)


async def add_version(s3: S3, bucket: Bucket, key: str, version: Json, conditions: Json | None = None) -> Document:
    """Makes it the current one; `conditions`: a request with IfMatch or IfNoneMatch. What it became is returned."""
    place = f"{bucket.name}/{key}"
    for _ in range(_ATTEMPTS):
        stored = await s3.store.read(OBJECT, place)
        before = stored.document if stored else None
        if conditions is not None:
            visible = before is not None and not before.get("isDeleteMarker")
            check_write(conditions, before["etag"] if before is not None and visible else None)
        at_ms = now_ms(s3.clock)
        made: dict[str, Any] = {
            **version,
            "key": key,
            "versionId": s3.ids.hex(32) if bucket.versioning == "Enabled" else NULL,
            "lastModifiedMs": at_ms,
            "sequence": max(at_ms * 1000, before["sequence"] + 1 if before else 0),
        }
        writes: list[Write] = [Put(OBJECT, place, made, if_revision=stored.revision if stored else 0)]
        unused: list[str] = []
        if made["versionId"] == NULL:
            unused = await _replace_null(s3, bucket, key, before, writes)
        elif before is not None:
            writes.append(Put(NONCURRENT, _place(bucket, before), before))
        try:
            await s3.store.write(*writes)
        except Conflict:
            continue  # Somebody wrote the same key meanwhile; the last one wins, and conditions are asked again.
        await s3.files.remove(unused)
        return made
    raise AwsError("SlowDown", "Please reduce your request rate.", status=503)


async def delete_current(s3: S3, bucket: Bucket, key: str, conditions: Json) -> Document | None:
    """The delete marker, where versioning makes one. Deleting what is not there is no error."""
    if bucket.versioning:
        return await add_version(s3, bucket, key, {"isDeleteMarker": True})
    place = f"{bucket.name}/{key}"
    for _ in range(_ATTEMPTS):
        stored = await s3.store.read(OBJECT, place)
        if conditions.get("IfMatch") is not None:
            check_write({"IfMatch": conditions["IfMatch"]}, stored.document["etag"] if stored else None)
        if stored is None:
            return None
        try:
            await s3.store.write(Delete(OBJECT, place, if_revision=stored.revision))
        except Conflict:
            continue
        await s3.files.remove(_files(stored.document))
        return None
    raise AwsError("SlowDown", "Please reduce your request rate.", status=503)


async def delete_version(s3: S3, bucket: Bucket, key: str, version_id: str) -> Document | None:
    """What was removed for good; None when there was no such version. The next older one becomes current."""
    place = f"{bucket.name}/{key}"
    for _ in range(_ATTEMPTS):
        stored = await s3.store.read(OBJECT, place)
        if stored is None:
            return None
        older = await noncurrent(s3, bucket, key)
        writes: list[Write]
        if stored.document["versionId"] == version_id:
            gone = stored.document
            if older:
                writes = [
                    Put(OBJECT, place, older[0].document, if_revision=stored.revision),
                    Delete(NONCURRENT, older[0].key, if_revision=older[0].revision),
                ]
            else:
                writes = [Delete(OBJECT, place, if_revision=stored.revision)]
        else:
            found = next((version for version in older if version.document["versionId"] == version_id), None)
            if found is None:
                return None
            gone = found.document
            writes = [Delete(NONCURRENT, found.key, if_revision=found.revision)]
        try:
            await s3.store.write(*writes)
        except Conflict:
            continue
        await s3.files.remove(_files(gone))
        return gone
    raise AwsError("SlowDown", "Please reduce your request rate.", status=503)


async def change_version(s3: S3, bucket: Bucket, key: str, version_id: str | None, changes: Json) -> Document:
    """Changes what is said about a version (its tags), not its bytes."""
    for _ in range(_ATTEMPTS):
        document = await find_version(s3, bucket, key, version_id)
        stored = await s3.store.read(OBJECT, f"{bucket.name}/{key}")
        kind = OBJECT
        if stored is None or stored.document["versionId"] != document["versionId"]:
            kind, stored = NONCURRENT, await s3.store.read(NONCURRENT, _place(bucket, document))
        if stored is None:
            continue
        changed = {**stored.document, **changes}
        try:
            await s3.store.write(Put(kind, stored.key, changed, if_revision=stored.revision))
        except Conflict:
            continue
        return changed
    raise AwsError("SlowDown", "Please reduce your request rate.", status=503)


async def _replace_null(s3: S3, bucket: Bucket, key: str, before: Document | None, writes: list[Write]) -> list[str]:
    """There is one null version at most: the files of the one that goes."""
    if before is None:
        return []
    if before["versionId"] == NULL:
        return _files(before)
    writes.append(Put(NONCURRENT, _place(bucket, before), before))
    for version in await noncurrent(s3, bucket, key):
        if version.document["versionId"] == NULL:
            writes.append(Delete(NONCURRENT, version.key, if_revision=version.revision))
            return _files(version.document)
    return []


def _place(bucket: Bucket, version: Document) -> str:
    return f"{bucket.name}/{version['key']}\0{_NEWEST - version['sequence']:020d}"


def _files(version: Document) -> list[str]:
    return [version["file"]] if "file" in version else []
