"""DROP COLUMN: the column, what hangs on it, and the same on the children."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.dependencies import PG_CLASS, ObjectAddress
from confiture_tui.core.catalog.models.relations import RelationKind
from confiture_tui.core.effects.dropping import Dropping
from confiture_tui.core.effects.statements.alter_table.typed import typed_tables
from confiture_tui.core.effects.statements.alter_table.work import Alteration, Altered, Pass

if TYPE_CHECKING:
    from confiture_tui.core.catalog.models.columns import Column
    from confiture_tui.core.catalog.models.relations import Relation

Node = dict[str, Any]


def prepare_drop_column(alteration: Alteration, relation: Relation, command: Node) -> None:
    """Queue DROP COLUMN; for a composite type, for the tables of that type too."""
    if relation.of_type is not None:
        alteration.step.refuse("42809", "cannot drop column from typed table")
    if relation.kind is RelationKind.COMPOSITE_TYPE:
        for table in typed_tables(alteration, relation, command):
            alteration.queue(table, Pass.DROP, lambda one: _drop_from(alteration, one, command))
    alteration.queue(relation, Pass.DROP, lambda one: _drop_from(alteration, one, command))


def _drop_from(alteration: Alteration, altered: Altered, command: Node) -> None:
    step = alteration.step
    relation = alteration.relation(altered)
    name = command["name"]
    if relation.column(name) is None:
        if alteration.partial(relation):
            _unknown(alteration, relation, command)
            return
        if command.get("missing_ok"):
            step.note(f'column "{name}" of relation "{relation.name}" does not exist: skipped')
            return
    if alteration.partial(relation):
        alteration.unseen_children(relation)
    column = alteration.column(relation, name)
    if column is None:
        return
    doomed = _doomed(alteration, relation, column, recursing=False)
    if alteration.partial(relation) and column.number == 0:
        _unknown(alteration, relation, command)
    dropping = Dropping(alteration.schema, doomed)
    if dropping.blocked and command.get("behavior") != "DROP_CASCADE":
        why = f"cannot drop column {name} of table {relation.name} because other objects depend on it"
        if step.schema.known or any(one.oid != relation.oid or not one.number for one in dropping.blocking):
            step.refuse("2BP01", why)
        # Before 15 columns that are computed from it go along.
        step.may_fail("2BP01", why)
    dropping.carry_out(step, "DROP COLUMN takes away")


def _doomed(alteration: Alteration, relation: Relation, column: Column, *, recursing: bool) -> list[ObjectAddress]:
    """The column, and those of the children that go with it."""
    step = alteration.step
    if column.inherited > 0 and not recursing:
        step.refuse("42P16", f'cannot drop inherited column "{column.name}"')
    if relation.partitioning is not None and column.name in relation.partitioning.columns:
        step.refuse(
            "42P16",
            f'cannot drop column "{column.name}" because it is part of the partition key of relation "{relation.name}"',
        )
    found = [ObjectAddress(PG_CLASS, relation.oid, column.number)]
    children = alteration.children(relation, "a column goes from the children too")
    if children and relation.kind is RelationKind.PARTITIONED_TABLE and not alteration.recurse:
        step.refuse("42P16", "cannot drop column from only the partitioned table when partitions exist")
    for child in children:
        inherited = child.column(column.name)
        if inherited is None:
            continue
        if alteration.recurse and inherited.inherited == 1 and not inherited.is_local:
            found += _doomed(alteration, child, inherited, recursing=True)
        else:
            left = inherited.inherited - 1
            local = inherited.is_local or not alteration.recurse
            alteration.update_column(child, inherited, inherited=left, is_local=local)
    return found


def _unknown(alteration: Alteration, relation: Relation, command: Node) -> None:
    """Without a catalog: the column may hold data, and indexes, constraints and views may hang on it."""
    step = alteration.step
    name = command["name"]
    alteration.unseen_children(relation)
    step.unknown_reach(f"what depends on {relation.qualified_name}.{name} is not known")
    step.destroys_data(True)
    step.changes_data(True)
    if not command.get("missing_ok"):
        step.may_fail("42703", f'column "{name}" may not exist')
    if command.get("behavior") != "DROP_CASCADE":
        step.may_fail("2BP01", f"a view or another object may depend on {name}")
    kept = tuple(one for one in relation.columns if one.name != name)
    alteration.update(
        relation,
        columns=kept,
        constraints=tuple(one for one in relation.constraints if name not in one.columns),
        indexes=tuple(
            one for one in relation.indexes if name not in one.key_columns and name not in one.included_columns
        ),
    )
