"""A document that a template names by its place in S3."""

from __future__ import annotations

from freehold.aws.call import Aws, Json
from freehold.stacks.s3_bodies import whole_body


async def read_text(aws: Aws, location: Json) -> str:
    """`location` is an S3Location property: Bucket, Key and perhaps Version and ETag, which must be the object's."""
    request = {"Bucket": location["Bucket"], "Key": location["Key"]}
    if location.get("Version"):
        request["VersionId"] = location["Version"]
    if location.get("ETag"):
        request["IfMatch"] = location["ETag"]
    found = await aws("s3", "GetObject", request)
    return str(await whole_body(found), "utf-8")
