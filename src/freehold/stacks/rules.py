"""The Rules section: assertions on parameters, checked before anything is made.

Source: "CloudFormation template Rules syntax" and "Rule-specific intrinsic functions".
"""

from __future__ import annotations

from typing import Any

from freehold.aws.call import Json
from freehold.stacks.errors import template_error, validation_error
from freehold.stacks.intrinsics import Scope, resolve


def check_rules(body: Json, scope: Scope) -> None:
    """Raises ValidationError with the descriptions of the assertions that do not hold."""
    failed = []
    for name, rule in (body.get("Rules") or {}).items():
        if "RuleCondition" in rule and not _holds(rule["RuleCondition"], scope):
            continue
        for assertion in rule.get("Assertions") or []:
            if not _holds(assertion["Assert"], scope):
                failed.append(assertion.get("AssertDescription") or f"an assertion of rule {name} does not hold")
    if failed:
        raise validation_error("Template error: Rule assertion failed: " + "; ".join(failed))


def _holds(value: Any, scope: Scope) -> bool:
    if isinstance(value, dict) and len(value) == 1:
        ((name, argument),) = value.items()
        if name == "Fn::And":
            return all(_holds(item, scope) for item in argument)
        if name == "Fn::Or":
            return any(_holds(item, scope) for item in argument)
        if name == "Fn::Not":
            return not _holds(argument[0], scope)
        if name == "Fn::Contains":
            items, item = resolve(argument, scope)
            return item in items
        if name in ("Fn::EachMemberIn", "Fn::EachMemberEquals"):
            members, right = resolve(argument, scope)
            if name == "Fn::EachMemberIn":
                return all(member in right for member in members)
            return all(member == right for member in members)
        if name in ("Fn::RefAll", "Fn::ValueOf", "Fn::ValueOfAll"):
            raise template_error(f"{name} is for parameters of AWS-specific types: Freehold does not support it yet")
    return bool(resolve(value, scope))
