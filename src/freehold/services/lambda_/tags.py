"""Tags of functions and event source mappings. AWS: TagResource, UntagResource, ListTags."""

from __future__ import annotations

from collections.abc import Callable

from freehold.aws.arn import parse_arn
from freehold.aws.call import Call, Json
from freehold.engine.functions import FUNCTION
from freehold.services.lambda_.record import MAPPING, Lambda, invalid, not_found
from freehold.state.change import change_document
from freehold.state.store import Document, Stored

_MAX_TAGS = 50


async def tag_resource(lambda_: Lambda, call: Call, request: Json) -> Json:
    await _change(lambda_, request["Resource"], lambda tags: {**tags, **request["Tags"]})
    return {}


async def untag_resource(lambda_: Lambda, call: Call, request: Json) -> Json:
    gone = set(request["TagKeys"])
    await _change(lambda_, request["Resource"], lambda tags: {k: v for k, v in tags.items() if k not in gone})
    return {}


async def list_tags(lambda_: Lambda, call: Call, request: Json) -> Json:
    text = request["Resource"]
    stored = await _find(lambda_, text, *_place(text))
    return {"Tags": stored.document.get("tags") or {}}


async def _change(lambda_: Lambda, text: str, change: Callable[[dict[str, str]], dict[str, str]]) -> None:
    kind, key = _place(text)

    def make(document: Document) -> None:
        document["tags"] = change(document.get("tags") or {})
        if len(document["tags"]) > _MAX_TAGS:
            raise invalid(f"Number of tags exceeds resource tag limit of {_MAX_TAGS}.")

    await change_document(lambda_.store, kind, lambda: _find(lambda_, text, kind, key), make, attempts=None)


def _place(text: str) -> tuple[str, str]:
    """Kind and key of the document that has an ARN's tags."""
    arn = parse_arn(text)
    what, _, name = arn.resource.partition(":") if arn else ("", "", "")
    kind = {"function": FUNCTION, "event-source-mapping": MAPPING}.get(what)
    if arn is None or kind is None:
        raise invalid(f"Tags belong to functions and event source mappings: {text}")
    if ":" in name:
        raise invalid("Tags on function aliases and versions are not supported. Please specify a function ARN.")
    return kind, f"{arn.region}/{name}"


async def _find(lambda_: Lambda, text: str, kind: str, key: str) -> Stored:
    stored = await lambda_.store.read(kind, key)
    if stored is None:
        raise not_found(f"{'Function' if kind == FUNCTION else 'Event source mapping'} not found: {text}")
    return stored
