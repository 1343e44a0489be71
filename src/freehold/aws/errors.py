"""An error that AWS would answer: its code, its words, its HTTP status. Each protocol writes it in its own way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class AwsError(Exception):
    """Raised by operations; the caller's fault unless `status` is 500 or more.

    `code` is AWS's exception name ("ResourceNotFoundException"); `fields` are further members of the error's shape,
    such as `Reason` of a throttle or `CancellationReasons` of a DynamoDB transaction. Where botocore's model knows the
    code, the model's status wins over `status` unless `status` was given.
    """

    def __init__(
        self, code: str, message: str, *, status: int | None = None, fields: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.fields: Mapping[str, Any] = fields or {}
