"""A function's code: from the request's zip, from S3, or from a folder of this machine, into an unpacked package.

A folder is code of ours, for `freehold dev`: S3Bucket DIRECTORY_BUCKET, S3Key its absolute path. It runs in place, and
each UpdateFunctionCode makes it new code.
"""

from __future__ import annotations

import base64
import hashlib
import os
from dataclasses import dataclass

from freehold.aws.call import Call, Json
from freehold.aws.errors import AwsError
from freehold.engine.limits import ZIP_DIRECT_BYTES
from freehold.services.lambda_.record import Lambda, invalid

DIRECTORY_BUCKET = "__directory__"


@dataclass(frozen=True, slots=True)
class Code:
    document: Json  # {"sha256"} or {"directory", "stamp"}: the "code" of the function's document.
    size_bytes: int
    sha256_base64: str


async def take_code(lambda_: Lambda, call: Call, source: Json) -> Code:
    """`source` has the members of FunctionCode. Raises AwsError for code that cannot be had or unpacked."""
    if source.get("ImageUri"):
        raise invalid("Freehold runs functions from zip packages; container images (ImageUri) are not supported yet.")
    if source.get("S3Bucket") == DIRECTORY_BUCKET:
        return _directory(lambda_, source)
    data = await _bytes(lambda_, call, source)
    sha256 = await lambda_.blobs.put(data)
    await lambda_.packages.unpack(sha256)
    return Code({"sha256": sha256}, len(data), base64.b64encode(bytes.fromhex(sha256)).decode())


async def _bytes(lambda_: Lambda, call: Call, source: Json) -> bytes:
    if (data := source.get("ZipFile")) is not None:
        if len(data) > ZIP_DIRECT_BYTES:
            raise AwsError(
                "RequestEntityTooLargeException",
                f"Request must be smaller than {70_167_211} bytes for the CreateFunction operation",
                status=413,
            )
        return bytes(data)
    if not source.get("S3Bucket") or not source.get("S3Key"):
        raise invalid("Please provide a source for function code.")
    request = {"Bucket": source["S3Bucket"], "Key": source["S3Key"]}
    if source.get("S3ObjectVersion"):
        request["VersionId"] = source["S3ObjectVersion"]
    try:
        answer = await lambda_.bind(call)("s3", "GetObject", request)
    except AwsError as error:
        raise invalid(
            f"Error occurred while GetObject. S3 Error Code: {error.code}. S3 Error Message: {error.message}"
        ) from error
    body = answer["Body"]
    if isinstance(body, bytes):
        return body
    return b"".join([part async for part in body])


def _directory(lambda_: Lambda, source: Json) -> Code:
    path = source.get("S3Key") or ""
    if not lambda_.allows_directories:
        raise invalid("This server does not run code from folders: upload a zip.")
    if not os.path.isabs(path) or not os.path.isdir(path):
        raise invalid(f"There is no folder {path}")
    stamp = lambda_.ids.uuid()
    digest = hashlib.sha256(f"{path} {stamp}".encode()).digest()
    return Code({"directory": path, "stamp": stamp}, 0, base64.b64encode(digest).decode())
