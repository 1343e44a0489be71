"""`filterPatterns` of the events that read from a source."""

from __future__ import annotations

from freehold.aws.call import Json
from freehold.templates.serverless.compile.inputs import to_json


def filter_criteria(settings: Json) -> Json | None:
    patterns = settings.get("filterPatterns")
    return {"Filters": [{"Pattern": to_json(pattern)} for pattern in patterns]} if patterns else None
