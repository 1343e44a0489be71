"""`alexaSkill` and `alexaSmartHome` events: a permission each. Serverless Framework documentation, "Alexa Skill"."""

from __future__ import annotations

from freehold.aws.call import Json
from freehold.templates.serverless import names
from freehold.templates.serverless.compile.compilation import Compilation

_KINDS = {
    "alexaSkill": ("AlexaSkill", "alexa-appkit.amazon.com"),
    "alexaSmartHome": ("AlexaSmartHome", "alexa-connectedhome.amazon.com"),
}


def compile_events(compilation: Compilation) -> None:
    for kind, (label, principal) in _KINDS.items():
        for function in compilation.functions:
            for number, event in enumerate(function.of_kind(kind), 1):
                settings: Json = event.settings if isinstance(event.settings, dict) else {"appId": event.settings}
                permission = compilation.permission(
                    function.key, principal, EventSourceToken=settings.get("appId") or None
                )
                if settings.get("enabled") is False:
                    permission["Properties"]["Action"] = "lambda:DisableInvokeFunction"
                compilation.resources[names.permission(function.key, f"{label}{number}")] = permission
