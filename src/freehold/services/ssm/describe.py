"""DescribeParameters and the filters of parameters. Source: Systems Manager API Reference, ParameterStringFilter."""

from __future__ import annotations

from freehold.aws.call import Call, Json
from freehold.aws.errors import AwsError
from freehold.services.ssm.record import PARAMETER, Ssm, invalid, list_versions, page, parameter_arn
from freehold.state.store import Document

_PAGE = 50
_KEYS = ("Path", "Name", "Type", "KeyId", "DataType", "Tier", "Label")
_OPTIONS = {"Path": ("Recursive", "OneLevel"), "Name": ("BeginsWith", "Contains", "Equals")}
_SHOWN = (
    *("Name", "Type", "KeyId", "LastModifiedDate", "LastModifiedUser", "Description", "AllowedPattern"),
    *("Version", "Tier", "DataType"),
)


async def describe_parameters(ssm: Ssm, call: Call, request: Json) -> Json:
    filters, old = request.get("ParameterFilters") or [], request.get("Filters") or []
    if filters and old:
        raise invalid("You can use either Filters or ParameterFilters in a single request.")
    # The older Filters are begins-with, as AWS says of them.
    filters = [*filters, *({**each, "Option": "BeginsWith"} for each in old)]
    for each in filters:
        _check(each)
    label = next((each["Values"] for each in filters if each["Key"] == "Label"), None)
    filters = [each for each in filters if each["Key"] != "Label"]
    found = []
    for stored in await ssm.store.list_documents(PARAMETER, f"{call.region}/"):
        if not matches(stored.document, filters):
            continue
        if label is not None:
            versions = await list_versions(ssm, call, stored.document["Name"])
            if not any(set(version.document.get("Labels", [])) & set(label) for version in versions):
                continue
        found.append(stored.document)
    shown, more = page(found, lambda document: str(document["Name"]), request, _PAGE)
    described = [
        {
            **{key: document[key] for key in _SHOWN if key in document},
            "ARN": parameter_arn(call, document["Name"]),
            "Policies": [],
        }
        for document in shown
    ]
    return {"Parameters": described, **more}


def matches(document: Document, filters: list[Json]) -> bool:
    """All filters; of each one's values any."""
    return all(_matches(document, each) for each in filters)


def _matches(document: Document, wanted: Json) -> bool:
    key, values = wanted["Key"], wanted.get("Values") or []
    name = str(document["Name"])
    if key == "Path":
        prefixes = [value if value.endswith("/") else f"{value}/" for value in values]
        recursive = wanted.get("Option") == "Recursive"
        return any(name.startswith(p) and (recursive or "/" not in name[len(p) :]) for p in prefixes)
    if key.startswith("tag:"):
        tag = document["Tags"].get(key.removeprefix("tag:"))
        return tag is not None and (not values or tag in values)
    actual = str(document.get(key, ""))
    match wanted.get("Option") or "Equals":
        case "BeginsWith":
            # A name filter speaks of names as they are written in a hierarchy, with or without the first slash.
            return any(actual.startswith(value) or (key == "Name" and actual[1:].startswith(value)) for value in values)
        case "Contains":
            return any(value in actual for value in values)
    return actual in values


def _check(wanted: Json) -> None:
    key, option = wanted["Key"], wanted.get("Option")
    if key not in _KEYS and not key.startswith("tag:"):
        raise AwsError(
            "InvalidFilterKey",
            f"The following filter key is not valid: {key}. Valid filter keys include: [{', '.join(_KEYS)}].",
        )
    options = _OPTIONS.get(key, ("BeginsWith", "Equals"))
    if option is not None and option not in options:
        raise AwsError(
            "InvalidFilterOption",
            f"The following filter option is not valid: {option}. Valid options include: [{', '.join(options)}].",
        )
    if not wanted.get("Values") and not key.startswith("tag:"):
        raise AwsError("InvalidFilterValue", "The following filter values are missing : null for filter key " + key)
    if key == "Path" and any(not value.startswith("/") for value in wanted["Values"]):
        raise invalid('The parameter path must begin with a forward slash "/".')
