"""Exemptions that stand in an object's own comment, and so survive a dump.

``COMMENT ON TABLE t IS 'A diary. @lint-ignore primary-key, missing-index: rows are only ever added'`` exempts the table
and what belongs to it from these rules. Without the name of a rule, of all of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from confiture_tui.core.catalog import Catalog

MARK = "@lint-ignore"
_TAG = re.compile(r"@lint-ignore\b[ \t]*((?:[\w-]+(?:[ \t]*,[ \t]*[\w-]+)*)?)[ \t]*(?::[ \t]*([^\n@]*))?")


class Tag(NamedTuple):
    """One tag: the rules that it names (none: all of them) and the reason that it gives."""

    rules: frozenset[str]
    reason: str


def tags_in(comment: str) -> tuple[Tag, ...]:
    """The tags of a comment."""
    return tuple(
        Tag(frozenset(re.split(r"[ \t]*,[ \t]*", found[1])) - {""}, (found[2] or "").strip())
        for found in _TAG.finditer(comment)
    )


def without_tags(comment: str) -> str:
    """What a comment says besides its tags."""
    return _TAG.sub("", comment) if MARK in comment else comment


def tagged(catalog: Catalog) -> dict[str, tuple[Tag, ...]]:
    """The tags of all objects, by the name that a violation gives the object."""
    return {name: tags_in(comment) for name, comment in _comments(catalog) if MARK in comment}


class _Qualified(Protocol):
    @property
    def qualified_name(self) -> str: ...
    @property
    def comment(self) -> str | None: ...


def _comments(catalog: Catalog) -> Iterator[tuple[str, str]]:
    """The objects that have a comment: few of very many."""
    for relation in catalog.relations.values():
        yield from _of((relation,))
        yield from _of(relation.columns)
        yield from _of(relation.constraints)
        yield from _of(relation.indexes)
        yield from _of(relation.triggers)
        yield from _of(relation.rules)
        yield from _of(relation.policies)
    yield from _of(catalog.sequences.values())
    yield from _of(catalog.types.values())
    for schema in catalog.schemas.values():
        yield schema.quoted_name, schema.comment or ""
    for routine in catalog.routines.values():
        yield routine.signature, routine.comment or ""
    for extension in catalog.extensions.values():
        yield extension.quoted_name, extension.comment or ""


def _of(objects: Iterable[_Qualified]) -> list[tuple[str, str]]:
    return [(one.qualified_name, one.comment) for one in objects if one.comment]
