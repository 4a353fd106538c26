"""Where a column's values come from: SET and DROP DEFAULT, identity, generation expressions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.columns import Generated, Identity, Volatility
from confiture_tui.core.catalog.models.relations import RelationKind, Sequence
from confiture_tui.core.catalog.replacing import replace
from confiture_tui.core.effects.expressions import volatility
from confiture_tui.core.effects.lock_modes import LockMode
from confiture_tui.core.effects.statements.alter_table.work import STORED, Alteration, Altered, Pass
from confiture_tui.core.effects.statements.definitions import blank_column
from confiture_tui.core.effects.statements.expressions_read import read_default, read_expression
from confiture_tui.core.effects.statements.generated import forget_expression
from confiture_tui.core.effects.statements.needs import forget_default, note_default
from confiture_tui.core.effects.statements.own_sequences import make_sequence
from confiture_tui.core.effects.written import Written

if TYPE_CHECKING:
    from confiture_tui.core.catalog.models.columns import Column
    from confiture_tui.core.catalog.models.relations import Relation

Node = dict[str, Any]

_VIRTUAL = 180000
_IDENTITY_IN_PARTITIONS = 170000


def _everywhere(alteration: Alteration, relation: Relation, why: str) -> list[Relation]:
    """The relation, and what the sub-command recurses to."""
    return [relation, *(alteration.descendants(relation, why) if alteration.recurse else ())]


def _partial_column(alteration: Alteration, relation: Relation, name: str) -> Column:
    """The column; begun with nothing where it is not known."""
    return alteration.column(relation, name) or blank_column(relation.qualified_name, name, 0)


# DEFAULT


def prepare_default(alteration: Alteration, relation: Relation, command: Node) -> None:
    """Queue SET or DROP DEFAULT."""
    when = Pass.ADD_OTHER_CONSTRAINT if "def" in command else Pass.DROP
    for one in _everywhere(alteration, relation, "a default goes to the children too"):
        alteration.queue(one, when, lambda altered: _default(alteration, altered, command))


def _default(alteration: Alteration, altered: Altered, command: Node) -> None:
    step = alteration.step
    relation = alteration.relation(altered)
    name = command["name"]
    column = _partial_column(alteration, relation, name)
    if column.identity is not None:
        step.refuse("42601", f'column "{name}" of relation "{relation.name}" is an identity column')
    if column.generated is not None:
        step.refuse("42601", f'column "{name}" of relation "{relation.name}" is a generated column')
    expression: Node | None = command.get("def")
    if column.number:
        forget_default(step, relation, column)
    if expression is None:
        alteration.update_column(relation, column, default=None, default_volatility=None)
        return
    read_default(step, column, expression, executed=False)
    worst = volatility(expression, step.now) or Volatility.VOLATILE
    alteration.update_column(relation, column, default=Written(expression), default_volatility=worst)
    note_default(step, relation, column, expression)


# Identity


def prepare_add_identity(alteration: Alteration, relation: Relation, command: Node) -> None:
    """Queue ADD GENERATED … AS IDENTITY."""
    alteration.queue(
        relation, Pass.ADD_OTHER_CONSTRAINT, lambda one: _add_identity(alteration, one, command, recursing=False)
    )


def _add_identity(alteration: Alteration, altered: Altered, command: Node, *, recursing: bool) -> None:
    step = alteration.step
    relation = alteration.relation(altered)
    name = command["name"]
    _refuse_partition(alteration, relation, recursing=recursing, verb="add identity to a column of")
    column = _partial_column(alteration, relation, name)
    if column.number and not column.not_null:
        step.refuse(
            "55000",
            f'column "{name}" of relation "{relation.name}" must be declared NOT NULL before identity can be added',
        )
    if column.identity is not None:
        step.refuse("55000", f'column "{name}" of relation "{relation.name}" is already an identity column')
    if column.default is not None:
        step.refuse("55000", f'column "{name}" of relation "{relation.name}" already has a default value')
    if column.number == 0:
        step.may_fail("55000", f"{name} may be nullable, or have a default")
    constraint = command["def"]["Constraint"]
    kind = Identity.ALWAYS if constraint.get("generated_when") == "a" else Identity.BY_DEFAULT
    if not recursing:
        make_sequence(step, relation, column, identity=True, options=constraint.get("options", ()))
    alteration.update_column(alteration.relation(altered), column, identity=kind)
    for child in _identity_children(alteration, relation):
        _add_identity(alteration, alteration.table(child), command, recursing=True)


def _identity_children(alteration: Alteration, relation: Relation) -> tuple[Relation, ...]:
    """From 17 on an identity column of a partitioned table is one of its partitions too."""
    if relation.kind is not RelationKind.PARTITIONED_TABLE:
        return ()
    if alteration.schema.server_version_num < _IDENTITY_IN_PARTITIONS:
        return ()
    if not alteration.recurse:
        alteration.step.refuse("42P16", "cannot change identity column of only the partitioned table")
    return alteration.children(relation, "an identity column of a partitioned table is one of its partitions too")


def _refuse_partition(alteration: Alteration, relation: Relation, *, recursing: bool, verb: str) -> None:
    newer = alteration.schema.server_version_num >= _IDENTITY_IN_PARTITIONS
    if relation.is_partition and not recursing and newer:
        alteration.step.refuse("42P16", f"cannot {verb} a partition")


def _sequence_of(alteration: Alteration, relation: Relation, column: Column) -> Sequence | None:
    owned = alteration.schema.owned_sequences(relation)
    return next((one for one in owned if one.owned_by_number == column.number), None)


def prepare_set_identity(alteration: Alteration, relation: Relation, command: Node) -> None:
    """Queue SET GENERATED, SET of sequence options, RESTART."""
    _lock_sequence(alteration, relation, command, LockMode.SHARE_ROW_EXCLUSIVE, restarts=True)
    alteration.queue(relation, Pass.MISCELLANEOUS, lambda one: _set_identity(alteration, one, command, recursing=False))


def follow_type(alteration: Alteration, relation: Relation, column: Column) -> None:
    """The sequence of an identity column whose type is set gets that type, and is written anew for it.

    An ALTER SEQUENCE … AS of its own, also where the type stays what it was, and for the named table alone
    (src/backend/parser/parse_utilcmd.c, ATPrepCmd in src/backend/commands/tablecmds.c; the same in 14 to 18).
    """
    sequence = _sequence_of(alteration, relation, column) if column.identity is not None else None
    if sequence is not None:
        why = "the sequence of an identity column follows its type"
        alteration.step.lock(sequence, LockMode.SHARE_ROW_EXCLUSIVE, why)
        alteration.step.rewrite(sequence, why)


def _lock_sequence(
    alteration: Alteration, relation: Relation, command: Node, mode: LockMode, *, restarts: bool
) -> None:
    """Options of the sequence are altered, by an ALTER SEQUENCE of its own, which writes it anew."""
    options = [one["DefElem"].get("defname") for one in command.get("def", {}).get("List", {}).get("items", ())]
    restarts = restarts and bool([one for one in options if one not in ("generated", "owned_by")])
    step = alteration.step
    column = relation.column(command["name"])
    sequence = _sequence_of(alteration, relation, column) if column is not None else None
    if sequence is not None:
        step.lock(sequence, mode, "the options of an identity column are those of its sequence")
        if restarts:
            step.rewrite(sequence, "a sequence whose options change is written anew")
    elif alteration.partial(relation):
        step.unknown_reach(f"the sequence of {relation.qualified_name}.{command['name']} is not known")


def _set_identity(alteration: Alteration, altered: Altered, command: Node, *, recursing: bool) -> None:
    step = alteration.step
    relation = alteration.relation(altered)
    name = command["name"]
    _refuse_partition(alteration, relation, recursing=recursing, verb="change identity column of")
    column = _partial_column(alteration, relation, name)
    if column.identity is None and column.number:
        step.refuse("55000", f'column "{name}" of relation "{relation.name}" is not an identity column')
    changed = column.identity
    for one in command.get("def", {}).get("List", {}).get("items", ()):
        element = one["DefElem"]
        if element.get("defname") == "generated":
            always = element.get("arg", {}).get("Integer", {}).get("ival") == ord("a")
            changed = Identity.ALWAYS if always else Identity.BY_DEFAULT
    alteration.update_column(relation, column, identity=changed)
    for child in _identity_children(alteration, relation):
        _set_identity(alteration, alteration.table(child), command, recursing=True)


def prepare_drop_identity(alteration: Alteration, relation: Relation, command: Node) -> None:
    """Queue DROP IDENTITY: the sequence goes."""
    alteration.queue(relation, Pass.DROP, lambda one: _drop_identity(alteration, one, command, recursing=False))


def _drop_identity(alteration: Alteration, altered: Altered, command: Node, *, recursing: bool) -> None:
    step = alteration.step
    relation = alteration.relation(altered)
    name = command["name"]
    _refuse_partition(alteration, relation, recursing=recursing, verb="drop identity from a column of")
    column = _partial_column(alteration, relation, name)
    if column.identity is None and column.number:
        if command.get("missing_ok"):
            step.note(f'column "{name}" of relation "{relation.name}" is not an identity column: skipped')
            return
        step.refuse("55000", f'column "{name}" of relation "{relation.name}" is not an identity column')
    if column.number == 0:
        step.unknown_reach(f"the sequence of {relation.qualified_name}.{name} is not known")
    children = _identity_children(alteration, relation)
    alteration.update_column(alteration.relation(altered), column, identity=None)
    for child in children:
        _drop_identity(alteration, alteration.table(child), command, recursing=True)
    sequence = None if recursing else _sequence_of(alteration, relation, column)
    if sequence is not None:
        step.lock(sequence, LockMode.ACCESS_EXCLUSIVE, "the sequence of the identity column is dropped")
        step.drop(sequence)
        step.change.remove(sequence)


# Generation expressions


def prepare_set_expression(alteration: Alteration, relation: Relation, command: Node) -> None:
    """Queue SET EXPRESSION, which is new in 17."""
    if alteration.schema.known and alteration.schema.server_version_num < 170000:
        alteration.step.refuse("42601", 'syntax error at or near "EXPRESSION"')
    for one in _everywhere(alteration, relation, "an expression goes to the children too"):
        alteration.queue(one, Pass.SET_EXPRESSION, lambda altered: _set_expression(alteration, altered, command))


def _set_expression(alteration: Alteration, altered: Altered, command: Node) -> None:
    step = alteration.step
    relation = alteration.relation(altered)
    name = command["name"]
    known = alteration.column(relation, name)
    column = known or blank_column(relation.qualified_name, name, 0)
    if known is not None and known.number and known.generated is None:
        step.refuse("55000", f'column "{name}" of relation "{relation.name}" is not a generated column')
    virtual = column.generated is Generated.VIRTUAL
    partial = alteration.partial(relation)
    read_expression(
        step, command["def"], "column generation expression", relation=None if partial else relation, executed=True
    )
    if virtual and any(name in one.columns for one in relation.constraints if one.kind == "check"):
        step.refuse(
            "0A000",
            "ALTER TABLE / SET EXPRESSION is not supported for virtual generated columns in tables with check "
            "constraints",
        )
    altered.computes = True
    if not virtual:
        altered.types.add(name)
        if relation.kind in STORED:
            alteration.rewrite(altered, f"{name} is computed anew for every row")
            if step.schema.is_old(relation):
                step.changes_data(True)
    elif column.not_null:
        alteration.check(altered, f"{name} must have no NULL with its new expression")
    alteration.update_column(relation, column, generated=column.generated or Generated.STORED)


def prepare_drop_expression(alteration: Alteration, relation: Relation, command: Node) -> None:
    """Queue DROP EXPRESSION: a plain column stays, with its values."""
    if not alteration.recurse and alteration.schema.children(relation):
        alteration.step.refuse("0A000", "ALTER TABLE / DROP EXPRESSION must be applied to child tables too")
    column = relation.column(command["name"])
    if column is not None and column.inherited > 0:
        alteration.step.refuse("42P16", "cannot drop generation expression from inherited column")
    for one in _everywhere(alteration, relation, "the expression goes from the children too"):
        alteration.queue(one, Pass.DROP, lambda altered: _drop_expression(alteration, altered, command))


def _drop_expression(alteration: Alteration, altered: Altered, command: Node) -> None:
    step = alteration.step
    relation = alteration.relation(altered)
    name = command["name"]
    column = _partial_column(alteration, relation, name)
    if column.number and column.generated is None:
        if command.get("missing_ok"):
            step.note(f'column "{name}" of relation "{relation.name}" is not a generated column: skipped')
            return
        step.refuse("55000", f'column "{name}" of relation "{relation.name}" is not a generated column')
    if column.generated is Generated.VIRTUAL:
        step.refuse("0A000", "ALTER TABLE / DROP EXPRESSION is not supported for virtual generated columns")
    if column.number:
        forget_expression(step, relation, column)
    alteration.update(
        relation,
        columns=tuple(
            replace(one, generated=None, default=None, default_volatility=None) if one.name == name else one
            for one in relation.columns
        ),
    )
