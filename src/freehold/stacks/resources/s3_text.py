"""A document that a template names by its place in S3."""

from __future__ import annotations

from freehold.aws.call import Aws, Json


async def read_text(aws: Aws, location: Json) -> str:
    """`location` is an S3Location property: Bucket, Key and perhaps Version."""
    request = {"Bucket": location["Bucket"], "Key": location["Key"]}
    if location.get("Version"):
        request["VersionId"] = location["Version"]
    found = await aws("s3", "GetObject", request)
    body = found["Body"]
    data = body if isinstance(body, bytes) else body.read()
    return str(data, "utf-8")
