"""AWS Signature Version 4, verified: who signed a request, and whether what arrived is what was signed.

IAM User Guide, "Create a signed AWS API request" and "Troubleshoot AWS SigV4 signature issues". One decision to know:
it fails closed. The payload's hash is always that of the bytes that came, so an unsigned payload
(`UNSIGNED-PAYLOAD`) or one that is signed in chunks (`STREAMING-...`) never verifies, as at API Gateway and Lambda.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from urllib.parse import quote, unquote_plus

ALGORITHM = "AWS4-HMAC-SHA256"
SKEW_S = 300  # The clocks of client and server may differ by five minutes.
EXPIRES_MAX_S = 604_800  # Seven days.
_TIME = "%Y%m%dT%H%M%SZ"
_TIME_TEXT = re.compile(r"^\d{8}T\d{6}Z$")
_UNRESERVED = "-_.~"
_SPACES = re.compile(r"\s+")
_FIELDS = ("Credential", "Signature", "SignedHeaders")
_MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key "
    "and signing method. Consult the service documentation for details."
)


class SignatureProblem(Exception):
    """`code` is the AWS error: IncompleteSignatureException, InvalidSignatureException. `details` may follow the
    message, where a service tells what it computed."""

    def __init__(self, code: str, message: str, details: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = details


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A request as it came; `lower` has lower-case names, duplicates joined with ","."""

    method: str
    raw_path: str  # Percent-encoded, without the query.
    query: str  # Percent-encoded, without "?".
    lower: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Signature:
    access_key: str
    date: str  # YYYYMMDD, of the credential scope.
    region: str
    service: str
    terminator: str
    signed_headers: tuple[str, ...]
    value: str  # 64 hex digits.
    time: str  # YYYYMMDDTHHMMSSZ
    token: str  # Session token; "" when there is none.
    expires_s: int  # How long after `time` it may be used.
    in_query: bool


def read_signature(request: SignedRequest) -> Signature | None:
    """None: it is not signed. Raises SignatureProblem for what is not a whole signature."""
    authorization = request.lower.get("authorization")
    if authorization is not None:
        return _from_header(request, authorization)
    if "X-Amz-Algorithm=" in request.query or "X-Amz-Signature=" in request.query:
        return _from_query(request)
    return None


def check_scope(signature: Signature, region: str, service: str) -> None:
    """Raises SignatureProblem unless it was signed for this region and service."""
    if signature.date != signature.time[:8]:
        raise _invalid(
            f"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
            f"'{signature.date}' != '{signature.time[:8]}', from '{signature.time}'."
        )
    if signature.region != region:
        raise _invalid(f"Credential should be scoped to a valid region, not '{signature.region}'. ")
    if signature.service != service:
        raise _invalid(f"Credential should be scoped to correct service: '{service}'. ")
    if signature.terminator != "aws4_request":
        raise _invalid(
            f"Credential should be scoped with a valid terminator: 'aws4_request', not '{signature.terminator}'. "
        )


def check_time(signature: Signature, now_s: float) -> None:
    """Raises SignatureProblem unless it is of now, or not yet expired."""
    try:
        signed_s = _epoch_s(signature.time)
    except ValueError:
        raise _incomplete(f"Date must be in ISO-8601 'basic format'. Got '{signature.time}'.") from None
    if signed_s > now_s + SKEW_S:
        raise _invalid(
            f"Signature not yet current: {signature.time} is still later than {_written(now_s + SKEW_S)} "
            f"({_written(now_s)} + 5 min.)"
        )
    if signed_s + signature.expires_s < now_s:
        oldest, now = _written(now_s - signature.expires_s), _written(now_s)
        minutes = signature.expires_s // 60
        raise _invalid(f"Signature expired: {signature.time} is now earlier than {oldest} ({now} - {minutes} min.)")


def verify(signature: Signature, request: SignedRequest, secret: str) -> None:
    """Raises SignatureProblem unless the holder of `secret` signed this very request."""
    key = _signing_key(secret, signature.date, signature.region, signature.service)
    scope = f"{signature.date}/{signature.region}/{signature.service}/aws4_request"
    first = ""
    for canonical in _canonical_requests(signature, request):
        text = "\n".join((ALGORITHM, signature.time, scope, hashlib.sha256(canonical.encode()).hexdigest()))
        wanted = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
        if hmac.compare_digest(wanted.encode(), signature.value.encode("utf-8", "replace")):
            return
        first = first or (
            f"\n\nThe Canonical String for this request should have been\n'{canonical}'\n\n"
            f"The String-to-Sign should have been\n'{text}'\n"
        )
    raise SignatureProblem("InvalidSignatureException", _MISMATCH, first)


