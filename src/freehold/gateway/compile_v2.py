"""API Gateway V2 has two kinds of API: which compiler an API's documents are for."""

from __future__ import annotations

from collections.abc import Mapping

from freehold.aws.call import Json
from freehold.aws.errors import AwsError
from freehold.gateway.compile_http import check_http_parts, compile_http_api
from freehold.gateway.compile_websocket import check_socket_parts, compile_websocket_api
from freehold.gateway.compiled import Api
from freehold.gateway.request_logs.access import compile_stage_log
from freehold.gateway.throttle import Bucket
from freehold.gateway.unsupported import unsupported

WEBSOCKET = "WEBSOCKET"


def check_v2_parts(parts: Json) -> None:
    """Parts of one API, with its `ProtocolType`; see the two compilers. Raises AwsError."""
    if parts.get("ProtocolType") == WEBSOCKET:
        check_socket_parts(parts)
    else:
        check_http_parts(parts)
        for stage in parts.get("Stages", ()):
            _check_no_execution_log(stage)
    for stage in parts.get("Stages", ()):
        compile_stage_log(stage)
        if stage.get("ClientCertificateId"):
            raise unsupported("client certificates of API Gateway's stages")


def _check_no_execution_log(stage: Json) -> None:
    for settings in (stage.get("DefaultRouteSettings") or {}, *(stage.get("RouteSettings") or {}).values()):
        if (settings.get("LoggingLevel") or "OFF") != "OFF" or settings.get("DataTraceEnabled"):
            raise AwsError("BadRequestException", "Execution logs are not supported on protocolType HTTP", status=400)


def compile_v2_api(region: str, account: str, documents: Mapping[str, Mapping[str, Json]], throttle: Bucket) -> Api:
    """`throttle` is the account's."""
    if documents["api"][""]["ProtocolType"] == WEBSOCKET:
        return compile_websocket_api(region, account, documents, throttle)
    return compile_http_api(region, account, documents)
