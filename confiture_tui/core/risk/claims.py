"""What the facts alone say of a migration, before any rule speaks: the ground that every score stands on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from confiture_tui.core.effects.forecast import WorkKind
from confiture_tui.core.effects.model import Reach
from confiture_tui.core.records import unchecked
from confiture_tui.core.risk import scoring
from confiture_tui.core.risk.chosen_rows import count_among
from confiture_tui.core.risk.lost_data import bearers
from confiture_tui.core.risk.model import Category, Risk
from confiture_tui.core.risk.scoring import severity_of_points
from confiture_tui.core.risk.touching import touches_existing
from confiture_tui.core.risk.words import bytes_in_words, seconds_in_words

if TYPE_CHECKING:
    from confiture_tui.core.effects.forecast import Forecast
    from confiture_tui.core.effects.model import StatementEffects
    from confiture_tui.core.risk.context import Context
    from confiture_tui.core.risk.exposure import Exposure

_risk = unchecked(Risk)


class Claim(NamedTuple):
    """A fact that justifies points.

    Attributes:
        category: of the points.
        first, last: 1-based indexes of the statements that it speaks of; 0 for the migration as a whole.
        relation: the relation concerned; ``None`` where it is not one.
        points: at least those of the category.
        rule: id of the risk that tells of it where no rule does.
        message, evidence, recommendation: its words.
        exposure: what it tells of, where it has no words yet: most are told by a rule, in words of its own.
    """

    category: Category
    first: int
    last: int
    relation: str | None
    points: int
    rule: str
    message: str = ""
    evidence: tuple[str, ...] = ()
    recommendation: str = ""
    exposure: Exposure | None = None

    def covers(self, statement: int | None) -> bool:
        """Whether a risk of that statement can be about this."""
        return statement is None if self.first == 0 else statement is not None and self.first <= statement <= self.last

    def risk(self) -> Risk:
        """The fact as a risk of its own."""
        if self.exposure is not None:
            return _in_words(self, self.exposure).risk()
        return _risk(
            rule=self.rule,
            category=self.category,
            severity=severity_of_points(self.category, self.points),
            statement=self.first or None,
            message=self.message,
            evidence=self.evidence,
            recommendation=self.recommendation,
            points=self.points,
        )


def claims_of(context: Context) -> Iterator[Claim]:
    """All claims of one migration; ``context`` knows sizes, times, exposure and answers already."""
    for exposure in context.all_exposures:
        yield Claim(
            Category.LOCKING,
            exposure.statement,
            exposure.last,
            exposure.relation,
            exposure.points,
            "blocking-lock",
            exposure=exposure,
        )
    for forecast in context.simulation.forecasts:
        effects = context.effects_of(forecast)
        yield from _touched(forecast, effects, context)
        if forecast.works:
            yield from _performance(forecast, context)
        if effects.basis is not None and effects.destroys_data is not False:
            yield _data_loss(forecast, effects, context)
        if effects.may_fail or effects.fails is not None or forecast.statement.problem is not None:
            yield from _integrity(forecast, effects, context)
        if effects.drops:
            yield from _compatibility(forecast, effects)
    if not context.has_way_back:
        yield Claim(
            Category.REVERSIBILITY,
            0,
            0,
            None,
            scoring.NO_WAY_BACK,
            "no-way-back",
            "There is no way back for the schema."
            if context.rollback.strategy == "none"
            else "The way back cannot be run as it is.",
            (context.rollback.why,) if context.rollback.why else (),
            "Write a down file that undoes each statement, last one first.",
        )


def _in_words(claim: Claim, exposure: Exposure) -> Claim:
    who = "Readers and writers" if exposure.stops_readers else "Writers"
    what = str(exposure.mode)
    if not exposure.mode.blocks_writes:
        who, what = "Writers of the same rows", "Locks on the rows that are changed,"
    until = "" if exposure.last == exposure.statement else f", which statement {exposure.last} ends"
    evidence = [
        f"{what} on {exposure.relation} from statement {exposure.statement} to the end of its transaction"
        f"{until}: {seconds_in_words(exposure.held_seconds)} expected."
    ]
    if exposure.queue_seconds > 0:
        evidence.append(
            f"Others queue behind the wait for the lock: {seconds_in_words(exposure.queue_seconds)} expected, "
            "from the transactions that are open on it now."
        )
    if exposure.waiting_per_second:
        evidence.append(f"{exposure.waiting_per_second:.3g} statements a second have to wait.")
    if exposure.work:
        evidence.append(f"Work that grows with the table meanwhile: {', '.join(exposure.work)}.")
    if not exposure.bounded:
        evidence.append("Neither the file nor the runner sets a lock_timeout.")
    return claim._replace(
        message=f"{who} of {exposure.relation} wait "
        f"{seconds_in_words(exposure.held_seconds + exposure.queue_seconds)}.",
        evidence=tuple(evidence),
        recommendation="Set a short lock_timeout and try again when it strikes; keep slow work out of the transaction "
        "that holds the lock."
        if exposure.mode.blocks_writes
        else "Change the rows in batches, each committed by itself, with nothing else in their transaction.",
        exposure=None,
    )


def _touched(forecast: Forecast, effects: StatementEffects, context: Context) -> Iterator[Claim]:
    index, notes = forecast.statement.index, tuple(forecast.notes)
    if effects.basis is None:
        yield Claim(
            Category.LOCKING,
            index,
            index,
            None,
            scoring.WORK_UNDER_LOCK,
            "not-analysed",
            "The statement could not be analysed: what it locks is not known.",
            notes,
            "Mend the statement, or let a dry run decide.",
        )
    elif effects.opaque or effects.reach is Reach.UNKNOWN:
        yield Claim(
            Category.LOCKING,
            index,
            index,
            None,
            scoring.WORK_UNDER_LOCK if effects.opaque else scoring.BRIEF_LOCK,
            "unknown-reach",
            "What the statement locks is not completely known.",
            notes,
            "Let a dry run decide.",
        )
    elif not context.is_blocking(forecast) and touches_existing(forecast):
        yield Claim(
            Category.LOCKING,
            index,
            index,
            None,
            scoring.TOUCHED,
            "touches-existing",
            "It touches something that exists; nobody has to wait for it.",
        )


def _performance(forecast: Forecast, context: Context) -> Iterator[Claim]:
    """Of a statement that does some work."""
    index = forecast.statement.index
    cost = context.cost_of(forecast)
    rows = context.rows_changed(forecast)
    wal = cost.wal or 0
    changed = scoring.changed_rows(rows, wal)
    if changed:
        about = f"about {rows:,.0f}" if all(context.size_of(each.relation).known for each in forecast.works) else "many"
        yield Claim(
            Category.PERFORMANCE,
            index,
            index,
            None,
            changed,
            "heavy-work",
            f"One statement changes {about} rows.",
            (f"About {bytes_in_words(wal)} of write-ahead log.",) if wal else (),
            "Change the rows in batches, each committed by itself, with a pause between them.",
        )
    unseen = 0 if context.is_blocking(forecast) else scoring.unseen_work(cost.expected)
    if unseen:
        yield Claim(
            Category.PERFORMANCE,
            index,
            index,
            None,
            unseen,
            "heavy-work",
            f"It works for {seconds_in_words(cost.expected)}; nobody waits for it.",
            (f"Expected from {seconds_in_words(cost.low)} to {seconds_in_words(cost.high)}: {cost.source}.",),
            "Run it when the server has time.",
        )


def _data_loss(forecast: Forecast, effects: StatementEffects, context: Context) -> Claim:
    index = forecast.statement.index
    found = bearers(forecast)
    # Not known may mean that only the rows would tell: whoever has none loses none, unless nobody knows what is run.
    empty = bool(found) and not effects.opaque and all(context.size_of(each).proved_empty for each in found)
    counted = count_among(context.probes(forecast))
    chooses_none = counted is not None and counted.rows == 0 and not effects.opaque
    evidence = () if counted is None else (counted.sentence(),)
    unknown = effects.destroys_data is None
    return Claim(
        Category.DATA_LOSS,
        index,
        index,
        found[0] if found else None,
        scoring.NOTHING_TO_LOSE if empty or chooses_none else scoring.DATA_LOST,
        "data-may-be-lost",
        "Whether data is lost cannot be told from the statement."
        if unknown
        else "Rows or columns go that cannot be had back.",
        (f"A probe found no row in {', '.join(found)}.",) if empty else evidence,
        "Keep a copy of what goes, and drop it a release after nothing uses it.",
    )


def _integrity(forecast: Forecast, effects: StatementEffects, context: Context) -> Iterator[Claim]:
    index = forecast.statement.index
    answers = tuple(each.sentence() for each in context.probes(forecast) if each.sqlstate)
    problem = forecast.statement.problem
    if problem is not None or effects.fails is not None:
        what = f"It cannot be parsed: {problem.message}." if problem else ""
        if effects.fails is not None:
            what = f"It is certain to fail with {effects.fails.sqlstate}: {effects.fails.message.rstrip('.')}."
        yield Claim(
            Category.INTEGRITY,
            index,
            index,
            None,
            scoring.CERTAIN_FAILURE,
            "not-analysed" if problem else "certain-failure",
            what,
            answers,
            "Mend it before anything is run.",
        )
        return
    waiting = [each for each in effects.may_fail or () if not each.checked]
    if waiting:
        # Errors of class 42 are about names: without a catalog it is not the data that decide, whatever was seen of it.
        by_names = not forecast.before.known and all(each.sqlstate.startswith("42") for each in waiting)
        yield Claim(
            Category.INTEGRITY,
            index,
            index,
            None,
            scoring.NAMES_NOT_KNOWN if by_names else scoring.NOT_ASKED,
            "may-fail",
            f"It may fail with {waiting[0].sqlstate}: {waiting[0].why.rstrip('.')}.",
            answers,
            "Ask the data first, with a database at hand.",
        )


def _compatibility(forecast: Forecast, effects: StatementEffects) -> Iterator[Claim]:
    index = forecast.statement.index
    gone = [name for name in effects.drops or () if forecast.before.find(name).relation is not None]
    dropped = sorted(set(gone))
    if dropped:
        yield Claim(
            Category.COMPATIBILITY,
            index,
            index,
            dropped[0],
            scoring.BREAKS,
            "breaks-running-code",
            f"Code that still uses {', '.join(dropped)} breaks.",
            (),
            "Deploy code that does without it first, and drop it a release later.",
        )


def disk_and_wal(context: Context) -> tuple[int | None, int | None]:
    """Write-ahead log in all, and extra disk of the statement that needs most; ``None`` where a size is unknown."""
    costs = [context.cost_of(each) for each in context.simulation.forecasts]
    if any(each.wal is None or each.disk is None for each in costs):
        return None, None
    return sum(each.wal or 0 for each in costs), max((each.disk or 0 for each in costs), default=0)


HEAVY = frozenset({WorkKind.SCAN, WorkKind.REWRITE, WorkKind.BUILD, WorkKind.REBUILD})
"""Work that grows with the table it is done on."""
