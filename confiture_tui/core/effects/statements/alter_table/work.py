"""The work of one ALTER TABLE: the tables it alters, what is queued for each, and what the last phase does to them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.relations import Persistence, Relation, RelationKind
from confiture_tui.core.catalog.replacing import replace

if TYPE_CHECKING:
    from confiture_tui.core.catalog.models.columns import Column
    from confiture_tui.core.catalog.models.constraints import Constraint
    from confiture_tui.core.catalog.models.indexes import Index
    from confiture_tui.core.effects.lock_modes import LockMode
    from confiture_tui.core.effects.schema import Schema
    from confiture_tui.core.effects.step import Step

Node = dict[str, Any]

STORED = (RelationKind.TABLE, RelationKind.MATERIALIZED_VIEW)
"""The kinds with columns that have storage of their own."""

SYSTEM_COLUMNS = frozenset({"tableoid", "ctid", "xmin", "cmin", "xmax", "cmax"})


class Pass(IntEnum):
    """The passes in which sub-commands run, whatever their order in the statement."""

    DROP = 0
    ALTER_TYPE = 1
    ADD_COLUMN = 2
    SET_EXPRESSION = 3
    OLD_INDEX = 4
    OLD_CONSTRAINT = 5
    ADD_CONSTRAINT = 6
    COLUMN_ATTRIBUTES = 7
    ADD_INDEX_CONSTRAINT = 8
    ADD_INDEX = 9
    ADD_OTHER_CONSTRAINT = 10
    MISCELLANEOUS = 11


_PASSES = tuple(Pass)

Action = Callable[["Altered"], object]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why the last phase does something to a table, and the 0-based sub-command that asks for it."""

    why: str
    command: int | None


@dataclass(frozen=True, slots=True)
class Validation:
    """A foreign key to be checked at the very end: its constraint's oid, and the sub-command that asks for it.

    ``all_null``: no row references anything, so that nothing is looked up.
    """

    constraint_oid: int
    reason: Reason
    all_null: bool = False


@dataclass(slots=True)
class Altered:
    """One table in the queue.

    Attributes:
        oid: of the table. ``start``: the table as the statement found it.
        actions: what is queued for each pass, with the sub-command.
        rewrites: why its storage is written anew.
        checks: why its rows are looked at.
        computes: values of columns are computed, be it while rewriting or not.
        validations: foreign keys to be checked.
        tablespace: it moves there. ``persistence``: what it becomes.
        types: names of the columns whose type is changed.
        made: the oids of indexes that the statement makes on it.
    """

    oid: int
    start: Relation
    actions: dict[Pass, list[tuple[int | None, Action]]] = field(default_factory=dict)
    rewrites: list[Reason] = field(default_factory=list)
    checks: list[Reason] = field(default_factory=list)
    computes: bool = False
    validations: list[Validation] = field(default_factory=list)
    tablespace: Reason | None = None
    persistence: Persistence | None = None
    types: set[str] = field(default_factory=set)
    made: set[int] = field(default_factory=set)


