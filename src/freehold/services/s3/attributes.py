"""GetObjectAttributes: chosen facts of an object. Source: Amazon S3 API Reference, GetObjectAttributes."""

from __future__ import annotations

from freehold.aws.call import Call, Json
from freehold.services.s3.checksums import COMPOSITE, Checksum
from freehold.services.s3.record import S3, find_bucket, invalid, moment
from freehold.services.s3.versions import find_version

_KNOWN = frozenset({"ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"})


async def get_object_attributes(s3: S3, call: Call, request: Json) -> Json:
    bucket = await find_bucket(s3, call, request)
    wanted = set(request["ObjectAttributes"])
    if not wanted <= _KNOWN:
        raise invalid("Invalid attribute name specified.", ArgumentName="x-amz-object-attributes")
    version = await find_version(s3, bucket, request["Key"], request.get("VersionId"))
    answer: Json = {"LastModified": moment(version["lastModifiedMs"])}
    if bucket.versioning:
        answer["VersionId"] = version["versionId"]
    if "ETag" in wanted:
        answer["ETag"] = version["etag"]  # Here without quotation marks.
    if "Checksum" in wanted:
        answer["Checksum"] = Checksum(**version["checksum"]).members()
    if "StorageClass" in wanted:
        answer["StorageClass"] = version["headers"].get("StorageClass", "STANDARD")
    if "ObjectSize" in wanted:
        answer["ObjectSize"] = version["size"]
    if "ObjectParts" in wanted and version.get("parts"):
        answer["ObjectParts"] = _parts(version["parts"], version["checksum"]["kind"], request)
    return answer


def _parts(parts: list[Json], kind: str, request: Json) -> Json:
    marker, limit = int(request.get("PartNumberMarker") or 0), request.get("MaxParts") or 1000
    answer: Json = {"TotalPartsCount": len(parts), "PartNumberMarker": marker, "MaxParts": limit}
    if kind != COMPOSITE:
        return answer  # S3 keeps the single parts only of composite checksums.
    numbered = list(enumerate(parts, 1))[marker:]
    answer["Parts"] = [
        {
            "PartNumber": number,
            "Size": part["size"],
            f"Checksum{part['checksum']['algorithm']}": part["checksum"]["value"],
        }
        for number, part in numbered[:limit]
    ]
    answer["IsTruncated"] = len(numbered) > limit
    answer["NextPartNumberMarker"] = answer["Parts"][-1]["PartNumber"] if answer["Parts"] else 0
    return answer
