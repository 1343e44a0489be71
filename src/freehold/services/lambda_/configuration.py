"""A function's configuration: made from a CreateFunction request, changed by an UpdateFunctionConfiguration request.

AWS: CreateFunction, FunctionConfiguration. What the model's constraints cannot say is checked here, in AWS's words.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime

from freehold.aws.arn import parse_arn
from freehold.aws.call import Json
from freehold.aws.errors import AwsError
from freehold.clock import Clock
from freehold.engine.functions import LATEST
from freehold.engine.variables import RESERVED
from freehold.runtimes.names import find_runtime
from freehold.services.lambda_.code import Code
from freehold.services.lambda_.record import LAYER_VERSION, Lambda, Name, invalid

_VARIABLES_BYTES = 4096
_MAX_LAYERS = 5
MAX_TIMEOUT_S = 900
MAX_MEMORY_MB = 10_240
SNAP_START_TMP_MB = 512
_REFUSED = ("FileSystemConfigs", "ImageConfig", "CodeSigningConfigArn", "CapacityProviderConfig", "DurableConfig")


async def make_configuration(lambda_: Lambda, name: Name, request: Json, code: Code) -> tuple[Json, list[str]]:
    """The configuration of a new function, and its layers' blobs."""
    if request.get("PackageType", "Zip") != "Zip":
        raise invalid("Freehold runs functions from zip packages; PackageType Image is not supported yet.")
    configuration: Json = {
        "FunctionName": name.name,
        "FunctionArn": name.arn,
        "Runtime": request.get("Runtime"),
        "Role": request["Role"],
        "Handler": request.get("Handler"),
        "Description": request.get("Description") or "",
        "Timeout": request.get("Timeout") or 3,
        "MemorySize": request.get("MemorySize") or 128,
        "Version": LATEST,
        "TracingConfig": {"Mode": "PassThrough"},
        "PackageType": "Zip",
        "Architectures": request.get("Architectures") or ["x86_64"],
        "EphemeralStorage": {"Size": 512},
        "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
        "LoggingConfig": {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{name.name}"},
        "State": "Active",
        "LastUpdateStatus": "Successful",
    }
    layers = await change_configuration(lambda_, configuration, request)
    put_code(configuration, code)
    return configuration, layers or []


async def change_configuration(lambda_: Lambda, configuration: Json, request: Json) -> list[str] | None:
    """Applies the members that the request has; the layers' blobs when it names layers, else None."""
    for member in _REFUSED:
        if request.get(member):
            raise invalid(f"Freehold does not support {member} of functions yet.")
    for member in ("Runtime", "Role", "Handler", "Description", "Timeout", "MemorySize", "KMSKeyArn"):
        if request.get(member) is not None:
            configuration[member] = request[member]
    for member in ("TracingConfig", "EphemeralStorage", "DeadLetterConfig"):
        if request.get(member) is not None:
            configuration[member] = request[member]
    if (snap_start := request.get("SnapStart")) is not None:
        configuration["SnapStart"] = {"ApplyOn": snap_start.get("ApplyOn", "None"), "OptimizationStatus": "Off"}
    if (logging := request.get("LoggingConfig")) is not None:
        configuration["LoggingConfig"] = _logging({**configuration["LoggingConfig"], **logging})
    if (environment := request.get("Environment")) is not None:
        _check_variables(environment.get("Variables") or {})
        configuration["Environment"] = {"Variables": environment.get("Variables") or {}}
        if not environment.get("Variables"):
            del configuration["Environment"]
    if (vpc := request.get("VpcConfig")) is not None:
        configuration["VpcConfig"] = {
            "SubnetIds": vpc.get("SubnetIds") or [],
            "SecurityGroupIds": vpc.get("SecurityGroupIds") or [],
            "VpcId": "",
        }
    _check_limits(configuration)
    _check_runtime(configuration)
    _check_snap_start(configuration)
    _check_dead_letter(configuration)
    if request.get("Layers") is None:
        return None
    account = configuration["FunctionArn"].split(":")[4]
    configuration["Layers"], blobs = await _layers(lambda_, request["Layers"], account)
    if not configuration["Layers"]:
        del configuration["Layers"]
    return blobs


def put_code(configuration: Json, code: Code) -> None:
    configuration["CodeSize"] = code.size_bytes
    configuration["CodeSha256"] = code.sha256_base64


def stamp(lambda_: Lambda, configuration: Json) -> None:
    """A new revision of it, from now."""
    configuration["LastModified"] = modified(lambda_.clock)
    configuration["RevisionId"] = lambda_.ids.uuid()


def modified(clock: Clock) -> str:
    """2019-08-14T22:26:11.234+0000"""
    now = datetime.fromtimestamp(clock.now_s(), UTC)
    return f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03d}+0000"


