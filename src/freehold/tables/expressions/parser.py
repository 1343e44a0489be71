"""Tokens to nodes: one parser for every kind of expression, by recursive descent.

One decision to know: attribute names are resolved while parsing, so what is parsed depends on the text and on
ExpressionAttributeNames alone, and can be kept for the next request with other values.
AWS: "Condition and filter expressions, operators, and functions", "Update expressions".
"""

from __future__ import annotations

from collections.abc import Mapping

from freehold.tables.expressions.lexer import Token, read_tokens, syntax_error
from freehold.tables.expressions.nodes import (
    CONDITION_FUNCTIONS,
    UPDATE_FUNCTIONS,
    Action,
    And,
    Arithmetic,
    Between,
    Compare,
    Function,
    In,
    Node,
    Not,
    Or,
    Parts,
    Path,
    Placeholder,
    expression_error,
    show_path,
)
from freehold.tables.expressions.reserved import RESERVED_WORDS

MAX_BYTES = 4096
MAX_OPERATORS = 300
MAX_IN_OPTIONS = 100
_MAX_NESTING = 60  # A stack frame or five each; no expression of 4 KB that means something goes so deep.
_STRENGTH = {"OR": 1, "AND": 2}
_COMPARATORS = frozenset({"=", "<>", "<", "<=", ">", ">="})
_SECTIONS = ("SET", "REMOVE", "ADD", "DELETE")


