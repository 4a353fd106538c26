"""One object as its defining texts, and how the texts that many kinds have in common are written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from confiture_tui.core.catalog.models.access import Acl

Attributes = tuple[tuple[str, str | None], ...]


@dataclass(frozen=True, slots=True)
class Definition:
    """One object by its texts.

    Attributes:
        kind, name, parent: as in ``SchemaChange``; kind and name together are unique within a database.
        text: what defines it, to be shown when it is added or removed.
        attributes: name and text of everything about it that can be changed; ``None`` for absent.
        column_order: names of a relation's columns in their order; empty for all else.
    """

    kind: str
    name: str
    parent: str | None
    text: str
    attributes: Attributes
    column_order: tuple[str, ...] = ()


def owned(owner: str | None, acl: Acl | None, comment: str | None) -> Attributes:
    """Owner, grants and comment, as most objects have them."""
    return (("owner", owner), ("grants", grants_text(acl)), ("comment", comment))


def grants_text(acl: Acl | None) -> str | None:
    """Grants as text, one a line; ``None`` where the defaults hold."""
    if acl is None:
        return None
    return "\n".join(str(grant) for grant in acl)


def flag_text(value: bool | None) -> str | None:
    """A yes or no; ``None`` for neither."""
    return None if value is None else "yes" if value else "no"


def list_text(values: tuple[str, ...]) -> str | None:
    """A list as text; its items stay apart even when one holds a comma, as names and options may."""
    return ", ".join(value.replace("\\", "\\\\").replace(",", "\\,") for value in values) or None


def role_text(role: str) -> str:
    """A role's name, always quoted, so that none can be taken for the word PUBLIC."""
    return '"' + role.replace('"', '""') + '"'
