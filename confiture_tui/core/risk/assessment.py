"""From the facts about a migration to its assessment: what rules say, what they leave unsaid, and the score."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from confiture_tui.core.effects.model import Basis, Failure
from confiture_tui.core.records import changed, unchecked
from confiture_tui.core.risk import scoring
from confiture_tui.core.risk.board import Told
from confiture_tui.core.risk.claims import disk_and_wal
from confiture_tui.core.risk.confidence import confidence
from confiture_tui.core.risk.consent import Consent
from confiture_tui.core.risk.duration import together
from confiture_tui.core.risk.model import Exposed, Probe, Risk, RiskAssessment

if TYPE_CHECKING:
    from confiture_tui.core.effects.model import StatementEffects
    from confiture_tui.core.effects.observing import Replaced
    from confiture_tui.core.risk.context import Context
    from confiture_tui.core.risk.rule import Dispatch, MigrationRule, RiskRule

_assessment = unchecked(RiskAssessment)
_probe = unchecked(Probe)
_exposure = unchecked(Exposed)


def assessment_of(
    context: Context, dispatch: Dispatch, *, allow: frozenset[str] = frozenset(), notes: Sequence[str] = ()
) -> RiskAssessment:
    """The assessment of one migration.

    Args:
        context: the facts.
        dispatch: the rules that give them words.
        allow: ids of rules whose risks are accepted.
        notes: what could not be known already, one sentence each.
    """
    consent = Consent(context.simulation.migration.up, allow, dispatch.ids)
    simulation = context.simulation
    migration = simulation.migration
    done = sum(each.done for each in simulation.forecasts)
    told = [*simulation.notes, *notes, *([_already_done(done, len(simulation.forecasts))] if done else ())]
    risks, ignored = consent.apply(_risks(context, dispatch, told))
    categories = scoring.categories_of((each.category, each.points) for each in risks)
    score, level = scoring.score(categories)
    statements = tuple(_described(context, forecast.statement.index) for forecast in simulation.forecasts)
    worked_on = dict.fromkeys(work.relation for each in simulation.forecasts for work in each.works)
    total = together(context.cost_of(each) for each in simulation.forecasts)
    wal, disk = disk_and_wal(context)
    return _assessment(
        version=migration.version,
        name=migration.name,
        path=None if migration.path is None else migration.path.as_posix(),
        score=score,
        level=level,
        confidence=confidence(statements, [context.size_of(name) for name in worked_on]),
        analysed=(sum(each.basis is not None for each in statements), len(statements)),
        basis=_basis(statements),
        wrapping=simulation.wrapping.value,
        categories=categories,
        statements=statements,
        risks=risks,
        ignored=ignored,
        rollback=context.rollback,
        estimate=total.estimate(),
        exposure=_exposed(context),
        probes=tuple(_probes(context)),
        wal_bytes=wal,
        disk_bytes=disk,
        notes=tuple(dict.fromkeys(told)),
        done=done,
    )


def _already_done(done: int, total: int) -> str:
    which = "Statement 1 is" if done == 1 else f"Statements 1 to {done} are"
    rest = "nothing of it is left to be run" if done == total else "only the rest is counted"
    return f"{which} done already, by a run that stopped half-way: {rest}."


def with_what_was_seen(
    assessment: RiskAssessment, predicted_score: int, replaced: Sequence[Replaced], schema_proved: bool | None
) -> RiskAssessment:
    """The assessment that rests on what a dry run has seen, with that said, and beside each risk that it bears on.

    Args:
        assessment: of what was seen.
        predicted_score: without it.
        replaced: what was seen in the place of what was predicted.
        schema_proved: whether the way back was seen to bring the schema back.
    """
    rollback = assessment.rollback
    if rollback.strategy == "down_file":
        rollback = rollback.model_copy(update={"schema_proved": schema_proved})
    risks = tuple(
        risk.model_copy(update={"evidence": (*risk.evidence, *said)})
        if (said := [f"In the dry run: {one}." for one in replaced if one.statement == risk.statement])
        else risk
        for risk in assessment.risks
    )
    return assessment.model_copy(
        update={
            "predicted_score": predicted_score,
            "replaced": tuple(replaced),
            "rollback": rollback,
            "risks": risks,
        }
    )


def _risks(context: Context, dispatch: Dispatch, notes: list[str]) -> list[Risk]:
    """What the rules find, and the facts that none of them speaks of; a rule that breaks costs only itself."""
    found: list[Risk] = []
    for forecast in context.simulation.forecasts:
        if forecast.done:
            continue
        for rule in dispatch.of(forecast.statement):
            try:
                found.extend(rule.check(forecast, context))
            except Exception as error:  # noqa: BLE001 - a rule may be anybody's; it is reported, and the facts still count
                notes.append(_broken(rule, error, f"statement {forecast.statement.index}"))
    for each in dispatch.for_migrations:
        try:
            found.extend(each.check(context.simulation, context))
        except Exception as error:  # noqa: BLE001 - as above
            notes.append(_broken(each, error, "the migration"))
    done = {each.statement.index for each in context.simulation.forecasts if each.done}
    found = [one for one in found if one.statement not in done]
    told = Told(found, context.claims, len(context.simulation.forecasts))
    found.extend(claim.risk() for claim in context.claims if claim.points and not told.covers(claim))
    return found


def _broken(rule: RiskRule | MigrationRule, error: Exception, where: str) -> str:
    return f"The rule {rule.id} failed on {where} and was left out: {type(error).__name__}: {error}"


def _described(context: Context, index: int) -> StatementEffects:
    """A statement's effects with what was asked, and how long it takes."""
    forecast = context.simulation.forecasts[index - 1]
    effects = context.effects_of(forecast)
    problem = forecast.statement.problem
    changes: dict[str, Any] = {"estimate": context.estimate(forecast)}
    if problem is not None and effects.fails is None:
        changes["fails"] = Failure(
            sqlstate="42601", message=problem.message, position=problem.position, line=problem.line
        )
    return changed(effects, **changes)


def _basis(statements: Iterable[StatementEffects]) -> Basis | None:
    found = {each.basis for each in statements}
    return None if not found or None in found else next(basis for basis in Basis if basis in found)


def _probes(context: Context) -> Iterator[Probe]:
    for forecast in context.simulation.forecasts:
        for each in context.probes(forecast):
            yield _probe(
                statement=forecast.statement.index,
                sqlstate=each.sqlstate,
                question=each.question,
                sql=each.sql,
                found=each.found,
                rows=each.rows,
                rows_at_least=each.rows_at_least,
                why_not=each.why_not,
                elapsed_ms=each.elapsed_ms,
            )


def _exposed(context: Context) -> tuple[Exposed, ...]:
    worst: dict[str, Exposed] = {}
    for each in sorted(context.all_exposures, key=lambda one: -one.points):
        known = worst.get(each.relation)
        if known is None:
            worst[each.relation] = _exposure(
                relation=each.relation,
                mode=str(each.mode),
                statement=each.statement,
                held_ms=round(each.held_seconds * 1000, 3),
                queue_ms=round(each.queue_seconds * 1000, 3),
                waiting_per_second=None if each.waiting_per_second is None else round(each.waiting_per_second, 3),
            )
        else:
            worst[each.relation] = changed(
                known,
                held_ms=round(known.held_ms + each.held_seconds * 1000, 3),
                queue_ms=round(known.queue_ms + each.queue_seconds * 1000, 3),
            )
    return tuple(worst.values())
