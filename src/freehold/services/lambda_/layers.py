"""Layers: numbered, immutable packages. AWS: PublishLayerVersion, GetLayerVersion, ListLayers and their kin.

Documents: "lambda.layer_version", key region/layer/8-digit number, and "lambda.layer", key region/layer, which
remembers the last number: numbers are never used again.
"""

from __future__ import annotations

import json

from freehold.aws.call import Call, Json
from freehold.services.lambda_.code import take_code
from freehold.services.lambda_.configuration import modified
from freehold.services.lambda_.policies import make_statement
from freehold.services.lambda_.record import (
    LAYER_VERSION,
    Lambda,
    Name,
    check_revision,
    conflict,
    invalid,
    not_found,
    page,
)
from freehold.state.store import Conflict, Delete, Document, Put, Stored

_LAYER = "lambda.layer"


async def publish_layer_version(lambda_: Lambda, call: Call, request: Json) -> Json:
    layer = request["LayerName"].rsplit(":", 1)[-1]
    code = await take_code(lambda_, call, request["Content"])
    if "sha256" not in code.document:
        raise invalid("A layer is made from a zip.")
    while True:
        stored = await lambda_.store.read(_LAYER, f"{call.region}/{layer}")
        number = (stored.document["last_version"] if stored else 0) + 1
        arn = f"arn:aws:lambda:{call.region}:{call.account}:layer:{layer}"
        document: Document = {
            "LayerArn": arn,
            "LayerVersionArn": f"{arn}:{number}",
            "Version": number,
            "Description": request.get("Description") or "",
            "CreatedDate": modified(lambda_.clock),
            "CompatibleRuntimes": request.get("CompatibleRuntimes") or [],
            "CompatibleArchitectures": request.get("CompatibleArchitectures") or [],
            "LicenseInfo": request.get("LicenseInfo"),
            "CodeSize": code.size_bytes,
            "CodeSha256": code.sha256_base64,
            "sha256": code.document["sha256"],
        }
        try:
            await lambda_.store.write(
                Put(_LAYER, f"{call.region}/{layer}", {"last_version": number}, stored.revision if stored else 0),
                Put(LAYER_VERSION, _key(call.region, layer, number), document, 0),
            )
        except Conflict:
            continue
        return _shown(lambda_, call, document)


async def get_layer_version(lambda_: Lambda, call: Call, request: Json) -> Json:
    layer = request["LayerName"].rsplit(":", 1)[-1]
    return _shown(lambda_, call, (await _find(lambda_, call, layer, request["VersionNumber"])).document)


async def get_layer_version_by_arn(lambda_: Lambda, call: Call, request: Json) -> Json:
    parts = request["Arn"].split(":")
    return _shown(lambda_, call, (await _find(lambda_, call, parts[6], int(parts[7]))).document)


async def list_layer_versions(lambda_: Lambda, call: Call, request: Json) -> Json:
    layer = request["LayerName"].rsplit(":", 1)[-1]
    found = await lambda_.store.list_documents(LAYER_VERSION, f"{call.region}/{layer}/")
    items = [_listed(one.document) for one in reversed(found) if _fits(one.document, request)]
    listed, more = page(items, request, "Version")
    return {"LayerVersions": listed, **more}


async def list_layers(lambda_: Lambda, call: Call, request: Json) -> Json:
    latest: dict[str, Document] = {}
    for one in await lambda_.store.list_documents(LAYER_VERSION, f"{call.region}/"):
        if _fits(one.document, request):
            latest[one.key.split("/")[1]] = one.document
    items = [
        {"LayerName": layer, "LayerArn": document["LayerArn"], "LatestMatchingVersion": _listed(document)}
        for layer, document in latest.items()
    ]
    listed, more = page(items, request, "LayerName")
    return {"Layers": listed, **more}


async def delete_layer_version(lambda_: Lambda, call: Call, request: Json) -> Json:
    layer = request["LayerName"].rsplit(":", 1)[-1]
    # Functions that use it keep its files; deleting what is not there is no error.
    await lambda_.store.write(Delete(LAYER_VERSION, _key(call.region, layer, request["VersionNumber"])))
    return {}