class Alteration:
    """One ALTER TABLE statement at work.

    Attributes:
        step: of the statement.
        mode: the lock that it takes on the relation, and on what it recurses to.
        recurse: to children; not with ONLY.
        target: the relation as the statement found it.
    """

    def __init__(self, step: Step, target: Relation, mode: LockMode, *, recurse: bool) -> None:
        self.step = step
        self.target = target
        self.mode = mode
        self.recurse = recurse
        self._tables: dict[int, Altered] = {}
        self._queued: set[Pass] = set()

    # The schema as it is by now

    @property
    def schema(self) -> Schema:
        """The schema with what has been changed so far."""
        return self.step.now

    def relation(self, altered: Altered) -> Relation:
        """A table as it is by now."""
        found = self.schema.by_oid(altered.oid)
        return found if isinstance(found, Relation) else altered.start

    def partial(self, relation: Relation) -> bool:
        """Whether only what the files say of a relation is known."""
        return self.schema.is_partial(relation)

    def update(self, relation: Relation, **changes: Any) -> Relation:
        """Write a changed copy of a relation."""
        changed = replace(relation, **changes)
        self.step.change.put(changed)
        return changed

    def update_column(self, relation: Relation, column: Column, **changes: Any) -> Relation:
        """Write a relation with a changed column; one that was not known is added."""
        changed = replace(column, **changes)
        others = tuple(changed if one.name == column.name else one for one in relation.columns)
        if changed not in others:
            others = (*others, changed)
        return self.update(relation, columns=others)

    def update_constraint(self, relation: Relation, constraint: Constraint, **changes: Any) -> Relation:
        """Write a relation with a changed constraint."""
        changed = replace(constraint, **changes)
        if changed.validated and not constraint.validated:
            changed = changed.as_validated()
        return self.update(
            relation, constraints=tuple(changed if one.oid == constraint.oid else one for one in relation.constraints)
        )

    # The queue

    def table(self, relation: Relation) -> Altered:
        """A table's entry in the queue, made when it is not there yet."""
        altered = self._tables.get(relation.oid)
        if altered is None:
            altered = Altered(relation.oid, relation)
            self._tables[relation.oid] = altered
        return altered

    def queue(self, relation: Relation, when: Pass, action: Action) -> None:
        """Queue something to be done to a table in a pass."""
        self._queued.add(when)
        self.table(relation).actions.setdefault(when, []).append((self.step.command, action))

    def run(self) -> None:
        """Do all that is queued, pass by pass; what is done may queue more for the same or later passes."""
        for when in _PASSES:
            if when in self._queued:
                self._run_pass(when)
            if when in (Pass.ALTER_TYPE, Pass.SET_EXPRESSION):
                for altered in list(self._tables.values()):
                    if altered.types:
                        self.after_types(altered)
        self.step.command = None

    def _run_pass(self, when: Pass) -> None:
        done: dict[int, int] = {}
        progress = True
        while progress:
            progress = False
            for altered in list(self._tables.values()):
                actions = altered.actions.get(when, [])
                while (place := done.get(altered.oid, 0)) < len(actions):
                    done[altered.oid] = place + 1
                    progress = True
                    self.step.command, action = actions[place]
                    action(altered)

    def after_types(self, altered: Altered) -> None:
        """What depends on columns whose types have changed is made anew; set by the module of types."""
        from confiture_tui.core.effects.statements.alter_table.rebuilding import remake_dependents

        remake_dependents(self, altered)

    @property
    def tables(self) -> tuple[Altered, ...]:
        """The tables in the queue, in the order in which they came."""
        return tuple(self._tables.values())

    # Locks and recursion

    def lock(self, relation: Relation, why: str, mode: LockMode | None = None) -> None:
        """Lock a relation, by default as strongly as the statement's own."""
        self.step.lock(relation, mode or self.mode, why)

    def children(self, relation: Relation, why: str) -> tuple[Relation, ...]:
        """The children of a table, locked."""
        found = self.schema.children(relation)
        for child in found:
            self.lock(child, why)
        self.unseen_children(relation)
        return found

    def descendants(self, relation: Relation, why: str) -> tuple[Relation, ...]:
        """The children of a table and theirs, locked."""
        found = self.schema.descendants(relation)
        for child in found:
            self.lock(child, why)
        self.unseen_children(relation)
        return found

    def unseen_children(self, relation: Relation) -> None:
        """Without a catalog a table may have children that nobody knows of."""
        if self.partial(relation):
            self.step.unknown_reach(f"whether {relation.qualified_name} has partitions or children is not known")

    # Columns

    def column(self, relation: Relation, name: str) -> Column | None:
        """The column of that name; ``None`` where it is not known to us.

        Raises:
            Refused: there is certainly no such column, or it is one of the system's.
        """
        found = relation.column(name)
        if found is not None:
            return found
        if name in SYSTEM_COLUMNS:
            self.step.refuse("0A000", f'cannot alter system column "{name}"')
        if not self.partial(relation):
            self.step.refuse("42703", f'column "{name}" of relation "{relation.name}" does not exist')
        return None

    # The last phase

    def rewrite(self, altered: Altered, why: str) -> None:
        """The table's storage is to be written anew."""
        altered.rewrites.append(Reason(why, self.step.command))
        altered.computes = True

    def check(self, altered: Altered, why: str) -> None:
        """The table's rows are to be looked at."""
        altered.checks.append(Reason(why, self.step.command))

    def is_new(self, altered: Altered, index: Index) -> bool:
        """Whether the statement itself has made an index."""
        return index.oid in altered.made
