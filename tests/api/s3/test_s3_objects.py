from __future__ import annotations

import hashlib
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from tests.live import LiveServer

Client = Callable[..., Any]


def bucket(client: Client, name: str) -> Any:
    s3 = client("s3")
    s3.create_bucket(Bucket=name)
    return s3


def code(caught: Any) -> tuple[str, int]:
    response = caught.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


def test_an_object_comes_back_with_all_that_was_said_about_it(client: Client) -> None:
    s3 = bucket(client, "whole-object")
    key = "dir/a b+c%ü&.txt"
    put = s3.put_object(
        Bucket="whole-object",
        Key=key,
        Body=b"hello",
        ContentType="text/plain",
        CacheControl="max-age=1",
        Metadata={"Who": "ada"},
        Tagging="a=1&b=2",
    )
    assert put["ETag"] == f'"{hashlib.md5(b"hello").hexdigest()}"'
    got = s3.get_object(Bucket="whole-object", Key=key, ChecksumMode="ENABLED")
    assert got["Body"].read() == b"hello"
    assert (got["ContentLength"], got["ContentType"], got["CacheControl"]) == (5, "text/plain", "max-age=1")
    assert got["Metadata"] == {"who": "ada"}
    assert got["TagCount"] == 2
    assert got["ChecksumCRC32"] == put["ChecksumCRC32"]
    assert "VersionId" not in got
    head = s3.head_object(Bucket="whole-object", Key=key)
    assert (head["ContentLength"], head["ETag"]) == (5, put["ETag"])
    listed = s3.list_objects_v2(Bucket="whole-object")["Contents"]
    assert [entry["Key"] for entry in listed] == [key]
    s3.delete_object(Bucket="whole-object", Key=key)
    with pytest.raises(s3.exceptions.NoSuchKey):
        s3.get_object(Bucket="whole-object", Key=key)
    s3.delete_bucket(Bucket="whole-object")
    with pytest.raises(s3.exceptions.NoSuchBucket):
        s3.list_objects_v2(Bucket="whole-object")


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "SHA1", "SHA256"])
def test_a_checksum_is_verified_and_given_back(client: Client, algorithm: str) -> None:
    name = f"sum-{algorithm.lower()}"
    s3 = bucket(client, name)
    s3.put_object(Bucket=name, Key="k", Body=b"123456789", ChecksumAlgorithm="SHA256")
    with pytest.raises(ClientError) as caught:
        s3.put_object(
            Bucket=name, Key="k", Body=b"other", ChecksumSHA256="FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU="
        )
    assert code(caught) == ("BadDigest", 400)
    assert s3.get_object(Bucket=name, Key="k")["Body"].read() == b"123456789"


def test_known_checksums_have_their_published_values() -> None:
    from freehold.services.s3.checksums import compute

    assert compute("CRC64NVME", b"123456789").value == "rosUhgp5mIg="  # ae8b14860a799888
    assert compute("CRC32C", b"123456789").value == "4waSgw=="  # e3069283


def test_parts_of_an_object_are_read_by_range(client: Client) -> None:
    s3 = bucket(client, "ranges")
    s3.put_object(Bucket="ranges", Key="k", Body=b"0123456789")

    def read(text: str) -> tuple[bytes, str | None, int]:
        got = s3.get_object(Bucket="ranges", Key="k", Range=text)
        return got["Body"].read(), got.get("ContentRange"), got["ResponseMetadata"]["HTTPStatusCode"]

    assert read("bytes=2-4") == (b"234", "bytes 2-4/10", 206)
    assert read("bytes=7-") == (b"789", "bytes 7-9/10", 206)
    assert read("bytes=-3") == (b"789", "bytes 7-9/10", 206)
    assert read("bytes=5-99") == (b"56789", "bytes 5-9/10", 206)
    assert read("bytes=1-2,4-5") == (b"0123456789", None, 200)
    with pytest.raises(ClientError) as caught:
        read("bytes=10-")
    assert code(caught) == ("InvalidRange", 416)


