"""Objects: put, get, head, copy, delete. Source: Amazon S3 API Reference, the actions' pages."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, unquote

from freehold.aws.call import Call, Json
from freehold.aws.errors import AwsError
from freehold.services.s3 import checksums, notifications
from freehold.services.s3.acls import refuse_acl
from freehold.services.s3.checksums import Checksum
from freehold.services.s3.conditions import check_read, read_range
from freehold.services.s3.record import S3, Bucket, find_bucket, invalid, moment, not_supported
from freehold.services.s3.versions import add_version, find_version
from freehold.state.store import Document

KEY_BYTES = 1024
METADATA_BYTES = 2048
_WHOLE_BYTES = 1024 * 1024  # A larger object is streamed from its file.
_ATTEMPTS = 3
# Kept as sent, and sent back.
_HEADERS = (
    *("CacheControl", "ContentDisposition", "ContentEncoding", "ContentLanguage", "ContentType", "Expires"),
    *("WebsiteRedirectLocation", "StorageClass", "ServerSideEncryption", "SSEKMSKeyId", "BucketKeyEnabled"),
)
_OVERRIDES = ("CacheControl", "ContentDisposition", "ContentEncoding", "ContentLanguage", "ContentType", "Expires")
_ENCRYPTION = ("ServerSideEncryption", "SSEKMSKeyId", "BucketKeyEnabled")


async def put_object(s3: S3, call: Call, request: Json) -> Json:
    bucket, key = await find_bucket(s3, call, request), request["Key"]
    described = describe(request, bucket)
    body = request.get("Body") or b""
    checksum = checksums.verify(request, body)
    file = s3.ids.hex(32)
    written = await s3.files.put(file, body)
    version = {
        **described,
        "file": file,
        "size": written.size_bytes,
        "etag": written.md5.hex(),
        "checksum": checksum.document(),
    }
    made = await _add(s3, bucket, key, version, request)
    await notifications.created(s3, call, bucket, made, "Put")
    return {**wrote(bucket, made), **checksum.members()}


async def get_object(s3: S3, call: Call, request: Json) -> Json:
    bucket = await find_bucket(s3, call, request)
    for _ in range(_ATTEMPTS):
        version = await find_version(s3, bucket, request["Key"], request.get("VersionId"))
        answer, start, end = read_headers(bucket, version, request)
        try:
            if end - start <= _WHOLE_BYTES:
                answer["Body"] = await s3.files.read(version["file"], start, end)
            else:
                answer["Body"] = await s3.files.stream(version["file"], start, end)
        except FileNotFoundError:
            continue  # Overwritten between the document and the file: what is there now is the answer.
        return answer
    raise AwsError("InternalError", f"The data of the object {request['Key']} is missing.", status=500)


async def head_object(s3: S3, call: Call, request: Json) -> Json:
    bucket = await find_bucket(s3, call, request)
    version = await find_version(s3, bucket, request["Key"], request.get("VersionId"))
    return read_headers(bucket, version, request)[0]


async def copy_object(s3: S3, call: Call, request: Json) -> Json:
    bucket, key = await find_bucket(s3, call, request), request["Key"]
    source_bucket, source = await find_source(s3, call, request)
    replaced = request.get("MetadataDirective") == "REPLACE"
    changed = [name for name in ("StorageClass", "ServerSideEncryption", "WebsiteRedirectLocation") if name in request]
    is_itself = source_bucket.name == bucket.name and source["key"] == key and "versionId=" not in request["CopySource"]
    if is_itself and not replaced and not changed:
        raise AwsError(
            "InvalidRequest",
            "This copy request is illegal because it is trying to copy an object to itself without changing the "
            "object's metadata, storage class, website redirect location or encryption attributes.",
            status=400,
        )
    described = describe(request, bucket)
    if not replaced:
        described["headers"] = {**source["headers"], **{name: request[name] for name in changed}}
        described["metadata"] = source["metadata"]
    if request.get("TaggingDirective") != "REPLACE":
        described["tags"] = source.get("tags", {})
    file = s3.ids.hex(32)
    written = await s3.files.copy(file, source["file"])
    checksum = await _copied_checksum(s3, source, file, request.get("ChecksumAlgorithm"))
    version = {
        **described,
        "file": file,
        "size": written.size_bytes,
        "etag": written.md5.hex(),
        "checksum": checksum.document(),
    }
    made = await _add(s3, bucket, key, version, request)
    await notifications.created(s3, call, bucket, made, "Copy")
    answer = wrote(bucket, made)
    result = {"ETag": answer.pop("ETag"), "LastModified": moment(made["lastModifiedMs"]), **checksum.members()}
    if source_bucket.versioning:
        answer["CopySourceVersionId"] = source["versionId"]
    return {**answer, "CopyObjectResult": result}


async def find_source(s3: S3, call: Call, request: Json) -> tuple[Bucket, Document]:
    """The bucket and version that CopySource names, when its conditions hold."""
    text, _, query = request["CopySource"].partition("?versionId=")
    name, _, key = unquote(text).removeprefix("/").partition("/")
    if not name or not key:
        raise invalid("Invalid copy source object key", ArgumentName="x-amz-copy-source", ArgumentValue=text)
    where = {"Bucket": name, "ExpectedBucketOwner": request.get("ExpectedSourceBucketOwner")}
    bucket = await find_bucket(s3, call, where)
    version = await find_version(s3, bucket, key, query or None)
    check_read(request, version["etag"], moment(version["lastModifiedMs"]), prefix="CopySource")
    return bucket, version


def describe(request: Json, bucket: Bucket) -> dict[str, Any]:
    """What a request says about an object that it makes."""
    if request.get("SSECustomerAlgorithm"):
        not_supported("encryption with customer-provided keys (SSE-C)")
    for name in ("ObjectLockMode", "ObjectLockLegalHoldStatus", "ObjectLockRetainUntilDate"):
        if request.get(name):
            not_supported("object lock")
    refuse_acl(request, bucket)
    if len(request["Key"].encode()) > KEY_BYTES:
        raise AwsError("KeyTooLongError", "Your key is too long", status=400, fields={"MaxSizeAllowed": KEY_BYTES})
    metadata = {name.lower(): value for name, value in (request.get("Metadata") or {}).items()}
    if sum(len(name) + len(value.encode()) for name, value in metadata.items()) > METADATA_BYTES:
        raise AwsError(
            "MetadataTooLarge",
            "Your metadata headers exceed the maximum allowed metadata size",
            status=400,
            fields={"MaxSizeAllowed": METADATA_BYTES},
        )
    headers = {name: request[name] for name in _HEADERS if request.get(name) is not None}
    if "Expires" in headers and not isinstance(headers["Expires"], str):
        headers["Expires"] = headers["Expires"].strftime("%a, %d %b %Y %H:%M:%S GMT")
    return {"headers": headers, "metadata": metadata, "tags": read_tagging(request.get("Tagging"))}


def read_tagging(text: str | None) -> dict[str, str]:
    """Of the header x-amz-tagging: a query string."""
    tags = dict(parse_qsl(text or "", keep_blank_values=True))
    check_tags(tags)
    return tags


def check_tags(tags: dict[str, str]) -> None:
    if len(tags) > 10:
        raise AwsError("BadRequest", "Object tags cannot be greater than 10", status=400)
    for key, value in tags.items():
        if not 0 < len(key) <= 128:
            raise AwsError("InvalidTag", "The TagKey you have provided is invalid", status=400)
        if len(value) > 256:
            raise AwsError("InvalidTag", "The TagValue you have provided is invalid", status=400)


def wrote(bucket: Bucket, version: Document) -> Json:
    """What every answer to a write says."""
    answer: Json = {"ETag": f'"{version["etag"]}"'}
    answer.update({name: version["headers"][name] for name in _ENCRYPTION if name in version["headers"]})
    if bucket.versioning:
        answer["VersionId"] = version["versionId"]
    return answer


def read_headers(bucket: Bucket, version: Document, request: Json) -> tuple[Json, int, int]:
    """The answer without its body, and which bytes the body is."""
    if request.get("SSECustomerAlgorithm"):
        not_supported("encryption with customer-provided keys (SSE-C)")
    modified = moment(version["lastModifiedMs"])
    check_read(request, version["etag"], modified)
    size = version["size"]
    chosen = (
        _part(version, request["PartNumber"]) if "PartNumber" in request else read_range(request.get("Range"), size)
    )
    start, end = chosen or (0, size)
    answer: Json = {
        "AcceptRanges": "bytes",
        "LastModified": modified,
        "ContentLength": end - start,
        "ETag": f'"{version["etag"]}"',
        "ContentType": "binary/octet-stream",
        "Metadata": version["metadata"],
        **version["headers"],
    }
    if answer.get("StorageClass") == "STANDARD":
        del answer["StorageClass"]  # S3 names only the others.
    for name in _OVERRIDES:
        if request.get(f"Response{name}") is not None:
            answer[name] = request[f"Response{name}"]
    if chosen:
        answer["ContentRange"] = f"bytes {start}-{end - 1}/{size}"
    if bucket.versioning:
        answer["VersionId"] = version["versionId"]
    if version.get("tags"):
        answer["TagCount"] = len(version["tags"])
    if "PartNumber" in request and version.get("parts"):
        answer["PartsCount"] = len(version["parts"])
    if request.get("ChecksumMode") == "ENABLED" and not chosen:
        answer.update(Checksum(**version["checksum"]).members())
    return answer, start, end


def _part(version: Document, number: int) -> tuple[int, int] | None:
    parts = version.get("parts") or [{"size": version["size"]}]
    if not 1 <= number <= len(parts):
        raise AwsError("InvalidPartNumber", "The requested partnumber is not satisfiable", status=416)
    start = sum(part["size"] for part in parts[: number - 1])
    end = start + int(parts[number - 1]["size"])
    return (start, end) if end > start else None


async def _add(s3: S3, bucket: Bucket, key: str, version: Json, request: Json) -> Document:
    try:
        return await add_version(s3, bucket, key, version, request)
    except AwsError:
        await s3.files.remove([version["file"]])
        raise


async def _copied_checksum(s3: S3, source: Document, file: str, algorithm: str | None) -> Checksum:
    kept = Checksum(**source["checksum"])
    if kept.kind == checksums.FULL and algorithm in (None, kept.algorithm):
        return kept
    return await checksum_of(s3, file, algorithm or kept.algorithm)


async def checksum_of(s3: S3, file: str, algorithm: str) -> Checksum:
    digest = checksums.start(algorithm)
    await s3.files.digest(file, digest.update)
    return Checksum(algorithm, checksums.encode(digest))
