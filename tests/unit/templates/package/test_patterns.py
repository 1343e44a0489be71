"""Glob patterns as the Serverless Framework reads them."""

from __future__ import annotations

import pytest

from freehold.templates.package.patterns import is_pruned, is_selected, pattern, translate


@pytest.mark.parametrize(
    ("glob", "path", "matches"),
    [
        ("**", "a/b/.c", True),
        ("*.js", "a.js", True),
        ("*.js", "a/b.js", False),
        ("**/*.js", "b.js", True),
        ("**/*.js", "a/b/c.js", True),
        ("a/**", "a/b/c", True),
        ("a/**", "ab/c", False),
        ("a/**/z", "a/z", True),
        ("a/?.txt", "a/b.txt", True),
        ("[ab].py", "b.py", True),
        ("[!ab].py", "b.py", False),
        ("{a,b}/*.py", "b/x.py", True),
        ("!(a|b).py", "c.py", True),
        ("!(a|b).py", "a.py", False),
        ("+(ab).py", "abab.py", True),
        ("a.b", "axb", False),
    ],
)
def test_a_pattern_matches_whole_paths(glob: str, path: str, matches: bool) -> None:
    assert bool(translate(glob).fullmatch(path)) is matches


def test_the_later_pattern_wins() -> None:
    patterns = [pattern("!a/**"), pattern("a/keep/**"), pattern("!a/keep/not")]
    assert [is_selected(path, patterns) for path in ("b", "a/x", "a/keep/x", "a/keep/not")] == [
        True,
        False,
        True,
        False,
    ]


def test_an_excluded_folder_is_not_read_unless_something_in_it_comes_back() -> None:
    assert is_pruned("node_modules", [pattern("!node_modules/**")])
    assert not is_pruned("node_modules", [pattern("!node_modules/**"), pattern("node_modules/x/**")])
    assert is_pruned("node_modules/y", [pattern("!node_modules/**"), pattern("node_modules/x/**")])
