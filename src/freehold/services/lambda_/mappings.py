"""Event source mappings: which source's records go to which function. AWS: CreateEventSourceMapping and its kin.

Document "lambda.event_source_mapping", key region/uuid; events/ polls by it. A source that nobody here polls is refused
by name at once: a mapping that never does anything would be a lie.
"""

from __future__ import annotations

from freehold.aws.arn import Arn, parse_arn
from freehold.aws.call import Call, Json
from freehold.aws.errors import AwsError
from freehold.aws.event_patterns import InvalidPattern, parse_pattern
from freehold.engine.functions import FUNCTION
from freehold.services.lambda_.record import (
    MAPPING,
    Lambda,
    conflict,
    find_version,
    invalid,
    not_found,
    page,
    read_name,
)
from freehold.state.store import Delete, Put, Stored

_HIDDEN = ("tags", "iterator", "sinceS")
_POSITION = "events.position"  # What events/ knows of a mapping: {"result"}.
_STREAMS = ("dynamodb", "kinesis")
_DEFAULT_BATCH = {"sqs": 10, "dynamodb": 100, "kinesis": 100}
_STREAM_DEFAULTS = {
    "MaximumBatchingWindowInSeconds": 0,
    "ParallelizationFactor": 1,
    "MaximumRecordAgeInSeconds": -1,
    "BisectBatchOnFunctionError": False,
    "MaximumRetryAttempts": -1,
    "TumblingWindowInSeconds": 0,
}
_CHANGEABLE = (
    "BatchSize", "FilterCriteria", "MaximumBatchingWindowInSeconds", "ParallelizationFactor", "DestinationConfig",
    "MaximumRecordAgeInSeconds", "BisectBatchOnFunctionError", "MaximumRetryAttempts", "TumblingWindowInSeconds",
    "FunctionResponseTypes", "ScalingConfig", "KMSKeyArn",
)  # fmt: skip


async def create_event_source_mapping(lambda_: Lambda, call: Call, request: Json) -> Json:
    source = _source(lambda_, request)
    name = read_name(call, request["FunctionName"])
    function, _ = await find_version(lambda_, name)
    if source.service == "sqs":
        await _check_queue(lambda_, call, source, function.document["configuration"]["Timeout"])
    await _refuse_twice(lambda_, call, str(source), name.qualified_arn)
    stream = source.service in _STREAMS
    if stream and not request.get("StartingPosition"):
        raise invalid("1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: "
                      "Member must not be null.")  # fmt: skip
    uuid = lambda_.ids.uuid()
    document: Json = {
        "UUID": uuid,
        "EventSourceArn": str(source),
        "EventSourceMappingArn": f"arn:aws:lambda:{call.region}:{call.account}:event-source-mapping:{uuid}",
        "FunctionArn": name.qualified_arn,
        "BatchSize": _DEFAULT_BATCH[source.service],
        "MaximumBatchingWindowInSeconds": 0,
        **(_STREAM_DEFAULTS if stream else {}),
        "FunctionResponseTypes": [],
        "State": "Enabled" if request.get("Enabled", True) is not False else "Disabled",
        "StateTransitionReason": "USER_INITIATED" if source.service == "sqs" else "User action",
        "LastModified": lambda_.clock.now_s(),
        "tags": request.get("Tags") or {},
    }
    if stream:
        document["StartingPosition"] = request["StartingPosition"]
        document["LastProcessingResult"] = "No records processed"
        document["DestinationConfig"] = {"OnFailure": {}}
        if request.get("StartingPositionTimestamp") is not None:
            moment = request["StartingPositionTimestamp"]
            document["StartingPositionTimestamp"] = moment.timestamp() if hasattr(moment, "timestamp") else moment
        if request["StartingPosition"] == "LATEST":
            document |= await _latest(lambda_, call, str(source))
    _change(document, request, source)
    await lambda_.store.write(Put(MAPPING, f"{call.region}/{uuid}", document, if_revision=0))
    return _shown(document, "Creating")


async def get_event_source_mapping(lambda_: Lambda, call: Call, request: Json) -> Json:
    stored = await _find(lambda_, call, request)
    shown = _shown(stored.document)
    position = await lambda_.store.read(_POSITION, stored.key)
    if position is not None and "LastProcessingResult" in shown:
        shown["LastProcessingResult"] = position.document.get("result", "OK")
    return shown


async def update_event_source_mapping(lambda_: Lambda, call: Call, request: Json) -> Json:
    stored = await _find(lambda_, call, request)
    document = dict(stored.document)
    source = parse_arn(document["EventSourceArn"])
    assert source is not None
    if request.get("FunctionName"):
        name = read_name(call, request["FunctionName"])
        await find_version(lambda_, name)
        document["FunctionArn"] = name.qualified_arn
    if request.get("Enabled") is not None:
        document["State"] = "Enabled" if request["Enabled"] else "Disabled"
    _change(document, request, source)
    document["LastModified"] = lambda_.clock.now_s()
    await lambda_.store.write(Put(MAPPING, stored.key, document))
    return _shown(document, "Updating")


async def delete_event_source_mapping(lambda_: Lambda, call: Call, request: Json) -> Json:
    stored = await _find(lambda_, call, request)
    await lambda_.store.write(Delete(MAPPING, stored.key))
    return _shown(stored.document, "Deleting")


