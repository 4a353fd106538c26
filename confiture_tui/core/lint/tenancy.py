"""What is to be mended when a table does not belong to a tenant: the multi-step way, with rows in the table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from confiture_tui.core.catalog.models.constraints import Constraint, ConstraintKind
from confiture_tui.core.lint.model import Fix, FixStep, Safety
from confiture_tui.core.lint.sql import ended, shortened
from confiture_tui.core.sql.identifiers import quote_identifier

if TYPE_CHECKING:
    from confiture_tui.core.catalog import Catalog
    from confiture_tui.core.catalog.models.relations import Relation


@dataclass(frozen=True, slots=True)
class Tenancy:
    """How tables say whose their rows are.

    Attributes:
        column: the name of the tenant column in them.
        type: the type that it must have.
        table: the table of the tenants; ``None`` when there is none, or it was not found.
        key: the column of it that is referenced.
    """

    column: str
    type: str
    table: Relation | None
    key: str

    @property
    def quoted(self) -> str:
        """The column as SQL writes it."""
        return quote_identifier(self.column)


def missing_column(catalog: Catalog, tenancy: Tenancy, table: Relation) -> Fix:
    """Adds the column to a table that has rows, fills it, and only then demands it.

    ``ADD COLUMN … NOT NULL REFERENCES …`` in one statement fails on the first row that is there.
    """
    name, relation = tenancy.quoted, table.qualified_name
    add = FixStep(
        up=ended(f"ALTER TABLE {relation} ADD COLUMN {name} {tenancy.type}"),
        down=ended(f"ALTER TABLE {relation} DROP COLUMN {name}"),
    )
    source = _source_of_tenant(catalog, tenancy, table)
    if source is None:
        steps = (add, *_reference(tenancy, table))
        note = (
            f"Nothing in the schema tells the tenant of the rows that are there. Fill {name} in batches, let the "
            "application write it, and lint again: the next finding has the steps that demand it."
        )
        return Fix(steps=steps, safety=Safety.REVIEW, note=note)
    parent, key = source
    joins = " AND ".join(
        f"parent.{quote_identifier(theirs)} = child.{quote_identifier(ours)}"
        for ours, theirs in zip(key.columns, key.referenced_columns, strict=True)
    )
    value = quote_identifier(tenancy.key if tenancy.table and parent.oid == tenancy.table.oid else tenancy.column)
    fill = FixStep(
        up=ended(
            f"UPDATE {relation} AS child SET {name} = parent.{value}\n"
            f"FROM {parent.qualified_name} AS parent\nWHERE {joins} AND child.{name} IS NULL"
        )
    )
    note = (
        f"The tenant of each row is that of {parent.qualified_name}. On a large table run the UPDATE in batches. "
        "The application must write the column before the last step."
    )
    steps = (add, fill, *_reference(tenancy, table), *demand_not_null(table, tenancy.column))
    return Fix(steps=steps, safety=Safety.REVIEW, note=note)


def demand_not_null(table: Relation, column: str) -> tuple[FixStep, ...]:
    """Makes a column NOT NULL without reading the table under a lock that keeps anybody out.

    A valid CHECK proves it, and SET NOT NULL then reads nothing (PostgreSQL documentation, ALTER TABLE, SET NOT NULL).
    """
    name, relation = quote_identifier(column), table.qualified_name
    taken = {constraint.name for constraint in table.constraints}
    helper = shortened(f"{table.name}_{column}")[:40] + "_not_null_check"
    while helper in taken:
        helper += "_"
    check = quote_identifier(helper)
    drop = f"ALTER TABLE {relation} DROP CONSTRAINT {check}"
    return (
        FixStep(
            up=ended(f"ALTER TABLE {relation} ADD CONSTRAINT {check} CHECK ({name} IS NOT NULL) NOT VALID"),
            down=ended(drop),
        ),
        FixStep(up=ended(f"ALTER TABLE {relation} VALIDATE CONSTRAINT {check}")),
        FixStep(
            up=ended(f"ALTER TABLE {relation} ALTER COLUMN {name} SET NOT NULL") + ended(drop),
            down=ended(f"ALTER TABLE {relation} ADD CONSTRAINT {check} CHECK ({name} IS NOT NULL) NOT VALID")
            + ended(f"ALTER TABLE {relation} ALTER COLUMN {name} DROP NOT NULL"),
        ),
    )


def missing_reference(tenancy: Tenancy, table: Relation) -> Fix | None:
    """The foreign key to the tenants, checked in a step of its own."""
    steps = _reference(tenancy, table)
    return (
        Fix(steps=steps, safety=Safety.REVIEW, note="Rows of no known tenant make the check fail.") if steps else None
    )


def _reference(tenancy: Tenancy, table: Relation) -> tuple[FixStep, ...]:
    if tenancy.table is None:
        return ()
    taken = {constraint.name for constraint in table.constraints}
    name = shortened(f"{table.name[:40]}_{tenancy.column[:16]}_fkey")
    while name in taken:
        name += "_"
    constraint, relation = quote_identifier(name), table.qualified_name
    return (
        FixStep(
            up=ended(
                f"ALTER TABLE {relation} ADD CONSTRAINT {constraint} FOREIGN KEY ({tenancy.quoted}) "
                f"REFERENCES {tenancy.table.qualified_name} ({quote_identifier(tenancy.key)}) NOT VALID"
            ),
            down=ended(f"ALTER TABLE {relation} DROP CONSTRAINT {constraint}"),
        ),
        FixStep(up=ended(f"ALTER TABLE {relation} VALIDATE CONSTRAINT {constraint}")),
    )


def _source_of_tenant(catalog: Catalog, tenancy: Tenancy, table: Relation) -> tuple[Relation, Constraint] | None:
    """The referenced table that knows each row's tenant, by a foreign key that no row leaves empty."""
    for key in table.constraints:
        if key.kind is not ConstraintKind.FOREIGN_KEY or key.referenced_oid == table.oid:
            continue
        parent = catalog.relations.by_oid(key.referenced_oid)
        if parent is None or not all((column := table.column(name)) and column.not_null for name in key.columns):
            continue
        if tenancy.table is not None and parent.oid == tenancy.table.oid and key.referenced_columns == (tenancy.key,):
            return parent, key
        theirs = parent.column(tenancy.column)
        if theirs is not None and theirs.not_null:
            return parent, key
    return None
