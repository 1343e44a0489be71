"""Access control lists. Buckets enforce their owner's rights unless told otherwise, as S3's do since April 2023.

Source: Amazon S3 User Guide, "Controlling ownership of objects and disabling ACLs for your bucket".
"""

from __future__ import annotations

from freehold.aws.call import Call, Json
from freehold.aws.errors import AwsError
from freehold.services.s3.record import S3, Bucket, find_bucket, not_supported, owner
from freehold.services.s3.versions import find_version

ENFORCED = "BucketOwnerEnforced"
_GRANTS = ("GrantFullControl", "GrantRead", "GrantReadACP", "GrantWrite", "GrantWriteACP")
# What the owner may do in any case.
_HARMLESS = frozenset({"private", "bucket-owner-full-control", "bucket-owner-read"})


def refuse_acl(request: Json, bucket: Bucket) -> None:
    """AccessControlListNotSupported where the bucket has ACLs disabled; no list but the owner's is known."""
    acl, grants = request.get("ACL"), [name for name in _GRANTS if request.get(name)]
    if not acl and not grants:
        return
    if ownership(bucket) == ENFORCED:
        if grants or acl != "bucket-owner-full-control":
            raise AwsError("AccessControlListNotSupported", "The bucket does not allow ACLs", status=400)
    elif grants or acl not in _HARMLESS:
        not_supported(f"the access control list {acl or ', '.join(grants)}")


def ownership(bucket: Bucket) -> str:
    rules = bucket.document.get("settings", {}).get("OwnershipControls", {}).get("Rules", [])
    return str(rules[0]["ObjectOwnership"]) if rules else ENFORCED


async def get_bucket_acl(s3: S3, call: Call, request: Json) -> Json:
    await find_bucket(s3, call, request)
    return _owners(call)


async def put_bucket_acl(s3: S3, call: Call, request: Json) -> Json:
    refuse_acl(request, await find_bucket(s3, call, request))
    if request.get("AccessControlPolicy"):
        not_supported("access control policies")
    return {}


async def get_object_acl(s3: S3, call: Call, request: Json) -> Json:
    bucket = await find_bucket(s3, call, request)
    await find_version(s3, bucket, request["Key"], request.get("VersionId"))
    return _owners(call)


async def put_object_acl(s3: S3, call: Call, request: Json) -> Json:
    bucket = await find_bucket(s3, call, request)
    await find_version(s3, bucket, request["Key"], request.get("VersionId"))
    refuse_acl(request, bucket)
    if request.get("AccessControlPolicy"):
        not_supported("access control policies")
    return {}


def _owners(call: Call) -> Json:
    grantee = {**owner(call), "Type": "CanonicalUser"}
    return {"Owner": owner(call), "Grants": [{"Grantee": grantee, "Permission": "FULL_CONTROL"}]}
