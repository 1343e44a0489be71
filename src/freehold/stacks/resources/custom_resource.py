"""AWS::CloudFormation::CustomResource and Custom::*: a function of the user's makes the resource.

Source: "Custom resource request and response reference". The function puts its answer to ResponseURL, which is an
object of our own S3. Where AWS waits an hour for a function that failed without an answer, we say at once that it did.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import quote

from freehold.aws.call import Aws, Json
from freehold.aws.errors import AwsError
from freehold.stacks.resources.types import Created, Place, PlacedType
from freehold.stacks.schema import text_of

TYPE = "AWS::CloudFormation::CustomResource"

_TIMEOUT_S = 3600
_FIRST_PAUSE_S = 0.02
_LONGEST_PAUSE_S = 1.0


async def create(place: Place, properties: Json) -> Created:
    return _created(await _ask(place, "Create", properties, {}), "")


async def update(place: Place, physical_id: str, properties: Json, previous: Json) -> Created:
    more = {"PhysicalResourceId": physical_id, "OldResourceProperties": _texts(previous)}
    return _created(await _ask(place, "Update", properties, more), physical_id)


async def delete(place: Place, physical_id: str, properties: Json) -> None:
    await _ask(place, "Delete", properties, {"PhysicalResourceId": physical_id})


def _created(answer: Json, physical_id: str) -> Created:
    return Created(str(answer.get("PhysicalResourceId") or physical_id), answer.get("Data") or {})


async def _ask(place: Place, request_type: str, properties: Json, more: Json) -> Json:
    """The function's answer. Raises AwsError when it says FAILED, or nothing."""
    function = properties.get("ServiceToken", "")
    if not function.startswith("arn:aws:lambda:"):
        raise _failed(f"Freehold supports custom resources on Lambda functions; ServiceToken is {function!r}.")
    bucket = f"cloudformation-custom-resource-response-{place.aws.call.region.replace('-', '')}"
    key = f"{place.stack_id}|{place.logical_id}|{place.request_id}"
    await _make_bucket(place.aws, bucket)
    event = {
        "RequestType": request_type,
        "ServiceToken": function,
        "ResponseURL": f"{place.aws.call.scheme}://{place.aws.call.host}/{bucket}/{quote(key, safe='')}",
        "StackId": place.stack_id,
        "RequestId": place.request_id,
        "LogicalResourceId": place.logical_id,
        "ResourceType": place.type,
        "ResourceProperties": _texts(properties),
        **more,
    }
    payload = json.dumps(event).encode()
    result = await place.aws("lambda", "Invoke", {"FunctionName": function, "Payload": payload})
    timeout_s = float(properties.get("ServiceTimeout", _TIMEOUT_S))
    answer = await _answer(place.aws, bucket, key, 0.0 if result.get("FunctionError") else timeout_s)
    if answer is None:
        if result.get("FunctionError"):
            text = bytes(result["Payload"]).decode(errors="replace")
            raise _failed(f"The function of the custom resource failed without an answer: {text}")
        raise _failed("CloudFormation did not receive a response from your Custom Resource in time.")
    if answer.get("Status") != "SUCCESS":
        reason = answer.get("Reason") or "no reason given"
        raise _failed(
            f"Received response status [{answer.get('Status')}] from custom resource. Message returned: {reason} "
            f"(RequestId: {place.request_id})"
        )
    return answer


def _failed(message: str) -> AwsError:
    return AwsError("CustomResourceFailed", message)


async def _make_bucket(aws: Aws, bucket: str) -> None:
    request: Json = {"Bucket": bucket}
    if aws.call.region != "us-east-1":
        request["CreateBucketConfiguration"] = {"LocationConstraint": aws.call.region}
    try:
        await aws("s3", "CreateBucket", request)
    except AwsError as error:
        if error.code not in ("BucketAlreadyOwnedByYou", "BucketAlreadyExists"):
            raise


async def _answer(aws: Aws, bucket: str, key: str, timeout_s: float) -> Json | None:
    """The function may hand its work on and answer later, so this goes on asking for a while."""
    pause, waited = _FIRST_PAUSE_S, 0.0
    place = {"Bucket": bucket, "Key": key}
    while True:
        try:
            body = (await aws("s3", "GetObject", place))["Body"]
        except AwsError as error:
            if error.code != "NoSuchKey":
                raise
        else:
            await aws("s3", "DeleteObject", place)
            try:
                answer = json.loads(bytes(body))
            except ValueError as error:
                raise _failed(f"Invalid response object: {error}") from error
            return answer if isinstance(answer, dict) else {}
        if waited >= timeout_s:
            return None
        await asyncio.sleep(pause)
        waited += pause
        pause = min(pause * 1.5, _LONGEST_PAUSE_S)


def _texts(value: Any) -> Any:
    """CloudFormation hands every scalar to the function as text."""
    if isinstance(value, dict):
        return {key: _texts(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_texts(item) for item in value]
    return value if value is None else text_of(value)


RESOURCE = PlacedType(TYPE, ("lambda", "s3"), create, update, delete, any_attribute=True)
