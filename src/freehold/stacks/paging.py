"""Long lists in pages: NextToken is the position where the next page begins."""

from __future__ import annotations

from typing import Any

from freehold.aws.call import Json
from freehold.stacks.errors import validation_error


def page(items: list[Any], request: Json, size: int) -> tuple[list[Any], Json]:
    """The page that the request's NextToken names, and {"NextToken": ...} where more follows."""
    token = request.get("NextToken", "0")
    if not token.isdigit():
        raise validation_error("The NextToken is not valid.")
    start = int(token)
    end = start + size
    return items[start:end], {"NextToken": str(end)} if end < len(items) else {}
