"""What a safe rewrite is made from: a statement, its text, and the table that it is about."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from confiture_tui.core.catalog.models.relations import Relation, RelationKind
from confiture_tui.core.effects.object_names import columns_part, object_name, relation_name
from confiture_tui.core.risk.advice.backfill import Rows
from confiture_tui.core.risk.advice.source import ColumnText, Source
from confiture_tui.core.sql.identifiers import quote_identifier

if TYPE_CHECKING:
    from confiture_tui.core.effects.forecast import Forecast
    from confiture_tui.core.risk.advice.source import Node
    from confiture_tui.core.risk.rules.command import Command


@dataclass(frozen=True)
class Subject:
    """A statement about one table.

    Attributes:
        forecast: of the statement.
        node: its fields, or those of the sub-command that is meant.
        position: of the sub-command of ALTER TABLE; ``None`` for the statement as a whole.
        table: qualified, quoted name.
    """

    forecast: Forecast
    node: Node
    position: int | None
    table: str

    @classmethod
    def of_command(cls, command: Command) -> Subject:
        """One sub-command of ALTER TABLE."""
        return cls(command.forecast, command.node, command.position, command.table)

    @classmethod
    def of_statement(cls, forecast: Forecast) -> Subject:
        """A statement with a ``relation``."""
        node = forecast.statement.node or {}
        return cls(forecast, node, None, forecast.before.name_of(node["relation"]))

    @cached_property
    def source(self) -> Source:
        """The statement's text."""
        return Source(self.forecast.statement.sql)

    @cached_property
    def relation(self) -> Relation | None:
        """The table as it is before the statement, wholly or in part; ``None`` when nothing is known of it."""
        return self.forecast.before.find(self.table).relation

    @property
    def known(self) -> bool:
        """Whether everything about the table is known."""
        return self.forecast.before.find(self.table).known

    @property
    def is_partitioned(self) -> bool:
        """Whether it is known to be partitioned."""
        return self.relation is not None and self.relation.kind is RelationKind.PARTITIONED_TABLE

    @property
    def schema(self) -> str:
        """The table's schema, quoted."""
        return quote_identifier(self.forecast.before.find(self.table).key[0])

    @property
    def bare(self) -> str:
        """The table's name, as stored."""
        return self.forecast.before.find(self.table).key[1]

    @property
    def column(self) -> str:
        """The column that the sub-command names, or defines; as stored."""
        return str(self.node.get("name") or self.node.get("def", {}).get("ColumnDef", {}).get("colname", ""))

    @cached_property
    def rows(self) -> Rows:
        """How to walk the table's rows: by its primary key, or another key that is never NULL, where one is known."""
        relation = self.relation
        for index in relation.indexes if relation is not None else ():
            columns = [one for one in index.key_columns if one is not None]
            whole = index.unique and index.valid and index.predicate is None and not index.expressions
            required = relation is not None and all(
                (found := relation.column(one)) and found.not_null for one in columns
            )
            if whole and required and columns and index.access_method == "btree":
                return Rows(self.table, tuple(map(quote_identifier, columns)))
        return Rows(self.table)

    @cached_property
    def span(self) -> tuple[int, int] | None:
        """From where to where the sub-command's text goes; ``None`` when it cannot be told."""
        spans = self.source.commands(self.forecast.statement.node or {})
        return spans[self.position] if self.position is not None and spans else None

    @property
    def text(self) -> str | None:
        """The sub-command's text."""
        return None if self.span is None else self.source.sql[self.span[0] : self.span[1]]

    @cached_property
    def definition(self) -> ColumnText | None:
        """The column definition of ADD COLUMN, in parts."""
        column = self.node.get("def", {}).get("ColumnDef")
        return None if self.span is None or column is None else self.source.column(column, self.span[1])

    def constraint_name(self, columns: tuple[str, ...], label: str) -> str:
        """The name that the server gives a constraint that the user did not name."""
        joined = "_".join(columns) or None
        taken = {one.name for one in self.relation.constraints} if self.relation is not None else set[str]()
        number, name = 0, object_name(self.bare, joined, label)
        while name in taken:
            number += 1
            name = object_name(self.bare, joined, f"{label}{number}")
        return name

    def index_name(self, columns: tuple[str, ...], label: str) -> str:
        """The name that the server gives an index that the user did not name: key columns, then included ones."""
        place = self.forecast.before.find(self.table).key[0]
        return relation_name(self.forecast.before, place, self.bare, columns_part(columns) or None, label)

    def helper(self, label: str, column: str | None = None) -> str:
        """A name for something that the rewrite makes and takes away again; quoted, without a schema."""
        taken = {one.name for one in self.relation.constraints} if self.relation is not None else set[str]()
        about = column or self.column or None
        number, name = 0, object_name(self.bare, about, label)
        while name in taken:
            number += 1
            name = object_name(self.bare, about, f"{label}{number}")
        return quote_identifier(name)


def literal(text: str) -> str:
    """Text as a string constant of SQL."""
    quoted = text.replace("'", "''")
    return f"E'{quoted}'".replace("\\", "\\\\") if "\\" in quoted else f"'{quoted}'"
