"""What a web page of another origin may ask of the AWS APIs: to sign its visitor in at a user pool, and nothing else.

Amazon Cognito's public operations answer browsers (Fetch Standard, "CORS protocol"), as apps in a page call them with
no credentials. Everything else is refused: calls here need no credentials either, so that any page that a developer
opens could run the cloud on this machine; a form or an image asks nobody's leave.
"""

from __future__ import annotations

from functools import lru_cache

from freehold.aws.errors import AwsError
from freehold.aws.model import service_model
from freehold.http.messages import Headers, Request, Response

_OPEN_TO_PAGES = "cognito-idp"
_ALLOWED_HEADERS = (
    "amz-sdk-invocation-id,amz-sdk-request,authorization,cache-control,content-type,x-amz-content-sha256,x-amz-date,"
    "x-amz-security-token,x-amz-target,x-amz-user-agent"
)
_ANY_ORIGIN = ("access-control-allow-origin", "*")
_PREFLIGHT: Headers = [
    _ANY_ORIGIN,
    ("access-control-allow-headers", _ALLOWED_HEADERS),
    ("access-control-allow-methods", "POST"),
    ("access-control-max-age", "7200"),
]
CORS_HEADERS: Headers = [
    _ANY_ORIGIN,
    ("access-control-expose-headers", "x-amzn-RequestId,x-amzn-ErrorType,x-amzn-ErrorMessage,Date"),
]


def foreign_page(request: Request) -> str | None:
    """The origin of the page that asks, or what the browser says of it; None: no page, or one that we served."""
    origin = request.lower.get("origin")
    if origin is not None:
        return None if origin.partition("://")[2].lower() == request.host.lower() else origin
    site = request.lower.get("sec-fetch-site")
    return None if site in (None, "same-origin", "none") else site


def answer_preflight(request: Request) -> Response | None:
    """Of a call that says its operation in a header, as those of user pools do; None: it is no such preflight."""
    asked = request.lower.get("access-control-request-headers", "").lower().replace(" ", "").split(",")
    if request.method != "OPTIONS" or "x-amz-target" not in asked:
        return None
    return Response(200, list(_PREFLIGHT))


def is_open_to_pages(service: str) -> bool:
    return service == _OPEN_TO_PAGES


def refuse_page(page: str, service: str, request: Request) -> None:
    """Raises AwsError, AccessDeniedException, unless the page may ask for this."""
    if service == "s3" and request.method in ("GET", "HEAD") and "origin" not in request.lower:
        return  # An image, a link: reading an object that the page itself does not get to see.
    if is_open_to_pages(service) and _is_public(service, request.lower.get("x-amz-target", "").rpartition(".")[2]):
        return
    raise AwsError(
        "AccessDeniedException",
        f"A web page of another origin ({page}) may not call this: pages may only sign their visitors in.",
        status=403,
    )


@lru_cache(maxsize=512)
def _is_public(service: str, operation: str) -> bool:
    """Whether AWS takes it without a signature."""
    model = service_model(service)
    return operation in model.operation_names and model.operation_model(operation).auth_type == "none"
