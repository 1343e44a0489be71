"""How a compiler says what it cannot honour: in AWS's error for a bad request, by name."""

from __future__ import annotations

from freehold.aws.errors import AwsError


def unsupported(what: str) -> AwsError:
    return AwsError("BadRequestException", f"Freehold does not support {what} yet.", status=400)