def _check_limits(configuration: Json) -> None:
    """Limits that the model does not state. AWS: Lambda quotas; the words are those that it answers with."""
    if configuration["Timeout"] > MAX_TIMEOUT_S:
        raise AwsError(
            "ValidationException",
            f"1 validation error detected: Value '{configuration['Timeout']}' at 'timeout' failed to satisfy "
            f"constraint: Member must have value less than or equal to {MAX_TIMEOUT_S}",
        )
    if configuration["MemorySize"] > MAX_MEMORY_MB:
        raise invalid(
            "'MemorySize' value failed to satisfy constraint: "
            f"Member must have value less than or equal to {MAX_MEMORY_MB}"
        )


def _check_runtime(configuration: Json) -> None:
    name = configuration.get("Runtime")
    if not name or not configuration.get("Handler"):
        raise invalid("Runtime and Handler are mandatory parameters for functions created with deployment packages.")
    runtime = find_runtime(name)
    if runtime is None or runtime.language is None:
        raise invalid(
            f"Freehold cannot run the runtime {name} yet; it runs Python, Node.js and custom runtimes (provided.*)."
        )


def _check_snap_start(configuration: Json) -> None:
    """AWS: "Improving startup performance with Lambda SnapStart": Python 3.12 and newer, of what runs here."""
    if configuration["SnapStart"]["ApplyOn"] == "None":
        return
    runtime = find_runtime(configuration["Runtime"])
    if runtime is None or runtime.language != "python" or runtime.version < (3, 12):
        raise invalid(f"{configuration['Runtime']} is not supported for SnapStart enabled functions.")
    if configuration["EphemeralStorage"]["Size"] > SNAP_START_TMP_MB:
        raise invalid(f"SnapStart enabled functions have at most {SNAP_START_TMP_MB} MB of ephemeral storage.")


def _check_variables(variables: dict[str, str]) -> None:
    reserved = sorted(name for name in variables if name in RESERVED)
    if reserved:
        raise invalid(
            "Lambda was unable to configure your environment variables because the environment variables you have "
            "provided contains reserved keys that are currently not supported for modification. Reserved keys used in "
            f"this request: {', '.join(reserved)}"
        )
    size = len(json.dumps(variables, separators=(",", ":"), ensure_ascii=False).encode())
    if size > _VARIABLES_BYTES:
        raise invalid(
            "Lambda was unable to configure your environment variables because the environment variables you have "
            f"provided exceeded the 4KB limit. String measured: {json.dumps(variables, separators=(',', ':'))}"
        )


def _logging(logging: Json) -> Json:
    if logging.get("LogFormat", "Text") == "Text":
        if logging.get("ApplicationLogLevel") or logging.get("SystemLogLevel"):
            raise invalid(
                "ApplicationLogLevel and SystemLogLevel cannot be set when LogFormat is Text. Use JSON LogFormat."
            )
        return logging
    return {"ApplicationLogLevel": "INFO", "SystemLogLevel": "INFO", **logging}


def _check_dead_letter(configuration: Json) -> None:
    target = (configuration.get("DeadLetterConfig") or {}).get("TargetArn")
    if not target:
        configuration.pop("DeadLetterConfig", None)
        return
    arn = parse_arn(target)
    if arn is None or arn.service not in ("sqs", "sns"):
        raise invalid(f"The provided target arn must be an SQS queue or an SNS topic: {target}")


async def _layers(lambda_: Lambda, arns: list[str], account: str) -> tuple[list[Json], list[str]]:
    if len(arns) > _MAX_LAYERS:
        raise invalid(f"Cannot reference more than {_MAX_LAYERS} layers.")
    shown: list[Json] = []
    blobs: list[str] = []
    for arn in arns:
        parts = arn.split(":")
        if len(parts) == 8 and parts[4] != account:
            raise invalid(
                f"The layer version {arn} is of another AWS account, whose layers Freehold cannot fetch. Publish its "
                "content as a layer of your own, or let the function's requirements bring it."
            )
        stored = (
            await lambda_.store.read(LAYER_VERSION, f"{parts[3]}/{parts[6]}/{int(parts[7]):08d}")
            if len(parts) == 8 and parts[7].isdigit()
            else None
        )
        if stored is None:
            raise invalid(f"Layer version {arn} does not exist.")
        if any(arn.rsplit(":", 1)[0] == one["Arn"].rsplit(":", 1)[0] for one in shown):
            raise invalid(
                "Two different versions of the same layer are not allowed to be referenced in the same function."
            )
        shown.append({"Arn": arn, "CodeSize": stored.document["CodeSize"]})
        blobs.append(stored.document["sha256"])
    return shown, blobs
