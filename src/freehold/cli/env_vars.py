"""`--env-vars FILE` of `sam local`: other values for environment variables that the template declares.

AWS SAM Developer Guide, "Environment variable file" (sam local invoke): by function, or "Parameters" for all
of them; what the template does not declare is left out.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from freehold.aws.call import Json
from freehold.cli.failure import Failure

_FOR_ALL = "Parameters"
_FUNCTIONS = ("AWS::Serverless::Function", "AWS::Lambda::Function")

Overrides = Mapping[str, Mapping[str, Any]]


def read_env_vars(file: str | None) -> Overrides:
    """Raises Failure."""
    if file is None:
        return {}
    try:
        found = json.loads(Path(file).read_text())
    except OSError as error:
        raise Failure(f"Cannot read the environment variables {file}: {error.strerror}.") from error
    except ValueError as error:
        line = f":{error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise Failure(f"{file}{line}: the environment variables are not JSON: {error}.") from error
    if not isinstance(found, dict) or not all(isinstance(each, dict) for each in found.values()):
        raise Failure(f'{file} must look like {{"FunctionName": {{"NAME": "value"}}}} or {{"Parameters": {{...}}}}.')
    return found


def with_env_vars(template: Json, overrides: Overrides) -> Json:
    """A copy of the template; functions are found by logical id or by name."""
    result = copy.deepcopy(template)
    shared = _variables((result.get("Globals") or {}).get("Function") or {})
    for logical_id, resource in (result.get("Resources") or {}).items():
        if resource.get("Type") not in _FUNCTIONS:
            continue
        properties = resource.setdefault("Properties", {})
        given = {
            **overrides.get(_FOR_ALL, {}),
            **overrides.get(logical_id, {}),
            **overrides.get(str(properties.get("FunctionName")), {}),
        }
        own = _variables(properties)
        changed = {name: _text(given[name]) for name in {**shared, **own} if name in given}
        if changed:
            properties["Environment"] = {**(properties.get("Environment") or {}), "Variables": {**own, **changed}}
    return result


def _variables(properties: Json) -> Json:
    found = (properties.get("Environment") or {}).get("Variables")
    return found if isinstance(found, dict) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
