"""CloudFormation's YAML."""

from __future__ import annotations

import pytest

from freehold.templates.yaml_reader import TemplateSyntaxError, line_of, read_template


def test_short_tags_are_written_out() -> None:
    assert read_template("!GetAtt a.b.c") == {"Fn::GetAtt": ["a", "b.c"]}
    assert read_template("!Sub ['${x}', {x: !Ref y}]") == {"Fn::Sub": ["${x}", {"x": {"Ref": "y"}}]}
    assert read_template("!Condition c") == {"Condition": "c"}


def test_dates_stay_text_and_keys_become_text() -> None:
    assert read_template("{Version: 2012-10-17, 200: ok, on: yes}") == {
        "Version": "2012-10-17",
        "200": "ok",
        "on": True,
    }


def test_aliases_and_merge_keys_are_followed() -> None:
    assert read_template("a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}") == {"a": {"x": 1, "y": 2}, "b": {"x": 1, "y": 3}}


@pytest.mark.parametrize(("text", "line"), [("a: 1\nb: !Nope 2", 2), ("a: [1\nb: 2", 2), ("a: 1\n\tb: 2", 2)])
def test_a_mistake_is_told_with_its_line(text: str, line: int) -> None:
    with pytest.raises(TemplateSyntaxError) as caught:
        read_template(text)
    assert caught.value.line == line


def test_aliases_that_multiply_are_refused() -> None:
    text = "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
    for before, name in zip("abcdefg", "bcdefgh", strict=True):
        text += f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n"
    with pytest.raises(TemplateSyntaxError, match="too often"):
        read_template(text)


def test_the_line_of_a_path_is_that_of_its_nearest_ancestor_there() -> None:
    text = "Resources:\n  A:\n    Type: T\n    Properties:\n      Tags:\n        - Key: a\n"
    assert line_of(text, ["Resources", "A", "Properties", "Tags", 0]) == 6
    assert line_of(text, ["Resources", "A", "Properties", "Nope"]) == 4
    assert line_of('{"a": 1,\n"b": {"c": 2}}', ["b", "c"]) == 2
