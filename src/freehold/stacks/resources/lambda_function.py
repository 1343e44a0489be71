"""AWS::Lambda::Function"""

from __future__ import annotations

import io
import zipfile

from freehold.aws.call import Aws, Json
from freehold.aws.errors import AwsError
from freehold.stacks.resources.inline_modules import modules_for
from freehold.stacks.resources.types import Created, Name, ResourceType, changed, pick, retag, tag_map
from freehold.stacks.resources.wait import until

TYPE = "AWS::Lambda::Function"

# Configuration that both CreateFunction and UpdateFunctionConfiguration take, and what CloudFormation sets when a
# template no longer has it.
_CONFIGURATION: Json = {
    "DeadLetterConfig": {"TargetArn": ""},
    "Description": "",
    "Environment": {"Variables": {}},
    "EphemeralStorage": {"Size": 512},
    "FileSystemConfigs": [],
    "Handler": None,
    "ImageConfig": {},
    "KmsKeyArn": "",
    "Layers": [],
    "LoggingConfig": {"LogFormat": "Text"},
    "MemorySize": 128,
    "Role": None,
    "Runtime": None,
    "SnapStart": {"ApplyOn": "None"},
    "Timeout": 3,
    "TracingConfig": {"Mode": "PassThrough"},
    "VpcConfig": {"SubnetIds": [], "SecurityGroupIds": []},
}
_INLINE_NAMES = {"nodejs": "index.js", "python": "index.py"}


async def create(aws: Aws, properties: Json) -> Created:
    request = pick(
        properties,
        "Architectures",
        "CapacityProviderConfig",
        "CodeSigningConfigArn",
        "DurableConfig",
        "FunctionName",
        "PackageType",
        "TenancyConfig",
        *_CONFIGURATION,
    )
    _rename_key(request)
    request["Code"] = _code(properties)
    if properties.get("Tags"):
        request["Tags"] = tag_map(properties["Tags"])
    function = await aws("lambda", "CreateFunction", request)
    await _until_active(aws, function["FunctionName"])
    await _configure(aws, function["FunctionName"], properties, {})
    return _created(function)


async def update(aws: Aws, physical_id: str, properties: Json, previous: Json) -> Created:
    different = changed(properties, previous)
    if "Code" in different or "Architectures" in different:
        request = {"FunctionName": physical_id, **_code(properties), **pick(properties, "Architectures")}
        await aws("lambda", "UpdateFunctionCode", request)
        await _until_active(aws, physical_id)
    values = {
        name: properties.get(name, _CONFIGURATION[name])
        for name in different
        if name in _CONFIGURATION and (name in properties or _CONFIGURATION[name] is not None)
    }
    if values:
        _rename_key(values)
        await aws("lambda", "UpdateFunctionConfiguration", {"FunctionName": physical_id, **values})
        await _until_active(aws, physical_id)
    await _configure(aws, physical_id, properties, previous)
    function = await aws("lambda", "GetFunctionConfiguration", {"FunctionName": physical_id})
    await retag(aws, "lambda", function["FunctionArn"], properties, previous, ("Resource", "Tags", "TagKeys"))
    return _created(function)


async def delete(aws: Aws, physical_id: str, properties: Json) -> None:
    await aws("lambda", "DeleteFunction", {"FunctionName": physical_id})


def _created(function: Json) -> Created:
    snap_start = function.get("SnapStart") or {}
    return Created(
        function["FunctionName"],
        {
            "Arn": function["FunctionArn"],
            "SnapStartResponse": snap_start,
            "SnapStartResponse.ApplyOn": snap_start.get("ApplyOn", "None"),
            "SnapStartResponse.OptimizationStatus": snap_start.get("OptimizationStatus", "Off"),
        },
    )


async def _configure(aws: Aws, name: str, properties: Json, previous: Json) -> None:
    """What the Lambda API sets by operations of their own."""
    different = changed(properties, previous)
    function = {"FunctionName": name}
    if "ReservedConcurrentExecutions" in different:
        if "ReservedConcurrentExecutions" in properties:
            request = {**function, **pick(properties, "ReservedConcurrentExecutions")}
            await aws("lambda", "PutFunctionConcurrency", request)
        else:
            await aws("lambda", "DeleteFunctionConcurrency", function)
    if "RuntimeManagementConfig" in different and "RuntimeManagementConfig" in properties:
        await aws("lambda", "PutRuntimeManagementConfig", {**function, **properties["RuntimeManagementConfig"]})
    if "RecursiveLoop" in different:
        loop = properties.get("RecursiveLoop", "Terminate")
        await aws("lambda", "PutFunctionRecursionConfig", {**function, "RecursiveLoop": loop})


def _rename_key(request: Json) -> None:
    if "KmsKeyArn" in request:
        request["KMSKeyArn"] = request.pop("KmsKeyArn")


def _code(properties: Json) -> Json:
    code = dict(properties["Code"])
    if "ZipFile" in code:
        code["ZipFile"] = _inline(code["ZipFile"], str(properties.get("Runtime", "")))
    return code


def _inline(text: str, runtime: str) -> bytes:
    """The zip file that CloudFormation makes of source text in the template: a file named `index`."""
    name = next((file for prefix, file in _INLINE_NAMES.items() if runtime.startswith(prefix)), "index")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for file, source in {name: text, **modules_for(text, runtime)}.items():
            # A fixed date: the same text is the same zip, so the code's hash does not change by itself.
            entry = zipfile.ZipInfo(file, (1980, 1, 1, 0, 0, 0))
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, source)
    return buffer.getvalue()


async def _until_active(aws: Aws, name: str) -> None:
    async def is_ready() -> bool:
        found = await aws("lambda", "GetFunctionConfiguration", {"FunctionName": name})
        if found.get("State") == "Failed":
            raise AwsError("NotStabilized", f"{found.get('StateReason')} ({found.get('StateReasonCode')})")
        return found.get("State", "Active") != "Pending" and found.get("LastUpdateStatus") != "InProgress"

    await until(is_ready)


RESOURCE = ResourceType(TYPE, ("lambda",), create, delete, update, Name("FunctionName", 64))
