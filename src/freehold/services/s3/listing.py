"""Listing objects and versions by pages, with prefixes rolled up at a delimiter.

Source: Amazon S3 API Reference, ListObjectsV2, ListObjects, ListObjectVersions. One decision to know: a page asks the
store for the keys after the last one, and jumps over a rolled-up prefix, so a page costs what it shows.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import quote

from freehold.aws.call import Call, Json
from freehold.services.s3.record import OBJECT, S3, Bucket, find_bucket, invalid, moment, owner
from freehold.services.s3.versions import noncurrent
from freehold.state.store import Document

_LIMIT = 1000
_LAST = "\U0010ffff"

Encode = Callable[[str], str]


@dataclass(slots=True)
class _Page:
    found: list[Document] = field(default_factory=list)
    prefixes: list[str] = field(default_factory=list)
    last: str = ""  # The last key or prefix shown.
    is_truncated: bool = False


async def list_objects_v2(s3: S3, call: Call, request: Json) -> Json:
    bucket = await find_bucket(s3, call, request)
    token = request.get("ContinuationToken")
    delimiter = request.get("Delimiter") or ""
    after = _skip(_read_token(token), delimiter) if token else request.get("StartAfter") or ""
    page = await _page(s3, bucket, request, after)
    encode = _encoding(request)
    answer = _answer(call, request, page, show_owner=bool(request.get("FetchOwner")))
    answer["KeyCount"] = len(page.found) + len(page.prefixes)
    if token:
        answer["ContinuationToken"] = token
    if request.get("StartAfter"):
        answer["StartAfter"] = encode(request["StartAfter"])
    if page.is_truncated:
        answer["NextContinuationToken"] = base64.urlsafe_b64encode(page.last.encode()).decode()
    return answer


async def list_objects(s3: S3, call: Call, request: Json) -> Json:
    bucket = await find_bucket(s3, call, request)
    marker, delimiter = request.get("Marker") or "", request.get("Delimiter") or ""
    page = await _page(s3, bucket, request, _skip(marker, delimiter))
    answer = _answer(call, request, page, show_owner=True)
    answer["Marker"] = _encoding(request)(marker)
    if page.is_truncated and delimiter:
        answer["NextMarker"] = _encoding(request)(page.last)
    return answer


async def list_object_versions(s3: S3, call: Call, request: Json) -> Json:
    bucket = await find_bucket(s3, call, request)
    encode, limit = _encoding(request), _max_keys(request)
    marker, version_marker = request.get("KeyMarker") or "", request.get("VersionIdMarker")
    delimiter = request.get("Delimiter") or ""
    items: list[tuple[str, Document | None, bool]] = []  # (key, version, is it current); a prefix has no version.
    if version_marker:
        versions = await _versions_of(s3, bucket, marker)
        at = next((i for i, (v, _) in enumerate(versions) if v["versionId"] == version_marker), len(versions))
        items += [(marker, version, current) for version, current in versions[at + 1 :]]
    page = await _page(s3, bucket, request, _skip(marker, delimiter), with_markers=True)
    rest: list[tuple[str, Document | None, bool]] = [(prefix, None, False) for prefix in page.prefixes]
    for document in page.found:
        if len(items) + len(rest) > limit + len(page.prefixes):
            page.is_truncated = True
            break
        rest += [(document["key"], v, current) for v, current in await _versions_of(s3, bucket, document["key"])]
    items += sorted(rest, key=lambda item: item[0])
    is_truncated = page.is_truncated or len(items) > limit
    shown = [(version, current) for _, version, current in items[:limit] if version is not None]
    answer: Json = {
        "Name": bucket.name,
        "Prefix": encode(request.get("Prefix") or ""),
        "KeyMarker": encode(marker),
        "VersionIdMarker": version_marker or "",
        "MaxKeys": limit,
        "IsTruncated": is_truncated,
        "Versions": [_version(call, v, encode, current) for v, current in shown if not v.get("isDeleteMarker")],
        "DeleteMarkers": [_marker(call, v, encode, current) for v, current in shown if v.get("isDeleteMarker")],
        "CommonPrefixes": [{"Prefix": encode(key)} for key, version, _ in items[:limit] if version is None],
    }
    if delimiter:
        answer["Delimiter"] = encode(delimiter)
    if request.get("EncodingType"):
        answer["EncodingType"] = request["EncodingType"]
    if is_truncated and limit:
        last_key, last, _ = items[limit - 1]
        answer["NextKeyMarker"] = encode(last_key)
        if last is not None:
            answer["NextVersionIdMarker"] = last["versionId"]
    return answer


async def _page(s3: S3, bucket: Bucket, request: Json, after: str, *, with_markers: bool = False) -> _Page:
    prefix, delimiter = request.get("Prefix") or "", request.get("Delimiter") or ""
    limit, page = _max_keys(request), _Page()
    while limit:
        batch = await s3.store.list_documents(
            OBJECT, f"{bucket.name}/{prefix}", after=f"{bucket.name}/{after}" if after else "", limit=_LIMIT + 1
        )
        jumped = False
        for stored in batch:
            key = stored.document["key"]
            after = key
            if stored.document.get("isDeleteMarker") and not with_markers:
                continue
            if len(page.found) + len(page.prefixes) == limit:
                page.is_truncated = True
                return page
            end = key.find(delimiter, len(prefix)) if delimiter else -1
            if end < 0:
                page.found.append(stored.document)
                page.last = key
                continue
            page.last = key[: end + len(delimiter)]
            page.prefixes.append(page.last)
            after, jumped = page.last + _LAST, True
            break
        if not jumped and len(batch) <= _LIMIT:
            break
    return page


async def _versions_of(s3: S3, bucket: Bucket, key: str) -> list[tuple[Document, bool]]:
    """(version, is it the current one), newest first."""
    stored = await s3.store.read(OBJECT, f"{bucket.name}/{key}")
    if stored is None:
        return []
    older = await noncurrent(s3, bucket, key) if bucket.versioning else []
    return [(stored.document, True), *((version.document, False) for version in older)]


def _answer(call: Call, request: Json, page: _Page, *, show_owner: bool) -> Json:
    encode = _encoding(request)
    answer: Json = {
        "Name": request["Bucket"],
        "Prefix": encode(request.get("Prefix") or ""),
        "MaxKeys": _max_keys(request),
        "IsTruncated": page.is_truncated,
        "Contents": [_object(call, document, encode, show_owner=show_owner) for document in page.found],
        "CommonPrefixes": [{"Prefix": encode(prefix)} for prefix in page.prefixes],
    }
    if request.get("Delimiter"):
        answer["Delimiter"] = encode(request["Delimiter"])
    if request.get("EncodingType"):
        answer["EncodingType"] = request["EncodingType"]
    return answer


def _object(call: Call, version: Document, encode: Encode, *, show_owner: bool) -> Json:
    shown: Json = {
        "Key": encode(version["key"]),
        "LastModified": moment(version["lastModifiedMs"]),
        "ETag": f'"{version["etag"]}"',
        "Size": version["size"],
        "StorageClass": version["headers"].get("StorageClass", "STANDARD"),
        "ChecksumAlgorithm": [version["checksum"]["algorithm"]],
        "ChecksumType": version["checksum"]["kind"],
    }
    return {**shown, "Owner": owner(call)} if show_owner else shown


def _version(call: Call, version: Document, encode: Encode, current: bool) -> Json:
    shown = _object(call, version, encode, show_owner=True)
    return {**shown, "VersionId": version["versionId"], "IsLatest": current}


def _marker(call: Call, version: Document, encode: Encode, current: bool) -> Json:
    return {
        "Key": encode(version["key"]),
        "VersionId": version["versionId"],
        "IsLatest": current,
        "LastModified": moment(version["lastModifiedMs"]),
        "Owner": owner(call),
    }


def _encoding(request: Json) -> Encode:
    """Keys may hold what XML cannot: a client may ask for them percent-encoded."""
    if request.get("EncodingType") == "url":
        return lambda text: quote(text, safe="/*")
    return str


def _max_keys(request: Json) -> int:
    limit = request.get("MaxKeys")
    if limit is None:
        return _LIMIT
    if limit < 0:
        raise invalid("Argument maxKeys must be an integer between 0 and 2147483647", ArgumentName="maxKeys")
    return min(int(limit), _LIMIT)


def _skip(marker: str, delimiter: str) -> str:
    """After a rolled-up prefix come the keys that do not begin with it."""
    return marker + _LAST if delimiter and marker.endswith(delimiter) else marker


def _read_token(token: str) -> str:
    try:
        return base64.urlsafe_b64decode(token).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise invalid("The continuation token provided is incorrect", ArgumentName="continuation-token") from None
