"""A template's transforms, in CloudFormation's order: AWS::Include where it stands, then those of `Transform`.

Sources: "AWS::Include transform", "AWS::LanguageExtensions transform", "AWS::Serverless transform".
"""

from __future__ import annotations

import asyncio
import re
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from freehold.aws.call import Aws, Json
from freehold.aws.errors import AwsError
from freehold.stacks.errors import validation_error
from freehold.stacks.intrinsics import Scope, resolve
from freehold.stacks.language_extensions import expand_loops
from freehold.stacks.s3_bodies import whole_body
from freehold.templates.sam.transform import TRANSFORM as SERVERLESS
from freehold.templates.sam.transform import SamError, transform
from freehold.templates.yaml_reader import TemplateSyntaxError, read_template

LANGUAGE_EXTENSIONS = "AWS::LanguageExtensions"
INCLUDE = "AWS::Include"
_BUCKET_HOST = re.compile(r"(.+)\.s3[.-]")  # bucket.s3.us-east-1.amazonaws.com, bucket.s3.localhost


class TransformFailed(Exception):
    """The transform says that the template is wrong; a change set with it ends as FAILED with this reason."""


def transforms_of(body: Json) -> list[str]:
    """Names of the transforms that the template asks for at its top."""
    listed = body.get("Transform") or []
    return [
        item["Name"] if isinstance(item, dict) else item for item in (listed if isinstance(listed, list) else [listed])
    ]


def needs_expansion(body: Json) -> bool:
    """Whether the template has a transform, which its user must allow by a capability."""
    return bool(transforms_of(body)) or _has_inner_transform(body)


async def apply_transforms(body: Json, given: Json, scope: Scope, aws: Aws) -> Json:
    """The processed template. Raises TransformFailed."""
    listed = body.get("Transform") or []
    for item in listed if isinstance(listed, list) else [listed]:
        if isinstance(item, dict) and item.get("Name") == INCLUDE:
            included = await _include(item.get("Parameters") or {}, scope, aws)
            body = {**included, **body}
    body = await _expand_includes(body, scope, aws)
    for name in transforms_of(body):
        if name == INCLUDE:
            continue
        if name == LANGUAGE_EXTENSIONS:
            body = expand_loops(body, scope)
        elif name == SERVERLESS:
            try:
                body = await asyncio.to_thread(transform, body, given, scope.region)
            except SamError as error:
                raise TransformFailed(f"Transform {SERVERLESS} failed with: {error}") from error
        else:
            raise TransformFailed(f"No transform named {scope.account}::{name} found.")
    return {key: value for key, value in body.items() if key not in ("Transform", "Globals")}


def _has_inner_transform(value: Any) -> bool:
    if isinstance(value, list):
        return any(_has_inner_transform(item) for item in value)
    if isinstance(value, dict):
        return "Fn::Transform" in value or any(_has_inner_transform(item) for item in value.values())
    return False


async def _expand_includes(value: Any, scope: Scope, aws: Aws) -> Any:
    if isinstance(value, list):
        return [await _expand_includes(item, scope, aws) for item in value]
    if not isinstance(value, dict):
        return value
    expanded = {key: await _expand_includes(item, scope, aws) for key, item in value.items() if key != "Fn::Transform"}
    if "Fn::Transform" not in value:
        return expanded
    call = value["Fn::Transform"]
    if call.get("Name") != INCLUDE:
        raise TransformFailed(f"No transform named {scope.account}::{call.get('Name')} found.")
    included = await _include(call.get("Parameters") or {}, scope, aws)
    # What stands beside the include is kept.
    return {**included, **expanded} if isinstance(included, dict) else included


async def _include(parameters: Json, scope: Scope, aws: Aws) -> Any:
    location = resolve(parameters.get("Location"), scope)
    if not isinstance(location, str) or not location.startswith("s3://"):
        raise TransformFailed(
            f"Transform {INCLUDE} failed with: The location parameter is not a valid S3 uri. ({location})"
        )
    bucket, _, key = location.removeprefix("s3://").partition("/")
    try:
        found = await aws("s3", "GetObject", {"Bucket": bucket, "Key": key})
    except AwsError as error:
        raise TransformFailed(f"Transform {INCLUDE} failed with: {location}: {error.message}") from error
    try:
        return read_template(str(await whole_body(found), "utf-8"))
    except TemplateSyntaxError as error:
        raise TransformFailed(f"Transform {INCLUDE} failed with: {location}: {error}") from error


async def fetch_template(url: str, aws: Aws) -> str:
    """The text behind a TemplateURL, which must be an object in our own S3, in any of S3's spellings."""
    bucket, key, version = _s3_place(url)
    request = {"Bucket": bucket, "Key": key}
    if version:
        request["VersionId"] = version
    try:
        found = await aws("s3", "GetObject", request)
    except AwsError as error:
        raise validation_error(f"S3 error: {error.message} ({url})") from error
    return str(await whole_body(found), "utf-8")


def _s3_place(url: str) -> tuple[str, str, str]:
    parts = urlsplit(url)
    version = (parse_qs(parts.query).get("versionId") or [""])[0]
    path = unquote(parts.path).lstrip("/")
    host = parts.hostname or ""
    if parts.scheme == "s3":
        return host, path, version
    bucket_host = _BUCKET_HOST.match(host)
    if bucket_host:
        return bucket_host[1], path, version
    bucket, _, key = path.partition("/")
    if parts.scheme not in ("http", "https") or not bucket or not key:
        raise validation_error("TemplateURL must be a supported URL.")
    return bucket, key, version
