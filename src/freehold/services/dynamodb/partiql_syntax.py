"""PartiQL statements, read into the parts that DynamoDB's own expressions have.

One decision to know: a condition becomes the text of an expression with placeholders while it is read, and only its
terms at the top are kept apart, since the primary key is looked for among them and nowhere deeper.
AWS: "PartiQL - a SQL-compatible query language for Amazon DynamoDB".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from freehold.aws.errors import AwsError
from freehold.services.dynamodb.record import Json

Part = TypeVar("Part")

_TOKEN = re.compile(
    r"\s*(?:(?P<string>'(?:[^']|'')*')|(?P<quoted>\"(?:[^\"]|\"\")*\")|(?P<number>\d+(?:\.\d*)?(?:[eE][+-]?\d+)?)"
    r"|(?P<word>[A-Za-z_]\w*)|(?P<mark><<|>>|<=|>=|<>|!=|[=<>(),.\[\]{}:?*+\-;]))"
)
_COMPARE = {"=", "<>", "!=", "<", "<=", ">", ">="}
_FUNCTIONS = {"begins_with": 2, "contains": 2, "attribute_type": 2}


@dataclass(frozen=True, slots=True)
class Term:
    """One condition of those that AND joins at the top."""

    text: str
    attribute: str | None = None  # Where it compares one attribute with values.
    operator: str = ""
    values: tuple[str, ...] = ()  # Placeholders.


@dataclass(slots=True)
class Statement:
    kind: str = ""  # SELECT INSERT UPDATE DELETE EXISTS
    table: str = ""
    index: str | None = None
    projection: list[str] = field(default_factory=list)  # Empty: *.
    terms: list[Term] = field(default_factory=list)
    item: Json = field(default_factory=dict)
    changes: dict[str, list[str]] = field(default_factory=dict)  # SET, REMOVE, ADD, DELETE -> actions.
    order: list[tuple[str, bool]] = field(default_factory=list)  # (attribute, descending).
    returning: str = "NONE"
    names: dict[str, str] = field(default_factory=dict)  # Placeholder -> attribute.
    values: Json = field(default_factory=dict)  # Placeholder -> attribute value.


def read_statement(text: str, parameters: Sequence[Json]) -> Statement:
    """Raises ValidationException."""
    return _Reader(text, parameters).statement()


class _Reader:
    def __init__(self, text: str, parameters: Sequence[Json]) -> None:
        self._tokens = _split(text)
        self._place = 0
        self._parameters = list(parameters)
        self._taken = 0
        self._made = Statement()

    def statement(self) -> Statement:
        made = self._made
        made.kind = self._word("SELECT", "INSERT", "UPDATE", "DELETE", "EXISTS")
        {
            "SELECT": self._select,
            "INSERT": self._insert,
            "UPDATE": self._update,
            "DELETE": self._delete,
            "EXISTS": self._exists,
        }[made.kind]()
        self._skip(";")
        if self._place < len(self._tokens):
            raise _malformed(f"unexpected {self._peek()[1]}")
        if self._taken != len(self._parameters):
            raise AwsError("ValidationException", "Number of parameters in request and statement don't match.")
        return made

    def _select(self) -> None:
        if not self._skip("*"):
            self._made.projection = self._listed(self._path)
        self._word("FROM")
        self._table()
        self._where()
        if self._has_word("ORDER"):
            self._word("BY")
            self._made.order = self._listed(self._ordered)

    def _ordered(self) -> tuple[str, bool]:
        name = self._name()
        if self._has_word("DESC"):
            return name, True
        self._has_word("ASC")
        return name, False

    def _insert(self) -> None:
        self._word("INTO")
        self._table()
        self._word("VALUE")
        value = self._value()
        if "M" not in value:
            raise _malformed("INSERT needs a map of attributes")
        self._made.item = value["M"]

    def _update(self) -> None:
        self._table()
        while kind := self._has_word("SET", "REMOVE"):
            self._change(kind)
            while self._skip(","):
                self._change(kind)
        if not self._made.changes:
            raise _malformed("UPDATE needs SET or REMOVE")
        self._where()
        self._returning()

    def _change(self, kind: str) -> None:
        path = self._path()
        if kind == "REMOVE":
            self._made.changes.setdefault("REMOVE", []).append(path)
            return
        self._mark("=")
        for function, action in (("set_add", "ADD"), ("set_delete", "DELETE")):
            if self._has_word(function):
                self._mark("(")
                if self._path() != path:
                    raise _malformed(f"{function} changes the attribute that it is given")
                self._mark(",")
                self._made.changes.setdefault(action, []).append(f"{path} {self._constant()}")
                self._mark(")")
                return
        text = self._summand()
        if sign := self._skip("+", "-"):
            text = f"{text} {sign} {self._summand()}"
        self._made.changes.setdefault("SET", []).append(f"{path} = {text}")

    def _summand(self) -> str:
        for function in ("list_append", "if_not_exists"):
            if self._has_word(function):
                self._mark("(")
                parts = self._listed(self._summand)
                self._mark(")")
                return f"{function}({', '.join(parts)})"
        return self._operand()

    def _delete(self) -> None:
        self._word("FROM")
        self._table()
        self._where()
        self._returning()

    def _exists(self) -> None:
        self._mark("(")
        self._word("SELECT")
        self._select()
        self._mark(")")

    def _table(self) -> None:
        self._made.table = self._name()
        if self._skip("."):
            self._made.index = self._name()

    def _where(self) -> None:
        if self._has_word("WHERE"):
            self._made.terms = self._or()

    def _returning(self) -> None:
        if self._has_word("RETURNING"):
            which, when = self._word("ALL", "MODIFIED"), self._word("OLD", "NEW")
            self._mark("*")
            self._made.returning = f"{'ALL' if which == 'ALL' else 'UPDATED'}_{when}"

    def _or(self) -> list[Term]:
        """Parentheses only where they change the meaning: DynamoDB's expressions refuse the others."""
        terms = self._and()
        parts = [_joined(terms)]
        while self._has_word("OR"):
            parts.append(_joined(self._and()))
        return terms if len(parts) == 1 else [Term(f"({' OR '.join(parts)})")]

    def _and(self) -> list[Term]:
        terms = self._term()
        while self._has_word("AND"):
            terms += self._term()
        return terms

    def _term(self) -> list[Term]:
        if self._has_word("NOT"):
            terms = self._term()
            text = _joined(terms)
            return [Term(f"NOT {text}" if len(terms) == 1 else f"NOT ({text})")]
        if self._skip("("):
            terms = self._or()
            self._mark(")")
            return terms
        return [self._comparison()]

    def _comparison(self) -> Term:
        for function in _FUNCTIONS:
            if self._has_word(function):
                self._mark("(")
                path = self._path()
                self._mark(",")
                value = self._constant()
                self._mark(")")
                return Term(f"{function}({path}, {value})", self._whole(path), function, (value,))
        left = self._operand()
        if self._has_word("IS"):
            negated = "NOT " if self._has_word("NOT") else ""
            if self._word("MISSING", "NULL") == "MISSING":
                return Term(f"attribute_{'exists' if negated else 'not_exists'}({left})")
            return Term(f"{negated}attribute_type({left}, {self._placed({'S': 'NULL'})})")
        if self._has_word("BETWEEN"):
            low = self._operand()
            self._word("AND")
            high = self._operand()
            return Term(f"{left} BETWEEN {low} AND {high}", self._whole(left), "BETWEEN", (low, high))
        if self._has_word("IN"):
            end = ")" if self._mark("(", "[") == "(" else "]"
            values = self._listed(self._operand)
            self._mark(end)
            return Term(f"{left} IN ({', '.join(values)})")
        operator = self._mark(*_COMPARE).replace("!=", "<>")
        right = self._operand()
        if left.startswith(":") and operator == "=":
            left, right = right, left
        is_fixed = right.startswith(":")
        return Term(f"{left} {operator} {right}", self._whole(left) if is_fixed else None, operator, (right,))

    def _whole(self, path: str) -> str | None:
        """The attribute, where the path is one and goes no deeper."""
        return self._made.names.get(path)

    def _operand(self) -> str:
        if self._has_word("size"):
            self._mark("(")
            path = self._path()
            self._mark(")")
            return f"size({path})"
        kind, text = self._peek()
        if kind == "quoted" or (kind == "word" and text.upper() not in ("TRUE", "FALSE", "NULL")):
            return self._path()
        return self._constant()

    def _constant(self) -> str:
        return self._placed(self._value())

    def _placed(self, value: Json) -> str:
        placeholder = f":p{len(self._made.values)}"
        self._made.values[placeholder] = value
        return placeholder

    def _path(self) -> str:
        path = self._placeholder(self._name())
        while mark := self._skip(".", "["):
            if mark == ".":
                path += f".{self._placeholder(self._name())}"
            else:
                path += f"[{self._next('number')}]"
                self._mark("]")
        return path

    def _placeholder(self, name: str) -> str:
        for placeholder, known in self._made.names.items():
            if known == name:
                return placeholder
        placeholder = f"#p{len(self._made.names)}"
        self._made.names[placeholder] = name
        return placeholder

    def _value(self) -> Json:
        if self._skip("?"):
            if self._taken >= len(self._parameters):
                raise AwsError("ValidationException", "Number of parameters in request and statement don't match.")
            self._taken += 1
            return self._parameters[self._taken - 1]
        if word := self._has_word("TRUE", "FALSE", "NULL"):
            return {"NULL": True} if word == "NULL" else {"BOOL": word == "TRUE"}
        if mark := self._skip("{", "[", "<<", "-"):
            return {"{": self._map, "[": self._list, "<<": self._set, "-": self._negative}[mark]()
        kind, text = self._peek()
        if kind == "string":
            self._place += 1
            return {"S": text[1:-1].replace("''", "'")}
        return {"N": self._next("number")}

    def _negative(self) -> Json:
        return {"N": f"-{self._next('number')}"}

    def _map(self) -> Json:
        def entry() -> tuple[str, Json]:
            name = self._next("string")[1:-1].replace("''", "'")
            self._mark(":")
            return name, self._value()

        entries = [] if self._peek()[1] == "}" else self._listed(entry)
        self._mark("}")
        return {"M": dict(entries)}

    def _list(self) -> Json:
        values = [] if self._peek()[1] == "]" else self._listed(self._value)
        self._mark("]")
        return {"L": values}

    def _set(self) -> Json:
        values = self._listed(self._value)
        self._mark(">>")
        kinds = {kind for value in values for kind in value}
        if len(kinds) != 1 or not kinds <= {"S", "N", "B"}:
            raise _malformed("a set has strings, numbers or binary values, all of one kind")
        (kind,) = kinds
        return {f"{kind}S": [value[kind] for value in values]}

    def _name(self) -> str:
        kind, text = self._peek()
        if kind not in ("word", "quoted"):
            raise _malformed(f"a name is missing before {text or 'the end'}")
        self._place += 1
        return text[1:-1].replace('""', '"') if kind == "quoted" else text

    def _listed(self, read: Callable[[], Part]) -> list[Part]:
        parts = [read()]
        while self._skip(","):
            parts.append(read())
        return parts

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._place] if self._place < len(self._tokens) else ("end", "")

    def _next(self, kind: str) -> str:
        found, text = self._peek()
        if found != kind:
            raise _malformed(f"a {kind} is missing before {text or 'the end'}")
        self._place += 1
        return text

    def _skip(self, *marks: str) -> str:
        kind, text = self._peek()
        if kind != "mark" or text not in marks:
            return ""
        self._place += 1
        return text

    def _mark(self, *marks: str) -> str:
        found = self._skip(*marks)
        if not found:
            raise _malformed(f"{marks[0]} is missing before {self._peek()[1] or 'the end'}")
        return found

    def _has_word(self, *words: str) -> str:
        kind, text = self._peek()
        wanted = next((word for word in words if kind == "word" and text.upper() == word.upper()), "")
        if wanted:
            self._place += 1
        return wanted

    def _word(self, *words: str) -> str:
        found = self._has_word(*words)
        if not found:
            raise _malformed(f"{' or '.join(words)} is missing before {self._peek()[1] or 'the end'}")
        return found


def _joined(terms: Sequence[Term]) -> str:
    return " AND ".join(term.text for term in terms)


def _split(text: str) -> list[tuple[str, str]]:
    tokens = []
    place = 0
    text = text.rstrip()
    while place < len(text):
        found = _TOKEN.match(text, place)
        if found is None or found.lastgroup is None:
            raise _malformed(f"unexpected {text[place:].strip()[:20]}")
        tokens.append((found.lastgroup, found[found.lastgroup]))
        place = found.end()
    return tokens


def _malformed(why: str) -> AwsError:
    return AwsError("ValidationException", f"Statement wasn't well formed, can't be processed: {why}")
