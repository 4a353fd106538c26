"""Constraints of tables and domains."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from confiture_tui.core.records import quickly_made


class ConstraintKind(StrEnum):
    """The kinds of ``pg_constraint.contype``."""

    CHECK = "check"
    FOREIGN_KEY = "foreign key"
    PRIMARY_KEY = "primary key"
    UNIQUE = "unique"
    EXCLUSION = "exclusion"
    NOT_NULL = "not null"
    """Servers from 18 on keep NOT NULL as constraints of tables."""
    TRIGGER = "trigger"
    """The shadow of a CREATE CONSTRAINT TRIGGER."""


@quickly_made
@dataclass(frozen=True, slots=True)
class Constraint:
    """One constraint of a table or of a domain.

    Attributes:
        owner_name: qualified name of the table or domain that it belongs to.
        name, quoted_name: as stored, and as quote_ident writes it.
        relation_oid, domain_oid: whose it is; the other one is 0.
        definition: as pg_get_constraintdef writes it.
        validated, enforced, deferrable, initially_deferred, no_inherit: as they are called.
        columns: names of the constrained columns, in key order; empty where there are none to name.
        referenced_relation, referenced_oid, referenced_columns: of a foreign key; else ``None``, 0, empty.
        on_update, on_delete, match: of a foreign key, ``NO ACTION``, ``CASCADE``, …, ``SIMPLE``; else ``None``.
        index_oid, index: the index it rests on (a foreign key: the referenced one); 0 and ``None`` without.
        parent_oid: the constraint of the partitioned table that this one is a part of; 0 without.
        is_local, inherited: defined here; number of parents that have it too.
        disabled_triggers: states of its internal triggers, where one is not in its ordinary state; else empty.
        comment: ``None`` without one.
    """

    oid: int
    owner_name: str
    name: str
    quoted_name: str
    kind: ConstraintKind
    relation_oid: int
    domain_oid: int
    definition: str
    validated: bool
    enforced: bool
    deferrable: bool
    initially_deferred: bool
    no_inherit: bool
    columns: tuple[str, ...]
    referenced_relation: str | None
    referenced_oid: int
    referenced_columns: tuple[str, ...]
    on_update: str | None
    on_delete: str | None
    match: str | None
    index_oid: int
    index: str | None
    parent_oid: int
    is_local: bool
    inherited: int
    disabled_triggers: str
    comment: str | None

    def as_validated(self) -> Constraint:
        """The same once VALIDATE CONSTRAINT has found that all rows keep it."""
        return replace(self, validated=True, definition=self.definition.removesuffix(" NOT VALID"))

    @property
    def qualified_name(self) -> str:
        """``schema.table.constraint``, quoted: constraint names are unique within their table or domain only."""
        return f"{self.owner_name}.{self.quoted_name}"
