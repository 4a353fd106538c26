"""Small look-ups in a raw syntax tree."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

Node = Mapping[str, Any]


def strings(nodes: Iterable[Node]) -> tuple[str, ...]:
    """The texts of a list of String nodes."""
    return tuple(one["String"].get("sval", "") for one in nodes if "String" in one)


def option(options: Iterable[Node], name: str, *, default: bool = False) -> bool:
    """A boolean option in brackets as the server reads it: absent is the default, without a value is true."""
    for one in options:
        element = one.get("DefElem", {})
        if element.get("defname", "").lower() == name:
            return _truth(element.get("arg"))
    return default


def _truth(value: Node | None) -> bool:
    if value is None:
        return True
    if "Integer" in value:
        return bool(value["Integer"].get("ival", 0))
    if "Boolean" in value:
        return bool(value["Boolean"].get("boolval", False))
    return str(value.get("String", {}).get("sval", "true")).lower() not in ("off", "false", "0")


_WITH_NODES = frozenset({dict, list, tuple})


def nodes_of(tree: Any, kind: str) -> Iterator[Node]:
    """All nodes of a kind anywhere below, in no particular order; at any depth."""
    waiting = [tree]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            found = one.get(kind)
            if isinstance(found, dict):
                yield found
            inside: Iterable[Any] = one.values()
        elif isinstance(one, (list, tuple)):
            inside = one
        else:
            continue
        waiting += [each for each in inside if each.__class__ in _WITH_NODES]
