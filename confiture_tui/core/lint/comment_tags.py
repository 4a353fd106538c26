"""Exemptions that stand in an object's own comment, and so survive a dump.

``COMMENT ON TABLE t IS 'A diary. @lint-ignore primary-key, missing-index: rows are only ever added'`` exempts the table
and what belongs to it from these rules. Without the name of a rule, of all of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

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
    return {name: tags_in(comment) for name, comment in _comments(catalog) if comment and MARK in comment}


def _comments(catalog: Catalog) -> Iterator[tuple[str, str | None]]:
    for relation in catalog.relations.values():
        yield relation.qualified_name, relation.comment
        for column in relation.columns:
            yield column.qualified_name, column.comment
        for constraint in relation.constraints:
            yield constraint.qualified_name, constraint.comment
        for index in relation.indexes:
            yield index.qualified_name, index.comment
        for trigger in relation.triggers:
            yield trigger.qualified_name, trigger.comment
        for rule in relation.rules:
            yield rule.qualified_name, rule.comment
        for policy in relation.policies:
            yield policy.qualified_name, policy.comment
    for schema in catalog.schemas.values():
        yield schema.quoted_name, schema.comment
    for sequence in catalog.sequences.values():
        yield sequence.qualified_name, sequence.comment
    for each in catalog.types.values():
        yield each.qualified_name, each.comment
    for routine in catalog.routines.values():
        yield routine.signature, routine.comment
    for extension in catalog.extensions.values():
        yield extension.quoted_name, extension.comment
