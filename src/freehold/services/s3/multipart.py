"""Multipart uploads. Source: Amazon S3 User Guide, "Uploading and copying objects using multipart upload".

One decision to know: a part is a file of its own until the upload is completed, when the parts are joined into one
file. The upload goes after the object is there, so a crash between leaves an upload that can be completed again.
"""

from __future__ import annotations

import hashlib
from typing import Any

from freehold.aws.call import Call, Json
from freehold.aws.errors import AwsError
from freehold.clock import now_ms
from freehold.services.s3 import checksums, notifications
from freehold.services.s3.checksums import Checksum
from freehold.services.s3.conditions import read_range
from freehold.services.s3.objects import checksum_of, describe, find_source, wrote
from freehold.services.s3.record import PART, S3, UPLOAD, Bucket, find_bucket, invalid, moment, owner
from freehold.services.s3.versions import add_version
from freehold.state.store import Delete, Document, Put, Stored, Write

_LEAST_PART_BYTES = 5 * 1024 * 1024  # But of the last one.
_PARTS = 10_000
_FULL_ONLY = frozenset({"CRC64NVME"})


async def create_multipart_upload(s3: S3, call: Call, request: Json) -> Json:
    bucket, key = await find_bucket(s3, call, request), request["Key"]
    algorithm = request.get("ChecksumAlgorithm")
    if algorithm:
        checksums.start(algorithm)
    chosen = algorithm or checksums.DEFAULT
    kind = request.get("ChecksumType") or (checksums.FULL if chosen in _FULL_ONLY else checksums.COMPOSITE)
    if (kind == checksums.COMPOSITE and chosen in _FULL_ONLY) or (kind == checksums.FULL and chosen.startswith("SHA")):
        raise AwsError(
            "InvalidRequest",
            f"The {kind} checksum type cannot be used with the {chosen.lower()} checksum algorithm.",
            status=400,
        )
    upload_id = s3.ids.hex(64)
    document = {
        **describe(request, bucket),
        "key": key,
        "uploadId": upload_id,
        "initiatedMs": now_ms(s3.clock),
        "checksumAlgorithm": chosen,
        "checksumKind": kind,
        "asked": bool(algorithm),
    }
    await s3.store.write(Put(UPLOAD, _place(bucket, key, upload_id), document))
    answer = {"Bucket": bucket.name, "Key": key, "UploadId": upload_id}
    return {**answer, "ChecksumAlgorithm": algorithm, "ChecksumType": kind} if algorithm else answer


async def upload_part(s3: S3, call: Call, request: Json) -> Json:
    bucket = await find_bucket(s3, call, request)
    upload = await _find(s3, bucket, request)
    body = request.get("Body") or b""
    checksum = checksums.verify(request, body, upload.document["checksumAlgorithm"])
    file = s3.ids.hex(32)
    written = await s3.files.put(file, body)
    part = await _keep(s3, request, {"file": file, "size": written.size_bytes, "etag": written.md5.hex()}, checksum)
    return {"ETag": f'"{part["etag"]}"', f"Checksum{checksum.algorithm}": checksum.value}


async def upload_part_copy(s3: S3, call: Call, request: Json) -> Json:
    bucket = await find_bucket(s3, call, request)
    upload = await _find(s3, bucket, request)
    source_bucket, source = await find_source(s3, call, request)
    start, end = 0, source["size"]
    if request.get("CopySourceRange"):
        chosen = read_range(request["CopySourceRange"], source["size"])
        if chosen is None:
            raise invalid("The x-amz-copy-source-range value must be of the form bytes=first-last")
        start, end = chosen
    file = s3.ids.hex(32)
    written = await s3.files.copy(file, source["file"], start, end)
    checksum = await checksum_of(s3, file, upload.document["checksumAlgorithm"])
    part = await _keep(s3, request, {"file": file, "size": written.size_bytes, "etag": written.md5.hex()}, checksum)
    result = {
        "ETag": f'"{part["etag"]}"',
        "LastModified": moment(part["lastModifiedMs"]),
        f"Checksum{checksum.algorithm}": checksum.value,
    }
    answer: Json = {"CopyPartResult": result}
    return {**answer, "CopySourceVersionId": source["versionId"]} if source_bucket.versioning else answer


