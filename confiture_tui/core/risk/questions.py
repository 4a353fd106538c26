"""Which questions about the data decide whether a statement fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from confiture_tui.core.catalog.models.constraints import ConstraintKind
from confiture_tui.core.catalog.models.relations import Relation
from confiture_tui.core.catalog.models.types import TypeKind
from confiture_tui.core.effects.type_names import type_of_node, user_type
from confiture_tui.core.risk.harmless import compares_alike, condition_after, is_harmless
from confiture_tui.core.risk.index_parts import IndexParts, index_parts
from confiture_tui.core.risk.partition_questions import of_attach
from confiture_tui.core.risk.probes import Question
from confiture_tui.core.risk.seeds import keys_differ
from confiture_tui.core.risk.tables import (
    DUPLICATES,
    NOT_THERE,
    NULLS,
    ORPHANS,
    OWN_CODE,
    VIOLATIONS,
    WITH_ROWS,
    Node,
    Table,
    TablesOfCatalog,
    bracketed,
    cannot,
    character_of,
    columns_named,
)
from confiture_tui.core.risk.type_questions import value_of_default, values_that_do_not_fit
from confiture_tui.core.sql.identifiers import quote_identifier

if TYPE_CHECKING:
    from confiture_tui.core.catalog import Catalog
    from confiture_tui.core.catalog.models.constraints import Constraint
    from confiture_tui.core.catalog.models.types import Type
    from confiture_tui.core.effects.forecast import Forecast


def questions_of(
    forecast: Forecast,
    catalog: Catalog | None,
    changed: Callable[[str], bool],
    *,
    new_ones_are_empty: bool = False,
    checks: Mapping[tuple[str, str], str] | None = None,
) -> tuple[Question, ...]:
    """The questions that one statement raises; what cannot be asked is among them, with the reason.

    Args:
        forecast: of the statement.
        catalog: of the database as it is; ``None``: only what needs no asking is told.
        changed: whether statements before this one change the values of a relation of the catalog, so that the
            answer of today says nothing.
        checks: conditions of the checks that statements before this one add, by table and name.
        new_ones_are_empty: no statement before this one fills the table, should it be one that the migration makes.
    """
    kind, node = forecast.statement.node_kind, forecast.statement.node
    if node is None:
        return ()
    if new_ones_are_empty and kind in ("AlterTableStmt", "IndexStmt") and _is_new(node.get("relation", {}), forecast):
        states = [each.sqlstate for each in forecast.effects.may_fail or ()]
        return tuple(Question(each, "row in it yet", None, known=False) for each in states if each[:2] in ("22", "23"))
    if kind == "InsertStmt" and new_ones_are_empty and _is_new(node.get("relation", {}), forecast):
        return tuple(_of_first_rows(node, forecast))
    if catalog is None:
        return ()
    asker = _Asker(forecast, catalog, changed, checks or {})
    if kind == "AlterTableStmt" and node.get("objtype") in ("OBJECT_TABLE", None):
        return tuple(asker.of_alter_table(node))
    if kind == "IndexStmt" and node.get("unique"):
        return tuple(asker.of_index(node))
    if kind == "AlterDomainStmt":
        return tuple(asker.of_domain(node))
    if kind == "ReindexStmt":
        return tuple(asker.of_reindex())
    return ()


def checks_added(forecast: Forecast) -> Iterator[tuple[tuple[str, str], str]]:
    """The conditions of the named checks that a statement adds, by table and name."""
    node = forecast.statement.node or {}
    for each in node.get("cmds", ()) if forecast.statement.node_kind == "AlterTableStmt" else ():
        constraint = each.get("AlterTableCmd", {}).get("def", {}).get("Constraint", {})
        if constraint.get("contype") == "CONSTR_CHECK" and "conname" in constraint:
            sql = forecast.statement.sql
            condition = condition_after(sql, "check", character_of(sql, constraint.get("location", 0)))
            if condition is not None:
                yield (forecast.before.name_of(node.get("relation", {})), constraint["conname"]), condition


def emptiness(catalog: Catalog, relation: str) -> Question | None:
    """Whether a relation of the catalog has a row; ``None`` for what has no rows of its own."""
    found = next((each for each in catalog.relations.values() if each.qualified_name == relation), None)
    if found is None or found.kind not in WITH_ROWS:
        return None
    return Question("", f"row in {relation}", f"SELECT FROM {relation}", relations=(relation,))


class _Asker(TablesOfCatalog):
    """The questions of one statement, by what it does."""

    def of_alter_table(self, node: Node) -> Iterator[Question]:
        table = self.table(node.get("relation", {}))
        for each in node.get("cmds", ()):
            command = each.get("AlterTableCmd", {})
            definition = command.get("def", {})
            match command.get("subtype"):
                case "AT_SetNotNull":
                    yield self._nulls(table, [command.get("name", "")])
                case "AT_AddConstraint":
                    yield from self._added(table, definition.get("Constraint", {}))
                case "AT_ValidateConstraint":
                    yield from self._validated(table, command.get("name", ""))
                case "AT_AddColumn":
                    yield from self._new_column(table, definition.get("ColumnDef", {}))
                case "AT_AttachPartition":
                    yield from of_attach(self, self._forecast, table, definition.get("PartitionCmd", {}))
                case "AT_AlterColumnType":
                    yield self._retyped(table, command.get("name", ""), definition.get("ColumnDef", {}))
                case _:
                    pass

    def of_index(self, node: Node) -> Iterator[Question]:
        table = self.table(node.get("relation", {}))
        parts = index_parts(self._forecast.statement.sql, node)
        nulls_alike = bool(node.get("nulls_not_distinct"))
        if parts is None:
            yield cannot(DUPLICATES, "duplicates", "a key of the index has a collation or an operator class of its own")
        elif parts.condition is None and all(name for name, _ in parts.keys):
            yield self._duplicates(table, [name for name, _ in parts.keys if name], nulls_alike=nulls_alike)
        else:
            yield self._duplicates_of_expressions(table, parts, nulls_alike=nulls_alike)

    def of_reindex(self) -> Iterator[Question]:
        """A valid unique index has kept duplicates out."""
        anew = set(self._forecast.effects.rebuilds or ())
        indexes = [each for each in self._catalog.indexes.values() if each.qualified_name in anew]
        states = [each.sqlstate for each in self._forecast.effects.may_fail or ()]
        for state in states if all(each.valid for each in indexes) and len(indexes) == len(anew) else ():
            if state == DUPLICATES:
                yield Question(state, "duplicate, since the unique indexes are valid", None, known=False)

    def of_domain(self, node: Node) -> Iterator[Question]:
        parts = [each.get("String", {}).get("sval", "") for each in node.get("typeName", ())]
        domain = self._forecast.before.type(parts)
        if node.get("subtype") != "O":
            sqlstate = VIOLATIONS
            constraint = node.get("def", {}).get("Constraint", {})
            if constraint.get("contype") == "CONSTR_NOTNULL":
                sqlstate = NULLS
            elif node.get("subtype") == "C" and constraint.get("skip_validation"):
                return
            if node.get("subtype") in ("C", "V"):
                yield from self._of_domain_check(node, domain, constraint, sqlstate)
            return
        if domain is None or domain.oid <= 0:
            yield cannot(NULLS, "NULLs in columns of the domain", "the domain is not in the catalog")
            return
        for column in self._catalog.columns_of_type(domain.oid):
            table = self.named(column.relation)
            if table is not None:
                yield self._nulls(table, [column.name])

    def _of_domain_check(self, node: Node, domain: Type | None, added: Node, sqlstate: str) -> Iterator[Question]:
        words = "values that the domain no longer allows"
        condition = None
        if added:
            sql = self._forecast.statement.sql
            start = character_of(sql, added.get("location", 0))
            condition = condition_after(sql, "check", start)
        elif domain is not None:
            known = next((each for each in domain.constraints if each.name == node.get("name")), None)
            condition = condition_after(known.definition, "check") if known is not None else None
        if domain is None or domain.oid <= 0 or condition is None or sqlstate == NULLS:
            yield cannot(sqlstate, words, "it concerns a domain that is not in the catalog, or not its values alone")
            return
        for column in self._catalog.columns_of_type(domain.oid):
            table = self.named(column.relation)
            if table is None:
                continue
            schema = self._forecast.before
            if not compares_alike(column.type, schema) or not is_harmless(condition, schema, table.relation):
                yield cannot(sqlstate, words, OWN_CODE)
            else:
                # A domain's check calls its value VALUE, which as the name of a column needs no quotes.
                values = f"(SELECT {column.quoted_name} AS value FROM {table.name}) AS v"
                yield self.made(
                    sqlstate,
                    f"{words} in {table.name}",
                    f"SELECT FROM {values} WHERE NOT {bracketed(condition)}",
                    table,
                )

    def _added(self, table: Table | None, constraint: Node) -> Iterator[Question]:
        kind = constraint.get("contype")
        keys = [each.get("String", {}).get("sval", "") for each in constraint.get("keys", ())]
        if constraint.get("skip_validation") or (
            kind in ("CONSTR_FOREIGN", "CONSTR_CHECK") and not constraint.get("is_enforced", False)
        ):
            return  # NOT VALID, or NOT ENFORCED (from 18 on)
        if kind == "CONSTR_NOTNULL":
            yield self._nulls(table, keys)
        elif kind == "CONSTR_CHECK":
            yield self._violations(table, constraint)
        elif kind in ("CONSTR_UNIQUE", "CONSTR_PRIMARY"):
            keys = keys or self.keys_of_index(constraint.get("indexname"), table)
            if kind == "CONSTR_PRIMARY":
                yield self._nulls(table, keys)
            if not constraint.get("indexname"):
                yield self._duplicates(table, keys, nulls_alike=bool(constraint.get("nulls_not_distinct")))
        elif kind == "CONSTR_FOREIGN":
            yield self._orphans(
                table,
                [each["String"]["sval"] for each in constraint.get("fk_attrs", ())],
                self.table(constraint.get("pktable", {})),
                [each["String"]["sval"] for each in constraint.get("pk_attrs", ())],
                full=constraint.get("fk_matchtype") == "f",
            )
        elif kind == "CONSTR_EXCLUSION":
            yield cannot("23P01", "rows that exclude each other", "exclusion constraints are not probed")

    def _validated(self, table: Table | None, name: str) -> Iterator[Question]:
        now = self._forecast.before.by_oid(table.relation.oid) if table is not None else None
        constraint = now.constraint(name) if isinstance(now, Relation) else None
        if table is None or constraint is None:
            yield cannot(VIOLATIONS, "rows that violate it", "the constraint is not in the catalog")
            yield cannot(ORPHANS, "rows that violate it", "the constraint is not in the catalog")
        elif constraint.validated:
            return
        elif constraint.kind is ConstraintKind.FOREIGN_KEY:
            parent = self.named(constraint.referenced_relation or "")
            full = constraint.match == "FULL"
            yield self._orphans(table, constraint.columns, parent, constraint.referenced_columns, full=full)
        elif constraint.kind is ConstraintKind.NOT_NULL:
            yield self._nulls(table, list(constraint.columns))
        else:
            yield self._check_of_catalog(table, constraint)

    def _check_of_catalog(self, table: Table, constraint: Constraint) -> Question:
        words = f"rows of {table.source} that violate {constraint.quoted_name}"
        condition = condition_after(constraint.definition, "check") or self._checks.get((table.source, constraint.name))
        return self._breaking(table, words, condition)

    def _violations(self, table: Table | None, constraint: Node) -> Question:
        sql = self._forecast.statement.sql
        start = character_of(sql, constraint.get("location", 0))
        words = f"rows of {table.source if table else 'the table'} that violate the check"
        return self._breaking(table, words, condition_after(sql, "check", start))

    def _breaking(self, table: Table | None, words: str, condition: str | None) -> Question:
        if table is None:
            return cannot(VIOLATIONS, words, NOT_THERE)
        if condition is None or not is_harmless(condition, self._forecast.before, table.relation):
            return cannot(VIOLATIONS, words, OWN_CODE)
        alias = quote_identifier(table.relation.name)
        return self.made(
            VIOLATIONS, words, f"SELECT FROM {table.name} AS {alias} WHERE NOT {bracketed(condition)}", table
        )

    def _nulls(self, table: Table | None, names: Sequence[str]) -> Question:
        words = f"rows of {table.source if table else 'the table'} in which {' or '.join(names)} is NULL"
        columns = self.columns_of(table, names)
        if table is None or columns is None:
            return cannot(NULLS, words, NOT_THERE)
        condition = " OR ".join(f"{column.quoted_name} IS NULL" for column in columns)
        shares = [each.statistics.null_fraction for each in columns if each.statistics is not None]
        statistics = f"statistics say that {max(shares):.1%} of the rows are" if shares else ""
        return self.made(NULLS, words, f"SELECT FROM {table.name} WHERE {condition}", table, statistics=statistics)

    def _duplicates(self, table: Table | None, names: Sequence[str], *, nulls_alike: bool) -> Question:
        words = f"duplicates of ({', '.join(names)}) in {table.source if table else 'the table'}"
        columns = self.columns_of(table, names)
        if table is None or columns is None:
            return cannot(DUPLICATES, words, NOT_THERE)
        listed = ", ".join(column.quoted_name for column in columns)
        known = "" if nulls_alike else " AND ".join(f"{column.quoted_name} IS NOT NULL" for column in columns)
        where = f" WHERE {known}" if known else ""
        rows = f"SELECT FROM {table.name}{where} GROUP BY {listed} HAVING pg_catalog.count(*) > 1"
        distinct = columns[0].statistics.distinct if len(columns) == 1 and columns[0].statistics else None
        statistics = "statistics say that every value is different" if distinct == -1 else ""
        shown = f"{listed}, pg_catalog.count(*)"
        return self.made(DUPLICATES, words, rows, table, statistics=statistics, shown=shown)

    def _duplicates_of_expressions(self, table: Table | None, parts: IndexParts, *, nulls_alike: bool) -> Question:
        keys = [quote_identifier(name) if name else bracketed(text) for name, text in parts.keys]
        shown = ", ".join(name or text for name, text in parts.keys)
        words = f"duplicates of ({shown}) in {table.source if table else 'the table'}"
        if table is None or not self.as_named(table, columns_named(self._forecast.statement.node)):
            return cannot(DUPLICATES, words, NOT_THERE)
        asked = [text for name, text in parts.keys if not name] + ([parts.condition] if parts.condition else [])
        if not all(is_harmless(one, self._forecast.before, table.relation) for one in asked):
            return cannot(DUPLICATES, words, "the index may call code of the user's own")
        known = [] if nulls_alike else [f"{key} IS NOT NULL" for key in keys]
        conditions = [*([bracketed(parts.condition)] if parts.condition else []), *known]
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        listed = ", ".join(keys)
        alias = quote_identifier(table.relation.name)
        rows = f"SELECT FROM {table.name} AS {alias}{where} GROUP BY {listed} HAVING pg_catalog.count(*) > 1"
        return self.made(DUPLICATES, words, rows, table, shown=f"{listed}, pg_catalog.count(*)")

    def _orphans(
        self,
        child: Table | None,
        names: Sequence[str],
        parent: Table | None,
        referenced: Sequence[str],
        *,
        full: bool,
    ) -> Question:
        words = f"rows of {child.source if child else 'the table'} whose ({', '.join(names)}) refers to nothing"
        if parent is not None and not referenced:
            key = parent.relation.primary_key
            referenced = [each for each in key.key_columns if each is not None] if key is not None else []
        columns, keys = self.columns_of(child, names), self.columns_of(parent, referenced)
        if child is None or parent is None or columns is None or keys is None or len(columns) != len(keys):
            return cannot(ORPHANS, words, NOT_THERE)
        if not all(compares_alike(each.type, self._forecast.before) for each in (*columns, *keys)):
            return cannot(ORPHANS, words, "an operator of the user's own compares the columns")
        pairs = " AND ".join(
            f"p.{key.quoted_name} = c.{column.quoted_name}" for column, key in zip(columns, keys, strict=True)
        )
        joined = f"SELECT FROM {parent.name} AS p WHERE {pairs}"
        if full:
            nulls = " AND ".join(f"c.{column.quoted_name} IS NULL" for column in columns)
            where = f"NOT ({nulls}) AND NOT EXISTS ({joined})"
        else:
            known = " AND ".join(f"c.{column.quoted_name} IS NOT NULL" for column in columns)
            where = f"{known} AND NOT EXISTS ({joined})"
        return self.made(ORPHANS, words, f"SELECT FROM {child.name} AS c WHERE {where}", child, parent)

    def _new_column(self, table: Table | None, definition: Node) -> Iterator[Question]:
        constraints = [each.get("Constraint", {}) for each in definition.get("constraints", ())]
        kinds = {each.get("contype") for each in constraints}
        words = f"row in {table.source if table else 'the table'}"
        if kinds & {"CONSTR_DEFAULT", "CONSTR_IDENTITY", "CONSTR_GENERATED"}:
            states = {
                "CONSTR_NOTNULL": NULLS,
                "CONSTR_CHECK": VIOLATIONS,
                "CONSTR_UNIQUE": DUPLICATES,
                "CONSTR_PRIMARY": DUPLICATES,
                "CONSTR_FOREIGN": ORPHANS,
            }
        elif kinds & {"CONSTR_NOTNULL", "CONSTR_PRIMARY"}:
            states = {"CONSTR_NOTNULL": NULLS, "CONSTR_PRIMARY": NULLS}
        else:
            states = {"CONSTR_CHECK": VIOLATIONS}
        # Whatever the new column's value is: without a row there is nothing that it could fail on.
        for sqlstate in dict.fromkeys(state for kind, state in states.items() if kind in kinds):
            if sqlstate == VIOLATIONS and table is not None:
                yield from self._checks_of_new_column(table, definition, constraints, words)
                continue
            empty = self.made(sqlstate, words, f"SELECT FROM {table.name}", table) if table else None
            certain = sqlstate == NULLS and not kinds & {"CONSTR_DEFAULT", "CONSTR_IDENTITY", "CONSTR_GENERATED"}
            if empty is None or not certain:
                yield cannot(sqlstate, words, "the new column's values are not known")
            else:
                yield empty

    def _checks_of_new_column(
        self, table: Table, definition: Node, constraints: Sequence[Node], words: str
    ) -> Iterator[Question]:
        """What the checks say of the value that every row gets: NULL, or a default that is a constant."""
        new = type_of_node(definition.get("typeName", {}), self._forecast.before)
        value = value_of_default(constraints)
        name = quote_identifier(definition.get("colname", ""))
        alias = quote_identifier(table.relation.name)
        for each in (one for one in constraints if one.get("contype") == "CONSTR_CHECK"):
            sql = self._forecast.statement.sql
            start = character_of(sql, each.get("location", 0))
            condition = condition_after(sql, "check", start)
            if new is None or "." in new.name or value is None or condition is None:
                yield cannot(VIOLATIONS, words, "the new column's values are not known")
            elif not is_harmless(condition, self._forecast.before, table.relation):
                yield cannot(VIOLATIONS, words, OWN_CODE)
            else:
                rows = f"(SELECT *, {value}::{new} AS {name} FROM {table.name}) AS {alias}"
                asked = f"rows of {table.source} that violate the check of {definition.get('colname')}"
                yield self.made(VIOLATIONS, asked, f"SELECT FROM {rows} WHERE NOT {bracketed(condition)}", table)

    def _retyped(self, table: Table | None, name: str, definition: Node) -> Question:
        words = f"values of {name} that do not fit the new type"
        states = [each.sqlstate for each in self._forecast.effects.may_fail or () if each.sqlstate.startswith("22")]
        sqlstate = states[0] if states else "22000"
        columns = self.columns_of(table, [name])
        before = self._forecast.before
        new = type_of_node(definition.get("typeName", {}), before)
        if table is None or columns is None or new is None:
            return cannot(sqlstate, words, NOT_THERE)
        kind = user_type(new.name, before)
        labels = kind.labels if kind is not None and kind.kind is TypeKind.ENUM else None
        condition = values_that_do_not_fit(
            columns[0], str(new), labels, definition.get("raw_default"), self._catalog.server_version_num
        )
        if condition is None:
            return cannot(sqlstate, words, "this change of type is not probed")
        return self.made(sqlstate, words, f"SELECT FROM {table.name} WHERE {condition}", table)


def _of_first_rows(node: Node, forecast: Forecast) -> Iterator[Question]:
    relation = forecast.before.find(node["relation"]).relation
    if relation is None or not keys_differ(node, relation):
        return
    for each in forecast.effects.may_fail or ():
        if each.sqlstate == DUPLICATES:
            yield Question(DUPLICATES, "duplicate among the first rows of a table", None, known=False)


def _is_new(range_var: Node, forecast: Forecast) -> bool:
    found = forecast.before.find(range_var).object if range_var else None
    return found is not None and not forecast.before.is_old(found)