def _from_header(request: SignedRequest, authorization: str) -> Signature:
    scheme, _, rest = authorization.partition(" ")
    fields = {}
    if scheme == ALGORITHM:
        for part in rest.split(","):
            name, _, value = part.strip().partition("=")
            fields[name] = value
    elif "=" not in authorization:
        hashed = _hashed(authorization)
        raise _incomplete(
            "Invalid key=value pair (missing equal-sign) in Authorization header (hashed with SHA-256 and encoded with "
            f"Base64): '{hashed}'."
        )
    time = request.lower.get("x-amz-date") or _http_date(request.lower.get("date", ""))
    missing = [f"Authorization header requires '{name}' parameter." for name in _FIELDS if not fields.get(name)]
    if not time:
        missing.append("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
    if missing:
        hashed = _hashed(authorization)
        raise _incomplete(f"{' '.join(missing)} (Hashed with SHA-256 and encoded with Base64) Authorization={hashed}")
    token = request.lower.get("x-amz-security-token", "")
    return _signature(fields, time, token, SKEW_S, in_query=False)


def _from_query(request: SignedRequest) -> Signature:
    given: dict[str, str] = {}
    for name, value in _pairs(request.query):
        if name.startswith("X-Amz-"):
            if name in given:
                raise _incomplete(f"AWS query-string parameter '{name}' is there more than once.")
            given[name] = value
    if given.get("X-Amz-Algorithm") != ALGORITHM:
        raise _incomplete(f"Unsupported AWS 'algorithm': '{given.get('X-Amz-Algorithm', '')}'.")
    needed = ("X-Amz-Credential", "X-Amz-Signature", "X-Amz-SignedHeaders", "X-Amz-Date")
    missing = [f"AWS query-string parameters must include '{name}'." for name in needed if not given.get(name)]
    if missing:
        raise _incomplete(f"{' '.join(missing)} Re-examine the query-string parameters.")
    text = given.get("X-Amz-Expires", str(SKEW_S))
    expires_s = int(text) if text.isascii() and text.isdigit() and len(text) <= 6 else 0
    if not 1 <= expires_s <= EXPIRES_MAX_S:
        raise _incomplete(f"X-Amz-Expires must be between 1 and {EXPIRES_MAX_S} seconds. Got '{text}'.")
    fields = {name: given[f"X-Amz-{name}"] for name in _FIELDS}
    return _signature(fields, given["X-Amz-Date"], given.get("X-Amz-Security-Token", ""), expires_s, in_query=True)


def _signature(fields: Mapping[str, str], time: str, token: str, expires_s: int, *, in_query: bool) -> Signature:
    scope = fields["Credential"].split("/")
    if len(scope) != 5 or not all(scope):
        raise _incomplete(
            f"Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got "
            f"'{fields['Credential']}'"
        )
    if not _TIME_TEXT.match(time):
        raise _incomplete(f"Date must be in ISO-8601 'basic format'. Got '{time}'.")
    names = tuple(fields["SignedHeaders"].split(";"))
    if "host" not in names:
        raise _incomplete("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
    access_key, date, region, service, terminator = scope
    return Signature(
        access_key, date, region, service, terminator, names, fields["Signature"], time, token, expires_s, in_query
    )


def _canonical_requests(signature: Signature, request: SignedRequest) -> list[str]:
    """One, or two: where the query has a "+", signers differ, and both readings mean the query that came."""
    lines = [f"{name}:{_SPACES.sub(' ', request.lower.get(name, '').strip())}\n" for name in signature.signed_headers]
    payload = hashlib.sha256(request.body).hexdigest()
    told = request.lower.get("x-amz-content-sha256")
    if told is not None and told != payload:
        raise SignatureProblem("InvalidSignatureException", _MISMATCH)
    queries = [_canonical_query(request.query, signature.in_query)]
    if "+" in request.query:
        pairs = [pair for pair in request.query.split("&") if not pair.startswith("X-Amz-Signature=")]
        queries.append("&".join(sorted(pairs)))
    path = _canonical_path(request.raw_path)
    names = ";".join(signature.signed_headers)
    return ["\n".join((request.method, path, query, "".join(lines), names, payload)) for query in queries]


def _canonical_path(raw_path: str) -> str:
    """Dot segments and empty ones removed, then encoded once more than on the wire."""
    segments: list[str] = []
    for segment in raw_path.split("/"):
        if segment == "..":
            del segments[-1:]
        elif segment not in ("", "."):
            segments.append(segment)
    slash = "/" if raw_path.endswith("/") and segments else ""
    return quote("/" + "/".join(segments) + slash, safe="/" + _UNRESERVED)


def _canonical_query(query: str, in_query: bool) -> str:
    pairs = []
    for name, value in _pairs(query):
        if not (in_query and name == "X-Amz-Signature"):
            pairs.append((quote(name, safe=_UNRESERVED), quote(value, safe=_UNRESERVED)))
    return "&".join(f"{name}={value}" for name, value in sorted(pairs))


def _pairs(query: str) -> list[tuple[str, str]]:
    pairs = []
    for part in query.split("&"):
        if part:
            name, _, value = part.partition("=")
            pairs.append((unquote_plus(name, errors="surrogateescape"), unquote_plus(value, errors="surrogateescape")))
    return pairs


@lru_cache(maxsize=1024)
def _signing_key(secret: str, date: str, region: str, service: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (date, region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key


@lru_cache(maxsize=64)  # What is signed in one second says the same.
def _epoch_s(text: str) -> float:
    """Raises ValueError."""
    return datetime.strptime(text, _TIME).replace(tzinfo=UTC).timestamp()


def _http_date(text: str) -> str:
    try:
        return parsedate_to_datetime(text).astimezone(UTC).strftime(_TIME) if text else ""
    except (ValueError, TypeError, IndexError, OverflowError):
        return ""


def _written(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, UTC).strftime(_TIME)


def _hashed(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _invalid(message: str) -> SignatureProblem:
    return SignatureProblem("InvalidSignatureException", message)


def _incomplete(message: str) -> SignatureProblem:
    return SignatureProblem("IncompleteSignatureException", message)
