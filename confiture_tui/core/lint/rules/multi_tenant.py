"""The rule of tables that several tenants share."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from pydantic import AliasChoices, Field

from confiture_tui.core.catalog.models.constraints import ConstraintKind
from confiture_tui.core.catalog.models.relations import RelationKind
from confiture_tui.core.lint.model import Category, Fix, Safety, Severity, Violation
from confiture_tui.core.lint.objects import own
from confiture_tui.core.lint.patterns import matches_any
from confiture_tui.core.lint.rule import LintRule, RuleOptions
from confiture_tui.core.lint.sql import create_index, one_step
from confiture_tui.core.lint.tenancy import Tenancy, demand_not_null, missing_column, missing_reference

if TYPE_CHECKING:
    from confiture_tui.core.catalog import Catalog
    from confiture_tui.core.catalog.models.indexes import Index
    from confiture_tui.core.catalog.models.relations import Relation
    from confiture_tui.core.lint.objects import Own


class MultiTenantOptions(RuleOptions):
    """How a schema keeps tenants apart. The rule runs once ``column`` or ``tenant_table`` is given.

    Attributes:
        column: the column that says whose a row is; ``tenant_id`` unless given. ``required_column`` is the same.
        type: its type, as format_type writes it; that of the tenants' key unless given.
        tenant_table: the table of the tenants, with or without its schema.
        tenant_key: the column of it that is referenced; its primary key unless given.
        exempt: globs of tables that all tenants share.
        read_models: globs of tables that are filled from others: they carry the column, and need no foreign keys.
        write_prefix, read_prefix: ``w_`` and ``r_``: a read model whose write side is exempt is exempt as well.
        require_not_null: the column is NOT NULL.
        require_foreign_key: it leads to the tenants, by itself or by a key that it is part of.
        require_index: an index begins with it.
        require_in_unique: every unique key holds it.
        require_in_foreign_keys: keys between tables of tenants hold it, so that none leads to another's row.
        surrogate_keys_alone: a key of one column that the server fills needs no tenant beside it.
        require_rls: row security is on and its policies look at the column.
    """

    column: str = Field(default="", validation_alias=AliasChoices("column", "required_column"))
    type: str | None = None
    tenant_table: str | None = None
    tenant_key: str | None = None
    exempt: tuple[str, ...] = ()
    read_models: tuple[str, ...] = ()
    write_prefix: str | None = None
    read_prefix: str | None = None
    require_not_null: bool = True
    require_foreign_key: bool = True
    require_index: bool = True
    require_in_unique: bool = True
    require_in_foreign_keys: bool = True
    surrogate_keys_alone: bool = True
    require_rls: bool = False

    @property
    def is_configured(self) -> bool:
        """Whether anybody said how tenants are told apart."""
        return bool(self.column or self.tenant_table)


class MultiTenantRule(LintRule):
    """Every row says whose it is, and no key leads from one tenant's row to another's."""

    id = "multi-tenant"
    category = Category.TENANCY
    severity = Severity.ERROR
    title = "A table does not keep its tenants apart."
    why = (
        "One forgotten condition shows one customer the data of another. A tenant column that is NOT NULL, leads to "
        "the tenants, and is part of every key makes the mistake impossible instead of unlikely. Adding it to a table "
        "with rows takes several steps: column, rows, constraint not valid, validate, NOT NULL."
    )
    options = MultiTenantOptions
    example = '{"tenant_table": "tenant"}'
    bad = "CREATE TABLE tenant (tenant_id uuid PRIMARY KEY); CREATE TABLE purchase (id int PRIMARY KEY);"
    good = (
        "CREATE TABLE tenant (tenant_id uuid PRIMARY KEY);"
        "CREATE TABLE purchase (tenant_id uuid NOT NULL REFERENCES tenant, number text,"
        "  PRIMARY KEY (tenant_id, number));"
        "CREATE TABLE line (tenant_id uuid NOT NULL, number text, line int, PRIMARY KEY (tenant_id, number, line),"
        "  FOREIGN KEY (tenant_id, number) REFERENCES purchase);"
    )

    def check(self, catalog: Catalog, options: MultiTenantOptions) -> Iterable[Violation]:
        """Tables that lack the column, or have it and do not use it."""
        if not options.is_configured:
            return
        mine = own(catalog)
        tenants = _tenant_tables(mine, options)
        if options.tenant_table is not None and not tenants:
            yield self.violation(
                "table", options.tenant_table, f"There is no table {options.tenant_table} of tenants.", schema=""
            )
        judged = [
            one
            for one in mine.relations
            if one.kind in (RelationKind.TABLE, RelationKind.PARTITIONED_TABLE)
            or (one.kind is RelationKind.MATERIALIZED_VIEW and matches_any(options.read_models, one.qualified_name))
        ]
        exempt = {one.oid for one in judged if matches_any(options.exempt, one.qualified_name)}
        exempt |= {one.oid for one in tenants} | set(_follow_write_side(judged, exempt, options))
        bound = _bound_to_tenants(judged, tenants, options)
        for table in judged:
            if table.oid not in exempt:
                tenancy = _tenancy(table, tenants, options)
                yield from self._judge(catalog, mine, table, tenancy, options, bound=bound, exempt=exempt)

    def _judge(
        self,
        catalog: Catalog,
        mine: Own,
        table: Relation,
        tenancy: Tenancy,
        options: MultiTenantOptions,
        *,
        bound: set[int],
        exempt: set[int],
    ) -> Iterator[Violation]:
        name = tenancy.quoted
        column = table.column(tenancy.column)
        is_view = table.kind is RelationKind.MATERIALIZED_VIEW
        read_model = matches_any(options.read_models, table.qualified_name)
        if column is None:
            fix = None if is_view else missing_column(catalog, tenancy, table)
            yield self.on(table, f"{table.qualified_name} has no column {name}.", detail="missing", fix=fix)
            return

        def of_column(message: str, detail: str, fix: Fix | None, severity: Severity | None = None) -> Violation:
            return self.within(
                table, "column", column.qualified_name, message, detail=detail, fix=fix, severity=severity
            )

        if tenancy.type and column.type != tenancy.type:
            message = f"{column.qualified_name} is {column.type}; tenants are told apart by {tenancy.type}."
            yield of_column(message, "type", None)
        if options.require_not_null and not is_view and not column.not_null:
            fix = Fix(
                steps=demand_not_null(table, tenancy.column),
                safety=Safety.REVIEW,
                note="Rows without a tenant make the second step fail: fill them first.",
            )
            yield of_column(f"{column.qualified_name} may be NULL: such a row belongs to nobody.", "nullable", fix)
        if options.require_foreign_key and not read_model and not is_view and tenancy.table and table.oid not in bound:
            message = f"{column.qualified_name} does not lead to {tenancy.table.qualified_name} by any foreign key."
            yield of_column(message, "reference", missing_reference(tenancy, table))
        if options.require_index and not any(_leads(index, tenancy.column) for index in table.indexes):
            fix = create_index(catalog, mine, table, [tenancy.column])
            yield of_column(f"No index of {table.qualified_name} begins with {name}.", "index", fix)
        if options.require_in_unique:
            yield from self._keys(table, tenancy, options)
        if options.require_in_foreign_keys and not read_model:
            yield from self._references(catalog, table, tenancy, exempt)
        if options.require_rls and not is_view:
            yield from self._row_security(table, tenancy)

    def _keys(self, table: Relation, tenancy: Tenancy, options: MultiTenantOptions) -> Iterator[Violation]:
        for index in table.indexes:
            if not index.unique or tenancy.column in index.key_columns:
                continue
            if options.surrogate_keys_alone and _is_surrogate(table, index.key_columns):
                continue
            kind, name = (
                ("constraint", f"{table.qualified_name}.{index.constraint}")
                if index.constraint
                else (
                    "index",
                    index.qualified_name,
                )
            )
            message = f"The unique {kind} {name} does not hold {tenancy.quoted}: "
            message += "one tenant's value keeps all others from having it."
            yield self.within(table, kind, name, message, detail="unique")

    def _references(self, catalog: Catalog, table: Relation, tenancy: Tenancy, exempt: set[int]) -> Iterator[Violation]:
        for key in table.constraints:
            if key.kind is not ConstraintKind.FOREIGN_KEY or key.parent_oid or key.referenced_oid in exempt:
                continue
            referenced = catalog.relations.by_oid(key.referenced_oid)
            if referenced is None or referenced.column(tenancy.column) is None:
                continue
            pairs = dict(zip(key.columns, key.referenced_columns, strict=True))
            if pairs.get(tenancy.column) != tenancy.column:
                message = f"Foreign key {key.quoted_name} of {table.qualified_name} does not hold {tenancy.quoted}: "
                message += f"a row may point at another tenant's row of {referenced.qualified_name}."
                yield self.within(
                    table, "constraint", key.qualified_name, message, detail="crossing", severity=Severity.WARNING
                )

    def _row_security(self, table: Relation, tenancy: Tenancy) -> Iterator[Violation]:
        word = re.compile(rf"(?<![\w\"]){re.escape(tenancy.quoted)}(?![\w\"])")
        reads = [one for one in table.policies if word.search(f"{one.using or ''} {one.with_check or ''}")]
        if not table.row_security:
            relation = table.qualified_name
            fix = one_step(
                f"ALTER TABLE {relation} ENABLE ROW LEVEL SECURITY",
                f"ALTER TABLE {relation} DISABLE ROW LEVEL SECURITY",
                safety=Safety.REVIEW,
                note="" if reads else "Without a policy nobody but the owner then sees a row.",
            )
            yield self.on(table, f"{relation} has no row level security.", detail="rls", fix=fix)
        elif not reads:
            message = f"No policy of {table.qualified_name} looks at {tenancy.quoted}."
            yield self.on(table, message, detail="policy")


def _tenant_tables(mine: Own, options: MultiTenantOptions) -> list[Relation]:
    wanted = options.tenant_table
    return [] if wanted is None else [one for one in mine.tables if matches_any((wanted,), one.qualified_name)]


def _tenancy(table: Relation, tenants: list[Relation], options: MultiTenantOptions) -> Tenancy:
    """How this table tells tenants apart: by the tenants of its own schema, where several schemas have some."""
    tenant = next((one for one in tenants if one.schema == table.schema), tenants[0] if tenants else None)
    column = options.column or "tenant_id"
    if tenant is None:
        return Tenancy(column, options.type or "", None, "")
    key = options.tenant_key
    if key is None:
        primary = tenant.primary_key
        single = primary is not None and len(primary.key_columns) == 1
        key = (primary.key_columns[0] if primary and single else None) or column
    of_key = tenant.column(key)
    if of_key is None:
        return Tenancy(column, options.type or "", None, "")
    return Tenancy(column, options.type or of_key.type, tenant, key)


def _follow_write_side(judged: list[Relation], exempt: set[int], options: MultiTenantOptions) -> Iterator[int]:
    """Read models whose write side is exempt."""
    if not options.write_prefix or not options.read_prefix:
        return
    shared = {one.name for one in judged if one.oid in exempt}
    for one in judged:
        rest = one.name.removeprefix(options.read_prefix)
        if rest != one.name and f"{options.write_prefix}{rest}" in shared:
            yield one.oid


def _bound_to_tenants(judged: list[Relation], tenants: list[Relation], options: MultiTenantOptions) -> set[int]:
    """The tables whose tenant column leads to the tenants, directly or through keys that it is part of."""
    column = options.column or "tenant_id"
    bound = {one.oid for one in tenants}
    referencing: defaultdict[int, list[int]] = defaultdict(list)
    for table in judged:
        for key in table.constraints:
            if key.kind is ConstraintKind.FOREIGN_KEY and column in key.columns:
                theirs = key.referenced_columns[key.columns.index(column)]
                if theirs == column or key.referenced_oid in bound:
                    referencing[key.referenced_oid].append(table.oid)
    waiting = list(bound)
    while waiting:
        found = [oid for oid in referencing.get(waiting.pop(), ()) if oid not in bound]
        bound.update(found)
        waiting += found
    return bound


def _leads(index: Index, column: str) -> bool:
    return index.valid and index.predicate is None and index.key_columns[:1] == (column,)


def _is_surrogate(table: Relation, columns: tuple[str | None, ...]) -> bool:
    column = table.column(columns[0]) if len(columns) == 1 and columns[0] else None
    if column is None:
        return False
    default = column.default or ""
    return column.identity is not None or re.match(r"(\w+\.)?(nextval|\w*uuid\w*)\(", default) is not None
