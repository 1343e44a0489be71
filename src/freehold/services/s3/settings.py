"""What is set on a bucket: policy, encryption, CORS, tags, versioning and the like, each put, read and deleted alike.

Source: Amazon S3 API Reference, the actions' pages. One decision to know: a setting is kept as it came, and its three
operations are made from its line in the table; reading one that was never set is the error that S3 answers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson

from freehold.aws.call import Call, Json, Operation
from freehold.aws.errors import AwsError
from freehold.services.s3.record import BUCKET, S3, find_bucket, invalid, not_supported
from freehold.state.store import Conflict, Put

_ATTEMPTS = 16
_POLICY_BYTES = 20 * 1024
_DEFAULT_ENCRYPTION = {
    "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}]
}


@dataclass(frozen=True, slots=True)
class Setting:
    name: str  # In the operations' names: PutBucket{name}.
    member: str  # Of the request.
    missing: tuple[str, str]  # Code and message where it is not set.
    check: Callable[[Any], None] = lambda value: None
    default: Json | None = None  # Answered where it is not set.
    flat: bool = False  # The answer is the setting's members rather than one member.


async def change_bucket(s3: S3, call: Call, request: Json, change: Callable[[Json], None]) -> None:
    for _ in range(_ATTEMPTS):
        bucket = await find_bucket(s3, call, request)
        document = {**bucket.document, "settings": dict(bucket.document["settings"])}
        change(document)
        try:
            await s3.store.write(Put(BUCKET, bucket.name, document, if_revision=bucket.revision))
        except Conflict:
            continue
        return
    raise AwsError("OperationAborted", "A conflicting conditional operation is in progress.", status=409)


def operations(setting: Setting) -> dict[str, Operation]:
    """Put, Get and Delete of one setting."""

    async def put(s3: S3, call: Call, request: Json) -> Json:
        value = request.get(setting.member)
        if value is None or value == "":
            raise malformed_xml()
        setting.check(value)
        await change_bucket(s3, call, request, lambda document: _set(document, setting.member, value))
        return {}

    async def get(s3: S3, call: Call, request: Json) -> Json:
        bucket = await find_bucket(s3, call, request)
        value = bucket.document["settings"].get(setting.member, setting.default)
        if value is None:
            code, message = setting.missing
            raise AwsError(code, message, status=404, fields={"BucketName": bucket.name})
        return dict(value) if setting.flat else {setting.member: value}

    async def delete(s3: S3, call: Call, request: Json) -> Json:
        await change_bucket(s3, call, request, lambda document: _set(document, setting.member, None))
        return {}

    return {_name("Put", setting.name): put, _name("Get", setting.name): get, _name("Delete", setting.name): delete}


def never_set(name: str, code: str, message: str) -> dict[str, Operation]:
    """Reading what Freehold cannot set yet: no bucket has it."""

    async def get(s3: S3, call: Call, request: Json) -> Json:
        bucket = await find_bucket(s3, call, request)
        raise AwsError(code, message, status=404, fields={"BucketName": bucket.name})

    return {f"Get{name}": get}


async def put_bucket_versioning(s3: S3, call: Call, request: Json) -> Json:
    configuration = request["VersioningConfiguration"]
    if configuration.get("MFADelete") == "Enabled":
        not_supported("MFA delete")
    status = configuration.get("Status")
    if status not in ("Enabled", "Suspended"):
        raise AwsError(
            "IllegalVersioningConfigurationException",
            "The Versioning element must be specified",
            status=400,
        )

    def change(document: Json) -> None:
        document["versioning"] = status

    await change_bucket(s3, call, request, change)
    return {}


async def get_bucket_versioning(s3: S3, call: Call, request: Json) -> Json:
    bucket = await find_bucket(s3, call, request)
    return {"Status": bucket.versioning} if bucket.versioning else {}


async def get_bucket_policy_status(s3: S3, call: Call, request: Json) -> Json:
    bucket = await find_bucket(s3, call, request)
    text = bucket.document["settings"].get("Policy")
    if text is None:
        raise AwsError("NoSuchBucketPolicy", "The bucket policy does not exist", status=404)
    return {"PolicyStatus": {"IsPublic": any(_is_public(one) for one in _statements(orjson.loads(text)))}}


async def get_bucket_request_payment(s3: S3, call: Call, request: Json) -> Json:
    await find_bucket(s3, call, request)
    return {"Payer": "BucketOwner"}


async def get_nothing(s3: S3, call: Call, request: Json) -> Json:
    """Logging and acceleration: an empty answer says that they are off."""
    await find_bucket(s3, call, request)
    return {}


def malformed_xml() -> AwsError:
    return AwsError(
        "MalformedXML",
        "The XML you provided was not well-formed or did not validate against our published schema",
        status=400,
    )


def _set(document: Json, member: str, value: Any) -> None:
    if value is None:
        document["settings"].pop(member, None)
    else:
        document["settings"][member] = value


def _name(verb: str, name: str) -> str:
    return f"{verb}{name}" if name == "PublicAccessBlock" else f"{verb}Bucket{name}"


def _check_policy(text: str) -> None:
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError:
        document = None
    if not isinstance(document, dict):
        raise AwsError("MalformedPolicy", "Policies must be valid JSON and the first byte must be '{'", status=400)
    if len(text.encode()) > _POLICY_BYTES:
        raise AwsError("PolicyTooLarge", "Your policy exceeds the maximum allowed document size.", status=400)
    statements = _statements(document)
    if not statements:
        raise AwsError("MalformedPolicy", "Missing required field Statement", status=400)
    for statement in statements:
        for fields in (
            ("Effect",),
            ("Principal", "NotPrincipal"),
            ("Action", "NotAction"),
            ("Resource", "NotResource"),
        ):
            if not isinstance(statement, dict) or not any(name in statement for name in fields):
                raise AwsError("MalformedPolicy", f"Missing required field {fields[0]}", status=400)


def _statements(document: Json) -> list[Any]:
    found = document.get("Statement", [])
    return found if isinstance(found, list) else [found]


def _is_public(statement: Json) -> bool:
    principal = statement.get("Principal")
    everyone = principal == "*" or (isinstance(principal, dict) and principal.get("AWS") in ("*", ["*"]))
    return statement.get("Effect") == "Allow" and everyone and not statement.get("Condition")


def _check_cors(value: Json) -> None:
    rules = value.get("CORSRules") or []
    if not rules or len(rules) > 100:
        raise malformed_xml()
    for rule in rules:
        for method in rule.get("AllowedMethods", []):
            if method not in ("GET", "PUT", "HEAD", "POST", "DELETE"):
                raise AwsError(
                    "InvalidRequest",
                    f"Found unsupported HTTP method in CORS config. Unsupported method is {method}",
                    status=400,
                )
        for origin in rule.get("AllowedOrigins", []):
            if origin.count("*") > 1:
                raise AwsError(
                    "InvalidRequest", f'AllowedOrigin "{origin}" can not have more than one wildcard.', status=400
                )


def check_tag_set(value: Json) -> None:
    keys = [tag["Key"] for tag in value.get("TagSet", [])]
    if len(set(keys)) != len(keys):
        raise AwsError("InvalidTag", "Cannot provide multiple Tags with the same key", status=400)
    if any(key.startswith("aws:") for key in keys):
        # CloudFormation's own tags come through here as well, from inside.
        return
    if len(keys) > 50:
        raise AwsError("BadRequest", "Bucket tag count cannot be greater than 50", status=400)


def _check_ownership(value: Json) -> None:
    rules = value.get("Rules") or []
    if len(rules) != 1 or rules[0].get("ObjectOwnership") not in (
        "BucketOwnerPreferred",
        "ObjectWriter",
        "BucketOwnerEnforced",
    ):
        raise malformed_xml()


def _check_encryption(value: Json) -> None:
    rules = value.get("Rules") or []
    if len(rules) != 1:
        raise malformed_xml()
    default = rules[0].get("ApplyServerSideEncryptionByDefault") or {}
    if default.get("SSEAlgorithm") not in (None, "AES256", "aws:kms", "aws:kms:dsse"):
        raise malformed_xml()
    if default.get("SSEAlgorithm") == "AES256" and default.get("KMSMasterKeyID"):
        raise invalid(
            "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse",
            ArgumentName="ApplyServerSideEncryptionByDefault",
        )


SETTINGS = (
    Setting(
        "Policy",
        "Policy",
        ("NoSuchBucketPolicy", "The bucket policy does not exist"),
        _check_policy,
    ),
    Setting("Tagging", "Tagging", ("NoSuchTagSet", "The TagSet does not exist"), check_tag_set, flat=True),
    Setting(
        "Cors",
        "CORSConfiguration",
        ("NoSuchCORSConfiguration", "The CORS configuration does not exist"),
        _check_cors,
        flat=True,
    ),
    Setting(
        "Encryption",
        "ServerSideEncryptionConfiguration",
        ("ServerSideEncryptionConfigurationNotFoundError", "The server side encryption configuration was not found"),
        _check_encryption,
        default=_DEFAULT_ENCRYPTION,
    ),
    Setting(
        "PublicAccessBlock",
        "PublicAccessBlockConfiguration",
        ("NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found"),
    ),
    Setting(
        "OwnershipControls",
        "OwnershipControls",
        ("OwnershipControlsNotFoundError", "The bucket ownership controls were not found"),
        _check_ownership,
    ),
)
NEVER_SET = {
    **never_set(
        "BucketWebsite", "NoSuchWebsiteConfiguration", "The specified bucket does not have a website configuration"
    ),
    **never_set(
        "BucketLifecycleConfiguration",
        "NoSuchLifecycleConfiguration",
        "The lifecycle configuration does not exist",
    ),
    **never_set(
        "BucketReplication",
        "ReplicationConfigurationNotFoundError",
        "The replication configuration was not found",
    ),
    **never_set(
        "ObjectLockConfiguration",
        "ObjectLockConfigurationNotFoundError",
        "Object Lock configuration does not exist for this bucket",
    ),
}
