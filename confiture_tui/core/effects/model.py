"""What one statement does: the vocabulary shared by prediction and observation.

The keys are a public contract (``assess``, ``preview`` and ``dry-run`` print them): add, never rename.
Every list may be ``None``, and ``None`` only ever means *not looked at*; an empty list means *looked, and found none*.
Names are written as PostgreSQL's ``quote_ident`` writes them, always with their schema.
"""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from confiture_tui.core.effects.lock_modes import LockMode


class FrozenModel(BaseModel):
    """Base of the public models: immutable, and strict about unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Basis(StrEnum):
    """What a statement about effects rests on."""

    __hash__ = str.__hash__  # this is asked for at every look-up

    ASSUMED = "assumed"
    """The text alone: no catalog was at hand."""
    CATALOG = "catalog"
    """The text and the target's catalog."""
    OBSERVED = "observed"
    """Seen on a server while the statement ran."""


class Reach(StrEnum):
    """Whether the list of relations that a statement touches is known to be whole."""

    __hash__ = str.__hash__  # this is asked for at every look-up

    COMPLETE = "complete"
    UNKNOWN = "unknown"


class RelationLock(FrozenModel):
    """The strongest mode taken on one table, view, materialized view or sequence that existed before."""

    relation: str
    mode: LockMode


class Failure(FrozenModel):
    """Why a statement fails.

    Attributes:
        sqlstate: PostgreSQL's five-character error code.
        message: the server's own primary message (or, when predicted, what it would say).
        detail: the server's DETAIL, where it gave one.
        hint: the server's HINT, where it gave one.
        position: 1-based character position within the statement's text, where known.
        line: 1-based line within the file, where known.
    """

    sqlstate: str
    message: str
    detail: str | None = None
    hint: str | None = None
    position: int | None = None
    line: int | None = None


class PossibleFailure(FrozenModel):
    """A way in which data or circumstances may make a statement fail; ``checked`` once a probe has asked them."""

    sqlstate: str
    why: str
    checked: bool = False


class DurationEstimate(FrozenModel):
    """How long a statement is expected to take, in milliseconds, and what the figures rest on."""

    low_ms: float
    expected_ms: float
    high_ms: float
    source: str


class Effects(FrozenModel):
    """What one statement does to what existed before it.

    Attributes:
        basis: what this rests on; ``None`` when nobody looked.
        reach: whether the relations below are all there are.
        locks: strongest lock on each table, view, materialized view and sequence that existed before.
        rewrites: tables, materialized views and sequences whose storage is written anew.
        scans: tables read from end to end.
        builds: indexes built on tables that existed before.
        rebuilds: existing indexes built anew.
        creates: relations (indexes among them) that are new afterwards.
        drops: relations (indexes among them) that are gone afterwards.
        invalid_indexes: indexes left behind that are not valid.
        destroys_data: rows or columns with data go for good; ``None`` when unknown.
        changes_data: stored values change, appear or go; ``None`` when unknown.
        transactional: whether it can run inside a transaction block; ``None`` when unknown.
        opaque: it runs code whose effects cannot be read from the statement (DO, CALL, functions, dynamic SQL).
        fails: certain failure, or the failure that was observed.
        may_fail: failures that data or circumstances decide.
    """

    basis: Basis | None = None
    reach: Reach = Reach.UNKNOWN
    locks: tuple[RelationLock, ...] | None = None
    rewrites: tuple[str, ...] | None = None
    scans: tuple[str, ...] | None = None
    builds: tuple[str, ...] | None = None
    rebuilds: tuple[str, ...] | None = None
    creates: tuple[str, ...] | None = None
    drops: tuple[str, ...] | None = None
    invalid_indexes: tuple[str, ...] | None = None
    destroys_data: bool | None = None
    changes_data: bool | None = None
    transactional: bool | None = None
    opaque: bool | None = None
    fails: Failure | None = None
    may_fail: tuple[PossibleFailure, ...] | None = None


class StatementEffects(Effects):
    """The effects of a statement of a migration, with the statement.

    Attributes:
        index: 1-based position among the migration's statements.
        line: 1-based line of its first word in the file.
        tag: PostgreSQL's command tag, for example ``ALTER TABLE``.
        sql: its text, without the comments before it and the semicolon after it.
        estimate: how long it is expected to take; ``None`` when not estimated.
    """

    index: int
    line: int
    tag: str
    sql: str
    estimate: DurationEstimate | None = None
