"""The working object of one statement: a handler reads the schema from it and writes to it what the statement does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NoReturn

from confiture_tui.core.catalog.models.relations import Relation, RelationKind, Sequence
from confiture_tui.core.effects.forecast import Lock, Work, WorkKind
from confiture_tui.core.effects.model import (
    Basis,
    Failure,
    PossibleFailure,
    Reach,
    RelationLock,
    StatementEffects,
)
from confiture_tui.core.effects.schema import Found, Presence, Schema
from confiture_tui.core.records import unchecked

if TYPE_CHECKING:
    from confiture_tui.core.catalog.catalog import AnyRelation
    from confiture_tui.core.catalog.models.indexes import Index
    from confiture_tui.core.effects.changes import Changes
    from confiture_tui.core.effects.lock_modes import LockMode
    from confiture_tui.core.effects.session import Session
    from confiture_tui.core.sql.statement import Statement

Handler = Callable[[dict[str, Any], "Step"], None]
"""What reads one kind of syntax-tree node and writes to a step."""


_effects = unchecked(StatementEffects)
_relation_lock = unchecked(RelationLock)
_failure = unchecked(Failure)
_possible_failure = unchecked(PossibleFailure)


class Refused(Exception):
    """The statement is certain to fail at this point; it ends the handler, and never leaves ``Step.run``."""


class Step:
    """One statement being read.

    Relations are named by their qualified name, by what ``Schema.find`` gave, or by the object itself. What concerns
    a relation that the migration itself has made is left out by itself, since it hurts nobody.

    Attributes:
        statement: the one being read.
        schema: the schema before it.
        change: writes to the schema that follows; ``now`` sees it at once.
        session: settings and transaction; only settings' and transactions' handlers write to it.
        command: 0-based ALTER TABLE sub-command being read; goes into the locks and works noted meanwhile.
        uncertain: what is read may not be run (a branch of a body): failures are then possible, not certain.
        variables: of the body being read, by name, with their types (``None``: not known).
        transitions: the transition tables of the trigger being read, by name, each with the table it is made of.
        running: oids of the routines whose bodies are being read, outermost first.
    """

    def __init__(
        self,
        statement: Statement,
        schema: Schema,
        change: Changes,
        session: Session,
        now: Callable[[], Schema],
        handlers: Mapping[str, Handler],
    ) -> None:
        self.statement = statement
        self.schema = schema
        self.change = change
        self.session = session
        self.command: int | None = None
        self.uncertain = False
        self.variables: Mapping[str, str | None] = {}
        self.transitions: Mapping[str, Relation] = {}
        self.running: tuple[int, ...] = ()
        self._now = now
        self._handlers = handlers
        self._locks: dict[tuple[str, LockMode], Lock] = {}
        self._works: dict[tuple[WorkKind, str], Work] = {}
        self._names: dict[str, dict[str, None]] = {}
        self._destroys: bool | None = False
        self._changes: bool | None = False
        self._opaque = False
        self._reach = Reach.COMPLETE
        self._transactional: bool | None = True
        self._fails: Failure | None = None
        self._may_fail: dict[str, PossibleFailure] = {}
        self._notes: dict[str, None] = {}

    @property
    def now(self) -> Schema:
        """The schema with what the statement has changed so far."""
        return self._now()

    @property
    def settings(self) -> Mapping[str, str]:
        """The settings in force, by lower-case name."""
        return self.session.settings

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction block is open: the runner's, or one that the file has begun."""
        return self.session.transaction is not None

    def run(self, kind: str | None, node: dict[str, Any] | None, *, maybe: bool = False) -> None:
        """Read a node by the handler of its kind: the statement itself, or one that it holds or runs.

        Args:
            kind: of the node, ``AlterTableStmt`` for example.
            node: its fields.
            maybe: it may not be run.
        """
        handler = self._handlers.get(kind or "")
        if handler is None or node is None:
            self.unread(f"{self.statement.tag or kind} is not analysed")
            return
        before = self.uncertain
        self.uncertain = before or maybe
        try:
            handler(node, self)
        except Refused:
            pass  # noted by ``refuse`` already
        except RecursionError:
            self.unread("it is too deeply nested to be analysed")
        finally:
            self.uncertain = before

    def unread(self, why: str) -> None:
        """Nothing is known of what it does: the statement, or a part of it, is not understood."""
        self.opaque(why)
        self.unknown_reach(why)
        self.destroys_data(None)
        self.changes_data(None)

    # Locks and work

    def lock(self, relation: str | Found | AnyRelation, mode: LockMode, why: str) -> None:
        """It takes a table-level lock. Indexes and composite types may be given, and are not listed."""
        name = self._existing(relation, self._is_lockable)
        if name is not None:
            self._locks.setdefault((name, mode), Lock(name, mode, why, self.command))

    def rewrite(self, relation: str | Found | AnyRelation, why: str) -> None:
        """It writes the storage of a table, materialized view or sequence anew."""
        self._work(WorkKind.REWRITE, "rewrites", relation, why)

    def scan(self, relation: str | Found | AnyRelation, why: str) -> None:
        """It reads a table or materialized view from end to end."""
        self._work(WorkKind.SCAN, "scans", relation, why)

    def build(self, index: str | Index, table: str | Found | AnyRelation, why: str) -> None:
        """It builds a new index on a table; on one that existed before it is work. ``create`` is called for it too."""
        name = index if isinstance(index, str) else index.qualified_name
        on = self._existing(table)
        if on is not None:
            self._note("builds", name)
            self._works.setdefault((WorkKind.BUILD, name), Work(WorkKind.BUILD, on, name, why, self.command))

    def rebuild(self, index: str | Index, table: str | Found | AnyRelation, why: str) -> None:
        """It builds an existing index anew."""
        name = index if isinstance(index, str) else index.qualified_name
        on = self._existing(table)
        if on is not None and (isinstance(index, str) or self.schema.is_old(index)):
            self._note("rebuilds", name)
            self._works.setdefault((WorkKind.REBUILD, name), Work(WorkKind.REBUILD, on, name, why, self.command))

    def write(self, relation: str | Found | AnyRelation, why: str) -> None:
        """It inserts, updates or deletes rows."""
        name = self._existing(relation)
        if name is not None:
            self._works.setdefault((WorkKind.WRITE, name), Work(WorkKind.WRITE, name, None, why, self.command))

    def create(self, relation: str | Found | AnyRelation) -> None:
        """It makes a relation, index or sequence."""
        self._note("creates", _name(relation))

    def drop(self, relation: str | Found | AnyRelation) -> None:
        """It drops a relation, index or sequence; nothing is listed when the migration itself had made it."""
        name = self._existing(relation, lambda found: not _is_composite(found))
        if name is not None:
            self._note("drops", name)

    def invalid_index(self, index: str | Index) -> None:
        """It leaves behind an index that is not valid."""
        self._note("invalid_indexes", index if isinstance(index, str) else index.qualified_name)

    # Data

    def destroys_data(self, value: bool | None) -> None:
        """Rows or columns with data go for good; ``None``: that is unknown. The worst that was said counts."""
        self._destroys = _worse(self._destroys, value)

    def changes_data(self, value: bool | None) -> None:
        """Stored values change, appear or go; ``None``: that is unknown. The worst that was said counts."""
        self._changes = _worse(self._changes, value)

    # Failing

    def fails(self, sqlstate: str, message: str) -> None:
        """It is certain to fail, and the handler goes on; of several the first counts."""
        if self.uncertain:
            self.may_fail(sqlstate, message)
        elif self._fails is None:
            self._fails = _failure(sqlstate=sqlstate, message=message)

    def refuse(self, sqlstate: str, message: str) -> NoReturn:
        """It is certain to fail, and there is nothing more to read."""
        self.fails(sqlstate, message)
        raise Refused

    def may_fail(self, sqlstate: str, why: str) -> None:
        """Data or circumstances may make it fail."""
        key = f"{sqlstate} {why}"
        if key not in self._may_fail:
            self._may_fail[key] = _possible_failure(sqlstate=sqlstate, why=why)

    def forget_failures(self, since: int, handled: Callable[[str], bool]) -> None:
        """Forget the possible failures after the first ``since`` whose SQLSTATE an exception handler deals with."""
        for key in list(self._may_fail)[since:]:
            if handled(self._may_fail[key].sqlstate):
                del self._may_fail[key]

    @property
    def possible_failures(self) -> int:
        """How many possible failures were noted so far."""
        return len(self._may_fail)

    @property
    def failed(self) -> bool:
        """Whether it is certain to fail, as far as it was read."""
        return self._fails is not None

    # What cannot be known

    def opaque(self, why: str) -> None:
        """It runs code whose effects cannot be read from the statement."""
        self._opaque = True
        self._notes[why] = None

    def unknown_reach(self, why: str) -> None:
        """It may touch more relations than are listed."""
        self._reach = Reach.UNKNOWN
        self._notes[why] = None

    def note(self, text: str) -> None:
        """Something that a user should know of how this was read."""
        self._notes[text] = None

    # Transactions

    def not_in_transaction(self) -> None:
        """It cannot run inside a transaction block."""
        self._transactional = False

    def transactional_unknown(self) -> None:
        """Whether it can run inside a transaction block cannot be told."""
        if self._transactional:
            self._transactional = None

    # The result

    @property
    def transactional(self) -> bool | None:
        """Whether it can run inside a transaction block."""
        return self._transactional

    @property
    def locks(self) -> tuple[Lock, ...]:
        """The locks noted so far."""
        return tuple(self._locks.values())

    @property
    def rewrites(self) -> bool:
        """Whether it was noted that a relation is written anew."""
        return "rewrites" in self._names

    @property
    def works(self) -> tuple[Work, ...]:
        """The work noted so far."""
        return tuple(self._works.values())

    @property
    def notes(self) -> tuple[str, ...]:
        """What could not be read, in words."""
        return tuple(self._notes)

    def effects(self) -> StatementEffects:
        """The contract's fields, of what was noted so far."""
        strongest: dict[str, LockMode] = {}
        for name, mode in self._locks:
            known = strongest.get(name)
            if known is None or known.strength < mode.strength:
                strongest[name] = mode
        statement = self.statement
        names = {field: tuple(sorted(noted)) for field, noted in self._names.items()}.get
        return _effects(
            index=statement.index,
            line=statement.line,
            tag=statement.tag,
            sql=statement.sql,
            basis=Basis.CATALOG if self.schema.known else Basis.ASSUMED,
            reach=self._reach,
            locks=tuple([_relation_lock(relation=name, mode=strongest[name]) for name in sorted(strongest)]),
            rewrites=names("rewrites", ()),
            scans=names("scans", ()),
            builds=names("builds", ()),
            rebuilds=names("rebuilds", ()),
            creates=names("creates", ()),
            drops=names("drops", ()),
            invalid_indexes=names("invalid_indexes", ()),
            destroys_data=self._destroys,
            changes_data=self._changes,
            transactional=self._transactional,
            opaque=self._opaque,
            fails=self._fails,
            may_fail=tuple(self._may_fail.values()),
        )

    # Inside

    def _work(self, kind: WorkKind, field: str, relation: str | Found | AnyRelation, why: str) -> None:
        name = self._existing(relation)
        if name is not None:
            self._note(field, name)
            self._works.setdefault((kind, name), Work(kind, name, None, why, self.command))

    def _note(self, field: str, name: str) -> None:
        self._names.setdefault(field, {})[name] = None

    @staticmethod
    def _is_lockable(found: AnyRelation) -> bool:
        return isinstance(found, Sequence) or (isinstance(found, Relation) and not _is_composite(found))

    def _existing(
        self, relation: str | Found | AnyRelation, fits: Callable[[AnyRelation], bool] | None = None
    ) -> str | None:
        """The name, if the relation existed before the migration and is one of the user's; else ``None``."""
        found: AnyRelation | None
        if isinstance(relation, str):
            relation = self.schema.find(relation)
        if isinstance(relation, Found):
            if relation.presence in (Presence.SYSTEM, Presence.MISSING):
                return None
            found, name = relation.object, relation.name
        else:
            found, name = relation, relation.qualified_name
        if found is not None and ((fits is not None and not fits(found)) or not self.schema.is_old(found)):
            return None
        return name


def _name(relation: str | Found | AnyRelation) -> str:
    if isinstance(relation, str):
        return relation
    return relation.name if isinstance(relation, Found) else relation.qualified_name


def _is_composite(found: object) -> bool:
    return isinstance(found, Relation) and found.kind is RelationKind.COMPOSITE_TYPE


def _worse(first: bool | None, second: bool | None) -> bool | None:
    """True before unknown before false."""
    if first or second:
        return True
    return None if first is None or second is None else False