class Parser:
    """Of one expression; what it used is in `names` and `values` afterwards."""

    def __init__(self, kind: str, text: str, names: Mapping[str, str]) -> None:
        if not text:
            raise expression_error(kind, "The expression can not be empty;")
        size = len(text.encode())
        if size > MAX_BYTES:
            raise expression_error(
                kind, f"Expression size has exceeded the maximum allowed size; expression size: {size}"
            )
        self.names: set[str] = set()
        self.values: set[str] = set()
        self._kind = kind
        self._text = text
        self._given = names
        self._tokens = read_tokens(kind, text)
        self._at = 0
        self._nesting = 0
        self._operators = 0
        if len(self._tokens) == 1:
            raise expression_error(kind, "The expression can not be empty;")

    def condition(self) -> Node:
        node = self._logic()
        self._end()
        return node

    def projection(self) -> tuple[Parts, ...]:
        paths = [self._path()]
        while self._take(","):
            paths.append(self._path())
        self._end()
        return tuple(paths)

    def update(self) -> tuple[Action, ...]:
        actions: list[Action] = []
        seen: set[str] = set()
        while self._token.kind != "end":
            section = self._token.text.upper()
            if self._token.kind != "name" or section not in _SECTIONS:
                raise self._syntax_error()
            if section in seen:
                raise self._error(f'The "{section}" section can only be used once in an update expression;')
            seen.add(section)
            self._at += 1
            actions.append(self._action(section))
            while self._take(","):
                actions.append(self._action(section))
        return tuple(actions)

    # Update clauses.

    def _action(self, section: str) -> Action:
        path = self._path()
        if section == "REMOVE":
            return Action(section, path, None)
        if section == "SET":
            self._expect("=")
            return Action(section, path, self._sum())
        return Action(section, path, self._value())

    def _sum(self) -> Node:
        left = self._set_operand()
        if self._token.text in ("+", "-"):
            self._count_operator()
            operator = self._token.text
            self._at += 1
            return Arithmetic(operator, left, self._set_operand())
        return left

    def _set_operand(self) -> Node:
        if self._token.text == "(":
            with_parentheses = self._at
            self._at += 1
            self._enter()
            node = self._sum()
            self._expect(")")
            self._leave()
            if with_parentheses and self._tokens[with_parentheses - 1].text == "(" and self._token.text == ")":
                raise self._error("The expression has redundant parentheses;")
            return node
        if self._token.kind == "value":
            return self._value()
        if self._is_call():
            return self._call(UPDATE_FUNCTIONS, CONDITION_FUNCTIONS, self._set_operand)
        return Path(self._path())

    # Conditions. Without recursion: an expression may nest as deep as its operators go.

    def _logic(self) -> Node:
        nodes: list[Node] = []
        waiting: list[tuple[str, int]] = []  # Operators and open parentheses, with their token.
        while True:
            if self._take_word("NOT"):
                self._count_operator()
                waiting.append(("NOT", self._at))
                continue
            if self._take("("):
                waiting.append(("(", self._at - 1))
                continue
            nodes.append(self._comparison())
            while self._token.text == ")" and any(sign == "(" for sign, _ in waiting):
                self._close(nodes, waiting)
            word = self._token.text.upper()
            if self._token.kind != "name" or word not in _STRENGTH:
                break
            self._count_operator()
            self._at += 1
            self._reduce(nodes, waiting, _STRENGTH[word])
            waiting.append((word, self._at))
        self._reduce(nodes, waiting, 0)
        if waiting:
            raise self._syntax_error()
        (node,) = nodes
        return node

    def _close(self, nodes: list[Node], waiting: list[tuple[str, int]]) -> None:
        self._reduce(nodes, waiting, 0)
        _, opening = waiting.pop()
        self._at += 1
        if opening > 0 and self._tokens[opening - 1].text == "(" and self._token.text == ")":
            raise self._error("The expression has redundant parentheses;")

    def _reduce(self, nodes: list[Node], waiting: list[tuple[str, int]], strength: int) -> None:
        """Applies the operators that bind at least as strong, back to the last open parenthesis."""
        while waiting and waiting[-1][0] != "(" and {"NOT": 3, **_STRENGTH}[waiting[-1][0]] >= strength:
            sign, _ = waiting.pop()
            last = nodes.pop()
            if sign == "NOT":
                nodes.append(Not(last))
                continue
            first = nodes.pop()
            kind = And if sign == "AND" else Or
            # A row of the same operator is one node, so that long rows do not nest.
            terms = first.terms if isinstance(first, kind) else (first,)
            nodes.append(kind((*terms, last)))

    def _comparison(self) -> Node:
        left = self._operand()
        token = self._token
        if token.text in _COMPARATORS:
            self._count_operator()
            self._at += 1
            right = self._operand()
            self._only_size(left, right)
            if isinstance(left, Path) and left == right:
                raise self._not_distinct(token.text, left)
            return Compare(token.text, left, right)
        if self._take_word("BETWEEN"):
            self._count_operator()
            low = self._operand()
            if not self._take_word("AND"):
                raise self._syntax_error()
            high = self._operand()
            self._only_size(left, low, high)
            return Between(left, low, high)
        if self._take_word("IN"):
            self._count_operator()
            return In(left, self._options(left))
        if not isinstance(left, Function):
            raise self._syntax_error()
        if left.name == "size":
            raise self._misused(left)
        return left

    def _options(self, left: Node) -> tuple[Node, ...]:
        self._expect("(")
        options = [self._operand()]
        while self._take(","):
            options.append(self._operand())
        self._expect(")")
        self._only_size(left, *options)
        if len(options) > MAX_IN_OPTIONS:
            raise self._error(
                "Too many operands for the IN operator or function; "
                f"operator or function: IN, number of operands: {len(options)}"
            )
        return tuple(options)

    def _operand(self) -> Node:
        if self._token.kind == "value":
            return self._value()
        if self._token.text == "(":
            self._expect("(")
            self._enter()
            node = self._operand()
            self._leave()
            self._expect(")")
            return node
        if self._is_call():
            return self._call(CONDITION_FUNCTIONS, UPDATE_FUNCTIONS, self._operand)
        return Path(self._path())

    def _only_size(self, *operands: Node) -> None:
        for operand in operands:
            if isinstance(operand, Function) and operand.name != "size":
                raise self._misused(operand)

    # What both have.

    def _is_call(self) -> bool:
        return self._token.kind == "name" and self._tokens[self._at + 1].text == "("

    def _call(self, known: Mapping[str, int], elsewhere: Mapping[str, int], argument: object) -> Function:
        assert callable(argument)
        name = self._token.text
        if name[0] in "#_":
            raise self._syntax_error()
        self._at += 2
        self._enter()
        arguments: list[Node] = []
        if self._token.text != ")":
            arguments.append(argument())
            while self._take(","):
                arguments.append(argument())
        self._leave()
        self._expect(")")
        self._count_operator()
        if name not in known:
            if name in elsewhere:
                kind = "an update" if known is UPDATE_FUNCTIONS else "a condition"
                raise self._error(f"The function is not allowed in {kind} expression; function: {name}")
            raise self._error(f"Invalid function name; function: {name}")
        if len(arguments) != known[name]:
            raise self._error(
                "Incorrect number of operands for operator or function; "
                f"operator or function: {name}, number of operands: {len(arguments)}"
            )
        if name in ("attribute_exists", "attribute_not_exists", "if_not_exists") and not isinstance(arguments[0], Path):
            raise self._error(f"Operator or function requires a document path; operator or function: {name}")
        if known is UPDATE_FUNCTIONS:
            for inner in arguments:
                if isinstance(inner, Function) and inner.name == "list_append":
                    raise self._misused(inner)
        if known is CONDITION_FUNCTIONS:
            for inner in arguments:
                if isinstance(inner, Function) and (inner.name != "size" or name == "size"):
                    raise self._misused(inner)
            if len(arguments) == 2 and isinstance(arguments[0], Path) and arguments[0] == arguments[1]:
                raise self._not_distinct(name, arguments[0])
        return Function(name, tuple(arguments))

    def _value(self) -> Placeholder:
        token = self._token
        if token.kind != "value":
            raise self._syntax_error()
        self._at += 1
        self.values.add(token.text)
        return Placeholder(token.text)

    def _path(self) -> Parts:
        parts: list[str | int] = [self._name()]
        while True:
            if self._take("."):
                parts.append(self._name())
            elif self._take("["):
                token = self._token
                if token.kind != "number":
                    raise self._syntax_error()
                if len(token.text) > 9:
                    raise self._error(f"List index is not within the allowable range; index: [{token.text}]")
                parts.append(int(token.text))
                self._at += 1
                self._expect("]")
            else:
                break
        if len(parts) > 32:
            raise self._error("The document path has too many nesting levels; nesting levels: " + str(len(parts)))
        return tuple(parts)

    def _name(self) -> str:
        token = self._token
        if token.kind != "name":
            raise self._syntax_error()
        self._at += 1
        if token.text[0] == "#":
            if token.text not in self._given:
                raise self._error(
                    "An expression attribute name used in the document path is not defined; "
                    f"attribute name: {token.text}"
                )
            self.names.add(token.text)
            return self._given[token.text]
        if token.text.upper() in RESERVED_WORDS:
            raise self._error(f"Attribute name is a reserved keyword; reserved keyword: {token.text}")
        if token.text[0] == "_":
            self._at -= 1
            raise self._syntax_error()
        return token.text

    # Tokens.

    @property
    def _token(self) -> Token:
        return self._tokens[self._at]

    def _take(self, sign: str) -> bool:
        if self._token.text == sign:
            self._at += 1
            return True
        return False

    def _take_word(self, word: str) -> bool:
        if self._token.kind == "name" and self._token.text.upper() == word:
            self._at += 1
            return True
        return False

    def _expect(self, sign: str) -> None:
        if not self._take(sign):
            raise self._syntax_error()

    def _end(self) -> None:
        if self._token.kind != "end":
            raise self._syntax_error()

    def _enter(self) -> None:
        self._nesting += 1
        if self._nesting > _MAX_NESTING:
            raise self._error("The expression contains too many nesting levels;")

    def _leave(self) -> None:
        self._nesting -= 1

    def _count_operator(self) -> None:
        self._operators += 1
        if self._operators > MAX_OPERATORS:
            raise self._error(f"The expression contains too many operators; operator count: {self._operators}")

    def _misused(self, function: Function) -> Exception:
        return self._error(
            f"The function is not allowed to be used this way in an expression; function: {function.name}"
        )

    def _not_distinct(self, operator: str, path: Path) -> Exception:
        return self._error(
            "The first operand must be distinct from the remaining operands for this operator or function; "
            f"operator: {operator}, first operand: {show_path(path.parts)}"
        )

    def _error(self, message: str) -> Exception:
        return expression_error(self._kind, message)

    def _syntax_error(self) -> Exception:
        following = self._tokens[self._at + 1] if self._at + 1 < len(self._tokens) else None
        return syntax_error(self._kind, self._text, self._token, self._tokens[: self._at], following)
