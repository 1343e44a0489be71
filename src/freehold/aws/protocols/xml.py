"""The XML bodies of the protocols query and rest-xml."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

from freehold.aws.model import Shape
from freehold.aws.protocols.values import malformed, read_scalar, write_scalar

Element = ElementTree.Element


def parse(body: bytes) -> Element:
    """Namespaces are taken off the names. Documents that declare a type or entities are refused: they can be bombs."""
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        raise malformed("A document type declaration is not allowed.")
    try:
        root = ElementTree.fromstring(body)
    except ElementTree.ParseError as error:
        raise malformed(
            "The XML you provided was not well-formed or did not validate against our published schema"
        ) from error
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        for name in list(element.attrib):
            if "}" in name:
                element.attrib[name.rpartition("}")[2]] = element.attrib.pop(name)
    return root


def read_value(shape: Shape, element: Element) -> Any:
    kind = shape.type_name
    if kind == "structure":
        found = {}
        for name, member in shape.members.items():
            value = _read_member(name, member, element)
            if value is not None:
                found[name] = value
        return found
    if kind == "list":
        wanted = shape.member.serialization.get("name", "member")
        return [read_value(shape.member, child) for child in element if child.tag == wanted]
    if kind == "map":
        key, value = shape.key.serialization.get("name", "key"), shape.value.serialization.get("name", "value")
        return {
            (entry.findtext(key) or ""): read_value(shape.value, inner)
            for entry in element.iter("entry")
            if (inner := entry.find(value)) is not None
        }
    return read_scalar(shape, element.text or "")


def _read_member(name: str, member: Shape, element: Element) -> Any:
    wire_name = member.serialization.get("name", name)
    if member.serialization.get("xmlAttribute"):
        return element.attrib.get(wire_name.rpartition(":")[2])
    if member.type_name == "list" and member.serialization.get("flattened"):
        tag = member.member.serialization.get("name", wire_name)
        children = [child for child in element if child.tag in (wire_name, tag)]
        return [read_value(member.member, child) for child in children] or None
    child = element.find(wire_name)
    return None if child is None else read_value(member, child)


def write_value(name: str, shape: Shape, value: Any) -> str:
    """One element, or several for a flattened list."""
    kind = shape.type_name
    if kind == "structure":
        return _element(name, write_members(shape, value), _attributes(shape, value))
    if kind == "list":
        member = shape.member
        if shape.serialization.get("flattened"):
            inner_name = member.serialization.get("name", name)
            return "".join(write_value(inner_name, member, inner) for inner in value)
        inner_name = member.serialization.get("name", "member")
        return _element(name, "".join(write_value(inner_name, member, inner) for inner in value))
    if kind == "map":
        entries = _entries(shape, value.items())
        if shape.serialization.get("flattened"):
            return "".join(_element(name, entry) for entry in entries)
        return _element(name, "".join(_element("entry", entry) for entry in entries))
    return _element(name, escape(write_scalar(shape, value, "iso8601")))


def write_members(shape: Shape, value: dict[str, Any], *, skip: Iterable[str] = ()) -> str:
    parts = []
    for name, member in shape.members.items():
        inner = value.get(name)
        if inner is None or name in skip or member.serialization.get("xmlAttribute"):
            continue
        wire_name = member.serialization.get("name", name)
        parts.append(write_value(wire_name, member, inner))
    return "".join(parts)


def _entries(shape: Shape, items: Iterable[tuple[str, Any]]) -> Iterable[str]:
    key_name = shape.key.serialization.get("name", "key")
    value_name = shape.value.serialization.get("name", "value")
    return [write_value(key_name, shape.key, key) + write_value(value_name, shape.value, inner) for key, inner in items]


def _attributes(shape: Shape, value: dict[str, Any]) -> str:
    namespace = shape.serialization.get("xmlNamespace")
    text = ""
    if isinstance(namespace, dict) and "prefix" in namespace:
        text += f" xmlns:{namespace['prefix']}={quoteattr(namespace['uri'])}"
    for name, member in shape.members.items():
        if member.serialization.get("xmlAttribute") and value.get(name) is not None:
            text += f" {member.serialization['name']}={quoteattr(str(value[name]))}"
    return text


def _element(name: str, inner: str, attributes: str = "") -> str:
    return f"<{name}{attributes}>{inner}</{name}>"
