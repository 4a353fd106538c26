"""Columns of tables, views and composite types."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from confiture_tui.core.catalog.models.statistics import ColumnStatistics
from confiture_tui.core.records import quickly_made

if TYPE_CHECKING:
    from confiture_tui.core.catalog.models.access import Acl


class Volatility(StrEnum):
    """How far an expression may change its value (PostgreSQL documentation, 36.7)."""

    __hash__ = str.__hash__  # this is asked for at every look-up

    IMMUTABLE = "immutable"
    STABLE = "stable"
    VOLATILE = "volatile"


class Generated(StrEnum):
    """How a generated column is kept."""

    STORED = "stored"
    VIRTUAL = "virtual"


class Identity(StrEnum):
    """How an identity column takes values of the user's own."""

    ALWAYS = "always"
    BY_DEFAULT = "by default"


@quickly_made
@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        relation: qualified name of its relation, quoted as quote_ident does.
        number: ``attnum``, with gaps where columns were dropped.
        name, quoted_name: as stored, and as quote_ident writes it.
        type: as format_type writes it, ``numeric(10,2)``; names outside pg_catalog carry their schema.
        type_oid, type_modifier: ``atttypid``, ``atttypmod``.
        not_null: a NOT NULL constraint holds.
        default: the default expression, or the generation expression; ``None`` without one.
        default_volatility: of that expression; ``None`` without one.
        generated, identity: ``None`` when it is neither.
        collation: quoted qualified name when it is not the type's own; else ``None``.
        storage: ``plain``, ``external``, ``main`` or ``extended``.
        compression: ``pglz`` or ``lz4``; ``None`` for the server's default.
        statistics_target: ``None`` for the server's default.
        options, fdw_options: ``name=value``.
        is_local: defined here; ``inherited``: number of parents that have it too.
        has_missing_value: rows older than the column take a value kept in the catalog (a fast default).
        acl: grants on the column; ``None`` for none.
        comment: ``None`` without one.
        figures: the fields of ``statistics``, which is made of them when asked for.
    """

    relation: str
    number: int
    name: str
    quoted_name: str
    type: str
    type_oid: int
    type_modifier: int
    not_null: bool
    default: str | None
    default_volatility: Volatility | None
    generated: Generated | None
    identity: Identity | None
    collation: str | None
    storage: str
    compression: str | None
    statistics_target: int | None
    options: tuple[str, ...]
    fdw_options: tuple[str, ...]
    is_local: bool
    inherited: int
    has_missing_value: bool
    acl: Acl | None
    comment: str | None
    figures: tuple[float, float, int] | None

    @property
    def statistics(self) -> ColumnStatistics | None:
        """What ANALYZE found; ``None`` when it never ran, or is not visible (``Catalog.not_visible`` tells which)."""
        return None if self.figures is None else ColumnStatistics(*self.figures)

    @property
    def qualified_name(self) -> str:
        """``schema.table.column``, quoted."""
        return f"{self.relation}.{self.quoted_name}"
