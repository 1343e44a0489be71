"""DescribeSecret, ListSecrets and their filters. Source: Secrets Manager API Reference, ListSecrets, Filter."""

from __future__ import annotations

import re
from collections.abc import Iterable

from freehold.aws.call import Call, Json
from freehold.services.secretsmanager.record import SECRET, SecretsManager, find_secret, is_over, page
from freehold.state.store import Document

_PAGE = 100
_SHOWN = (*("ARN", "Name", "Description", "KmsKeyId", "CreatedDate", "LastChangedDate", "DeletedDate", "Tags"),)


async def describe_secret(service: SecretsManager, call: Call, request: Json) -> Json:
    document = (await find_secret(service, call, request["SecretId"])).document
    return {**_shown(document), "VersionIdsToStages": _stages(document)}


async def list_secrets(service: SecretsManager, call: Call, request: Json) -> Json:
    found = await matching(service, call, request.get("Filters") or [])
    if not request.get("IncludePlannedDeletion"):
        found = [document for document in found if "DeletedDate" not in document]
    order = {"name": "Name", "last-changed-date": "LastChangedDate"}.get(request.get("SortBy") or "", "CreatedDate")
    found.sort(key=lambda document: document[order], reverse=request.get("SortOrder") != "asc")
    shown, more = page(found, lambda document: str(document["Name"]), request, _PAGE)
    return {"SecretList": [{**_shown(d), "SecretVersionsToStages": _stages(d)} for d in shown], **more}


async def matching(service: SecretsManager, call: Call, filters: list[Json]) -> list[Document]:
    """Secrets that pass every filter, by name."""
    stored = await service.store.list_documents(SECRET, f"{call.region}/")
    documents = [each.document for each in stored if not is_over(service, each.document)]
    return [document for document in documents if all(_passes(document, each, call) for each in filters)]


def _passes(document: Document, wanted: Json, call: Call) -> bool:
    """One of the values, or, where all begin with "!", none of them."""
    values = wanted.get("Values") or []
    allowed = [value for value in values if not value.startswith("!")]
    denied = [value[1:] for value in values if value.startswith("!")]
    key = wanted.get("Key", "all")
    hit = not allowed or any(_has(document, key, value, call) for value in allowed)
    return hit and not any(_has(document, key, value, call) for value in denied)


def _has(document: Document, key: str, value: str, call: Call) -> bool:
    name, description = str(document["Name"]), str(document.get("Description", ""))
    keys, texts = [t["Key"] for t in document["Tags"]], [t.get("Value", "") for t in document["Tags"]]
    match key:
        case "name":
            return name.startswith(value)
        case "description":
            return _words(description, value)
        case "tag-key":
            return any(tag.startswith(value) for tag in keys)
        case "tag-value":
            return any(tag.startswith(value) for tag in texts)
        case "primary-region":
            return call.region.startswith(value)
        case "owning-service":
            return False
    return any(_words(text, value) for text in (name, description, *keys, *texts))


def _words(text: str, value: str) -> bool:
    """Every word of the value begins a word of the text, whatever the case."""
    parts = _split(text)
    return all(any(part.startswith(word) for part in parts) for word in _split(value))


def _split(text: str) -> Iterable[str]:
    return [part for part in re.split(r"[\s/_+=.@!\-]+", text.lower()) if part]


def _shown(document: Document) -> Json:
    return {key: document[key] for key in _SHOWN if key in document}


def _stages(document: Document) -> dict[str, list[str]]:
    return {known: version["Stages"] for known, version in document["Versions"].items() if version["Stages"]}
