"""GetRandomPassword. Source: Secrets Manager API Reference, GetRandomPassword."""

from __future__ import annotations

import random
import string

from freehold.aws.call import Call, Json
from freehold.services.secretsmanager.record import SecretsManager, invalid_parameter

_LENGTH = 32
_random = random.SystemRandom()  # The machine's own randomness: a password is never to be foreseen, not even in a test.


async def get_random_password(service: SecretsManager, call: Call, request: Json) -> Json:
    return {"RandomPassword": make_password(request)}


def make_password(request: Json) -> str:
    classes = [
        (string.ascii_lowercase, request.get("ExcludeLowercase")),
        (string.ascii_uppercase, request.get("ExcludeUppercase")),
        (string.digits, request.get("ExcludeNumbers")),
        (string.punctuation, request.get("ExcludePunctuation")),
        (" ", not request.get("IncludeSpace")),
    ]
    excluded = set(request.get("ExcludeCharacters") or "")
    allowed = ["".join(c for c in letters if c not in excluded) for letters, without in classes if not without]
    allowed = [letters for letters in allowed if letters]
    length = request.get("PasswordLength") or _LENGTH
    if not allowed:
        raise invalid_parameter("You can't exclude all of the character types.")
    required = request.get("RequireEachIncludedType", True)
    if required and length < len(allowed):
        raise invalid_parameter(
            "Password length is too short based on the required types: it must have one character of each."
        )
    password = [_random.choice(letters) for letters in allowed] if required else []
    password += [_random.choice("".join(allowed)) for _ in range(length - len(password))]
    _random.shuffle(password)
    return "".join(password)
