"""Lint: what is wrong with the schema, what pending migrations add to that, and the SQL that mends it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.containers import Horizontal, Vertical
from textual.content import Content

from confiture_tui.ui.actions import Where, bindings_at
from confiture_tui.ui.copying import Copyable, of_lint
from confiture_tui.ui.presenters.figures import counted
from confiture_tui.ui.presenters.findings import Grouping, finding_pane, lint_title
from confiture_tui.ui.presenters.notice import opening_notice
from confiture_tui.ui.presenters.styles import style
from confiture_tui.ui.safe_text import safe_line
from confiture_tui.ui.screens.ask_line import LineDialog
from confiture_tui.ui.screens.base import ConfitureScreen
from confiture_tui.ui.screens.confirm import ConfirmDialog
from confiture_tui.ui.session import Phase, Topic
from confiture_tui.ui.widgets.drawn_line import DrawnLine
from confiture_tui.ui.widgets.filter_line import FilterLine
from confiture_tui.ui.widgets.finding_list import FindingList
from confiture_tui.ui.widgets.text_pane import TextPane

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.events import ScreenResume
    from textual.widgets import Input

    from confiture_tui.core.lint.model import Violation
    from confiture_tui.ui.actions import Action


class LintScreen(ConfitureScreen):
    """The findings beside the chosen one."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings_at(Where.LINT)]
    PLACES = (Where.LINT, Where.EVERYWHERE)
    MODE = "lint"
    AUTO_FOCUS = "#findings"

    def __init__(self) -> None:
        super().__init__()
        self.words = ""
        self.only_added = False
        self.grouping = Grouping.SEVERITY

    def body(self) -> ComposeResult:
        """A line, the filter while it is used, the list, the chosen finding."""
        glyphs = self.confiture.glyphs
        self.notice = TextPane(id="lint-notice")
        self.title_line = DrawnLine(self._title, id="lint-title")
        self.filter = FilterLine(id="lint-filter")
        self.findings = FindingList(glyphs, id="findings")
        self.detail = TextPane(id="finding")
        yield self.notice
        with Vertical(id="lint"):
            yield self.title_line
            yield self.filter
            with Horizontal(id="lint-body"):
                yield self.findings
                yield self.detail

    def on_mount(self) -> None:
        """Show what is known."""
        super().on_mount()
        self.session_changed(Topic.OPENED)

    def on_screen_resume(self, event: ScreenResume) -> None:
        """Lint, when nobody has."""
        super().on_screen_resume(event)
        self._lint_if_new()

    def _lint_if_new(self) -> None:
        state = self.session.lint
        new = state.result is None and state.error is None and state.job is None and not state.cancelled
        if new and self.session.phase is Phase.READY:
            self.confiture.looks.lint()

    def session_changed(self, topic: Topic) -> None:
        """Redraw what the change concerns."""
        if topic not in (Topic.OPENED, Topic.MIGRATIONS, Topic.LINT):
            return
        text = opening_notice(self.session, self.confiture.glyphs)
        self.notice.show(text if text is not None else Content(""))
        self.notice.display = text is not None
        self.query_one("#lint").display = text is None
        if topic is Topic.MIGRATIONS and self.is_current:
            self._lint_if_new()
        self._show_list()

    def _show_list(self) -> None:
        result = self.session.lint.result
        self.findings.show(result, self.words, only_added=self.only_added, grouping=self.grouping)
        self._show_finding()
        if self.focused is None:
            self.findings.focus()

    def _show_finding(self) -> None:
        self.title_line.refresh()
        self.detail.show(
            finding_pane(self.findings.chosen, self.session.lint, self.confiture.glyphs, only_added=self.only_added)
        )
        self.key_bar.refresh()

    def _title(self, width: int) -> Content:
        return lint_title(
            self.session.lint,
            self.findings.shown,
            self.words,
            only_added=self.only_added,
            grouping=self.grouping,
            width=width,
            glyphs=self.confiture.glyphs,
        )

    def on_row_list_moved(self) -> None:
        """Another finding is chosen."""
        self._show_finding()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter as it is typed."""
        self.words = event.value
        self._show_list()

    def on_input_submitted(self) -> None:
        """The filter stays, and the keys go back to the list."""
        self.filter.keep()
        self.findings.focus()
        self.filter.display = bool(self.words)

    # What can be done now

    @property
    def has_job(self) -> bool:
        """The linter."""
        return self.session.lint.job is not None

    def offers(self, action: Action) -> bool:
        """What makes sense now."""
        if action.id == "ignore_finding":
            return self._chosen_violation is not None and not self.has_job
        if action.id == "baseline_findings":
            result = self.session.lint.result
            return result is not None and bool(result.report.violations) and not self.has_job
        if action.id == "only_added":
            result = self.session.lint.result
            return result is not None and result.comparison is not None
        return super().offers(action)

    def action_filter_findings(self) -> None:
        """Type what is looked for."""
        self.filter.display = True
        self.filter.focus()

    def action_only_added(self) -> None:
        """Only what the pending migrations add, or all."""
        self.only_added = not self.only_added
        self._show_list()

    def action_group_findings(self) -> None:
        """By severity, by rule, by object."""
        self.grouping = self.grouping.next
        self._show_list()

    def action_open_finding(self) -> None:
        """From the list into the text, and back."""
        (self.detail if self.focused is self.findings else self.findings).focus()

    def action_leave_findings(self) -> None:
        """Clear the filter; without one, stop what is under way."""
        if self.filter.display:
            self.filter.value = ""
            self.filter.display = False
        elif self.has_job:
            self.confiture.looks.cancel_lint()
        self.findings.focus()

    # Letting findings pass

    def action_ignore_finding(self) -> None:
        """Ask for the reason, and exempt the object of the chosen finding from its rule."""
        one = self._chosen_violation
        if one is None or self.has_job:
            return
        question = Content.assemble(
            "Let ",
            (safe_line(one.rule), style("strong")),
            " pass for ",
            (safe_line(one.object), style("relation")),
            "? It is written into confiture.yaml, with the reason:",
        )

        def reasoned(reason: str | None) -> None:
            if reason is not None:
                self.confiture.looks.ignore(one, reason)

        self.app.push_screen(LineDialog(question), reasoned)

    def action_baseline_findings(self) -> None:
        """Ask, and let everything that is found now pass."""
        result = self.session.lint.result
        if result is None or not result.report.violations or self.has_job:
            return
        found = counted(len(result.report.violations), "finding")
        question = Content(
            f"Let the {found} of the schema as it is now pass from now on? They are written into the baseline's file; "
            "what comes after is told. `confiture-tui lint --update-baseline` does the same."
        )

        def answered(yes: bool | None) -> None:
            if yes:
                self.confiture.looks.baseline()

        self.app.push_screen(ConfirmDialog(question, yes=Content("Let pass"), no=Content("Cancel")), answered)

    @property
    def _chosen_violation(self) -> Violation | None:
        row = self.findings.chosen
        return row.violation if row is not None else None

    def command(self) -> list[str]:
        """The same findings, those of the filter too."""
        return ["lint", *(["--changed-only"] if self.only_added else [])]

    def copyables(self) -> list[Copyable]:
        """The fix, the finding, those that are shown."""
        own = of_lint(self.session.lint.result, self._chosen_violation, self.findings.violations)
        return [*own, *super().copyables()]

    def action_lint_again(self) -> None:
        """Look again."""
        if not self.looks_again_if_failed():
            self.confiture.looks.lint()
