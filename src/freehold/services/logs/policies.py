"""Resource policies: which AWS services may write logs. Stored and given back; enforced with IAM.

Source: Amazon CloudWatch Logs API Reference, PutResourcePolicy.
"""

from __future__ import annotations

import orjson

from freehold.aws.call import Call, Json
from freehold.aws.errors import AwsError
from freehold.clock import now_ms
from freehold.services.logs.record import Logs, page_after
from freehold.state.store import Delete, Put

KIND = "logs.resource_policy"
_LIMIT = 10  # A region and account.
_DOCUMENT_BYTES = 5120


async def put_resource_policy(logs: Logs, call: Call, request: Json) -> Json:
    name, text = request.get("policyName"), request.get("policyDocument")
    if not name or not text:
        raise AwsError("InvalidParameterException", "policyName and policyDocument must be specified.")
    _check(text)
    stored = {policy.key for policy in await logs.store.list_documents(KIND, f"{call.region}/")}
    key = f"{call.region}/{name}"
    if key not in stored and len(stored) >= _LIMIT:
        raise AwsError("LimitExceededException", "Resource limit exceeded.")
    policy = {"policyName": name, "policyDocument": text, "lastUpdatedTime": now_ms(logs.clock)}
    revision = await logs.store.write(Put(KIND, key, policy))
    return {"resourcePolicy": policy, "revisionId": str(revision)}


async def delete_resource_policy(logs: Logs, call: Call, request: Json) -> Json:
    name = request.get("policyName") or ""
    if await logs.store.read(KIND, f"{call.region}/{name}") is None:
        raise AwsError("ResourceNotFoundException", f"Policy with name [{name}] does not exist")
    await logs.store.write(Delete(KIND, f"{call.region}/{name}"))
    return {}


async def describe_resource_policies(logs: Logs, call: Call, request: Json) -> Json:
    found = [stored.document for stored in await logs.store.list_documents(KIND, f"{call.region}/")]
    page, token = page_after(found, lambda p: str(p["policyName"]), request.get("nextToken"), request.get("limit", 50))
    answer: Json = {"resourcePolicies": page}
    return {**answer, "nextToken": token} if token else answer


def _check(text: str) -> None:
    if len(text.encode()) > _DOCUMENT_BYTES:
        raise AwsError("InvalidParameterException", f"A policy document has at most {_DOCUMENT_BYTES} bytes.")
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError:
        document = None
    if not isinstance(document, dict) or "Statement" not in document:
        raise AwsError("InvalidParameterException", "Unsupported or invalid policy document.")
