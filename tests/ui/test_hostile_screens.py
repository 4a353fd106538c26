"""What Run, Lint, History and Log show of text from files, servers and other people: all of it, and none is obeyed."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from textual.content import Content

from confiture_tui.config import Settings
from confiture_tui.core.hooks.phase import HookPhase
from confiture_tui.core.lint.model import Severity
from confiture_tui.core.runner.plan import PlannedHook
from confiture_tui.core.runner.preflight import PreflightFinding
from confiture_tui.core.runner.result import MigrationRun, RunOutcome, RunResult
from confiture_tui.errors import UsageError
from confiture_tui.events import Event, EventName
from confiture_tui.service.models import MigrationPreview, PreviewedHook
from confiture_tui.service.running import RunRequest
from confiture_tui.ui.copying import of_review
from confiture_tui.ui.glyphs import UNICODE
from confiture_tui.ui.presenters import findings, past, run_head, run_live, run_plan, run_rows
from confiture_tui.ui.presenters.first_run import looked_for
from confiture_tui.ui.presenters.risk import risk_block, risk_end, risk_head
from confiture_tui.ui.presenters.run_step import step_choices, step_title
from confiture_tui.ui.presenters.way import way_pane
from confiture_tui.ui.readings import HistoryState, LintState
from confiture_tui.ui.run_progress import MigrationProgress, RunProgress
from confiture_tui.ui.run_state import RunPhase, RunState
from confiture_tui.ui.session import Phase, Session
from tests.support.fake_service import AT, FakeService, status
from tests.ui import risk_samples, run_samples, samples
from tests.ui.driving import running
from tests.ui.hostile import FORBIDDEN, SAMPLES

if TYPE_CHECKING:
    from confiture_tui.core.runner.recovery import LeftOver

ANY = st.text(st.characters(codec=None, exclude_categories=()), max_size=40) | st.sampled_from(SAMPLES)
MODEL = ANY.map(lambda text: text.encode("utf-8", "replace").decode())


def hostile_progress(text: str, version: str) -> RunProgress:
    progress = RunProgress([MigrationProgress(version, text, 2)])
    for name in EventName:
        for data in ({"hook": text, "done": 1, "total": 2}, {}):
            progress.apply(Event(name=name, message=text, migration=version, phase=text, statement=1, at=AT, data=data))
    return progress


def hostile_run(text: str, version: str) -> RunResult:
    one = MigrationRun(
        version=version,
        name=text,
        outcome=RunOutcome.FAILED,
        error=text,
        hooks=run_samples.run_result().migrations[0].hooks,
    )
    return RunResult(migrations=(one,), undo=(text,))


def hostile_left(text: str, version: str) -> LeftOver:
    entry = run_samples.entry(version, text, state="interrupted", run_by=text, error=text, hooks_done=[text])
    return run_samples.left_over(entry=entry, sentence=text)


async def hostile_session(text: str) -> Session:
    service = FakeService(
        statuses=[status("1", text, "pending", "SELECT 1;"), status("2", text, "applied", "SELECT 2;")],
        target=samples.target(text, text),
        preflight=[PreflightFinding(code="x", level="refuse", sentence=text)],
        hooks={"1": [PlannedHook(hook=text, phase=HookPhase.AFTER_DDL, transactional=False)]},
    )
    session = Session(service, phase=Phase.READY, statuses=tuple(service.statuses))  # type: ignore[arg-type]
    prepared = await service.prepare_run(RunRequest())
    session.run = RunState(
        phase=RunPhase.PLANNED, request=RunRequest(), prepared=prepared, left=(hostile_left(text, "3"),)
    )
    entry = run_samples.entry("4", text, state=text, run_by=text, error=text, run_id=text, checksum=text)
    session.history = HistoryState(entries=(entry,))
    one = run_samples.violation("x", text, Severity.ERROR, fix=text, kind=text)
    result = run_samples.lint_result()
    report = result.report.model_copy(update={"violations": (replace(one, rule=text, message=text),)})
    session.lint = LintState(
        result=result.model_copy(
            update={
                "report": report,
                "notes": (text,),
                "changes": (text,),
                "titles": {text: text},
                "whys": {text: text},
            }
        )
    )
    return session


@given(text=MODEL)
@settings(max_examples=60, deadline=None)
def test_no_presenter_lets_through_what_a_terminal_obeys(text: str) -> None:
    session = asyncio.run(hostile_session(text))
    state, lint = session.run, session.lint
    rows = run_rows.run_rows(session)
    assert state.prepared is not None
    assert lint.result is not None
    progress = hostile_progress(text, "1")
    failed = replace(state, phase=RunPhase.ENDED, result=hostile_run(text, "1"), progress=progress)
    found = findings.finding_rows(lint.result.violations, findings.Grouping.OBJECT)
    before = past.past_rows(session.history.entries or (), session.statuses)
    lines = [
        run_head.run_title(session, width=200, glyphs=UNICODE),
        *(run_head.next_step(row, session, width=200, glyphs=UNICODE) for row in rows),
        *(run_rows.run_row(row, session, width=200, glyphs=UNICODE) for row in rows),
        *(
            findings.finding_row(row, lint.result, findings.Grouping.SEVERITY, width=200, glyphs=UNICODE)
            for row in found
        ),
        *(past.past_row(row, width=200, glyphs=UNICODE) for row in before),
    ]
    texts = [
        *(run_plan.plan_pane(row, session, UNICODE) for row in rows),
        run_plan.question(state.prepared.plan, session, UNICODE),
        run_plan.settle_question(state.left[0], "resume", session),
        *(findings.finding_pane(row, lint, UNICODE, only_added=False) for row in (*found, None)),
        findings.finding_pane(None, LintState(error=UsageError(text, hint=text)), UNICODE, only_added=False),
        *(past.past_pane(row, session, UNICODE) for row in (*before, None)),
    ]
    session.run = failed
    rows = run_rows.run_rows(session)
    texts += [run_live.live_pane(rows[0], UNICODE), run_live.result_pane(rows[0], session, UNICODE)]
    lines += [run_head.next_step(rows[0], session, width=200, glyphs=UNICODE)]
    assert [line.plain for line in lines if FORBIDDEN & set(line.plain)] == []
    assert [one.plain for one in texts if (FORBIDDEN - {"\n", "\t"}) & set(one.plain)] == []


@given(text=MODEL)
@settings(max_examples=60, deadline=None)
def test_nor_do_risks_hooks_steps_and_places(text: str) -> None:
    session = asyncio.run(hostile_session(text))
    assert session.run.prepared is not None
    risk = risk_samples.risk(text, message=text, evidence=(text,), recommendation=text, safe_sql=text)
    one = risk_samples.assessment("1", text, "SELECT 1;", 65, risk, notes=(text,))
    session.assessments = {"1": one}
    hook = PreviewedHook(hook=text, phase=None, direction="both")
    preview = MigrationPreview(
        version="1", name=text, path=None, wrapping=text, analysed=(0, 0), statements=(), hooks=(hook,)
    )
    made = session.statuses[0]
    assert made.migration is not None
    down = made.migration.model_copy(update={"down": made.migration.up, "down_path": Path(text or "x")})
    place = Settings(project_dir=Path(text or "x"), migrations_dir=Path(text or "x"))
    plan = session.run.prepared.plan
    texts = [
        risk_head("1", session, UNICODE),
        risk_block(risk, text, UNICODE, chosen=True),
        risk_end(one),
        way_pane(made.model_copy(update={"migration": down}), preview, session, UNICODE),
        step_title(plan, session, UNICODE),
        step_choices(plan, session),
        looked_for(place, UNICODE),
        *(Content(thing.label) for thing in of_review(session, made, risk, None)),
    ]
    assert [one.plain for one in texts if (FORBIDDEN - {"\n", "\t"}) & set(one.plain)] == []


@pytest.mark.parametrize("size", [(60, 20), (120, 36)])
async def test_every_screen_shows_it_and_runs_none_of_it(size: tuple[int, int]) -> None:
    utf8 = [text.encode("utf-8", "replace").decode() for text in SAMPLES]
    statuses = [status(f"{number:03}", text, "pending", "SELECT 1;") for number, text in enumerate(utf8)]
    every = " | ".join(utf8)
    report = run_samples.lint_result()
    violations = tuple(run_samples.violation(text, text, Severity.ERROR, fix=text, kind=text) for text in utf8)
    service = samples.service(
        statuses=statuses,
        project=samples.project("production", production=True),
        target=samples.target(every, every),
        preflight=[PreflightFinding(code="x", level="warning", sentence=text) for text in utf8],
        lint_outcome=report.model_copy(update={"report": report.report.model_copy(update={"violations": violations})}),
        entries=[run_samples.entry("1", text, run_by=text, error=text) for text in utf8],
    )
    async with running(service, size=size) as driver:
        for text in SAMPLES:
            service.events(Event(name=EventName.SERVER_NOTICE, message=text, migration=text, at=AT))
        for key, moves in (("4", 3), ("3", len(utf8)), ("5", len(utf8)), ("6", 2)):
            await driver.press(key)
            await driver.until(lambda: driver.app.session.run.phase is not RunPhase.PLANNING)
            for _ in range(moves):
                assert not (FORBIDDEN - {"\n"}) & set(driver.text)
                await driver.press("j")
        await driver.press("4", "a")
        await driver.until_text("PRODUCTION  tab")
        assert not (FORBIDDEN - {"\n"}) & set(driver.text)