async def complete_multipart_upload(s3: S3, call: Call, request: Json) -> Json:
    bucket, key = await find_bucket(s3, call, request), request["Key"]
    upload = await _find(s3, bucket, request)
    stored = await _parts(s3, request["UploadId"])
    chosen = _chosen_parts(request, stored)
    file = s3.ids.hex(32)
    written = await s3.files.join(file, [part["file"] for part in chosen])
    try:
        if request.get("MpuObjectSize") not in (None, written.size_bytes):
            raise AwsError("InvalidRequest", "The object size does not match the provided size.", status=400)
        checksum = await _whole_checksum(s3, upload.document, chosen, file)
        sent = checksums.given(request)
        if sent and sent != (checksum.algorithm, checksum.value):
            raise AwsError(
                "BadDigest", f"The {sent[0]} you specified did not match the calculated checksum.", status=400
            )
        digests = b"".join(bytes.fromhex(part["etag"]) for part in chosen)
        version = {
            **{name: upload.document[name] for name in ("headers", "metadata", "tags")},
            "file": file,
            "size": written.size_bytes,
            "etag": f"{hashlib.md5(digests, usedforsecurity=False).hexdigest()}-{len(chosen)}",
            "checksum": checksum.document(),
            "parts": [{"size": part["size"], "checksum": part["checksum"]} for part in chosen],
        }
        made = await add_version(s3, bucket, key, version, request)
    except AwsError:
        await s3.files.remove([file])
        raise
    await _forget(s3, upload, stored)
    await notifications.created(s3, call, bucket, made, "CompleteMultipartUpload")
    return {
        "Location": f"{call.scheme}://{call.host or 's3.localhost'}/{bucket.name}/{key}",
        "Bucket": bucket.name,
        "Key": key,
        **wrote(bucket, made),
        **checksum.members(),
    }


async def abort_multipart_upload(s3: S3, call: Call, request: Json) -> Json:
    bucket = await find_bucket(s3, call, request)
    upload = await _find(s3, bucket, request)
    await _forget(s3, upload, await _parts(s3, request["UploadId"]))
    return {}


async def list_parts(s3: S3, call: Call, request: Json) -> Json:
    bucket = await find_bucket(s3, call, request)
    upload = await _find(s3, bucket, request)
    marker, limit = int(request.get("PartNumberMarker") or 0), min(request.get("MaxParts") or 1000, 1000)
    parts = [part.document for part in await _parts(s3, request["UploadId"]) if part.document["number"] > marker]
    page = parts[:limit]
    answer: Json = {
        "Bucket": bucket.name,
        "Key": request["Key"],
        "UploadId": request["UploadId"],
        "PartNumberMarker": marker,
        "NextPartNumberMarker": page[-1]["number"] if page else 0,
        "MaxParts": limit,
        "IsTruncated": len(parts) > limit,
        "Parts": [
            {
                "PartNumber": part["number"],
                "LastModified": moment(part["lastModifiedMs"]),
                "ETag": f'"{part["etag"]}"',
                "Size": part["size"],
                f"Checksum{part['checksum']['algorithm']}": part["checksum"]["value"],
            }
            for part in page
        ],
        "Initiator": owner(call),
        "Owner": owner(call),
        "StorageClass": upload.document["headers"].get("StorageClass", "STANDARD"),
    }
    if upload.document["asked"]:
        answer["ChecksumAlgorithm"] = upload.document["checksumAlgorithm"]
        answer["ChecksumType"] = upload.document["checksumKind"]
    return answer


async def list_multipart_uploads(s3: S3, call: Call, request: Json) -> Json:
    bucket, prefix = await find_bucket(s3, call, request), request.get("Prefix") or ""
    if request.get("Delimiter"):
        raise AwsError("NotImplemented", "Freehold does not support a delimiter in ListMultipartUploads.", status=501)
    marker, id_marker = request.get("KeyMarker") or "", request.get("UploadIdMarker") or ""
    limit = min(request.get("MaxUploads") or 1000, 1000)
    found = [upload.document for upload in await s3.store.list_documents(UPLOAD, f"{bucket.name}/{prefix}")]
    rest = [
        upload
        for upload in found
        if upload["key"] > marker or (id_marker and upload["key"] == marker and upload["uploadId"] > id_marker)
    ]
    page = rest[:limit]
    answer: Json = {
        "Bucket": bucket.name,
        "KeyMarker": marker,
        "UploadIdMarker": id_marker,
        "Prefix": prefix,
        "MaxUploads": limit,
        "IsTruncated": len(rest) > limit,
        "Uploads": [
            {
                "UploadId": upload["uploadId"],
                "Key": upload["key"],
                "Initiated": moment(upload["initiatedMs"]),
                "StorageClass": upload["headers"].get("StorageClass", "STANDARD"),
                "Owner": owner(call),
                "Initiator": owner(call),
            }
            for upload in page
        ],
    }
    if len(rest) > limit:
        answer["NextKeyMarker"], answer["NextUploadIdMarker"] = page[-1]["key"], page[-1]["uploadId"]
    return answer


