"""What S3's operations may touch, and how a bucket is found. Bucket names are one space over all regions."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NoReturn

from freehold.aws.call import Bind, Call, Json
from freehold.aws.errors import AwsError
from freehold.clock import Clock, Ids
from freehold.state.object_files import ObjectFiles
from freehold.state.store import Document, Store, Stored

BUCKET = "s3.bucket"  # Key: the name.
OBJECT = "s3.object"  # Key: bucket/key. The current version, which may be a delete marker.
NONCURRENT = "s3.noncurrent"  # Key: bucket/key NUL age, the newest first.
UPLOAD = "s3.upload"  # Key: bucket/key NUL upload id.
PART = "s3.part"  # Key: upload id/number.


@dataclass(frozen=True, slots=True)
class S3:
    store: Store
    files: ObjectFiles
    clock: Clock
    ids: Ids
    bind: Bind


@dataclass(frozen=True, slots=True)
class Bucket:
    name: str
    document: Document
    revision: int

    @property
    def versioning(self) -> str:
        """ "Enabled", "Suspended", or empty: never enabled."""
        return str(self.document.get("versioning", ""))


async def find_bucket(s3: S3, call: Call, request: Json) -> Bucket:
    """NoSuchBucket; AccessDenied when the caller expected another owner."""
    stored = await read_bucket(s3, request["Bucket"])
    expected = request.get("ExpectedBucketOwner")
    if expected and expected != call.account:
        raise AwsError("AccessDenied", "Access Denied", status=403)
    return Bucket(request["Bucket"], stored.document, stored.revision)


async def read_bucket(s3: S3, name: str) -> Stored:
    stored = await s3.store.read(BUCKET, name)
    if stored is None:
        raise AwsError("NoSuchBucket", "The specified bucket does not exist", status=404, fields={"BucketName": name})
    return stored


def owner(call: Call) -> Json:
    """The account's canonical user id: 64 hex digits, always the same ones for an account."""
    return {"ID": hashlib.sha256(f"canonical:{call.account}".encode()).hexdigest()}


def moment(at_ms: int) -> datetime:
    """S3 keeps whole seconds in headers; lists show the milliseconds as zero."""
    return datetime.fromtimestamp(at_ms // 1000, UTC)


def not_supported(what: str) -> NoReturn:
    raise AwsError("NotImplemented", f"Freehold does not support {what} yet.", status=501)


def invalid(message: str, **fields: str) -> AwsError:
    return AwsError("InvalidArgument", message, status=400, fields=fields)
