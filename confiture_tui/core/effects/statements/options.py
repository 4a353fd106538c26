"""Options in brackets: ``(CONCURRENTLY, VERBOSE off)``."""

from __future__ import annotations

from typing import Any

Node = dict[str, Any]


def option(node: Node, name: str, *, default: bool = False, field: str = "options") -> bool:
    """A boolean option as the server reads it: absent is the default, without a value is true."""
    value = default
    for one in node.get(field, ()):
        element = one.get("DefElem", {})
        if element.get("defname") == name:
            value = truth(element.get("arg"))
    return value


def truth(argument: Node | None) -> bool:
    """How the server reads an option's value: ``off`` and ``false`` in any case, and 0, are false."""
    if argument is None:
        return True
    if "Integer" in argument:
        return bool(argument["Integer"].get("ival", 0))
    if "Boolean" in argument:
        return bool(argument["Boolean"].get("boolval", False))
    return option_text(argument).lower() not in ("off", "false")


def option_text(argument: Node | None) -> str:
    """An option's value as text; empty without one."""
    if not argument:
        return ""
    for kind, field in (("String", "sval"), ("Integer", "ival"), ("Float", "fval"), ("Boolean", "boolval")):
        if kind in argument:
            return str(argument[kind].get(field, 0 if kind == "Integer" else ""))
    if "TypeName" in argument:
        names = argument["TypeName"].get("names", [])
        return ".".join(one["String"].get("sval", "") for one in names if "String" in one)
    return ""


def find_option(node: Node, name: str, field: str = "options") -> Node | None:
    """The ``DefElem`` of that name; ``None`` without one."""
    for one in node.get(field, ()):
        element: Node = one.get("DefElem", {})
        if element.get("defname") == name:
            return element
    return None