async def _find(s3: S3, bucket: Bucket, request: Json) -> Stored:
    upload = await s3.store.read(UPLOAD, _place(bucket, request["Key"], request["UploadId"]))
    if upload is None:
        raise AwsError(
            "NoSuchUpload",
            "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted "
            "or completed.",
            status=404,
            fields={"UploadId": request["UploadId"]},
        )
    return upload


async def _parts(s3: S3, upload_id: str) -> list[Stored]:
    return await s3.store.list_documents(PART, f"{upload_id}/")


async def _keep(s3: S3, request: Json, written: dict[str, Any], checksum: Checksum) -> Document:
    number = request["PartNumber"]
    if not 1 <= number <= _PARTS:
        await s3.files.remove([written["file"]])
        raise invalid(
            f"Part number must be an integer between 1 and {_PARTS}, inclusive",
            ArgumentName="partNumber",
            ArgumentValue=str(number),
        )
    place = f"{request['UploadId']}/{number:05d}"
    before = await s3.store.read(PART, place)
    part = {**written, "number": number, "lastModifiedMs": now_ms(s3.clock), "checksum": checksum.document()}
    await s3.store.write(Put(PART, place, part))
    if before is not None:
        await s3.files.remove([before.document["file"]])
    return part


def _chosen_parts(request: Json, stored: list[Stored]) -> list[Document]:
    """The parts that the client names, in order. InvalidPart, InvalidPartOrder, EntityTooSmall."""
    named = (request.get("MultipartUpload") or {}).get("Parts") or []
    if not named:
        raise AwsError("InvalidRequest", "You must specify at least one part", status=400)
    numbers = [part["PartNumber"] for part in named]
    if numbers != sorted(set(numbers)):
        raise AwsError(
            "InvalidPartOrder",
            "The list of parts was not in ascending order. Parts must be ordered by part number.",
            status=400,
        )
    there = {part.document["number"]: part.document for part in stored}
    chosen = []
    for part in named:
        found = there.get(part["PartNumber"])
        sent = checksums.given(part)
        if (
            found is None
            or part.get("ETag", "").strip('"') != found["etag"]
            or (sent and sent != (found["checksum"]["algorithm"], found["checksum"]["value"]))
        ):
            raise AwsError(
                "InvalidPart",
                "One or more of the specified parts could not be found. The part may not have been uploaded, or the "
                "specified entity tag may not match the part's entity tag.",
                status=400,
                fields={"UploadId": request["UploadId"], "PartNumber": part["PartNumber"]},
            )
        chosen.append(found)
    for found in chosen[:-1]:
        if found["size"] < _LEAST_PART_BYTES:
            raise AwsError(
                "EntityTooSmall",
                "Your proposed upload is smaller than the minimum allowed size",
                status=400,
                fields={"ProposedSize": found["size"], "MinSizeAllowed": _LEAST_PART_BYTES},
            )
    return chosen


async def _whole_checksum(s3: S3, upload: Document, parts: list[Document], file: str) -> Checksum:
    algorithm = upload["checksumAlgorithm"]
    if upload["checksumKind"] == checksums.COMPOSITE and all(
        part["checksum"]["algorithm"] == algorithm for part in parts
    ):
        return checksums.composite(algorithm, [part["checksum"]["value"] for part in parts])
    return await checksum_of(s3, file, algorithm)


async def _forget(s3: S3, upload: Stored, parts: list[Stored]) -> None:
    writes: list[Write] = [Delete(UPLOAD, upload.key), *(Delete(PART, part.key) for part in parts)]
    await s3.store.write(*writes)
    await s3.files.remove([part.document["file"] for part in parts])


def _place(bucket: Bucket, key: str, upload_id: str) -> str:
    return f"{bucket.name}/{key}\0{upload_id}"
