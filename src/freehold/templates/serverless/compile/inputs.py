"""What a rule hands to its function: text as JavaScript writes JSON, and input transformers."""

from __future__ import annotations

import json
from typing import Any

from freehold.aws.call import Json
from freehold.templates.serverless.compile.compilation import present


def to_json(value: Any) -> str:
    """As JavaScript writes it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def transformer(settings: Json) -> Json | None:
    given = settings.get("inputTransformer")
    if not given:
        return None
    return present({"InputTemplate": given.get("inputTemplate"), "InputPathsMap": given.get("inputPathsMap") or None})
