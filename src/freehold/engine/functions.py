"""Compiled copies: what the engine knows of functions, versions and aliases, made from the control plane's documents.

The documents are services/lambda_'s: "lambda.function", "lambda.version" (key region/name/number), "lambda.alias"
(region/name/alias). One decision to know: two documents with the same fingerprint run alike, so an update that changes
neither code nor configuration keeps environments warm.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from freehold.aws.call import DEFAULT_ACCOUNT
from freehold.aws.errors import AwsError
from freehold.engine.recursion import function_mark
from freehold.state.store import Document

FUNCTION = "lambda.function"
VERSION = "lambda.version"
ALIAS = "lambda.alias"
KINDS = (FUNCTION, VERSION, ALIAS)

LATEST = "$LATEST"


@dataclass(frozen=True, slots=True)
class FunctionVersion:
    """One version as it runs. `key` names it; `fingerprint` changes whenever its environments must be new ones."""

    key: str  # "us-east-1/hello/$LATEST"
    fingerprint: str
    region: str
    account: str
    name: str
    version: str
    runtime_name: str
    handler: str
    timeout_s: float
    memory_mb: int
    variables: Mapping[str, str]
    code_sha256: str  # Empty: `code_directory`.
    code_directory: str  # A folder that is run in place, for `freehold dev`; empty: the blob.
    layers: tuple[str, ...]  # Blobs, the first merged first.
    log_group: str
    log_format: str  # "Text" or "JSON".
    log_level: str  # Of the application, for JSON.
    system_log_level: str
    dead_letter: str  # ARN, or empty.
    ephemeral_mb: int = 512  # The size of /tmp.
    snap_start: bool = False  # Its environments are forks of a process that has run its init.
    state: str = "Active"  # Only then it is invoked.
    mark: str = ""  # In the lineage of trace headers: recursion.py.
    role_arn: str = ""  # What it may do when it calls: its credentials are a session of it.

    @property
    def function_key(self) -> str:
        return f"{self.region}/{self.name}"


@dataclass(frozen=True, slots=True)
class Alias:
    version: str
    weights: tuple[tuple[str, float], ...]  # Further versions, each with its share of the invocations.

    def choose(self, number: float) -> str:
        """The version for a random number in [0, 1)."""
        for version, share in self.weights:
            if number < share:
                return version
            number -= share
        return self.version


def compile_version(key: str, document: Document) -> FunctionVersion:
    """From a "lambda.function" or "lambda.version" document; `key` is the document's."""
    configuration = document["configuration"]
    code = document["code"]
    region, name, *rest = key.split("/")
    logging = configuration.get("LoggingConfig") or {}
    arn = str(configuration["FunctionArn"]).split(":")
    account = arn[4] if len(arn) > 4 else DEFAULT_ACCOUNT
    return FunctionVersion(
        key="/".join((region, name, rest[0] if rest else LATEST)),
        fingerprint=_fingerprint(configuration, code, document.get("layers") or []),
        region=region,
        account=account,
        name=name,
        version=rest[0] if rest else LATEST,
        runtime_name=configuration.get("Runtime") or "",
        handler=configuration.get("Handler") or "",
        timeout_s=float(configuration["Timeout"]),
        memory_mb=int(configuration["MemorySize"]),
        variables=(configuration.get("Environment") or {}).get("Variables") or {},
        code_sha256=code.get("sha256", ""),
        code_directory=code.get("directory", ""),
        layers=tuple(document.get("layers") or ()),
        log_group=logging.get("LogGroup") or f"/aws/lambda/{name}",
        log_format=logging.get("LogFormat") or "Text",
        log_level=logging.get("ApplicationLogLevel") or "INFO",
        system_log_level=logging.get("SystemLogLevel") or "INFO",
        dead_letter=(configuration.get("DeadLetterConfig") or {}).get("TargetArn") or "",
        ephemeral_mb=int((configuration.get("EphemeralStorage") or {}).get("Size") or 512),
        snap_start=bool(rest) and (configuration.get("SnapStart") or {}).get("OptimizationStatus") == "On",
        state=configuration.get("State") or "Active",
        mark=function_mark(account, f"{region}/{name}"),
        role_arn=configuration.get("Role") or "",
    )


def compile_alias(document: Document) -> Alias:
    routing = (document.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    return Alias(document["FunctionVersion"], tuple(routing.items()))


def not_active(state: str) -> AwsError:
    """AWS: "Lambda function states"."""
    return AwsError(
        "ResourceConflictException",
        f"The operation cannot be performed at this time. The function is currently in the following state: {state}",
        status=409,
        fields={"Type": "User"},
    )


_RUNNING = (
    "Runtime", "Handler", "Timeout", "MemorySize", "Environment", "LoggingConfig", "Role", "FunctionArn",
    "EphemeralStorage",
)  # fmt: skip


def _fingerprint(configuration: Document, code: Document, layers: list[str]) -> str:
    parts = [{name: configuration.get(name) for name in _RUNNING}, code, layers]
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()
