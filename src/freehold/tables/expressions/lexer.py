"""Expression text to tokens. AWS: "Expressions in DynamoDB", "Expression attribute names"."""

from __future__ import annotations

import re
from dataclasses import dataclass

from freehold.tables.expressions.nodes import expression_error

_TOKEN = re.compile(
    r"(?P<space>\s+)"
    r"|(?P<name>#?[A-Za-z_][A-Za-z0-9_]*|#[A-Za-z0-9_]+)"
    r"|(?P<value>:[A-Za-z0-9_]+)"
    r"|(?P<number>[0-9]+)"
    r"|(?P<sign><>|<=|>=|[=<>()\[\].,+\-])"
)
_WORD = re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class Token:
    kind: str  # name, value, number, sign or end
    text: str
    start: int
    end: int


def read_tokens(kind: str, text: str) -> list[Token]:
    """Ends with an `end` token. `kind` is the parameter's name, for errors."""
    tokens: list[Token] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise syntax_error(kind, text, _odd_token(text, position), tokens)
        if match.lastgroup != "space":
            assert match.lastgroup is not None
            tokens.append(Token(match.lastgroup, match.group(), match.start(), match.end()))
        position = match.end()
    tokens.append(Token("end", "<EOF>", len(text), len(text)))
    return tokens


def syntax_error(kind: str, text: str, token: Token, before: list[Token], following: Token | None = None) -> Exception:
    """Names the token and its neighbours, as AWS does."""
    start = before[-1].start if before else token.start
    end = following.end if following else token.end
    return expression_error(kind, f'Syntax error; token: "{token.text}", near: "{text[start:end]}"')


def _odd_token(text: str, position: int) -> Token:
    return Token("sign", text[position], position, position + 1)
