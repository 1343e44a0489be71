"""The Velocity Template Language as API Gateway runs it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from freehold.aws.errors import AwsError
from freehold.gateway.mapping.jsonpath import find
from freehold.gateway.mapping.methods import TemplateFailure, java_text
from freehold.gateway.mapping.template import compile_template
from freehold.gateway.mapping.variables import Input, escape_javascript

BODY = {
    "photos": {
        "page": 1,
        "photo": [
            {"id": "12345678901", "owner": "23456789@A12", "title": "Sample photo 1", "ispublic": 1},
            {"id": "23456789012", "owner": "34567890@B23", "title": "Sample photo 2", "ispublic": 0},
        ],
    }
}


def render(template: str, body: Any = None, **variables: Any) -> str:
    text = json.dumps(body) if body is not None else ""
    given = Input(text, {"id": "7"}, {"page": "2"}, lambda: {"X-Trace": "abc"})
    return compile_template(template, "test").render({"input": given, "context": {"stage": "prod"}, **variables})


@pytest.mark.parametrize(
    ("template", "written"),
    [
        # Velocity User Guide and VTL reference.
        ("#set($name = 'Ada')Hello $name, ${name}s, $!name!", "Hello Ada, Adas, Ada!"),
        ("#set($a = 1)\n#set($b = $a + 2)\n$b", "3"),
        ("#if($none)yes#elseif(1 == 1)other#{else}no#end", "other"),
        ("#if(!$none && ('a' == \"a\" || false))yes#end", "yes"),
        ("#foreach($x in [1..3])$x#if($foreach.hasNext),#end#end", "1,2,3"),
        ("#foreach($x in ['a', 'b'])$velocityCount$x#end", "1a2b"),
        ("#foreach($x in [1, 2, 3])#if($x == 2)#break#end$x#end", "1"),
        ("#set($m = {'a': 1, \"b\": [2, 3]})$m.a $m.b[1] $m.get('b').size() $m", "1 3 2 {a=1, b=[2, 3]}"),
        ("#foreach($e in {'a': 1}.entrySet())$e.key=$e.getValue()#end", None),
        ("#set($m = {'a': 1})#foreach($e in $m.entrySet())$e.key=$e.getValue()#end", "a=1"),
        ("#foreach($k in {'a': 1, 'b': 2})$k#end", "12"),
        ("## gone\nleft #* gone *# $5 #hash #[[ $raw ]]#", "left  $5 #hash  $raw "),
        ("\\$name costs $", "$name costs $"),
        ("#set($x = 'a')\"$x\" '$x' #set($y = \"<$x>\")$y #set($z = '$x')$z", "\"a\" 'a' <a> $x"),
        ("#set($n = 7)#set($h = $n / 2)#set($r = $n % 4)$h $r", "3 3"),
        ("#set($n = 0)#set($i = $n.parseInt('12') + 1)$i", "13"),
        ("#set($t = 'a' + 1)$t", "a1"),
        ("#set($l = [])#set($ignored = $l.add('x'))$l.size() $l", "1 [x]"),
        ("a\n#if(true)\n  b\n#end\nc", "a\n  b\nc"),
        ("before#stop after", "before"),
        ("#if('a' eq 'a' and not (2 lt 1))ok#end", "ok"),
        # API Gateway Developer Guide, variables reference.
        ("$input.json('$.photos.photo[0].id') $input.path('$.photos.page')", '"12345678901" 1'),
        ("$input.json('$.none')|$input.path('$.none')|$unknown|$context.authorizer.none", '""|||'),
        (
            "$input.params('id') $input.params('page') $input.params('X-Trace') $input.params().header.X-Trace",
            "7 2 abc abc",
        ),
        ("#foreach($p in $input.params().path.keySet())$p#end", "id"),
        ("$context.stage", "prod"),
        ("$util.escapeJavaScript(\"it's\") $util.urlEncode('a b&c') $util.base64Encode('hi')", "it\\'s a+b%26c aGk="),
        ('#set($o = $util.parseJson(\'{"a": {"b": [1]}}\'))$o.a.b[0]', "1"),
        (
            '#set($r = $input.path(\'$\'))#foreach($p in $r.photos.photo){"id": "$p.id"}#if($foreach.hasNext),#end#end',
            '{"id": "12345678901"},{"id": "23456789012"}',
        ),
        ("$input.path('$.photos.photo[?(@.ispublic == 1)].title')", "[Sample photo 1]"),
        ("#set($r = $input.path('$'))#set($r.photos.page = 9)$input.json('$.photos.page')", "9"),
    ],
)
def test_a_template_writes_what_the_guides_say(template: str, written: str | None) -> None:
    if written is None:
        with pytest.raises(AwsError):
            compile_template(template, "test")
    else:
        assert render(template, BODY) == written


@pytest.mark.parametrize(
    ("subject", "expression", "value"),
    [
        ("'Hello'", "length()", "5"),
        ("'Hello'", "substring(1, 3)", "el"),
        ("'a,b,,'", "split(',').size()", "2"),
        ("'Hello'", "replaceAll('(l+)', '<$1>')", "He<ll>o"),
        ("'Hello'", "matches('H.*')", "true"),
        ("'Hello'", "matches('ell')", "false"),
        ("'Hello'", "contains('ell')", "true"),
        ("'Hello'", "equalsIgnoreCase('HELLO')", "true"),
        ("' x '", "trim().isEmpty()", "false"),
        ("'a'", "equals('a')", "true"),
        ("1.5", "intValue()", "1"),
        ("[3, 4]", "contains(4)", "true"),
    ],
)
def test_javas_methods_answer_as_in_java(subject: str, expression: str, value: str) -> None:
    assert render(f"#set($s = {subject})$s.{expression}") == value


@pytest.mark.parametrize(
    "template",
    [
        "#if($a)", "#foreach($x in $y)", "#set($a = )", "#set(a = 1)", "#end", "#macro(x)#end", "#parse('x')",
        "#if(1 +)a#end", "#* never", "#set($a = 'x)", "#set($a = [1, 2)", "(" * 500 + "#if(" + "(" * 5000,
    ],
)  # fmt: skip
def test_a_broken_template_is_refused_with_its_line(template: str) -> None:
    with pytest.raises(AwsError, match="Invalid mapping template specified: test: ") as error:
        compile_template(template, "test")
    assert error.value.code == "BadRequestException"


@pytest.mark.parametrize(
    "template",
    [
        "$input.__class__()",
        "#set($s = 'a')$s.format('x')",
        "#set($s = 'a')$s.substring(5)",
        "$util.exec('ls')",
        "$input.path('$[')",
        "#foreach($a in [1..1000])#foreach($b in [1..1000])#foreach($c in [1..1000])x#end#end#end",
        "#set($s = 'aaaaaaaaaa')#foreach($a in [1..60])#set($s = $s + $s)#end$s",
    ],
)
def test_a_template_that_does_what_it_may_not_fails(template: str) -> None:
    with pytest.raises(TemplateFailure):
        render(template, BODY)


def test_nothing_of_python_is_reachable() -> None:
    for name in ("__class__", "__dict__", "_body", "template_call", "render"):
        assert render(f"[$input.{name}][$context.{name}]#set($s = 'a')[$s.{name}]") == "[][][]"


def test_numbers_are_written_as_java_writes_them() -> None:
    assert [java_text(each) for each in (1.0, 1.5, 1e10, 1.5e-5, 123456.789, -2.5e8, 3)] == [
        "1.0", "1.5", "1.0E10", "1.5E-5", "123456.789", "-2.5E8", "3",
    ]  # fmt: skip


def test_escapes_are_those_of_java() -> None:
    assert escape_javascript("\"é/\n😀'") == "\\\"\\u00E9\\/\\n\\uD83D\\uDE00\\'"


def test_paths_find_what_is_there() -> None:
    assert find({"a": [{"b-c": 1}]}, "$.a[0].b-c") == 1
    assert find({"a": [{"b": 1}]}, "$['a'][0]['b']") == 1
    assert find({"a": 1}, "$.a.b.c") is None
    assert find([1, 2], "$[1]") == 2
    assert find({"a": [{"b": 1}, {"b": 2}]}, "$.a[*].b") == [1, 2]
    assert find({"a": {"b": 1}}, "$..b") == [1]
