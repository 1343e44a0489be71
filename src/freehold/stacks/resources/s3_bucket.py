"""AWS::S3::Bucket"""

from __future__ import annotations

from freehold.aws.call import Aws, Json
from freehold.aws.errors import AwsError
from freehold.stacks.resources.s3_bucket_notifications import notification_request
from freehold.stacks.resources.s3_bucket_settings import SETTINGS
from freehold.stacks.resources.types import Created, Name, ResourceType, changed

TYPE = "AWS::S3::Bucket"

_SUPPORTED = frozenset({"BucketName", "AccessControl", "ObjectLockEnabled", "NotificationConfiguration", *SETTINGS})


async def create(aws: Aws, properties: Json) -> Created:
    name = properties["BucketName"]
    request: Json = {"Bucket": name}
    if aws.call.region != "us-east-1":
        request["CreateBucketConfiguration"] = {"LocationConstraint": aws.call.region}
    if properties.get("ObjectLockEnabled"):
        request["ObjectLockEnabledForBucket"] = True
    if properties.get("AccessControl"):
        request["ACL"] = _acl(properties["AccessControl"])
    await aws("s3", "CreateBucket", request)
    try:
        await _configure(aws, name, properties, {})
    except AwsError:
        await aws("s3", "DeleteBucket", {"Bucket": name})
        raise
    return _created(aws, name)


async def update(aws: Aws, physical_id: str, properties: Json, previous: Json) -> Created:
    if "AccessControl" in changed(properties, previous):
        await aws(
            "s3", "PutBucketAcl", {"Bucket": physical_id, "ACL": _acl(properties.get("AccessControl", "Private"))}
        )
    await _configure(aws, physical_id, properties, previous)
    return _created(aws, physical_id)


async def delete(aws: Aws, physical_id: str, properties: Json) -> None:
    await aws("s3", "DeleteBucket", {"Bucket": physical_id})


async def _configure(aws: Aws, name: str, properties: Json, previous: Json) -> None:
    different = changed(properties, previous)
    for setting in SETTINGS:
        if setting not in different:
            continue
        put, unset, request = SETTINGS[setting]
        if setting in properties:
            await aws("s3", put, {"Bucket": name, **request(properties[setting])})
        elif unset:
            await aws("s3", unset, {"Bucket": name})
    if "NotificationConfiguration" in different:
        configuration = notification_request(properties.get("NotificationConfiguration") or {})
        await aws(
            "s3", "PutBucketNotificationConfiguration", {"Bucket": name, "NotificationConfiguration": configuration}
        )


def _acl(text: str) -> str:
    """CloudFormation writes PublicRead where S3 writes public-read."""
    words = "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in text)
    return words.lstrip("-")


def _created(aws: Aws, name: str) -> Created:
    region = aws.call.region
    return Created(
        name,
        {
            "Arn": f"arn:aws:s3:::{name}",
            "DomainName": f"{name}.s3.amazonaws.com",
            "DualStackDomainName": f"{name}.s3.dualstack.{region}.amazonaws.com",
            "RegionalDomainName": f"{name}.s3.{region}.amazonaws.com",
            "WebsiteURL": f"http://{name}.s3-website-{region}.amazonaws.com",
        },
    )


RESOURCE = ResourceType(TYPE, ("s3",), create, delete, update, Name("BucketName", 63, lower=True), supported=_SUPPORTED)
