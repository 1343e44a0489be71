from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.live import LiveServer

Client = Callable[..., Any]


def refused(call: Callable[..., Any], **request: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**request)
    return str(caught.value.response["Error"]["Code"])


def test_bucket_names_are_checked_and_shared_by_all_regions(server: LiveServer, client: Client) -> None:
    s3 = client("s3")
    for name in ("Upper", "ab", "a..b", "1.2.3.4", "-a-"):
        assert refused(s3._make_api_call, operation_name="CreateBucket", api_params={"Bucket": name}) in (
            "InvalidBucketName",
        )
    s3.create_bucket(Bucket="names")
    s3.create_bucket(Bucket="names")
    elsewhere = server.client("s3", "eu-west-1")
    location = {"LocationConstraint": "eu-west-1"}
    assert refused(elsewhere.create_bucket, Bucket="names", CreateBucketConfiguration=location) == (
        "BucketAlreadyOwnedByYou"
    )
    assert refused(elsewhere.create_bucket, Bucket="names-eu") == "IllegalLocationConstraintException"
    elsewhere.create_bucket(Bucket="names-eu", CreateBucketConfiguration=location)
    assert s3.get_bucket_location(Bucket="names-eu")["LocationConstraint"] == "eu-west-1"
    assert s3.get_bucket_location(Bucket="names")["LocationConstraint"] is None
    assert s3.head_bucket(Bucket="names-eu")["BucketRegion"] == "eu-west-1"
    assert refused(s3.head_bucket, Bucket="names-none") == "404"
    assert {"names", "names-eu"} <= {entry["Name"] for entry in s3.list_buckets()["Buckets"]}


def test_settings_are_kept_read_and_deleted(client: Client) -> None:
    s3 = client("s3")
    s3.create_bucket(Bucket="settings")
    where = {"Bucket": "settings"}
    assert refused(s3.get_bucket_policy, **where) == "NoSuchBucketPolicy"
    assert refused(s3.get_bucket_cors, **where) == "NoSuchCORSConfiguration"
    assert refused(s3.get_bucket_tagging, **where) == "NoSuchTagSet"
    assert refused(s3.get_public_access_block, **where) == "NoSuchPublicAccessBlockConfiguration"
    assert refused(s3.get_bucket_website, **where) == "NoSuchWebsiteConfiguration"
    policy = {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Principal": "*",
            "Action": "s3:GetObject",
            "Resource": "arn:aws:s3:::settings/*",
        },
    }
    s3.put_bucket_policy(**where, Policy=json.dumps(policy))
    assert json.loads(s3.get_bucket_policy(**where)["Policy"]) == policy
    assert s3.get_bucket_policy_status(**where)["PolicyStatus"]["IsPublic"] is True
    assert refused(s3.put_bucket_policy, **where, Policy="{") == "MalformedPolicy"
    s3.delete_bucket_policy(**where)
    assert refused(s3.get_bucket_policy, **where) == "NoSuchBucketPolicy"
    cors = {"CORSRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["https://*.example.com"]}]}
    s3.put_bucket_cors(**where, CORSConfiguration=cors)
    assert s3.get_bucket_cors(**where)["CORSRules"] == cors["CORSRules"]
    tags = {"TagSet": [{"Key": "a", "Value": "1"}]}
    s3.put_bucket_tagging(**where, Tagging=tags)
    assert s3.get_bucket_tagging(**where)["TagSet"] == tags["TagSet"]
    block = {
        "BlockPublicAcls": True,
        "IgnorePublicAcls": True,
        "BlockPublicPolicy": True,
        "RestrictPublicBuckets": True,
    }
    s3.put_public_access_block(**where, PublicAccessBlockConfiguration=block)
    assert s3.get_public_access_block(**where)["PublicAccessBlockConfiguration"] == block
    rules = s3.get_bucket_encryption(**where)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rules[0]["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    assert "Status" not in s3.get_bucket_versioning(**where)
    s3.put_bucket_ownership_controls(**where, OwnershipControls={"Rules": [{"ObjectOwnership": "ObjectWriter"}]})
    s3.put_object(**where, Key="k", Body=b"", ACL="private")


def test_lists_that_open_an_object_are_refused_where_acls_are_off(client: Client) -> None:
    s3 = client("s3")
    s3.create_bucket(Bucket="no-acls")
    assert refused(s3.put_object, Bucket="no-acls", Key="k", Body=b"", ACL="public-read") == (
        "AccessControlListNotSupported"
    )
    assert s3.get_bucket_acl(Bucket="no-acls")["Grants"][0]["Permission"] == "FULL_CONTROL"


def test_what_is_not_here_is_refused_by_name(client: Client) -> None:
    s3 = client("s3")
    s3.create_bucket(Bucket="refused")
    with pytest.raises(ClientError, match="s3:PutBucketWebsite"):
        s3.put_bucket_website(Bucket="refused", WebsiteConfiguration={"IndexDocument": {"Suffix": "i.html"}})
    configuration = {
        "QueueConfigurations": [{"QueueArn": "arn:aws:nope:us-east-1:1:q", "Events": ["s3:ObjectCreated:*"]}]
    }
    assert (
        refused(s3.put_bucket_notification_configuration, Bucket="refused", NotificationConfiguration=configuration)
        == "InvalidArgument"
    )


def test_a_multipart_upload_is_checked_listed_and_aborted(client: Client) -> None:
    s3 = client("s3")
    s3.create_bucket(Bucket="multipart")
    where = {"Bucket": "multipart", "Key": "k"}
    upload = s3.create_multipart_upload(**where)["UploadId"]
    parts = [
        {"PartNumber": n, "ETag": s3.upload_part(**where, UploadId=upload, PartNumber=n, Body=b"x")["ETag"]}
        for n in (1, 2)
    ]
    listed = s3.list_parts(**where, UploadId=upload)["Parts"]
    assert [part["PartNumber"] for part in listed] == [1, 2]

    def complete(parts: list[dict[str, Any]]) -> str:
        return refused(s3.complete_multipart_upload, **where, UploadId=upload, MultipartUpload={"Parts": parts})

    assert complete(parts) == "EntityTooSmall"
    assert complete(parts[::-1]) == "InvalidPartOrder"
    assert complete([{"PartNumber": 9, "ETag": "x"}]) == "InvalidPart"
    assert [entry["Key"] for entry in s3.list_multipart_uploads(Bucket="multipart")["Uploads"]] == ["k"]
    s3.abort_multipart_upload(**where, UploadId=upload)
    assert refused(s3.list_parts, **where, UploadId=upload) == "NoSuchUpload"
    assert refused(s3.head_object, **where) == "404"


def test_a_part_can_be_copied_from_an_object(client: Client) -> None:
    s3 = client("s3")
    s3.create_bucket(Bucket="part-copy")
    s3.put_object(Bucket="part-copy", Key="source", Body=b"0123456789")
    where = {"Bucket": "part-copy", "Key": "k"}
    upload = s3.create_multipart_upload(**where, ChecksumAlgorithm="SHA256")["UploadId"]
    copied = s3.upload_part_copy(
        **where, UploadId=upload, PartNumber=1, CopySource="part-copy/source", CopySourceRange="bytes=2-4"
    )["CopyPartResult"]
    done = s3.complete_multipart_upload(
        **where,
        UploadId=upload,
        MultipartUpload={
            "Parts": [{"PartNumber": 1, "ETag": copied["ETag"], "ChecksumSHA256": copied["ChecksumSHA256"]}]
        },
    )
    assert done["ChecksumSHA256"].endswith("-1")
    assert s3.get_object(**where)["Body"].read() == b"234"
