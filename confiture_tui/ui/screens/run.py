"""Run, the wizard: the plan, a deliberate yes, the run as it happens, what came of it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.containers import Horizontal, Vertical
from textual.content import Content

from confiture_tui.errors import UsageError
from confiture_tui.observability import new_private_file
from confiture_tui.ui.actions import Where, bindings_at
from confiture_tui.ui.command_lines import run_words
from confiture_tui.ui.copying import Copyable, of_run
from confiture_tui.ui.presenters.as_markdown import run_markdown
from confiture_tui.ui.presenters.notice import notice
from confiture_tui.ui.presenters.run_head import next_step, run_title
from confiture_tui.ui.presenters.run_live import live_pane, result_pane
from confiture_tui.ui.presenters.run_plan import allow_question, plan_pane, question, settle_question
from confiture_tui.ui.presenters.run_step import step_choices, step_title
from confiture_tui.ui.presenters.subject import source_text
from confiture_tui.ui.run_state import RunPhase
from confiture_tui.ui.safe_text import safe_line
from confiture_tui.ui.screens.ask_line import LineDialog
from confiture_tui.ui.screens.base import ConfitureScreen
from confiture_tui.ui.screens.deliberate import DeliberateDialog, typed_name
from confiture_tui.ui.screens.step import StepAnswer, StepDialog
from confiture_tui.ui.session import Phase, Topic
from confiture_tui.ui.widgets.drawn_line import DrawnLine
from confiture_tui.ui.widgets.run_list import RunList
from confiture_tui.ui.widgets.text_pane import TextPane

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.events import ScreenResume

    from confiture_tui.core.runner.plan import Plan
    from confiture_tui.ui.actions import Action
    from confiture_tui.ui.presenters.run_rows import RunRow
    from confiture_tui.ui.run_state import RunState

_LEFT = {
    "resume_left": "resume",
    "clean_up_left": "clean_up",
    "mark_applied": "mark_applied",
    "mark_pending": "mark_pending",
}


class RunScreen(ConfitureScreen):
    """What is to be run, beside the text on the chosen migration."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings_at(Where.RUN)]
    PLACES = (Where.RUN, Where.EVERYWHERE)
    MODE = "run"
    AUTO_FOCUS = "#run-list"

    def body(self) -> ComposeResult:
        """Two lines, the list, the text."""
        session, glyphs = self.session, self.confiture.glyphs
        self.notice = TextPane(id="run-notice")
        self.title_line = DrawnLine(lambda width: run_title(session, width=width, glyphs=glyphs), id="run-title")
        self.next_line = DrawnLine(
            lambda width: next_step(self.rows.chosen, session, width=width, glyphs=glyphs), id="run-next"
        )
        self.rows = RunList(session, glyphs, id="run-list")
        self.detail = TextPane(id="run-detail")
        yield self.notice
        with Vertical(id="run"):
            yield self.title_line
            yield self.next_line
            with Horizontal(id="run-body"):
                yield self.rows
                yield self.detail

    def on_mount(self) -> None:
        """Show what is known."""
        super().on_mount()
        self._shown_current: str | None = None
        self.set_interval(1.0, self._tick)
        self.session_changed(Topic.OPENED)

    def _tick(self) -> None:
        """A statement that takes long is seen to go on."""
        if self.state.job is not None and self.is_current:
            self._show()

    def on_screen_resume(self, event: ScreenResume) -> None:
        """Plan, when there is nothing to be seen yet."""
        super().on_screen_resume(event)
        self._plan_if_idle()

    # What the session says

    @property
    def state(self) -> RunState:
        """What is known of runs."""
        return self.session.run

    def session_changed(self, topic: Topic) -> None:
        """Redraw what the change concerns."""
        if topic not in (Topic.OPENED, Topic.MIGRATIONS, Topic.RUN, Topic.RUN_PROGRESS, Topic.RISK):
            return
        # What is under way, and what came of it, is seen whatever can be read now.
        told = self.state.phase in (RunPhase.RUNNING, RunPhase.ENDED)
        text = None if told else notice(self.session, self.confiture.glyphs)
        self.notice.show(text if text is not None else Content(""))
        self.notice.display = text is not None
        self.query_one("#run").display = text is None
        if topic is Topic.MIGRATIONS and self.is_current:
            self._plan_if_idle()
        self.rows.reload()
        self._follow()
        self._show()
        if topic is Topic.RUN and self.is_current:
            self._ask_for_step()
        dialog = self.app.screen
        if topic is Topic.RISK and isinstance(dialog, StepDialog) and self.state.prepared is not None:
            dialog.tell(*self._told_of_step(self.state.prepared.plan))

    def _plan_if_idle(self) -> None:
        if self.session.phase is Phase.READY and self.state.phase is RunPhase.IDLE:
            self.confiture.runs.plan()

    def _follow(self) -> None:
        """The migration that begins is chosen, once."""
        progress = self.state.progress
        current = progress.current if progress is not None and self.state.job is not None else None
        if current is not None and current != self._shown_current:
            self.rows.choose(current)
        self._shown_current = current

    def _show(self) -> None:
        self.title_line.refresh()
        self.next_line.refresh()
        row, glyphs = self.rows.chosen, self.confiture.glyphs
        if self.state.phase is RunPhase.RUNNING:
            self.detail.show(live_pane(row, glyphs), keep_position=True)
        elif self.state.phase is RunPhase.ENDED:
            self.detail.show(result_pane(row, self.session, glyphs))
        else:
            self.detail.show(plan_pane(row, self.session, glyphs))
        if self.focused is None:
            self.rows.focus()

    def on_row_list_moved(self) -> None:
        """Another row is chosen."""
        self._show()
        self.key_bar.refresh()

    # What can be done now

    @property
    def has_job(self) -> bool:
        """A plan that is being made, or a run."""
        return self.state.job is not None or self.state.phase is RunPhase.PLANNING

    def offers(self, action: Action) -> bool:
        """What makes sense where the wizard is."""
        state, row = self.state, self.rows.chosen
        if action.where is not Where.RUN or action.running:
            return super().offers(action)
        if self.has_job:
            return action.id == "open_run_detail"
        match action.id:
            case "run_plan":
                return self._can_run
            case "limit_here":
                return state.phase is RunPhase.PLANNED and row is not None and row.left is None
            case "step_through":
                return self._can_run
            case "skip_chosen":
                planned = state.phase is RunPhase.PLANNED and not state.is_backward
                return planned and row is not None and row.left is None
            case "export_summary":
                return state.phase is RunPhase.ENDED and state.result is not None
            case "plan_backward":
                return not state.is_backward or state.phase is RunPhase.ENDED
            case "plan_forward":
                return state.is_backward
            case "allow_objections":
                return state.prepared is not None and bool(state.prepared.plan.objections)
            case "resume_left" | "clean_up_left" | "mark_applied" | "mark_pending":
                return row is not None and row.left is not None and _LEFT[action.id] in row.left.actions
        return True

    @property
    def _is_read_only(self) -> bool:
        return self.session.target is not None and self.session.target.read_only

    @property
    def _can_run(self) -> bool:
        state = self.state
        return (
            state.phase is RunPhase.PLANNED
            and state.prepared is not None
            and not state.prepared.plan.is_empty
            and not state.refusals
            and not state.left
            and not self._is_read_only
        )

    @property
    def _name_to_type(self) -> str | None:
        """The database's name, where it is production."""
        project, target = self.session.project, self.session.target
        return target.database if project is not None and project.is_production and target is not None else None

    def _ask(self, question: Content, yes: Content, then: Callable[[str | None], None]) -> None:
        """Ask; ``then`` gets the typed name where one had to be typed, which is on production."""
        name = self._name_to_type

        def answered(answer: str | None) -> None:
            if answer is not None:
                then(answer if name is not None else None)

        self.app.push_screen(DeliberateDialog(question, yes=yes, name=name), answered)

    def action_run_plan(self) -> None:
        """Ask, and run the plan."""
        prepared = self.state.prepared
        if not self._can_run or prepared is None:
            return
        yes = Content("Take back" if self.state.is_backward else "Apply")
        asked = question(prepared.plan, self.session, self.confiture.glyphs)
        self._ask(asked, yes, self.confiture.runs.start)

    def action_limit_here(self) -> None:
        """Plan to go as far as the chosen migration."""
        row, state = self.rows.chosen, self.state
        if row is None or row.left is not None or state.request is None or state.phase is not RunPhase.PLANNED:
            return
        allowed, skip = state.request.allowed, state.request.skip - {row.version}
        if state.is_backward:
            first = sum(one.left is not None for one in self.rows.rows)
            self.confiture.runs.plan("backward", steps=self.rows.cursor - first + 1)
        elif row is self.rows.rows[-1]:
            self.confiture.runs.plan(skip=skip, allowed=allowed)
        else:
            self.confiture.runs.plan(to=row.version, skip=skip, allowed=allowed)

    def action_skip_chosen(self) -> None:
        """Plan without the chosen migration, or with it again."""
        row, request = self.rows.chosen, self.state.request
        if row is None or row.left is not None or request is None or self.state.phase is not RunPhase.PLANNED:
            return
        if request.direction == "forward":
            self.confiture.runs.plan_request(request.model_copy(update={"skip": request.skip ^ {row.version}}))

    # One by one

    def action_step_through(self) -> None:
        """Ask for each migration of the plan."""
        if self._can_run:
            self.confiture.runs.step_through()

    def _ask_for_step(self) -> None:
        """Ask for the first migration of the plan, when they are asked for one by one and it is its turn."""
        state = self.state
        if state.scope is None or state.phase is not RunPhase.PLANNED or state.prepared is None:
            return
        if state.prepared.plan.is_empty or isinstance(self.app.screen, StepDialog):
            return
        plan, runs = state.prepared.plan, self.confiture.runs
        title, details = self._told_of_step(plan)
        status = self.session.status_of(plan.migrations[0].version)
        name = self._name_to_type

        def answered(answer: tuple[StepAnswer, str] | None) -> None:
            word, typed = answer if answer is not None else (StepAnswer.STOP, "")
            if word is StepAnswer.PROCEED:
                runs.proceed(typed if name is not None else None)
            elif word is StepAnswer.SKIP:
                runs.skip()
            else:
                runs.stop_stepping()

        self.app.push_screen(
            StepDialog(
                title=title,
                choices=step_choices(plan, self.session),
                details=details,
                sql=source_text(status, backward=state.is_backward) if status is not None else "",
                demand=typed_name(name) if name is not None else None,
                name=name,
                can_skip=not state.is_backward,
            ),
            answered,
        )

    def _told_of_step(self, plan: Plan) -> tuple[Content, Content]:
        """The title and the details of the question for the first migration of the plan."""
        row = next((one for one in self.rows.rows if one.version == plan.migrations[0].version), None)
        glyphs = self.confiture.glyphs
        return step_title(plan, self.session, glyphs), plan_pane(row, self.session, glyphs)

    # The summary

    def action_export_summary(self) -> None:
        """Ask for a name, and write the summary; never over a file that is there."""
        if self.state.result is None:
            return
        summary = run_markdown(self.session)
        suggestion = f"confiture-run-{datetime.now(UTC).astimezone():%Y%m%d-%H%M%S}.md"
        question = Content("Write the summary, as Markdown, into a new file that only you may read:")

        def named(name: str | None) -> None:
            if name is not None:
                self._write_summary(summary, Path(name).expanduser())

        self.app.push_screen(LineDialog(question, suggestion), named)

    def _write_summary(self, summary: str, path: Path) -> None:
        try:
            with new_private_file(path) as file:
                file.write(summary)
        except OSError as error:
            self.notify(safe_line(f"{path}: {error.strerror}"), severity="error", markup=False)
        except UsageError as error:
            self.notify(safe_line(f"{error.message} {error.hint}"), severity="error", markup=False)
        else:
            self.notify(f"Written: {safe_line(str(path.resolve()))}", markup=False)

    def action_plan_backward(self) -> None:
        """Plan to take the last one back, or all that the last run applied."""
        result = self.state.result
        done = sum(one.outcome == "applied" for one in result.migrations) if result is not None else 0
        self.confiture.runs.plan("backward", steps=max(done, 1))

    def action_plan_forward(self) -> None:
        """Plan to apply what is pending."""
        self.confiture.runs.plan()

    def action_plan_again(self) -> None:
        """The same again; after a run, what is left of it."""
        request = self.state.request
        if self.has_job or self.looks_again_if_failed():
            return
        if request is None or self.state.phase is not RunPhase.PLANNED:
            self.confiture.runs.plan()
        else:
            self.confiture.runs.plan_request(request)

    def action_allow_objections(self) -> None:
        """Ask, and plan without what speaks against it."""
        prepared, request = self.state.prepared, self.state.request
        if prepared is None or request is None or not prepared.plan.objections or self.has_job:
            return
        codes = frozenset(one.code.value for one in prepared.plan.objections) | request.allowed

        def allow(_typed: str | None) -> None:
            self.confiture.runs.plan_request(request.model_copy(update={"allowed": codes}))

        self._ask(allow_question(prepared.plan), Content("Allow"), allow)

    def _chosen_left(self, what: str) -> RunRow | None:
        row = self.rows.chosen
        if row is None or row.left is None or what not in row.left.actions or self.has_job:
            return None
        if self._is_read_only:
            self.notify("This session is read-only: nothing may change the target.", severity="warning")
            return None
        return row

    def action_resume_left(self) -> None:
        """Ask, and go on with what stopped half-way."""
        row = self._chosen_left("resume")
        if row is not None and row.left is not None:
            left, runs = row.left, self.confiture.runs
            asked = settle_question(left, "resume", self.session)
            self._ask(asked, Content("Resume"), lambda typed: runs.resume(left, typed))

    def action_clean_up_left(self) -> None:
        """Ask, and drop the invalid indexes that it has left behind."""
        row = self._chosen_left("clean_up")
        if row is not None and row.left is not None:
            left, runs = row.left, self.confiture.runs
            asked = settle_question(left, "clean_up", self.session)
            self._ask(asked, Content("Drop"), lambda typed: runs.clean_up(left.entry.version, typed))

    def action_mark_applied(self) -> None:
        """Ask, and let it count as applied."""
        self._mark("mark_applied", Content("Mark applied"))

    def action_mark_pending(self) -> None:
        """Ask, and let it count as pending."""
        self._mark("mark_pending", Content("Mark pending"))

    def _mark(self, what: str, yes: Content) -> None:
        row = self._chosen_left(what)
        if row is not None and row.left is not None:
            left, runs = row.left, self.confiture.runs
            self._ask(
                settle_question(left, what, self.session),
                yes,
                lambda typed: runs.mark(left.entry.version, typed, applied=what == "mark_applied"),
            )

    def action_cancel_run(self) -> None:
        """Stop the run, or the planning; else back to the list."""
        if self.state.job is not None:
            self.confiture.runs.cancel()
        elif self.state.phase is RunPhase.PLANNING:
            self.confiture.runs.stop_planning()
        else:
            self.rows.focus()

    def action_open_run_detail(self) -> None:
        """From the list into the text, and back."""
        (self.detail if self.focused is self.rows else self.rows).focus()

    def command(self) -> list[str]:
        """The plan."""
        return run_words(self.state)

    def copyables(self) -> list[Copyable]:
        """What takes the run back, the summary, the plan as a command."""
        return [*of_run(self.session), *super().copyables()]
