"""What is said about the danger of a migration: the vocabulary of the rules, the score and the documents.

The keys are a public contract (``assess --format json`` prints them): add, never rename.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from confiture_tui.core.effects.model import Basis, DurationEstimate, FrozenModel, StatementEffects
from confiture_tui.core.effects.observing import Replaced


class Category(StrEnum):
    """What a risk endangers."""

    __hash__ = str.__hash__  # this is asked for at every look-up

    LOCKING = "locking"
    """Others wait for locks."""
    PERFORMANCE = "performance"
    """Load: rows changed, write-ahead log, disk, long work that blocks nobody."""
    DATA_LOSS = "data_loss"
    """Rows or columns go that cannot be had back."""
    INTEGRITY = "integrity"
    """The migration fails, or leaves something half-done or invalid."""
    COMPATIBILITY = "compatibility"
    """The code that runs now stops working."""
    REVERSIBILITY = "reversibility"
    """There is no way back for the schema."""
    SECURITY = "security"
    """Somebody may do more, or less, than before."""


class Severity(StrEnum):
    """How bad one risk is here, least first."""

    __hash__ = str.__hash__  # this is asked for at every look-up

    INFO = "info"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Level(StrEnum):
    """How dangerous a migration is, least first."""

    __hash__ = str.__hash__  # this is asked for at every look-up

    NONE = "none"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Risk(FrozenModel):
    """One danger, with the fact that it rests on.

    Attributes:
        rule: id of the rule that found it, in kebab case.
        category: what it endangers.
        severity: how bad it is here.
        statement: 1-based index of the statement; ``None`` when it concerns the migration as a whole.
        message: what happens, to which object; one or two sentences.
        evidence: the facts it rests on, one sentence each: locks, sizes, times, counts, and where they come from.
        recommendation: what to do instead, in a sentence or two.
        safe_sql: the safe way as complete SQL with the user's own names; ``None`` where there is none to print.
        points: the score of its category that it justifies, 0 to 100; a category's score is that of its worst risk.
        key: its identity for baselines, stable from run to run (``baseline.with_keys``); empty until it is given one.
    """

    rule: str
    category: Category
    severity: Severity
    statement: int | None
    message: str
    evidence: tuple[str, ...] = ()
    recommendation: str = ""
    safe_sql: str | None = None
    points: int = 0
    key: str = ""


class IgnoredRisk(FrozenModel):
    """A risk that was found and does not count, because somebody accepted it.

    Attributes:
        risk: what was found.
        by: ``comment`` in the file, ``allowed`` by name for the whole run, or the ``baseline``.
        reason: what the comment says; ``None`` where it gives none.
        line: 1-based line of the comment; ``None`` without one.
    """

    risk: Risk
    by: Literal["comment", "allowed", "baseline"]
    reason: str | None = None
    line: int | None = None


class RollbackStrategy(FrozenModel):
    """The way back.

    Attributes:
        strategy: ``down_file``, or ``none`` when there is no way back.
        schema_proved: up, down and compare brought the schema back; ``None`` when that was not tried.
        data: whether the data that was there before is there after up and down: ``kept``, ``lost`` or ``unknown``.
        why: what the two rest on, in a sentence; empty when there is nothing to say.
    """

    strategy: Literal["down_file", "none"]
    schema_proved: bool | None = None
    data: Literal["kept", "lost", "unknown"] = "unknown"
    why: str = ""


class Probe(FrozenModel):
    """A question to the data: do they let a statement fail, or how many rows does it change.

    Attributes:
        statement: 1-based index of the statement.
        sqlstate: the error that rows of this kind cause; empty where only their number counts.
        question: what was asked for, in words. ``sql``: the query; ``None`` when none was made.
        found: there are such rows; ``None`` when it was not answered.
        rows: how many, as far as they were counted: ``rows_at_least`` where there may be more.
        why_not: why it was not answered.
        elapsed_ms: how long it took.
    """

    statement: int
    sqlstate: str
    question: str
    sql: str | None
    found: bool | None
    rows: int | None
    rows_at_least: bool
    why_not: str | None
    elapsed_ms: float


class Exposed(FrozenModel):
    """How long others wait because of one relation.

    Attributes:
        relation: its qualified name.
        mode: the strongest blocking lock that is held on it.
        statement: 1-based index of the statement that takes the first blocking lock.
        held_ms: expected milliseconds from the first blocking lock to the end of its transaction, summed over
            transactions.
        queue_ms: expected milliseconds that others queue behind the wait for the lock.
        waiting_per_second: statements a second that wait meanwhile; ``None`` when nothing is known of the traffic.
    """

    relation: str
    mode: str
    statement: int
    held_ms: float
    queue_ms: float
    waiting_per_second: float | None


class RiskAssessment(FrozenModel):
    """The assessment of one migration: one element of ``migrations`` in the document of ``assess``.

    Attributes:
        version, name: of the migration. ``path``: its file as it was given; ``None`` for a text.
        score: 0 to 100. ``level``: that of the worst category.
        confidence: how far the assessment can be trusted, 0 to 1.
        analysed: how many statements were analysed, and how many there are.
        basis: the weakest that any statement rests on; ``None`` when there is none, or one was not analysed.
        wrapping: ``transaction``, ``own`` (the file's BEGIN and COMMIT) or ``none``.
        categories: the score of each category.
        statements: the effects of each statement, in order.
        risks: the worst first, then in the order of statements.
        ignored: risks that were accepted by name.
        rollback: the way back.
        estimate: of the whole migration.
        exposure: how long others wait, the worst relation first.
        probes: the questions to the data, by statement.
        wal_bytes, disk_bytes: expected write-ahead log and extra disk at the peak; ``None`` when sizes are unknown.
        notes: what could not be known, one sentence each.
        done: how many of the first statements a run that stopped half-way has done already: they count no more.
        predicted_score: the score without what a dry run has seen; ``None`` where there is nothing of the kind.
        replaced: field by field, what a dry run has seen in the place of what was predicted.
    """

    version: str
    name: str
    path: str | None
    score: int
    level: Level
    confidence: float
    analysed: tuple[int, int]
    basis: Basis | None
    wrapping: str
    categories: dict[Category, int]
    statements: tuple[StatementEffects, ...]
    risks: tuple[Risk, ...]
    ignored: tuple[IgnoredRisk, ...] = ()
    rollback: RollbackStrategy
    estimate: DurationEstimate
    exposure: tuple[Exposed, ...] = ()
    probes: tuple[Probe, ...] = ()
    wal_bytes: int | None = None
    disk_bytes: int | None = None
    notes: tuple[str, ...] = ()
    done: int = 0
    predicted_score: int | None = None
    replaced: tuple[Replaced, ...] = ()

    @property
    def label(self) -> str:
        """The migration as it is shown: ``007_add_segment``."""
        return "_".join(part for part in (self.version, self.name) if part)