async def list_event_source_mappings(lambda_: Lambda, call: Call, request: Json) -> Json:
    found = [one.document for one in await lambda_.store.list_documents(MAPPING, f"{call.region}/")]
    if source := request.get("EventSourceArn"):
        found = [one for one in found if one["EventSourceArn"] == source]
    if request.get("FunctionName"):
        name = read_name(call, request["FunctionName"])
        if await lambda_.store.read(FUNCTION, name.key) is None:
            found = []
        found = [one for one in found if one["FunctionArn"] == name.qualified_arn]
    listed, more = page([_shown(one) for one in found], request, "UUID", 100)
    return {"EventSourceMappings": listed, **more}


def _source(lambda_: Lambda, request: Json) -> Arn:
    text = request.get("EventSourceArn")
    if not text:
        raise invalid("Freehold supports event source mappings of an EventSourceArn only, not self-managed sources.")
    arn = parse_arn(text)
    if arn is None:
        raise invalid(f"Unrecognized event source: {text}")
    if arn.service not in lambda_.event_sources or arn.service not in _DEFAULT_BATCH:
        raise invalid(f"Freehold does not poll {arn.service} for event source mappings yet: {text}")
    return arn


async def _check_queue(lambda_: Lambda, call: Call, queue: Arn, timeout_s: int) -> None:
    """A message must not show again while its function may still work on it. AWS: "Configuring an Amazon SQS queue to
    trigger a Lambda function"; the words of the refusals are recorded answers of AWS."""
    aws = lambda_.bind(call)
    try:
        url = (await aws("sqs", "GetQueueUrl", {"QueueName": queue.resource}))["QueueUrl"]
        request = {"QueueUrl": url, "AttributeNames": ["VisibilityTimeout"]}
        found = await aws("sqs", "GetQueueAttributes", request)
    except AwsError as error:
        raise invalid(
            "Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. "
            f"SQS Error Message: {error.message}"
        ) from error
    visibility_s = int(found["Attributes"]["VisibilityTimeout"])
    if visibility_s < timeout_s:
        raise invalid(
            f"Queue visibility timeout: {visibility_s} seconds is less than Function timeout: {timeout_s} seconds"
        )


def _change(document: Json, request: Json, source: Arn) -> None:
    for member in _CHANGEABLE:
        if request.get(member) is not None:
            document[member] = request[member]
    _check_parts(document)
    most = 10_000 if source.service != "sqs" or not source.resource.endswith(".fifo") else 10
    if not 1 <= document["BatchSize"] <= most:
        raise invalid(f"1 validation error detected: Value '{document['BatchSize']}' at 'batchSize' failed to satisfy "
                      f"constraint: Member must have value less than or equal to {most}")  # fmt: skip
    if source.service == "sqs" and document["BatchSize"] > 10 and not document["MaximumBatchingWindowInSeconds"]:
        raise invalid("Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10")


async def _latest(lambda_: Lambda, call: Call, stream: str) -> Json:
    """Where the stream ends now, so that what is written right after this answer is not missed."""
    aws = lambda_.bind(call)
    try:
        described = await aws("dynamodbstreams", "DescribeStream", {"StreamArn": stream})
        shard = described["StreamDescription"]["Shards"][0]["ShardId"]
        request = {"StreamArn": stream, "ShardId": shard, "ShardIteratorType": "LATEST"}
        found = await aws("dynamodbstreams", "GetShardIterator", request)
    except AwsError as error:
        raise invalid(f"Stream not found: {stream}") from error
    return {"iterator": found["ShardIterator"], "sinceS": lambda_.clock.now_s()}


def _check_parts(document: Json) -> None:
    """What we could not honour is refused by name, and so is a filter that is none."""
    if document.get("TumblingWindowInSeconds"):
        raise invalid("Freehold does not support TumblingWindowInSeconds of event source mappings yet.")
    for each in (document.get("FilterCriteria") or {}).get("Filters") or []:
        try:
            parse_pattern(each.get("Pattern") or "{}")
        except InvalidPattern as error:
            raise invalid("Invalid filter pattern definition.") from error
    target = ((document.get("DestinationConfig") or {}).get("OnFailure") or {}).get("Destination")
    arn = parse_arn(target) if target else None
    if target and (arn is None or arn.service not in ("sqs", "sns")):
        raise invalid(f"Freehold does not support {target} as the on-failure destination of a mapping yet.")


async def _refuse_twice(lambda_: Lambda, call: Call, source: str, function_arn: str) -> None:
    for one in await lambda_.store.list_documents(MAPPING, f"{call.region}/"):
        if one.document["EventSourceArn"] == source and one.document["FunctionArn"] == function_arn:
            raise conflict(
                f'The event source arn (" {source} ") and function (" {function_arn.split(":")[6]} ") provided mapping '
                f"already exists. Please update or delete the existing mapping with UUID {one.document['UUID']}"
            )


async def _find(lambda_: Lambda, call: Call, request: Json) -> Stored:
    stored = await lambda_.store.read(MAPPING, f"{call.region}/{request['UUID']}")
    if stored is None:
        raise not_found("The resource you requested does not exist.")
    return stored


def _shown(document: Json, state: str | None = None) -> Json:
    shown = {name: value for name, value in document.items() if name not in _HIDDEN}
    return {**shown, "State": state} if state else shown