def test_a_large_object_is_streamed_whole_and_in_part(client: Client) -> None:
    s3 = bucket(client, "large")
    body = bytes(range(256)) * 12_000
    s3.put_object(Bucket="large", Key="k", Body=body)
    got = s3.get_object(Bucket="large", Key="k")
    assert got["ContentLength"] == len(body)
    assert got["Body"].read() == body
    assert s3.get_object(Bucket="large", Key="k", Range="bytes=10-2000009")["Body"].read() == body[10:2000010]
    assert s3.head_object(Bucket="large", Key="k")["ContentLength"] == len(body)


def test_conditions_of_readers_hold(client: Client) -> None:
    s3 = bucket(client, "conditions")
    etag = s3.put_object(Bucket="conditions", Key="k", Body=b"x")["ETag"]
    where = {"Bucket": "conditions", "Key": "k"}
    now = datetime.now(UTC)
    assert s3.get_object(**where, IfMatch=etag)["Body"].read() == b"x"
    for condition, expected in (
        ({"IfMatch": '"other"'}, 412),
        ({"IfNoneMatch": etag}, 304),
        ({"IfModifiedSince": now + timedelta(hours=1)}, 304),
        ({"IfUnmodifiedSince": now - timedelta(hours=1)}, 412),
    ):
        with pytest.raises(ClientError) as caught:
            s3.head_object(**where, **condition)
        assert code(caught)[1] == expected, condition
    # If-Match that holds wins over If-Unmodified-Since that does not.
    s3.get_object(**where, IfMatch=etag, IfUnmodifiedSince=now - timedelta(hours=1))


def test_conditions_of_writers_hold(client: Client) -> None:
    s3 = bucket(client, "write-conditions")
    where = {"Bucket": "write-conditions", "Key": "k"}
    etag = s3.put_object(**where, Body=b"1", IfNoneMatch="*")["ETag"]
    with pytest.raises(ClientError) as caught:
        s3.put_object(**where, Body=b"2", IfNoneMatch="*")
    assert code(caught) == ("PreconditionFailed", 412)
    s3.put_object(**where, Body=b"3", IfMatch=etag)
    with pytest.raises(ClientError) as caught:
        s3.put_object(**where, Body=b"4", IfMatch=etag)
    assert code(caught) == ("PreconditionFailed", 412)
    assert s3.get_object(**where)["Body"].read() == b"3"


def test_a_copy_keeps_or_replaces_what_was_said(client: Client) -> None:
    s3 = bucket(client, "copies")
    s3.put_object(Bucket="copies", Key="a b", Body=b"x", Metadata={"m": "1"}, ContentType="text/x", Tagging="t=1")
    s3.copy_object(Bucket="copies", Key="kept", CopySource={"Bucket": "copies", "Key": "a b"})
    kept = s3.get_object(Bucket="copies", Key="kept")
    assert (kept["Body"].read(), kept["Metadata"], kept["ContentType"], kept["TagCount"]) == (
        b"x",
        {"m": "1"},
        "text/x",
        1,
    )
    s3.copy_object(
        Bucket="copies",
        Key="replaced",
        CopySource="copies/a b",
        Metadata={"n": "2"},
        MetadataDirective="REPLACE",
    )
    assert s3.head_object(Bucket="copies", Key="replaced")["Metadata"] == {"n": "2"}
    with pytest.raises(ClientError) as caught:
        s3.copy_object(Bucket="copies", Key="a b", CopySource="copies/a b")
    assert code(caught) == ("InvalidRequest", 400)
    with pytest.raises(ClientError) as caught:
        s3.copy_object(Bucket="copies", Key="x", CopySource="copies/none")
    assert code(caught) == ("NoSuchKey", 404)


