"""The environment variables that a function sees: those that AWS documents, its own, and nothing of the host.

AWS: "Using Lambda environment variables", "Defined runtime environment variables". Ours, beside them: AWS_ENDPOINT_URL,
which leads the SDKs to this server.
"""

from __future__ import annotations

from freehold.engine.functions import FunctionVersion
from freehold.engine.role_sessions import RoleSession
from freehold.runtimes.launch import OPT_DIR, TASK_DIR, Launch, Package

RESERVED = frozenset({
    "_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
    "AWS_LAMBDA_RUNTIME_API", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR",
})  # fmt: skip
"""Refused at CreateFunction and UpdateFunctionConfiguration."""

TELEMETRY_FD = 4
"""Where the managed runtimes write framed log messages; the same pipe as stdout and stderr: see output.py."""

_PATH = "/usr/local/bin:/usr/bin:/bin"


def function_variables(
    function: FunctionVersion,
    package: Package,
    launch: Launch,
    endpoint: str,
    log_stream: str,
    initialization: str,
    runtime_api: str,
    session: RoleSession,
) -> dict[str, str]:
    """`runtime_api`: host:port, or empty where the runtime speaks frames."""
    task_dir = str(package.task_seen)
    opt = package.opt_seen
    path = f"{_PATH}:{opt}/bin" if opt else _PATH
    variables = {
        "LANG": "en_US.UTF-8",
        "LD_LIBRARY_PATH": _library_path(task_dir, str(opt) if opt else None),
        "PATH": path,
        "TZ": ":UTC",
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        # Nobody listens there: datagrams to it are lost, as tracing that is off should be.
        "AWS_XRAY_DAEMON_ADDRESS": "127.0.0.1:2000",
        "AWS_ENDPOINT_URL": endpoint,
        **launch.env,
        **function.variables,
        "AWS_ACCESS_KEY_ID": session.access_key,
        "AWS_SECRET_ACCESS_KEY": session.secret,
        "AWS_SESSION_TOKEN": session.token,
        "AWS_DEFAULT_REGION": function.region,
        "AWS_REGION": function.region,
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": function.version,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
        "AWS_LAMBDA_INITIALIZATION_TYPE": initialization,
        "AWS_LAMBDA_LOG_GROUP_NAME": function.log_group,
        "AWS_LAMBDA_LOG_STREAM_NAME": log_stream,
        "LAMBDA_TASK_ROOT": task_dir,
        "LAMBDA_RUNTIME_DIR": task_dir if package.runtime.language == "custom" else "/var/runtime",
        "PWD": task_dir,
        "SHLVL": "0",
        "_HANDLER": package.handler,
        "_AWS_XRAY_DAEMON_ADDRESS": "127.0.0.1",
        "_AWS_XRAY_DAEMON_PORT": "2000",
    }
    if package.runtime.language != "custom":
        variables["AWS_EXECUTION_ENV"] = f"AWS_Lambda_{package.runtime.name}"
    if function.log_format == "JSON":
        variables["AWS_LAMBDA_LOG_FORMAT"] = "JSON"
        variables["AWS_LAMBDA_LOG_LEVEL"] = function.log_level
    if initialization == "snap-start":
        # AWS: "Monitoring for Lambda SnapStart": they are not to be had.
        del variables["AWS_LAMBDA_LOG_GROUP_NAME"], variables["AWS_LAMBDA_LOG_STREAM_NAME"]
    if runtime_api:
        variables["AWS_LAMBDA_RUNTIME_API"] = runtime_api
    if package.runtime.language != "custom":
        variables["_LAMBDA_TELEMETRY_LOG_FD"] = str(TELEMETRY_FD)
    return variables


def boot_variables() -> dict[str, str]:
    """What a jailed runtime boots with when it does not know its function yet: where libraries are, and the time zone.

    The rest it sets for itself once it knows.
    """
    return {
        "LANG": "en_US.UTF-8",
        "LD_LIBRARY_PATH": _library_path(str(TASK_DIR), str(OPT_DIR)),
        "PATH": f"{_PATH}:{OPT_DIR}/bin",
        "TZ": ":UTC",
    }


def _library_path(task_dir: str, opt_dir: str | None) -> str:
    places = ["/lib64", "/usr/lib64", task_dir, f"{task_dir}/lib"]
    return ":".join([*places, f"{opt_dir}/lib"] if opt_dir else places)
