"""The Conditions section evaluated, and what of a template is left under them.

Source: "Condition functions" of the CloudFormation user guide. Functions of a branch that is not taken are never
evaluated and make no dependency, so `prune` runs before the graph is built.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from freehold.aws.call import Json
from freehold.stacks.errors import format_error, template_error
from freehold.stacks.intrinsics import Scope, resolve
from freehold.stacks.template import condition_names

_DROPPED = object()


def evaluate_conditions(body: Json, scope: Scope) -> dict[str, bool]:
    """Name -> value; `scope` has parameters and mappings. Raises ValidationError, for a circle of conditions too."""
    conditions: Mapping[str, Any] = body.get("Conditions") or {}
    values: dict[str, bool] = {}

    def evaluate(name: str, above: tuple[str, ...]) -> bool:
        if name in values:
            return values[name]
        if name in above:
            raise format_error(f"Circular dependencies for conditions: [{', '.join((*above, name))}]")
        needed = {other: evaluate(other, (*above, name)) for other in condition_names(conditions[name])}
        result = resolve(conditions[name], replace(scope, conditions=needed))
        if isinstance(result, str) and result.lower() in ("true", "false"):
            result = result.lower() == "true"
        if not isinstance(result, bool):
            raise template_error(f"every Conditions member must evaluate to a boolean: {name}")
        values[name] = result
        return result

    for name in conditions:
        evaluate(name, ())
    return values


def prune(body: Json, conditions: Mapping[str, bool]) -> Json:
    """The template without the resources and outputs whose condition is false, and with each Fn::If decided."""
    pruned = dict(body)
    for section in ("Resources", "Outputs"):
        pruned[section] = {
            name: _without_ifs(item, conditions)
            for name, item in (body.get(section) or {}).items()
            if conditions.get(item.get("Condition", ""), True)
        }
    for resource in pruned["Resources"].values():
        listed = resource.get("DependsOn") or []
        listed = [listed] if isinstance(listed, str) else listed
        # To depend on a resource that its condition left out is allowed and means nothing.
        resource["DependsOn"] = [other for other in listed if other in pruned["Resources"]]
    return pruned


def _without_ifs(value: Any, conditions: Mapping[str, bool]) -> Any:
    result = _decide(value, conditions)
    return {} if result is _DROPPED else result


def _decide(value: Any, conditions: Mapping[str, bool]) -> Any:
    if isinstance(value, list):
        decided = [_decide(item, conditions) for item in value]
        return [item for item in decided if item is not _DROPPED]
    if not isinstance(value, dict):
        return value
    if value == {"Ref": "AWS::NoValue"}:
        return _DROPPED
    branches = value.get("Fn::If") if len(value) == 1 else None
    if isinstance(branches, list) and len(branches) == 3 and branches[0] in conditions:
        return _decide(branches[1] if conditions[branches[0]] else branches[2], conditions)
    kept = {key: _decide(item, conditions) for key, item in value.items()}
    return {key: item for key, item in kept.items() if item is not _DROPPED}
