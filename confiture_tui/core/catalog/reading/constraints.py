"""Reads the constraints of tables and domains."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_tui.core.catalog.models.constraints import Constraint, ConstraintKind
from confiture_tui.core.catalog.models.dependencies import PG_CONSTRAINT
from confiture_tui.core.catalog.reading import constraint_definitions as definitions
from confiture_tui.core.catalog.reading import indexes
from confiture_tui.core.catalog.reading.bulk import assembler
from confiture_tui.core.catalog.reading.query import USER_OR_OWN_TEMPORARY_SCHEMA, Query, Rows, qualified
from confiture_tui.core.catalog.reading.relations import group

if TYPE_CHECKING:
    from confiture_tui.core.catalog.models.columns import Column
    from confiture_tui.core.catalog.reading.context import Context

KINDS = {
    "c": ConstraintKind.CHECK,
    "f": ConstraintKind.FOREIGN_KEY,
    "p": ConstraintKind.PRIMARY_KEY,
    "u": ConstraintKind.UNIQUE,
    "x": ConstraintKind.EXCLUSION,
    "n": ConstraintKind.NOT_NULL,
    "t": ConstraintKind.TRIGGER,
}

_constraint = assembler(Constraint)

QUERIES = (
    Query(
        "constraints",
        "constraints",
        # conenforced exists from 18 on.
        lambda target: (
            f"""SELECT k.oid, k.conname, NULLIF(quote_ident(k.conname), k.conname), k.contype,
                k.conrelid, k.contypid,
                CASE WHEN {definitions.written_here(target.version >= 150000, target.version >= 180000)} THEN ''
                     ELSE pg_get_constraintdef(k.oid) END,
                k.convalidated, {"k.conenforced" if target.version >= 180000 else "true"},
                k.condeferrable, k.condeferred, k.connoinherit, k.conkey, k.confrelid, k.confkey,
                k.confupdtype, k.confdeltype, k.confmatchtype,
                k.conindid, k.conparentid, k.conislocal, k.coninhcount
            FROM pg_constraint k
            JOIN pg_namespace n ON n.oid = k.connamespace
            LEFT JOIN pg_index x ON x.indexrelid = k.conindid
            WHERE {USER_OR_OWN_TEMPORARY_SCHEMA} AND (k.conrelid <> 0 OR k.contypid <> 0)"""
        ),
        required=(6,),
    ),
    Query(
        "domains",
        "domains",
        f"""SELECT t.oid, {qualified("n.nspname", "t.typname")}
            FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
            WHERE t.typtype = 'd' AND n.nspname !~ '^pg_'""",
    ),
    Query(
        "disabled_internal_triggers",
        "states of internal triggers",
        # A foreign key's triggers, switched by ALTER TABLE … DISABLE TRIGGER ALL. Those on the referenced table count
        # for the same constraint.
        """SELECT tgconstraint, string_agg(tgenabled::text, '' ORDER BY tgenabled)
            FROM pg_trigger WHERE tgisinternal AND tgconstraint <> 0
            GROUP BY tgconstraint HAVING bool_or(tgenabled <> 'O')""",
    ),
)


def build(rows: Rows, context: Context) -> list[Constraint]:
    """All constraints."""
    domains: dict[int, str] = dict(rows.get("domains", ()))
    comments = context.comments_on(PG_CONSTRAINT)
    index_names = indexes.names_by_oid(rows)
    disabled: dict[int, str] = dict(rows.get("disabled_internal_triggers", ()))
    constraints: list[Constraint] = []
    for (
        oid,
        name,
        quoted,
        kind_letter,
        relation,
        domain,
        definition,
        validated,
        enforced,
        deferrable,
        deferred,
        no_inherit,
        key,
        referenced,
        referenced_key,
        on_update,
        on_delete,
        match,
        index,
        parent,
        is_local,
        inherited,
    ) in context.steadily(rows.get("constraints", ())):
        owner = context.relation_names.get(relation) if relation else domains.get(domain)
        kind = KINDS.get(kind_letter)
        if owner is None or kind is None:
            continue
        columns = context.column_objects(relation, key)
        referenced_columns: tuple[Column, ...] = ()
        foreign = kind is ConstraintKind.FOREIGN_KEY
        if foreign:
            referenced_columns = context.column_objects(referenced, referenced_key)
        if not definition:
            quoted_columns = _quoted(columns)
            if kind is ConstraintKind.NOT_NULL:
                definition = definitions.not_null(quoted_columns, no_inherit=no_inherit, validated=validated)
            elif foreign:
                definition = definitions.foreign_key(
                    quoted_columns,
                    context.relation_names.get(referenced, ""),
                    _quoted(referenced_columns),
                    match=match,
                    on_update=on_update,
                    on_delete=on_delete,
                    timing=definitions.timing_of(
                        deferrable=deferrable, deferred=deferred, enforced=enforced, validated=validated
                    ),
                )
            else:
                primary = kind is ConstraintKind.PRIMARY_KEY
                timing = definitions.timing_of(
                    deferrable=deferrable, deferred=deferred, enforced=enforced, validated=validated
                )
                definition = definitions.key(quoted_columns, primary=primary, timing=timing)
        constraints.append(
            _constraint(
                oid,
                owner,
                name,
                quoted or name,
                kind,
                relation,
                domain,
                definition,
                validated,
                enforced,
                deferrable,
                deferred,
                no_inherit,
                tuple([column.name for column in columns]),
                context.relation_names.get(referenced) if foreign else None,
                referenced if foreign else 0,
                tuple([column.name for column in referenced_columns]),
                definitions.ACTIONS.get(on_update) if foreign else None,
                definitions.ACTIONS.get(on_delete) if foreign else None,
                definitions.MATCH.get(match) if foreign else None,
                index,
                index_names.get(index),
                parent,
                is_local,
                inherited,
                disabled.get(oid, ""),
                comments.get(oid),
            )
        )
    return constraints


def _quoted(columns: tuple[Column, ...]) -> str:
    return ", ".join([column.quoted_name for column in columns])


def by_relation(constraints: list[Constraint]) -> dict[int, tuple[Constraint, ...]]:
    """The constraints of each table, in the order of their names."""
    return group((each.relation_oid, each) for each in constraints if each.relation_oid)


def by_domain(constraints: list[Constraint]) -> dict[int, tuple[Constraint, ...]]:
    """The constraints of each domain, in the order of their names."""
    return group((each.domain_oid, each) for each in constraints if each.domain_oid)