async def add_layer_version_permission(lambda_: Lambda, call: Call, request: Json) -> Json:
    stored, statements, revision = await _policy(lambda_, call, request)
    check_revision(request, revision)
    if any(one["Sid"] == request["StatementId"] for one in statements):
        raise conflict(f"The statement id ({request['StatementId']}) provided already exists. Please provide a new "
                       "statement id, or remove the existing statement.")  # fmt: skip
    name = Name(call.region, call.account, "", None)
    asked = {**request, "PrincipalOrgID": request.get("OrganizationId")}
    statement = {**make_statement(name, asked), "Resource": stored.document["LayerVersionArn"]}
    revision = await _put_policy(lambda_, stored, [*statements, statement])
    return {"Statement": json.dumps(statement, separators=(",", ":")), "RevisionId": revision}


async def remove_layer_version_permission(lambda_: Lambda, call: Call, request: Json) -> Json:
    stored, statements, revision = await _policy(lambda_, call, request)
    check_revision(request, revision)
    kept = [one for one in statements if one["Sid"] != request["StatementId"]]
    if len(kept) == len(statements):
        raise not_found(f"Statement {request['StatementId']} is not found in resource policy.")
    await _put_policy(lambda_, stored, kept)
    return {}


async def get_layer_version_policy(lambda_: Lambda, call: Call, request: Json) -> Json:
    _, statements, revision = await _policy(lambda_, call, request)
    if not statements:
        raise not_found("No policy is associated with the given resource.")
    policy = {"Version": "2012-10-17", "Id": "default", "Statement": statements}
    return {"Policy": json.dumps(policy, separators=(",", ":")), "RevisionId": revision}


async def _policy(lambda_: Lambda, call: Call, request: Json) -> tuple[Stored, list[Json], str | None]:
    layer = request["LayerName"].rsplit(":", 1)[-1]
    stored = await _find(lambda_, call, layer, request["VersionNumber"])
    entry = stored.document.get("policy") or {}
    return stored, entry.get("statements") or [], entry.get("revision")


async def _put_policy(lambda_: Lambda, stored: Stored, statements: list[Json]) -> str:
    revision = lambda_.ids.uuid()
    document = {**stored.document, "policy": {"statements": statements, "revision": revision}}
    await lambda_.store.write(Put(LAYER_VERSION, stored.key, document, if_revision=stored.revision))
    return revision


async def _find(lambda_: Lambda, call: Call, layer: str, number: int) -> Stored:
    stored = await lambda_.store.read(LAYER_VERSION, _key(call.region, layer, number))
    if stored is None:
        arn = f"arn:aws:lambda:{call.region}:{call.account}:layer:{layer}:{number}"
        raise not_found(f"The resource you requested does not exist: {arn}")
    return stored


def _key(region: str, layer: str, number: int) -> str:
    return f"{region}/{layer}/{number:08d}"


def _shown(lambda_: Lambda, call: Call, document: Document) -> Json:
    content = {
        "Location": lambda_.downloads.address(call, lambda_.endpoint(), document["sha256"]),
        "CodeSha256": document["CodeSha256"],
        "CodeSize": document["CodeSize"],
    }
    return {"Content": content, "LayerArn": document["LayerArn"], **_listed(document)}


def _listed(document: Document) -> Json:
    members = ("LayerVersionArn", "Version", "Description", "CreatedDate", "CompatibleRuntimes",
               "CompatibleArchitectures", "LicenseInfo")  # fmt: skip
    return {name: document[name] for name in members if document.get(name) is not None}


def _fits(document: Document, request: Json) -> bool:
    runtime, architecture = request.get("CompatibleRuntime"), request.get("CompatibleArchitecture")
    return (not runtime or runtime in document["CompatibleRuntimes"]) and (
        not architecture or architecture in document["CompatibleArchitectures"]
    )
