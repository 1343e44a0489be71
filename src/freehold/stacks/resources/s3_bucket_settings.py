"""What a bucket's properties become in S3's own requests: a line a setting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from freehold.aws.call import Json
from freehold.stacks.resources.types import pick, without


def _cors(value: Json) -> Json:
    names = {"ExposedHeaders": "ExposeHeaders", "Id": "ID", "MaxAge": "MaxAgeSeconds"}
    rules = [{names.get(name, name): item for name, item in rule.items()} for rule in value["CorsRules"]]
    return {"CORSConfiguration": {"CORSRules": rules}}


def _encryption(value: Json) -> Json:
    rules = []
    for rule in value["ServerSideEncryptionConfiguration"]:
        made = without(rule, "ServerSideEncryptionByDefault")
        if "ServerSideEncryptionByDefault" in rule:
            made["ApplyServerSideEncryptionByDefault"] = rule["ServerSideEncryptionByDefault"]
        rules.append(made)
    return {"ServerSideEncryptionConfiguration": {"Rules": rules}}


def _lifecycle(value: Json) -> Json:
    return {"LifecycleConfiguration": {"Rules": [_lifecycle_rule(rule) for rule in value["Rules"]]}}


def _lifecycle_rule(rule: Json) -> Json:
    made: Json = {"Status": rule["Status"], **pick(rule, "AbortIncompleteMultipartUpload")}
    if "Id" in rule:
        made["ID"] = rule["Id"]
    made["Filter"] = _lifecycle_filter(rule)
    expiration = {
        **({"Days": rule["ExpirationInDays"]} if "ExpirationInDays" in rule else {}),
        **({"Date": rule["ExpirationDate"]} if "ExpirationDate" in rule else {}),
        **pick(rule, "ExpiredObjectDeleteMarker"),
    }
    if expiration:
        made["Expiration"] = expiration
    noncurrent = dict(rule.get("NoncurrentVersionExpiration") or {})
    if "NoncurrentVersionExpirationInDays" in rule:
        noncurrent["NoncurrentDays"] = rule["NoncurrentVersionExpirationInDays"]
    if noncurrent:
        made["NoncurrentVersionExpiration"] = noncurrent
    transitions = rule.get("Transitions") or ([rule["Transition"]] if "Transition" in rule else [])
    if transitions:
        names = {"TransitionInDays": "Days", "TransitionDate": "Date"}
        made["Transitions"] = [{names.get(name, name): item for name, item in one.items()} for one in transitions]
    return made


def _lifecycle_filter(rule: Json) -> Json:
    tags = rule.get("TagFilters") or []
    prefix = rule.get("Prefix", "")
    if not tags:
        return {"Prefix": prefix}
    if len(tags) == 1 and not prefix:
        return {"Tag": tags[0]}
    return {"And": {"Prefix": prefix, "Tags": tags}}


def _website(value: Json) -> Json:
    made = pick(value, "RedirectAllRequestsTo")
    if "IndexDocument" in value:
        made["IndexDocument"] = {"Suffix": value["IndexDocument"]}
    if "ErrorDocument" in value:
        made["ErrorDocument"] = {"Key": value["ErrorDocument"]}
    if "RoutingRules" in value:
        made["RoutingRules"] = [
            {
                "Redirect": rule["RedirectRule"],
                **({"Condition": rule["RoutingRuleCondition"]} if "RoutingRuleCondition" in rule else {}),
            }
            for rule in value["RoutingRules"]
        ]
    return {"WebsiteConfiguration": made}


def _versioning(value: Json) -> Json:
    return {"VersioningConfiguration": {"Status": value["Status"]}}


def _tagging(value: Any) -> Json:
    return {"Tagging": {"TagSet": value}}


def _same(member: str) -> Callable[[Any], Json]:
    return lambda value: {member: value}


# Property -> the operation that sets it, the one that takes it away ("": nothing does), and its request.
SETTINGS: dict[str, tuple[str, str, Callable[[Any], Json]]] = {
    "BucketEncryption": ("PutBucketEncryption", "DeleteBucketEncryption", _encryption),
    "CorsConfiguration": ("PutBucketCors", "DeleteBucketCors", _cors),
    "LifecycleConfiguration": ("PutBucketLifecycleConfiguration", "DeleteBucketLifecycle", _lifecycle),
    "OwnershipControls": ("PutBucketOwnershipControls", "DeleteBucketOwnershipControls", _same("OwnershipControls")),
    "PublicAccessBlockConfiguration": (
        "PutPublicAccessBlock",
        "DeletePublicAccessBlock",
        _same("PublicAccessBlockConfiguration"),
    ),
    "Tags": ("PutBucketTagging", "DeleteBucketTagging", _tagging),
    "VersioningConfiguration": ("PutBucketVersioning", "", _versioning),
    "WebsiteConfiguration": ("PutBucketWebsite", "DeleteBucketWebsite", _website),
}
