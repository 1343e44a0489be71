"""AWS::S3::BucketPolicy"""

from __future__ import annotations

from freehold.aws.call import Aws, Json
from freehold.stacks.resources.types import Created, ResourceType, json_text

TYPE = "AWS::S3::BucketPolicy"


async def create(aws: Aws, properties: Json) -> Created:
    policy = json_text(properties["PolicyDocument"])
    await aws("s3", "PutBucketPolicy", {"Bucket": properties["Bucket"], "Policy": policy})
    return Created(properties["Bucket"])


async def update(aws: Aws, physical_id: str, properties: Json, previous: Json) -> Created:
    return await create(aws, properties)


async def delete(aws: Aws, physical_id: str, properties: Json) -> None:
    await aws("s3", "DeleteBucketPolicy", {"Bucket": physical_id})


RESOURCE = ResourceType(TYPE, ("s3",), create, delete, update)
