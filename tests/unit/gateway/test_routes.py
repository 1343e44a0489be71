"""Which route answers: the tree against a reference that looks at every route and is slow.

API Gateway Developer Guide, "Routing API requests" and "Set up proxy integrations with a proxy resource": a full match
before a greedy one, static segments before variables from the left, a method before ANY.
"""

from __future__ import annotations

from urllib.parse import unquote

from hypothesis import given, settings
from hypothesis import strategies as st

from freehold.gateway.routes import ANY, Node

Key = tuple[str, str]  # Method and path.

_STATIC = st.sampled_from(["a", "b", "ab", "c.d", "$x"])
_SEGMENT = st.one_of(_STATIC, st.sampled_from(["{v}", "{w}"]))
_METHOD = st.sampled_from(["GET", "POST", ANY])


@st.composite
def routes(draw: st.DrawFn) -> list[Key]:
    """As API Gateway takes them: a greedy variable is the last segment."""
    found = []
    for _ in range(draw(st.integers(0, 12))):
        segments = draw(st.lists(_SEGMENT, max_size=4))
        if draw(st.booleans()) and draw(st.booleans()):
            segments.append("{rest+}")
        found.append((draw(_METHOD), "/" + "/".join(segments)))
    return found


_PATHS = st.lists(
    st.one_of(_STATIC, st.sampled_from(["", "x", "a%2Fb", "%61", "..", "{v}", "%00", "%25", "é"])), max_size=5
).map(lambda segments: "/" + "/".join(segments))


def reference(known: list[Key], method: str, path: str) -> tuple[list[tuple[int, ...]], list[str]] | None:
    """The rank of the best route, and the values of its variables."""
    segments = [unquote(segment) for segment in path.split("/")[1:]]
    best: tuple[tuple[int, ...], bool] | None = None
    values: list[str] = []
    for route_method, route_path in known:
        if route_method not in (method, ANY):
            continue
        found = _match(route_path.split("/")[1:], segments)
        if found is None:
            continue
        ranks, taken = found
        # A full match comes before any greedy one, whatever stands to its left.
        rank = ((1 if ranks and ranks[-1] == 2 else 0, *ranks), route_method == ANY)
        if best is None or rank < best:
            best, values = rank, taken
    return None if best is None else ([best[0]], values)


def _match(parts: list[str], segments: list[str]) -> tuple[tuple[int, ...], list[str]] | None:
    ranks: list[int] = []
    values: list[str] = []
    for index, part in enumerate(parts):
        if part.endswith("+}"):
            rest = segments[index:]
            if not rest or rest == [""]:
                return None
            return (*ranks, 2), [*values, "/".join(rest)]
        if index >= len(segments):
            return None
        if part.startswith("{"):
            if not segments[index]:
                return None
            ranks.append(1)
            values.append(segments[index])
        elif part != segments[index]:
            return None
        else:
            ranks.append(0)
    return (tuple(ranks), values) if len(parts) == len(segments) else None


@settings(max_examples=400)
@given(routes(), st.sampled_from(["GET", "POST", "PUT"]), _PATHS)
def test_the_tree_finds_what_looking_at_every_route_finds(known: list[Key], method: str, path: str) -> None:
    tree: Node[Key] = Node()
    for route in known:
        tree.add(*route, route)
    found = tree.find(method, path)
    expected = reference(known, method, path)
    if expected is None or found is None:
        assert (found is None) == (expected is None)
        return
    route, values = found
    assert route in known
    assert route[0] in (method, ANY)
    assert values == expected[1]
    assert reference([route], method, path) == expected
