"""Types of the user's own."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from confiture_tui.core.catalog.models.access import Acl
    from confiture_tui.core.catalog.models.columns import Volatility
    from confiture_tui.core.catalog.models.constraints import Constraint


class TypeKind(StrEnum):
    """The kinds of ``pg_type.typtype`` that can be created."""

    BASE = "base"
    COMPOSITE = "composite"
    DOMAIN = "domain"
    ENUM = "enum"
    RANGE = "range"
    SHELL = "shell"


@dataclass(frozen=True, slots=True)
class Type:
    """One type; the row types of tables, array types and multirange types are not listed by themselves.

    Attributes:
        array_oid, multirange_oid: of the types made with it; 0 without.
        labels: of an enum, in sort order.
        base_type, not_null, default, default_volatility, collation, constraints: of a domain.
        subtype, multirange: of a range, as format_type writes them.
        properties: what else defines a base or range type, ``name=value``.
        relation_oid: of a composite type, whose columns are those of the relation with this oid; else 0.
        acl: ``None``: the defaults hold.
    """

    oid: int
    schema: str
    name: str
    qualified_name: str
    kind: TypeKind
    owner: str
    array_oid: int
    multirange_oid: int
    labels: tuple[str, ...]
    base_type: str | None
    base_type_oid: int
    not_null: bool
    default: str | None
    default_volatility: Volatility | None
    collation: str | None
    constraints: tuple[Constraint, ...]
    subtype: str | None
    multirange: str | None
    properties: tuple[str, ...]
    relation_oid: int
    extension: str | None
    acl: Acl | None
    comment: str | None
