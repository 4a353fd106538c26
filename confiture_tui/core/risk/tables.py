"""The tables and columns that a statement means, as the catalog has them: what a question can be put to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.relations import RelationKind
from confiture_tui.core.risk.advice.tree import nodes_of
from confiture_tui.core.risk.probes import Question

if TYPE_CHECKING:
    from confiture_tui.core.catalog import Catalog
    from confiture_tui.core.catalog.models.columns import Column
    from confiture_tui.core.catalog.models.relations import Relation
    from confiture_tui.core.effects.forecast import Forecast

Node = Mapping[str, Any]

NULLS, DUPLICATES, ORPHANS, VIOLATIONS = "23502", "23505", "23503", "23514"

WITH_ROWS = (RelationKind.TABLE, RelationKind.PARTITIONED_TABLE, RelationKind.MATERIALIZED_VIEW)


@dataclass(frozen=True, slots=True)
class Table:
    """A table as the catalog has it, and as the statement names it."""

    relation: Relation
    source: str

    @property
    def name(self) -> str:
        """Its qualified name in the catalog."""
        return self.relation.qualified_name


class TablesOfCatalog:
    """Looks tables and columns up for one statement.

    Args:
        forecast: of the statement.
        catalog: of the database as it is.
        changed: whether statements before it change the values of a relation of the catalog.
        checks: conditions of the checks that statements before it add, by table and name.
    """

    def __init__(
        self,
        forecast: Forecast,
        catalog: Catalog,
        changed: Callable[[str], bool],
        checks: Mapping[tuple[str, str], str],
    ) -> None:
        self._checks = checks
        self._forecast = forecast
        self._catalog = catalog
        self._changed = changed

    def table(self, range_var: Node) -> Table | None:
        """The table of the catalog that the statement means, whatever earlier statements have called it."""
        if not range_var:
            return None
        found = self._forecast.before.find(range_var)
        relation = found.relation
        if relation is None or relation.oid <= 0:
            return None
        known = self._catalog.relations.by_oid(relation.oid)
        return Table(known, found.name) if known is not None and known.kind in WITH_ROWS else None

    def named(self, name: str) -> Table | None:
        """The table of the catalog with this qualified name."""
        found = next((each for each in self._catalog.relations.values() if each.qualified_name == name), None)
        return Table(found, name) if found is not None and found.kind in WITH_ROWS else None

    def columns_of(self, table: Table | None, names: Sequence[str]) -> list[Column] | None:
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

    def as_named(self, table: Table, names: Sequence[str]) -> bool:
        """Whether these columns, one at least, are there, and are what the catalog knows by the same names."""
        columns = self.columns_of(table, names)
        return columns is not None and [each.name for each in columns] == list(names)

    def keys_of_index(self, name: str | None, table: Table | None) -> list[str]:
        """The key columns of an index of the table; empty where it is not there."""
        if name is None or table is None:
            return []
        index = next((each for each in table.relation.indexes if each.name == name), None)
        return [each for each in index.key_columns if each is not None] if index is not None else []

    def made(
        self, sqlstate: str, words: str, rows: str, *tables: Table, statistics: str = "", shown: str = "*"
    ) -> Question:
        """A question to these tables, unless their values change before."""
        names = tuple(table.name for table in tables)
        if any(self._changed(name) for name in names):
            return cannot(sqlstate, words, "statements before it change the data")
        return Question(sqlstate, words, rows, relations=names, statistics=statistics, shown=shown)


OWN_CODE = "the check may call code of the user's own"
NOT_THERE = "the table or column is not in the catalog"


def columns_named(tree: Any) -> list[str]:
    """The columns that expressions, and the keys of an index, name; each once. A whole row has an empty name."""
    fields = [each.get("fields") or [{}] for each in nodes_of(tree, "ColumnRef")]
    keys = [each["name"] for each in nodes_of(tree, "IndexElem") if "name" in each]
    return list(dict.fromkeys([*keys, *(parts[-1].get("String", {}).get("sval", "") for parts in fields)]))


def bracketed(written: str) -> str:
    """A user's expression in brackets, which a comment at its end does not swallow."""
    return f"({written}\n)" if "--" in written else f"({written})"


def cannot(sqlstate: str, words: str, why_not: str) -> Question:
    """A question that cannot be asked, and why."""
    return Question(sqlstate, words, None, why_not=why_not)


def character_of(sql: str, offset: int) -> int:
    """The offset in characters of one in bytes of the UTF-8 text."""
    return len(sql.encode()[:offset].decode(errors="replace"))
