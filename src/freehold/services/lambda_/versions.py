"""Published versions: immutable copies of $LATEST. AWS: PublishVersion, ListVersionsByFunction."""

from __future__ import annotations

import copy

from freehold.aws.call import Call, Json
from freehold.aws.errors import AwsError
from freehold.engine.functions import FUNCTION, LATEST, VERSION, not_active
from freehold.services.lambda_.record import Lambda, Name, check_revision, find_function, page, read_name
from freehold.services.lambda_.states import ACTIVE
from freehold.state.store import Conflict, Put

_INIT_FAILED = "FunctionError.RuntimeInitError"


async def publish_version(lambda_: Lambda, call: Call, request: Json) -> Json:
    name = read_name(call, request["FunctionName"])
    stored = await find_function(lambda_, name)
    configuration = stored.document["configuration"]
    check_revision(request, configuration["RevisionId"])
    wanted = request.get("CodeSha256")
    if wanted and wanted != configuration["CodeSha256"]:
        raise AwsError(
            "InvalidParameterValueException",
            f"CodeSHA256 ({wanted}) is different from current CodeSHA256 in $LATEST ({configuration['CodeSha256']}). "
            "Please try again with the CodeSHA256 in $LATEST.",
            status=400,
        )
    return await publish(lambda_, name, request.get("Description") or "")


async def publish(lambda_: Lambda, name: Name, description: str) -> Json:
    """The new version's configuration, or the last one's when nothing has changed since."""
    while True:
        stored = await find_function(lambda_, name)
        state = stored.document["configuration"].get("State") or ACTIVE
        if state != ACTIVE:
            raise not_active(state)
        last = int(stored.document["last_version"])
        if last:
            before = await lambda_.store.read(VERSION, f"{name.key}/{last}")
            if before is not None and before.document["of_revision"] == _content(stored.document):
                found: Json = before.document["configuration"]
                return found
        document = copy.deepcopy(stored.document)
        version = str(last + 1)
        configuration = {
            **document["configuration"],
            "Version": version,
            "FunctionArn": f"{name.arn}:{version}",
            "RevisionId": lambda_.ids.uuid(),
        }
        if description:
            configuration["Description"] = description
        published = {
            "configuration": configuration,
            "code": document["code"],
            "layers": document["layers"],
            "of_revision": _content(stored.document),
        }
        document["last_version"] = last + 1
        await _snapshot(lambda_, f"{name.key}/{version}", published)
        try:
            await lambda_.store.write(
                Put(FUNCTION, name.key, document, if_revision=stored.revision),
                Put(VERSION, f"{name.key}/{version}", published, if_revision=0),
            )
        except Conflict:
            lambda_.snapshots.drop_snapshot(f"{name.key}/{version}")
            continue
        return configuration


async def _snapshot(lambda_: Lambda, key: str, published: Json) -> None:
    """SnapStart: the version's init runs now, and says whether it can be used. AWS: "Activating and managing Lambda
    SnapStart"; there, publishing answers at once and the version is Pending meanwhile."""
    configuration = published["configuration"]
    if configuration["SnapStart"]["ApplyOn"] != "PublishedVersions":
        return
    configuration["SnapStart"] = {"ApplyOn": "PublishedVersions", "OptimizationStatus": "On"}
    is_on, failed = await lambda_.snapshots.snapshot(key, published)
    if not is_on:
        configuration["SnapStart"] = {"ApplyOn": "PublishedVersions", "OptimizationStatus": "Off"}
    if failed is not None:
        configuration["State"] = "Failed"
        configuration["StateReasonCode"] = _INIT_FAILED
        configuration["StateReason"] = f"The function's initialization failed: {failed}"


async def list_versions_by_function(lambda_: Lambda, call: Call, request: Json) -> Json:
    name = read_name(call, request["FunctionName"])
    function = await find_function(lambda_, name)
    latest = {**function.document["configuration"], "FunctionArn": f"{name.arn}:{LATEST}"}
    published = [one.document["configuration"] for one in await lambda_.store.list_documents(VERSION, f"{name.key}/")]
    published.sort(key=lambda item: int(item["Version"]))
    listed, more = page([latest, *published], request, "Version")
    return {"Versions": listed, **more}


def _content(document: Json) -> str:
    """What makes two publications the same: everything but the times and ids."""
    skipped = ("LastModified", "RevisionId")
    kept = {name: value for name, value in document["configuration"].items() if name not in skipped}
    return repr((sorted(kept.items(), key=lambda pair: pair[0]), document["code"], document["layers"]))
