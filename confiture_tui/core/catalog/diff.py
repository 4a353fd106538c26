"""The difference between two catalogs: what came, what went, what changed, object by object."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class Change(StrEnum):
    """What became of an object."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


class AttributeChange(BaseModel):
    """One attribute of an object that differs: its name, and its text before and after (``None``: absent)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    attribute: str
    before: str | None
    after: str | None


class SchemaChange(BaseModel):
    """One object that differs.

    Attributes:
        change: added, removed or changed.
        kind: the object's kind in PostgreSQL's words: ``table``, ``column``, ``index``, ``constraint``, ``view``, …
        name: its qualified name, quoted as ``quote_ident`` does; of a column ``schema.table.column``.
        parent: qualified name of the relation it belongs to, for columns, indexes, constraints, triggers, policies.
        attributes: what differs, for a changed object; the defining text as ``definition`` otherwise.
        order_only: only the order of columns differs: a lesser difference.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    change: Change
    kind: str
    name: str
    parent: str | None = None
    attributes: tuple[AttributeChange, ...] = ()
    order_only: bool = False


class SchemaDiff(BaseModel):
    """All differences between two catalogs, in a stable order."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    changes: tuple[SchemaChange, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.changes)