def test_keys_are_listed_in_pages_and_rolled_up_at_the_delimiter(client: Client) -> None:
    s3 = bucket(client, "listing")
    for key in ("a", "b/1", "b/2", "c/d/1", "c/d/2", "e", "ü"):
        s3.put_object(Bucket="listing", Key=key, Body=b"")
    names: list[str] = []
    pages = 0
    for page in s3.get_paginator("list_objects_v2").paginate(
        Bucket="listing", Delimiter="/", PaginationConfig={"PageSize": 2}
    ):
        pages += 1
        names += [entry["Key"] for entry in page.get("Contents", [])]
        names += [entry["Prefix"] for entry in page.get("CommonPrefixes", [])]
    assert sorted(names) == ["a", "b/", "c/", "e", "ü"]
    assert pages == 3
    inner = s3.list_objects_v2(Bucket="listing", Prefix="c/", Delimiter="/")
    assert [entry["Prefix"] for entry in inner["CommonPrefixes"]] == ["c/d/"]
    after = s3.list_objects_v2(Bucket="listing", StartAfter="c/d/1")
    assert [entry["Key"] for entry in after["Contents"]] == ["c/d/2", "e", "ü"]
    old = s3.list_objects(Bucket="listing", Delimiter="/", MaxKeys=2)
    assert (old["NextMarker"], old["IsTruncated"]) == ("b/", True)
    rest = s3.list_objects(Bucket="listing", Delimiter="/", Marker="b/")
    assert [entry["Key"] for entry in rest["Contents"]] == ["e", "ü"]


def test_many_objects_are_deleted_in_one_request(client: Client) -> None:
    s3 = bucket(client, "many")
    for key in ("a", "b"):
        s3.put_object(Bucket="many", Key=key, Body=b"")
    with pytest.raises(ClientError) as caught:
        s3.delete_bucket(Bucket="many")
    assert code(caught) == ("BucketNotEmpty", 409)
    answer = s3.delete_objects(Bucket="many", Delete={"Objects": [{"Key": "a"}, {"Key": "b"}, {"Key": "none"}]})
    assert [entry["Key"] for entry in answer["Deleted"]] == ["a", "b", "none"]
    s3.delete_bucket(Bucket="many")


def test_versions_stay_behind_the_current_one_and_come_back(client: Client) -> None:
    s3 = bucket(client, "versions")
    where = {"Bucket": "versions", "Key": "k"}
    s3.put_object(**where, Body=b"null")
    s3.put_bucket_versioning(Bucket="versions", VersioningConfiguration={"Status": "Enabled"})
    first = s3.put_object(**where, Body=b"1")["VersionId"]
    second = s3.put_object(**where, Body=b"2")["VersionId"]
    marker = s3.delete_object(**where)
    assert marker["DeleteMarker"] is True
    with pytest.raises(s3.exceptions.NoSuchKey):
        s3.get_object(**where)
    assert s3.get_object(**where, VersionId=first)["Body"].read() == b"1"
    assert s3.get_object(**where, VersionId="null")["Body"].read() == b"null"
    with pytest.raises(ClientError) as caught:
        s3.get_object(**where, VersionId=marker["VersionId"])
    assert code(caught) == ("MethodNotAllowed", 405)
    listed: list[str] = []
    markers: list[str] = []
    for page in s3.get_paginator("list_object_versions").paginate(Bucket="versions", PaginationConfig={"PageSize": 1}):
        listed += [entry["VersionId"] for entry in page.get("Versions", [])]
        markers += [entry["VersionId"] for entry in page.get("DeleteMarkers", [])]
    assert listed == [second, first, "null"]
    assert markers == [marker["VersionId"]]
    s3.delete_object(**where, VersionId=marker["VersionId"])
    assert s3.get_object(**where)["Body"].read() == b"2"
    s3.delete_object(**where, VersionId=second)
    assert s3.get_object(**where)["Body"].read() == b"1"
    s3.put_bucket_versioning(Bucket="versions", VersioningConfiguration={"Status": "Suspended"})
    s3.put_object(**where, Body=b"new null")
    left = s3.list_object_versions(Bucket="versions")["Versions"]
    assert [entry["VersionId"] for entry in left] == ["null", first]
    with pytest.raises(ClientError) as caught:
        s3.delete_bucket(Bucket="versions")
    assert code(caught) == ("BucketNotEmpty", 409)


