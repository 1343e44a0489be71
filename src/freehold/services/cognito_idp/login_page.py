"""The sign-in page as HTML: a form for each step of a sign-in. Without scripts, and in no other page's frame."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from html import escape

import orjson

from freehold.aws.call import Json
from freehold.services.cognito_idp.visit import Page, Visit

Answer = Callable[[Visit], Awaitable[Page]]
_HEADERS = [
    ("Content-Type", "text/html; charset=utf-8"),
    ("Cache-Control", "no-store"),
    (
        "Content-Security-Policy",
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
    ),
    ("X-Frame-Options", "DENY"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
]
_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;background:#f4f5f7;color:#1c2430;margin:0}
main{max-width:22rem;margin:10vh auto;background:#fff;padding:2rem;border-radius:.75rem;box-shadow:0 1px 8px #0002}
h1{font-size:1.25rem;margin:0 0 1rem}label{display:block;margin:.75rem 0}
input{box-sizing:border-box;width:100%;padding:.6rem;font:inherit;border:1px solid #8a94a3;border-radius:.4rem}
button{width:100%;margin-top:1rem;padding:.7rem;font:inherit;border:0;border-radius:.4rem;background:#1f5fbf;color:#fff}
.problem{background:#fdecea;color:#8a1c12;padding:.6rem;border-radius:.4rem}
"""
# Challenge -> (what it is told as, the field's label, its name in the form, the parameter of the API, autocomplete).
_CODES = {
    "SOFTWARE_TOKEN_MFA": ("Enter the code of your authenticator app.", "SOFTWARE_TOKEN_MFA_CODE"),
    "SMS_MFA": ("Enter the code that was sent to {}.", "SMS_MFA_CODE"),
    "EMAIL_OTP": ("Enter the code that was sent to {}.", "EMAIL_OTP_CODE"),
}
_ATTRIBUTE = "userAttributes."


@dataclass(frozen=True, slots=True)
class Form:
    username: str = ""
    problem: str = ""
    challenge: str = ""  # Empty: username and password are asked for.
    session: str = ""
    words: str = ""
    wanted: list[str] = field(default_factory=list)  # Attributes of NEW_PASSWORD_REQUIRED: "userAttributes.name".


def of_challenge(answer: Json, username: str) -> Form:
    """The form that a challenge of the API asks for."""
    name, told = answer["ChallengeName"], answer["ChallengeParameters"]
    if name == "NEW_PASSWORD_REQUIRED":
        wanted = orjson.loads(told["requiredAttributes"])
        return Form(username, "", name, answer["Session"], "Choose a new password.", wanted)
    if name in _CODES:
        words = _CODES[name][0].format(told.get("CODE_DELIVERY_DESTINATION", ""))
        return Form(username, "", name, answer["Session"], words)
    return Form(username, f"Freehold's sign-in page does not have the challenge {name} yet.")


def responses(form: dict[str, str]) -> dict[str, str]:
    """ChallengeResponses of what was filled in."""
    challenge = form.get("challenge", "")
    if challenge in _CODES:
        return {_CODES[challenge][1]: form.get("code", "").strip()}
    given = {name: value for name, value in form.items() if name.startswith(_ATTRIBUTE)}
    return {"NEW_PASSWORD": form.get("password", ""), **given}


def show(client: str, action: str, secret: str, form: Form) -> Page:
    fields = [_hidden("_csrf", secret)]
    if not form.challenge:
        fields.append(_input("Username or email", "username", "text", "username", form.username))
        fields.append(_input("Password", "password", "password", "current-password"))
    else:
        fields += [_hidden("username", form.username), _hidden("challenge", form.challenge)]
        fields.append(_hidden("session", form.session))
        if form.challenge in _CODES:
            fields.append(_input("Code", "code", "text", "one-time-code"))
        else:
            fields.append(_input("New password", "password", "password", "new-password"))
            fields += [_input(name.removeprefix(_ATTRIBUTE), name, "text", "on") for name in form.wanted]
    problem = f'<p class="problem" role="alert" id="problem">{escape(form.problem)}</p>' if form.problem else ""
    words = f"<p>{escape(form.words)}</p>" if form.words else ""
    inside = (
        f"<h1>Sign in to {escape(client)}</h1>{problem}{words}"
        f'<form method="post" action="{escape(action)}">{"".join(fields)}'
        '<button type="submit" id="submit">Sign in</button></form>'
    )
    return _html(200, "Sign in", inside)


def error_page(status: int, text: str) -> Page:
    return _html(status, "Error", f'<h1>That did not work</h1><p id="problem">{escape(text)}</p>')


def _html(status: int, title: str, inside: str) -> Page:
    body = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>'
        f"<body><main>{inside}</main></body></html>"
    )
    return Page(status, list(_HEADERS), body.encode())


def _input(label: str, name: str, kind: str, autocomplete: str, value: str = "") -> str:
    return (
        f'<label>{escape(label)}<input name="{escape(name)}" id="{escape(name)}" type="{kind}" '
        f'autocomplete="{autocomplete}" value="{escape(value)}" required></label>'
    )


def _hidden(name: str, value: str) -> str:
    return f'<input type="hidden" name="{name}" value="{escape(value)}">'
