"""Reading parameters: by name, by version or label, by path, and the history.

Source: Systems Manager API Reference, GetParameter, GetParameters, GetParametersByPath, GetParameterHistory; User
Guide, "Working with parameter labels" (selectors), "Referencing AWS Secrets Manager secrets from Parameter Store".
"""

from __future__ import annotations

from freehold.aws.call import Call, Json
from freehold.aws.errors import AwsError
from freehold.services.ssm.describe import matches
from freehold.services.ssm.record import (
    PARAMETER,
    VERSION,
    Ssm,
    find_parameter,
    invalid,
    list_versions,
    not_found,
    page,
    parameter_arn,
    parameter_key,
    plain_name,
    value_of,
    version_key,
)
from freehold.state.store import Document

_BY_PATH = 10
_HISTORY = 50
_SECRETS = "/aws/reference/secretsmanager/"
_SHOWN_OF_A_VERSION = (
    *("Name", "Type", "KeyId", "LastModifiedDate", "LastModifiedUser", "Description", "AllowedPattern"),
    *("Version", "Tier", "DataType"),
)
_PATH_RULES = (
    "The parameter doesn't meet the parameter name requirements. The parameter name must begin with a forward slash "
    '"/". It can\'t be prefixed with "aws" or "ssm" (case-insensitive). It must use only letters, numbers, or the '
    "following symbols: . (period), - (hyphen), _ (underscore). Special characters are not allowed. All sub-paths, "
    'if specified, must use the forward slash symbol "/". Valid example: /get/parameters2-/by1./path0_.'
)


async def get_parameter(ssm: Ssm, call: Call, request: Json) -> Json:
    return {"Parameter": await _read(ssm, call, request["Name"], bool(request.get("WithDecryption")))}


async def get_parameters(ssm: Ssm, call: Call, request: Json) -> Json:
    names = request["Names"]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise invalid(f"The following parameters are duplicated: {', '.join(repeated)}.")
    found, missing = [], []
    for name in names:
        try:
            found.append(await _read(ssm, call, name, bool(request.get("WithDecryption"))))
        except AwsError as error:
            if error.code not in ("ParameterNotFound", "ParameterVersionNotFound"):
                raise
            missing.append(name)
    return {"Parameters": found, "InvalidParameters": missing}


async def get_parameters_by_path(ssm: Ssm, call: Call, request: Json) -> Json:
    path = request["Path"]
    if not path.startswith("/"):
        raise invalid(_PATH_RULES)
    filters = request.get("ParameterFilters") or []
    for each in filters:
        if each["Key"] not in ("Type", "KeyId", "Label"):
            raise AwsError(
                "InvalidFilterKey",
                f"The following filter key is not valid: {each['Key']}. Valid filter keys include: [Type, KeyId].",
            )
    labels = next((each.get("Values", []) for each in filters if each["Key"] == "Label"), None)
    prefix = path if path.endswith("/") else f"{path}/"
    found = []
    for stored in await ssm.store.list_documents(PARAMETER, f"{call.region}/{prefix}"):
        name = stored.document["Name"]
        if not request.get("Recursive") and "/" in name[len(prefix) :]:
            continue
        if not matches(stored.document, [each for each in filters if each["Key"] != "Label"]):
            continue
        if labels is None:
            found.append(stored.document)
        else:
            versions = await list_versions(ssm, call, name)
            found += [v.document for v in versions if set(v.document.get("Labels", [])) & set(labels)][-1:]
    shown, more = page(found, _name, request, _BY_PATH)
    decrypt = bool(request.get("WithDecryption"))
    return {"Parameters": [_shown(ssm, call, document, decrypt) for document in shown], **more}


async def get_parameter_history(ssm: Ssm, call: Call, request: Json) -> Json:
    name = plain_name(request["Name"])
    await find_parameter(ssm, call, name)
    versions = [stored.document for stored in await list_versions(ssm, call, name)]
    shown, more = page(versions, lambda document: f"{document['Version']:012}", request, _HISTORY)
    decrypt = bool(request.get("WithDecryption"))
    history = [
        {
            **{key: document[key] for key in _SHOWN_OF_A_VERSION if key in document},
            "Value": value_of(ssm, call, document, decrypt),
            "Labels": document.get("Labels", []),
            "Policies": [],
        }
        for document in shown
    ]
    return {"Parameters": history, **more}


async def _read(ssm: Ssm, call: Call, text: str, decrypt: bool) -> Json:
    if text.startswith(_SECRETS):
        return await _secret(ssm, call, text, decrypt)
    name, selector = _split(text)
    if not selector:
        return _shown(ssm, call, (await find_parameter(ssm, call, name)).document, decrypt)
    return {
        **_shown(ssm, call, await _selected(ssm, call, name, selector), decrypt),
        "Selector": f":{selector}",
    }


def _split(text: str) -> tuple[str, str]:
    """(name, version or label) of `name:selector`, where the name may be an ARN."""
    if text.startswith("arn:"):
        parts = text.split(":", 6)
        return plain_name(":".join(parts[:6])), parts[6] if len(parts) > 6 else ""
    name, _, selector = text.partition(":")
    return name, selector


async def _selected(ssm: Ssm, call: Call, name: str, selector: str) -> Document:
    if selector.isdigit():
        stored = await ssm.store.read(VERSION, version_key(call, name, int(selector)))
        if stored is not None:
            return stored.document
        what = f"version {selector}"
    else:
        for each in await list_versions(ssm, call, name):
            if selector in each.document.get("Labels", []):
                return each.document
        what = f"version label '{selector}'"
    if await ssm.store.read(PARAMETER, parameter_key(call, name)) is None:
        raise not_found()
    raise AwsError(
        "ParameterVersionNotFound",
        f"Systems Manager could not find {what} of {name}. Verify the version and try again.",
    )


def _shown(ssm: Ssm, call: Call, document: Document, decrypt: bool) -> Json:
    return {
        **{key: document[key] for key in ("Name", "Type", "Version", "LastModifiedDate", "DataType")},
        "Value": value_of(ssm, call, document, decrypt),
        "ARN": parameter_arn(call, document["Name"]),
    }


async def _secret(ssm: Ssm, call: Call, name: str, decrypt: bool) -> Json:
    if not decrypt:
        raise invalid("WithDecryption flag must be True for retrieving a Secret Manager secret.")
    aws = ssm.bind(call)
    try:
        secret = await aws("secretsmanager", "GetSecretValue", {"SecretId": name.removeprefix(_SECRETS)})
    except AwsError as error:
        if error.code != "ResourceNotFoundException":
            raise
        raise AwsError(
            "ParameterNotFound",
            f"An error occurred (ParameterNotFound) when referencing Secrets Manager: Secret {name} not found.",
        ) from error
    return {
        "Name": name,
        "Type": "SecureString",
        "Value": secret.get("SecretString", ""),
        "Version": 0,
        "LastModifiedDate": secret["CreatedDate"],
        "ARN": secret["ARN"],
        "DataType": "text",
    }


def _name(document: Document) -> str:
    return str(document["Name"])