def test_tags_of_an_object_are_changed(client: Client) -> None:
    s3 = bucket(client, "object-tags")
    where = {"Bucket": "object-tags", "Key": "k"}
    s3.put_object(**where, Body=b"")
    s3.put_object_tagging(**where, Tagging={"TagSet": [{"Key": "a", "Value": "1"}]})
    assert s3.get_object_tagging(**where)["TagSet"] == [{"Key": "a", "Value": "1"}]
    s3.delete_object_tagging(**where)
    assert s3.get_object_tagging(**where)["TagSet"] == []


def test_a_presigned_url_reads_and_writes_without_headers(server: LiveServer, client: Client) -> None:
    s3 = bucket(client, "presigned")
    url = s3.generate_presigned_url("put_object", Params={"Bucket": "presigned", "Key": "k"})
    with urllib.request.urlopen(urllib.request.Request(url, data=b"x", method="PUT")) as answer:
        assert answer.status == 200
    url = s3.generate_presigned_url(
        "get_object", Params={"Bucket": "presigned", "Key": "k", "ResponseContentDisposition": "attachment"}
    )
    with urllib.request.urlopen(url) as answer:
        assert answer.read() == b"x"
        assert answer.headers["Content-Disposition"] == "attachment"


def test_a_bucket_is_also_a_host(server: LiveServer, client: Client) -> None:
    bucket(client, "hosted").put_object(Bucket="hosted", Key="k", Body=b"x")
    request = urllib.request.Request(f"{server.endpoint}/k", headers={"Host": f"hosted.s3.localhost:{server.port}"})
    with urllib.request.urlopen(request) as answer:
        assert answer.read() == b"x"


def test_acknowledged_objects_survive_a_kill(own_server: LiveServer) -> None:
    s3 = own_server.client("s3")
    s3.create_bucket(Bucket="kept-data")
    s3.put_object(Bucket="kept-data", Key="k", Body=b"x" * 100_000)
    own_server.kill()
    own_server.start()
    assert own_server.client("s3").get_object(Bucket="kept-data", Key="k")["Body"].read() == b"x" * 100_000


def test_an_upload_file_of_the_high_level_client_goes_through_multipart(server: LiveServer, client: Client) -> None:
    import io

    s3 = bucket(client, "transfer")
    body = bytes(range(256)) * 40_000  # More than the 8 MB of one part.
    s3.upload_fileobj(io.BytesIO(body), "transfer", "big", ExtraArgs={"Metadata": {"m": "1"}})
    target = io.BytesIO()
    s3.download_fileobj("transfer", "big", target)
    assert target.getvalue() == body
    head = s3.head_object(Bucket="transfer", Key="big", PartNumber=1)
    assert head["PartsCount"] == 2
    assert head["ETag"].endswith('-2"')
    assert head["Metadata"] == {"m": "1"}


def test_an_unsigned_trailer_checksum_is_read(server: LiveServer, client: Client) -> None:
    import boto3

    bucket(client, "trailers")
    signed = boto3.client(
        "s3",
        region_name="us-east-1",
        endpoint_url=server.endpoint,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(request_checksum_calculation="when_supported"),
    )
    put = signed.put_object(Bucket="trailers", Key="k", Body=b"123456789", ChecksumAlgorithm="CRC32")
    assert put["ChecksumCRC32"] == "y/Q5Jg=="
    assert signed.get_object(Bucket="trailers", Key="k")["Body"].read() == b"123456789"
    signed.close()
