"""Which questions about the data decide whether a statement fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.constraints import ConstraintKind
from confiture_tui.core.catalog.models.relations import RelationKind
from confiture_tui.core.catalog.models.types import TypeKind
from confiture_tui.core.effects.type_names import type_of_node, user_type
from confiture_tui.core.risk.harmless import condition_after, is_harmless
from confiture_tui.core.risk.probes import Question
from confiture_tui.core.risk.type_questions import values_that_do_not_fit
from confiture_tui.core.sql.identifiers import quote_identifier

if TYPE_CHECKING:
    from confiture_tui.core.catalog import Catalog
    from confiture_tui.core.catalog.models.columns import Column
    from confiture_tui.core.catalog.models.constraints import Constraint
    from confiture_tui.core.catalog.models.relations import Relation
    from confiture_tui.core.effects.forecast import Forecast

_Node = Mapping[str, Any]

NULLS, DUPLICATES, ORPHANS, VIOLATIONS = "23502", "23505", "23503", "23514"

_WITH_ROWS = (RelationKind.TABLE, RelationKind.PARTITIONED_TABLE, RelationKind.MATERIALIZED_VIEW)


def questions_of(
    forecast: Forecast, catalog: Catalog | None, changed: Callable[[str], bool], *, new_ones_are_empty: bool = False
) -> tuple[Question, ...]:
    """The questions that one statement raises; what cannot be asked is among them, with the reason.

    Args:
        forecast: of the statement.
        catalog: of the database as it is; ``None``: only what needs no asking is told.
        changed: whether statements before this one change the values of a relation of the catalog, so that the
            answer of today says nothing.
        new_ones_are_empty: no statement before this one fills a table that the migration makes.
    """
    kind, node = forecast.statement.node_kind, forecast.statement.node
    if node is None:
        return ()
    if new_ones_are_empty and kind in ("AlterTableStmt", "IndexStmt") and _is_new(node.get("relation", {}), forecast):
        states = [each.sqlstate for each in forecast.effects.may_fail or ()]
        return tuple(Question(each, "row in it yet", None, known=False) for each in states if each[:2] in ("22", "23"))
    if catalog is None:
        return ()
    asker = _Asker(forecast, catalog, changed)
    if kind == "AlterTableStmt" and node.get("objtype") in ("OBJECT_TABLE", None):
        return tuple(asker.of_alter_table(node))
    if kind == "IndexStmt" and node.get("unique"):
        return tuple(asker.of_index(node))
    if kind == "AlterDomainStmt":
        return tuple(asker.of_domain(node))
    return ()


def emptiness(catalog: Catalog, relation: str) -> Question | None:
    """Whether a relation of the catalog has a row; ``None`` for what has no rows of its own."""
    found = next((each for each in catalog.relations.values() if each.qualified_name == relation), None)
    if found is None or found.kind not in _WITH_ROWS:
        return None
    return Question("", f"row in {relation}", f"SELECT FROM {relation}", relations=(relation,))


@dataclass(frozen=True, slots=True)
class _Table:
    """A table as the catalog has it, and as the statement names it."""

    relation: Relation
    source: str

    @property
    def name(self) -> str:
        return self.relation.qualified_name


class _Asker:
    def __init__(self, forecast: Forecast, catalog: Catalog, changed: Callable[[str], bool]) -> None:
        self._forecast = forecast
        self._catalog = catalog
        self._changed = changed

    def of_alter_table(self, node: _Node) -> Iterator[Question]:
        table = self._table(node.get("relation", {}))
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
                case "AT_AlterColumnType":
                    yield self._retyped(table, command.get("name", ""), definition.get("ColumnDef", {}))
                case _:
                    pass

    def of_index(self, node: _Node) -> Iterator[Question]:
        table = self._table(node.get("relation", {}))
        parts = [each.get("IndexElem", {}) for each in node.get("indexParams", ())]
        plain = all("name" in part and "collation" not in part and "opclass" not in part for part in parts)
        if "whereClause" in node or not plain:
            yield _cannot(DUPLICATES, "duplicates", "the index is on an expression or on part of the table")
        else:
            names = [part["name"] for part in parts]
            yield self._duplicates(table, names, nulls_alike=bool(node.get("nulls_not_distinct")))

    def of_domain(self, node: _Node) -> Iterator[Question]:
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
                yield _cannot(sqlstate, "values that the domain no longer allows", "it concerns a domain")
            return
        if domain is None or domain.oid <= 0:
            yield _cannot(NULLS, "NULLs in columns of the domain", "the domain is not in the catalog")
            return
        for column in self._catalog.columns_of_type(domain.oid):
            table = self._named(column.relation)
            if table is not None:
                yield self._nulls(table, [column.name])

    def _added(self, table: _Table | None, constraint: _Node) -> Iterator[Question]:
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
            keys = keys or self._keys_of_index(constraint.get("indexname"), table)
            if kind == "CONSTR_PRIMARY":
                yield self._nulls(table, keys)
            if not constraint.get("indexname"):
                yield self._duplicates(table, keys, nulls_alike=bool(constraint.get("nulls_not_distinct")))
        elif kind == "CONSTR_FOREIGN":
            yield self._orphans(
                table,
                [each["String"]["sval"] for each in constraint.get("fk_attrs", ())],
                self._table(constraint.get("pktable", {})),
                [each["String"]["sval"] for each in constraint.get("pk_attrs", ())],
                full=constraint.get("fk_matchtype") == "f",
            )
        elif kind == "CONSTR_EXCLUSION":
            yield _cannot("23P01", "rows that exclude each other", "exclusion constraints are not probed")

    def _validated(self, table: _Table | None, name: str) -> Iterator[Question]:
        constraint = table.relation.constraint(name) if table is not None else None
        if table is None or constraint is None:
            yield _cannot(VIOLATIONS, "rows that violate it", "the constraint is not in the catalog")
            yield _cannot(ORPHANS, "rows that violate it", "the constraint is not in the catalog")
        elif constraint.validated:
            return
        elif constraint.kind is ConstraintKind.FOREIGN_KEY:
            parent = self._named(constraint.referenced_relation or "")
            full = constraint.match == "FULL"
            yield self._orphans(table, constraint.columns, parent, constraint.referenced_columns, full=full)
        elif constraint.kind is ConstraintKind.NOT_NULL:
            yield self._nulls(table, list(constraint.columns))
        else:
            yield self._check_of_catalog(table, constraint)

    def _check_of_catalog(self, table: _Table, constraint: Constraint) -> Question:
        words = f"rows of {table.source} that violate {constraint.quoted_name}"
        condition = condition_after(constraint.definition, "check")
        return self._breaking(table, words, condition)

    def _violations(self, table: _Table | None, constraint: _Node) -> Question:
        sql = self._forecast.statement.sql
        start = len(sql.encode()[: constraint.get("location", 0)].decode(errors="replace"))
        words = f"rows of {table.source if table else 'the table'} that violate the check"
        return self._breaking(table, words, condition_after(sql, "check", start))

    def _breaking(self, table: _Table | None, words: str, condition: str | None) -> Question:
        if table is None:
            return _cannot(VIOLATIONS, words, _NOT_THERE)
        if condition is None or not is_harmless(condition, self._forecast.before, table.relation):
            return _cannot(VIOLATIONS, words, "the check may call code of the user's own")
        alias = quote_identifier(table.relation.name)
        return self._made(VIOLATIONS, words, f"SELECT FROM {table.name} AS {alias} WHERE NOT ({condition}\n)", table)

    def _nulls(self, table: _Table | None, names: Sequence[str]) -> Question:
        words = f"rows of {table.source if table else 'the table'} in which {' or '.join(names)} is NULL"
        columns = self._columns(table, names)
        if table is None or columns is None:
            return _cannot(NULLS, words, _NOT_THERE)
        condition = " OR ".join(f"{column.quoted_name} IS NULL" for column in columns)
        shares = [each.statistics.null_fraction for each in columns if each.statistics is not None]
        statistics = f"statistics say that {max(shares):.1%} of the rows are" if shares else ""
        return self._made(NULLS, words, f"SELECT FROM {table.name} WHERE {condition}", table, statistics=statistics)

    def _duplicates(self, table: _Table | None, names: Sequence[str], *, nulls_alike: bool) -> Question:
        words = f"duplicates of ({', '.join(names)}) in {table.source if table else 'the table'}"
        columns = self._columns(table, names)
        if table is None or columns is None:
            return _cannot(DUPLICATES, words, _NOT_THERE)
        listed = ", ".join(column.quoted_name for column in columns)
        known = "" if nulls_alike else " AND ".join(f"{column.quoted_name} IS NOT NULL" for column in columns)
        where = f" WHERE {known}" if known else ""
        rows = f"SELECT FROM {table.name}{where} GROUP BY {listed} HAVING pg_catalog.count(*) > 1"
        distinct = columns[0].statistics.distinct if len(columns) == 1 and columns[0].statistics else None
        statistics = "statistics say that every value is different" if distinct == -1 else ""
        return self._made(DUPLICATES, words, rows, table, statistics=statistics)

    def _orphans(
        self,
        child: _Table | None,
        names: Sequence[str],
        parent: _Table | None,
        referenced: Sequence[str],
        *,
        full: bool,
    ) -> Question:
        words = f"rows of {child.source if child else 'the table'} whose ({', '.join(names)}) refers to nothing"
        if parent is not None and not referenced:
            key = parent.relation.primary_key
            referenced = [each for each in key.key_columns if each is not None] if key is not None else []
        columns, keys = self._columns(child, names), self._columns(parent, referenced)
        if child is None or parent is None or columns is None or keys is None or len(columns) != len(keys):
            return _cannot(ORPHANS, words, _NOT_THERE)
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
        return self._made(ORPHANS, words, f"SELECT FROM {child.name} AS c WHERE {where}", child, parent)

    def _new_column(self, table: _Table | None, definition: _Node) -> Iterator[Question]:
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
            empty = self._made(sqlstate, words, f"SELECT FROM {table.name}", table) if table else None
            certain = sqlstate == NULLS and not kinds & {"CONSTR_DEFAULT", "CONSTR_IDENTITY", "CONSTR_GENERATED"}
            if empty is None or not certain:
                yield _cannot(sqlstate, words, "the new column's values are not known")
            else:
                yield empty

    def _retyped(self, table: _Table | None, name: str, definition: _Node) -> Question:
        words = f"values of {name} that do not fit the new type"
        states = [each.sqlstate for each in self._forecast.effects.may_fail or () if each.sqlstate.startswith("22")]
        sqlstate = states[0] if states else "22000"
        columns = self._columns(table, [name])
        before = self._forecast.before
        new = type_of_node(definition.get("typeName", {}), before)
        if table is None or columns is None or new is None:
            return _cannot(sqlstate, words, _NOT_THERE)
        kind = user_type(new.name, before)
        labels = kind.labels if kind is not None and kind.kind is TypeKind.ENUM else None
        condition = values_that_do_not_fit(
            columns[0], str(new), labels, definition.get("raw_default"), self._catalog.server_version_num
        )
        if condition is None:
            return _cannot(sqlstate, words, "this change of type is not probed")
        return self._made(sqlstate, words, f"SELECT FROM {table.name} WHERE {condition}", table)

    # Tables and columns of the catalog

    def _table(self, range_var: _Node) -> _Table | None:
        """The table of the catalog that the statement means, whatever earlier statements have called it."""
        if not range_var:
            return None
        found = self._forecast.before.find(range_var)
        relation = found.relation
        if relation is None or relation.oid <= 0:
            return None
        known = self._catalog.relations.by_oid(relation.oid)
        return _Table(known, found.name) if known is not None and known.kind in _WITH_ROWS else None

    def _named(self, name: str) -> _Table | None:
        found = next((each for each in self._catalog.relations.values() if each.qualified_name == name), None)
        return _Table(found, name) if found is not None and found.kind in _WITH_ROWS else None

    def _columns(self, table: _Table | None, names: Sequence[str]) -> list[Column] | None:
        """The catalog's columns behind these names; ``None`` when one is not there, or is not what it was."""
        now = self._forecast.before.by_oid(table.relation.oid) if table is not None else None
        if table is None or not names or now is None:
            return None
        columns: list[Column] = []
        for name in names:
            column = getattr(now, "column", lambda _name: None)(name)
            before = table.relation.column_numbered(column.number) if column is not None else None
            if column is None or before is None or before.type != column.type:
                return None
            columns.append(before)
        return columns

    def _keys_of_index(self, name: str | None, table: _Table | None) -> list[str]:
        if name is None or table is None:
            return []
        index = next((each for each in table.relation.indexes if each.name == name), None)
        return [each for each in index.key_columns if each is not None] if index is not None else []

    def _made(self, sqlstate: str, words: str, rows: str, *tables: _Table, statistics: str = "") -> Question:
        names = tuple(table.name for table in tables)
        if any(self._changed(name) for name in names):
            return _cannot(sqlstate, words, "statements before it change the data")
        return Question(sqlstate, words, rows, relations=names, statistics=statistics)


def _is_new(range_var: _Node, forecast: Forecast) -> bool:
    found = forecast.before.find(range_var).object if range_var else None
    return found is not None and not forecast.before.is_old(found)


_NOT_THERE = "the table or column is not in the catalog"


def _cannot(sqlstate: str, words: str, why_not: str) -> Question:
    return Question(sqlstate, words, None, why_not=why_not)
