"""One DynamoDB for each test."""

from __future__ import annotations

from tests.unit.tables.conftest import world

__all__ = ["world"]
