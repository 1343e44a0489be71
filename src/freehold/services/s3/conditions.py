"""Conditional requests and ranges: pure decisions over an object's ETag, time and size.

Source: Amazon S3 API Reference, GetObject ("Overriding... conditional headers") and RFC 9110, section 13.2.2.
"""

from __future__ import annotations

import re
from datetime import datetime

from freehold.aws.call import Json
from freehold.aws.errors import AwsError

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def check_read(request: Json, etag: str, modified: datetime, *, prefix: str = "") -> None:
    """PreconditionFailed or NotModified. `prefix`: "CopySource" for those of a copy's source."""
    match, none_match = request.get(f"{prefix}IfMatch"), request.get(f"{prefix}IfNoneMatch")
    since, unmodified = request.get(f"{prefix}IfModifiedSince"), request.get(f"{prefix}IfUnmodifiedSince")
    if match is not None:
        if not _names(match, etag):
            raise precondition_failed("If-Match")
    elif unmodified is not None and modified > unmodified:
        raise precondition_failed("If-Unmodified-Since")
    if none_match is not None:
        if _names(none_match, etag):
            raise _unchanged(prefix, "If-None-Match")
    elif since is not None and modified <= since:
        raise _unchanged(prefix, "If-Modified-Since")


def check_write(request: Json, etag: str | None) -> None:
    """`etag`: of what is there, None when nothing is."""
    if request.get("IfNoneMatch") is not None and etag is not None:
        raise precondition_failed("If-None-Match")
    if request.get("IfMatch") is not None:
        if etag is None:
            raise AwsError("NoSuchKey", "The specified key does not exist.", status=404)
        if not _names(request["IfMatch"], etag):
            raise precondition_failed("If-Match")


def read_range(text: str | None, size: int) -> tuple[int, int] | None:
    """(start, exclusive end); None for the whole object. InvalidRange when nothing of it lies in the object."""
    found = _RANGE.fullmatch(text.strip()) if text else None
    if found is None or found.groups() == ("", ""):
        return None  # S3 ignores what it cannot read, several ranges too.
    first, last = found.groups()
    if not first:
        start, end = max(size - int(last), 0), size
        satisfiable = int(last) > 0 and size > 0
    else:
        start, end = int(first), min(int(last) + 1, size) if last else size
        if last and int(last) < start:
            return None
        satisfiable = start < size
    if not satisfiable:
        raise AwsError(
            "InvalidRange",
            "The requested range is not satisfiable",
            status=416,
            fields={"RangeRequested": text, "ActualObjectSize": size},
        )
    return start, end


def precondition_failed(condition: str) -> AwsError:
    return AwsError(
        "PreconditionFailed",
        "At least one of the pre-conditions you specified did not hold",
        status=412,
        fields={"Condition": condition},
    )


def _unchanged(prefix: str, condition: str) -> AwsError:
    # A copy has no cache to tell, so there it is a failed condition too.
    return precondition_failed(condition) if prefix else AwsError("NotModified", "Not Modified", status=304)


def _names(header: str, etag: str) -> bool:
    names = {name.strip().removeprefix("W/").strip('"') for name in header.split(",")}
    return "*" in names or etag in names
