"""What will be run and what speaks against it; what was left half-way and what can be done about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual.content import Content

from confiture_tui.ui.actions import key_of
from confiture_tui.ui.presenters.figures import counted, duration
from confiture_tui.ui.presenters.migrations import label
from confiture_tui.ui.presenters.risk import level_badge
from confiture_tui.ui.presenters.styles import style
from confiture_tui.ui.presenters.verdict import error_text
from confiture_tui.ui.safe_text import safe_line, safe_text

if TYPE_CHECKING:
    from confiture_tui.core.runner.plan import Plan, PlannedMigration
    from confiture_tui.core.runner.recovery import LeftOver
    from confiture_tui.service.running import PreparedRun
    from confiture_tui.ui.glyphs import Glyphs
    from confiture_tui.ui.presenters.run_rows import RunRow
    from confiture_tui.ui.session import Session

_LEVELS = {"refuse": ("fails", "severity-error", "refused"), "warning": ("warning", "severity-warning", "warning")}


def plan_pane(row: RunRow | None, session: Session, glyphs: Glyphs) -> Content:
    """What speaks against the plan, the chosen migration of it, the look at the target, the limits."""
    state = session.run
    if row is not None and row.left is not None:
        return _left_over(row.left, glyphs)
    if state.error is not None:
        return error_text(state.error)
    if state.prepared is None:
        return Content.styled("The files, the ledger and the target are being read.", style("quiet"))
    plan = state.prepared.plan
    blocks = _against(state.prepared, glyphs)
    if row is not None:
        planned = next((one for one in plan.migrations if one.version == row.version), None)
        blocks += [Content("")] if blocks else []
        if planned is not None:
            blocks += _migration(planned, session, glyphs)
        else:
            skipped = state.request is not None and row.version in state.request.skip
            words = f"It is not part of this run; {key_of('limit_here')} makes the run go as far as here."
            if skipped:
                words = (
                    f"It is left out this time and stays pending; {key_of('skip_chosen')} takes it in again. Once "
                    "later ones are applied, it comes before them: applying it then asks you to allow `out-of-order`."
                )
            blocks += [Content.styled(label(row.version, row.name), style("strong")), Content(words)]
    if plan.is_empty and row is None:
        words = "Nothing is applied, so nothing can be taken back." if state.is_backward else "Nothing is pending."
        blocks.append(Content.styled(words, style("strong")))
    blocks += _target(state.prepared, glyphs)
    if state.left_error is not None:
        blocks += [Content(""), Content("What earlier runs left could not be read:"), error_text(state.left_error)]
    return Content("\n").join(blocks)


def _against(prepared: PreparedRun, glyphs: Glyphs) -> list[Content]:
    """What refuses the plan, then what is to be known before it begins."""
    refused = [one.sentence for one in prepared.plan.objections]
    refused += [one.sentence for one in prepared.preflight if one.level == "refuse"]
    lines = [_told("refuse", sentence, glyphs) for sentence in refused]
    return [*lines, *(_told(one.level, one.sentence, glyphs) for one in prepared.preflight if one.level != "refuse")]


def _told(level: str, sentence: str, glyphs: Glyphs) -> Content:
    sign, name, word = _LEVELS.get(level, ("info", "severity-info", "note"))
    return Content.assemble((f"{getattr(glyphs, sign)} {word}  ", style(name)), safe_text(sentence))


def _migration(planned: PlannedMigration, session: Session, glyphs: Glyphs) -> list[Content]:
    shape = "in one transaction" if planned.transactional else "one by one, outside a transaction"
    lines = [
        Content.assemble(
            (label(planned.version, planned.name), style("strong")),
            (f"  {counted(planned.statements, 'statement')} {shape}", style("quiet")),
        )
    ]
    if not session.run.is_backward:
        lines += _assessed(planned.version, session, glyphs)
    for note in planned.notes:
        lines.append(Content.assemble((f"{glyphs.info} ", style("severity-info")), safe_text(note)))
    phase = None
    for hook in planned.hooks:
        own = "" if hook.transactional else "  in transactions of its own"
        named = hook.phase.value if hook.phase is not phase else ""
        phase = hook.phase
        lines.append(Content.assemble((f"{named:<18} ", style("label")), safe_line(hook.hook), (own, style("quiet"))))
    return lines


_BOUNDED: Final = frozenset({"missing-lock-timeout"})
"""Rules that speak of what a file leaves to its runner, and this run sees to."""


def _assessed(version: str, session: Session, glyphs: Glyphs) -> list[Content]:
    assessment = session.assessments.get(version)
    if assessment is None:
        words = "its risk is being assessed" if session.assessing else "its risk was not assessed"
        return [Content.styled(words, style("quiet"))]
    estimate = assessment.estimate
    back = "no way back" if assessment.rollback.strategy == "none" else f"way back: data {assessment.rollback.data}"
    facts = [
        level_badge(assessment, glyphs),
        Content(
            f"about {duration(estimate.expected_ms)} ({duration(estimate.low_ms)} to {duration(estimate.high_ms)})"
        ),
        Content(back),
    ]
    lines = [Content.styled(f" {glyphs.separator} ", style("quiet")).join(facts)]
    prepared = session.run.prepared
    bounded = _BOUNDED if prepared is not None and prepared.plan.policy.lock_timeout_ms else frozenset()
    risks = [risk for risk in assessment.risks if risk.rule not in bounded]
    lines += [
        Content.assemble((f"  {glyphs.separator} ", style("quiet")), safe_text(risk.message)) for risk in risks[:4]
    ]
    more = len(risks) - 4
    if more > 0:
        lines.append(Content.styled(f"  and {counted(more, 'more risk')}: Review has all of them", style("quiet")))
    return lines


def _target(prepared: PreparedRun, glyphs: Glyphs) -> list[Content]:
    plan, policy = prepared.plan, prepared.plan.policy
    place = f"{plan.target.database} on {plan.target.host}" if plan.target.host else plan.target.database
    where = f"{place} as {plan.target.role}, PostgreSQL {plan.target.server_version}"
    facts = [
        f"waits {duration(policy.lock_timeout_ms)} for a lock" if policy.lock_timeout_ms else "waits for locks",
        f"up to {policy.retries} retries",
    ]
    if policy.statement_timeout_ms:
        facts.append(f"a statement may take {duration(policy.statement_timeout_ms)}")
    if policy.give_way is not None:
        facts.append(f"gives way when others wait {duration(policy.give_way.wait_ms)} behind it")
    else:
        facts.append("never gives way")
    limits = f" {glyphs.separator} ".join(facts)
    return [
        Content(""),
        Content.assemble(("target      ", style("label")), safe_line(where)),
        Content.assemble(("limits      ", style("label")), limits),
    ]


_WHAT_IT_DOES = {
    "resume": ("resume_left", "goes on with what is not done"),
    "clean_up": ("clean_up_left", "drops the invalid indexes that it has left"),
    "mark_applied": ("mark_applied", "it counts as applied; runs nothing"),
    "mark_pending": ("mark_pending", "it counts as pending; runs nothing"),
    "wait": ("plan_again", "look again later: a session of it is still there"),
}


def _left_over(left: LeftOver, glyphs: Glyphs) -> Content:
    entry = left.entry
    began = f"{entry.started_at.astimezone():%Y-%m-%d %H:%M} by {safe_line(entry.run_by)}"
    lines = [
        Content.assemble((f"{glyphs.interrupted} ", style("state-attention")), safe_text(left.sentence)),
        Content(""),
        *(
            Content.assemble((f"{key_of(_WHAT_IT_DOES[action][0])}  ", style("key")), _WHAT_IT_DOES[action][1])
            for action in left.actions
            if action in _WHAT_IT_DOES
        ),
        Content(""),
        Content.assemble(("began       ", style("label")), began),
        Content.assemble(("statements  ", style("label")), f"{entry.known_done} of {entry.statements} known done"),
    ]
    if entry.hooks_done:
        done = ", ".join(safe_line(one) for one in entry.hooks_done)
        lines.append(Content.assemble(("hooks done  ", style("label")), done))
    if entry.error:
        lines.append(Content.assemble(("told        ", style("label")), safe_text(entry.error)))
    return Content("\n").join(lines)


def question(plan: Plan, session: Session, glyphs: Glyphs) -> Content:
    """What a yes would do, and how bad the worst of it is."""
    word = "Take back" if plan.direction == "backward" else "Apply"
    place = f"{plan.target.database} on {plan.target.host}" if plan.target.host else plan.target.database
    lines = [
        Content.assemble(
            f"{word} {counted(len(plan.migrations), 'migration')} {'from' if word == 'Take back' else 'to'} ",
            (safe_line(place), style("strong")),
            f" as {safe_line(plan.target.role)}?",
        ),
        Content(""),
    ]
    for planned in plan.migrations[:5]:
        assessment = session.assessments.get(planned.version) if plan.direction == "forward" else None
        badge = level_badge(assessment, glyphs) if assessment is not None else Content("")
        name = Content(label(planned.version, planned.name)).truncate(34, ellipsis=glyphs.fancy, pad=bool(badge))
        lines.append(Content.assemble("  ", name, "  ", badge))
    more = len(plan.migrations) - 5
    if more > 0:
        worst = _worst(plan, session, glyphs)
        lines.append(Content.assemble((f"  and {number_more(more)}", style("quiet")), worst))
    return Content("\n").join(lines)


def number_more(more: int) -> str:
    """``7 more``."""
    return f"{more:,} more"


def _worst(plan: Plan, session: Session, glyphs: Glyphs) -> Content:
    if plan.direction == "backward":
        return Content("")
    known = [session.assessments[one.version] for one in plan.migrations if one.version in session.assessments]
    if not known:
        return Content("")
    return Content.assemble(
        ("; the worst of all: ", style("quiet")), level_badge(max(known, key=lambda one: one.score), glyphs)
    )


def settle_question(left: LeftOver, what: str, session: Session) -> Content:
    """What a yes would do to what was left half-way."""
    name = (label(left.entry.version, left.entry.name), style("strong"))
    database = safe_line(session.target.database if session.target is not None else "the target")
    invalid = ", ".join(safe_line(name) for name in left.invalid)
    words = {
        "clean_up": (
            f"Drop {invalid}, which ",
            f" has left on {database}? What else of it stands, stays.",
        ),
        "resume": ("Go on with ", f" on {database}? What is not done yet is run."),
        "mark_applied": (
            "Let ",
            f" count as applied on {database}? Nothing is run: look first whether all of it stands.",
        ),
        "mark_pending": (
            "Let ",
            f" count as pending on {database}? Nothing is undone: look first whether none of it stands.",
        ),
    }[what]
    return Content.assemble(words[0], name, words[1])


def allow_question(plan: Plan) -> Content:
    """What a yes would let pass."""
    lines = [Content("Plan although this speaks against it? Nothing is run yet."), Content("")]
    lines += [Content(safe_text(one.sentence)) for one in plan.objections]
    return Content("\n").join(lines)
