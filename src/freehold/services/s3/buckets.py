"""Buckets: made, listed, deleted. Source: Amazon S3 API Reference and User Guide, "Bucket naming rules"."""

from __future__ import annotations

import re
from collections.abc import Mapping

from freehold.aws.arn import Arn
from freehold.aws.call import Call, Json
from freehold.aws.errors import AwsError
from freehold.clock import now_ms
from freehold.services.s3.acls import refuse_acl
from freehold.services.s3.record import (
    BUCKET,
    OBJECT,
    PART,
    S3,
    UPLOAD,
    Bucket,
    find_bucket,
    moment,
    not_supported,
    owner,
)
from freehold.state.store import Conflict, Delete, Put, Write

_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_ADDRESS = re.compile(r"\d+\.\d+\.\d+\.\d+")
_RESERVED = ("xn--", "sthree-", "amzn-s3-demo-")
_RESERVED_ENDS = ("-s3alias", "--ol-s3", ".mrap", "--x-s3")
_HOME = "us-east-1"  # The region without a location constraint.
_REGION_NAMES: Mapping[str, str] = {"EU": "eu-west-1"}


async def create_bucket(s3: S3, call: Call, request: Json) -> Json:
    name, configuration = request["Bucket"], request.get("CreateBucketConfiguration") or {}
    _check_name(name)
    if request.get("ObjectLockEnabledForBucket"):
        not_supported("object lock")
    region = _region(call, configuration.get("LocationConstraint"))
    settings: Json = {}
    if request.get("ObjectOwnership"):
        settings["OwnershipControls"] = {"Rules": [{"ObjectOwnership": request["ObjectOwnership"]}]}
    if configuration.get("Tags"):
        settings["Tagging"] = {"TagSet": configuration["Tags"]}
    document = {"region": region, "createdMs": now_ms(s3.clock), "settings": settings}
    if request.get("ACL") != "private":
        refuse_acl(request, Bucket(name, document, 0))
    try:
        await s3.store.write(Put(BUCKET, name, document, if_revision=0))
    except Conflict:
        stored = await s3.store.read(BUCKET, name)
        # Asking again for one's own bucket is no error in us-east-1 alone.
        if stored is None or region != _HOME or stored.document["region"] != _HOME:
            raise AwsError(
                "BucketAlreadyOwnedByYou",
                "Your previous request to create the named bucket succeeded and you already own it.",
                status=409,
                fields={"BucketName": name},
            ) from None
    return {"Location": f"/{name}", "BucketArn": str(Arn("s3", "", "", name))}


async def delete_bucket(s3: S3, call: Call, request: Json) -> Json:
    bucket = await find_bucket(s3, call, request)
    if await s3.store.list_documents(OBJECT, f"{bucket.name}/", limit=1):
        raise AwsError(
            "BucketNotEmpty",
            "The bucket you tried to delete is not empty"
            + (". You must delete all versions in the bucket." if bucket.versioning else ""),
            status=409,
            fields={"BucketName": bucket.name},
        )
    writes: list[Write] = [Delete(BUCKET, bucket.name)]
    files = []
    for upload in await s3.store.list_documents(UPLOAD, f"{bucket.name}/"):
        writes.append(Delete(UPLOAD, upload.key))
        for part in await s3.store.list_documents(PART, f"{upload.document['uploadId']}/"):
            writes.append(Delete(PART, part.key))
            files.append(part.document["file"])
    await s3.store.write(*writes)
    await s3.files.remove(files)
    return {}


async def head_bucket(s3: S3, call: Call, request: Json) -> Json:
    bucket = await find_bucket(s3, call, request)
    return {
        "BucketRegion": bucket.document["region"],
        "BucketArn": str(Arn("s3", "", "", bucket.name)),
        "AccessPointAlias": False,
    }


async def list_buckets(s3: S3, call: Call, request: Json) -> Json:
    prefix, limit = request.get("Prefix") or "", request.get("MaxBuckets") or 10_000
    found = await s3.store.list_documents(BUCKET, prefix, after=request.get("ContinuationToken") or "")
    wanted = request.get("BucketRegion")
    chosen = [stored for stored in found if not wanted or stored.document["region"] == wanted]
    answer: Json = {
        "Buckets": [
            {
                "Name": stored.key,
                "CreationDate": moment(stored.document["createdMs"]),
                "BucketRegion": stored.document["region"],
                "BucketArn": str(Arn("s3", "", "", stored.key)),
            }
            for stored in chosen[:limit]
        ],
        "Owner": owner(call),
    }
    if prefix:
        answer["Prefix"] = prefix
    if len(chosen) > limit:
        answer["ContinuationToken"] = chosen[limit - 1].key
    return answer


async def get_bucket_location(s3: S3, call: Call, request: Json) -> Json:
    region = (await find_bucket(s3, call, request)).document["region"]
    return {} if region == _HOME else {"LocationConstraint": region}


def _region(call: Call, constraint: str | None) -> str:
    if constraint is None:
        if call.region != _HOME:
            raise AwsError(
                "IllegalLocationConstraintException",
                "The unspecified location constraint is incompatible for the region specific endpoint this request "
                "was sent to.",
                status=400,
            )
        return _HOME
    region = _REGION_NAMES.get(constraint, constraint)
    if region == _HOME:
        raise AwsError(
            "InvalidLocationConstraint",
            "The specified location-constraint is not valid",
            status=400,
            fields={"LocationConstraint": constraint},
        )
    if region != call.region and call.region != _HOME:
        raise AwsError(
            "IllegalLocationConstraintException",
            f"The {constraint} location constraint is incompatible for the region specific endpoint this request was "
            "sent to.",
            status=400,
        )
    return region


def _check_name(name: str) -> None:
    if (
        not _NAME.fullmatch(name)
        or ".." in name
        or _ADDRESS.fullmatch(name)
        or name.startswith(_RESERVED)
        or name.endswith(_RESERVED_ENDS)
    ):
        raise AwsError(
            "InvalidBucketName", "The specified bucket is not valid.", status=400, fields={"BucketName": name}
        )
