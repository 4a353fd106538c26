"""Review, the home: the migrations, and what the chosen one does."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar, Final

from textual import work
from textual.containers import Container, Horizontal, Vertical
from textual.content import Content
from textual.widgets import Static

from confiture_tui.errors import ConfitureError
from confiture_tui.ui.actions import Where, bindings_at
from confiture_tui.ui.messages import PreviewRead
from confiture_tui.ui.presenters.migrations import head, head_verdict, title
from confiture_tui.ui.presenters.notice import notice
from confiture_tui.ui.presenters.risk import risk_pane
from confiture_tui.ui.presenters.statements import heading
from confiture_tui.ui.presenters.subject import facts_pane, report_pane, schema_pane, source_text
from confiture_tui.ui.screens.base import ConfitureScreen
from confiture_tui.ui.session import Topic
from confiture_tui.ui.widgets.drawn_line import DrawnLine
from confiture_tui.ui.widgets.migration_list import MigrationList
from confiture_tui.ui.widgets.sql_view import SqlView
from confiture_tui.ui.widgets.statement_list import StatementList
from confiture_tui.ui.widgets.tab_strip import TabStrip
from confiture_tui.ui.widgets.text_pane import TextPane

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.widget import Widget

    from confiture_tui.core.migrations.status import MigrationStatus
    from confiture_tui.service.models import MigrationPreview
    from confiture_tui.ui.widgets.row_list import RowList

PANES: Final = {"statements": "Statements", "risk": "Risk", "sql": "SQL", "report": "Dry run", "schema": "Schema"}
_SETTLE_S: Final = 0.05
"""How long the choice must rest before the file is read: holding a key down must not read every file on the way."""


class ReviewScreen(ConfitureScreen):
    """The list of migrations and, for the chosen one, its statements, its SQL, its dry run and its schema diff.

    On a wide terminal all panes are seen at once; on others one of them, chosen on the tab strip.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*bindings_at(Where.REVIEW)]
    PLACES = (Where.REVIEW, Where.EVERYWHERE)
    MODE = "review"
    AUTO_FOCUS = "#migrations"

    @property
    def has_job(self) -> bool:
        """A dry run."""
        return self.session.job is not None

    def __init__(self) -> None:
        super().__init__()
        self._previews: dict[str, MigrationPreview] = {}
        self._unreadable: dict[str, ConfitureError] = {}
        self._shown: MigrationStatus | None = None
        self._wanted: tuple[str, int] | None = None

    def body(self) -> ComposeResult:
        """The list beside or above the panes."""
        session, glyphs = self.session, self.confiture.glyphs
        self.notice = Static(Content(""), id="notice", markup=False)
        self.migrations_title = DrawnLine(lambda width: title(session, width), id="migrations-title")
        self.migrations = MigrationList(session, glyphs, id="migrations")
        self.head = DrawnLine(self._head, id="head")
        self.verdict = DrawnLine(self._verdict, id="verdict")
        self.tabs = TabStrip(PANES, id="tabs")
        self.statements = StatementList(glyphs, id="statement-list")
        self.column_names = DrawnLine(
            lambda _: heading(self.statements.layout_in(self.statements.scrollable_content_region.width)), id="columns"
        )
        self.facts = TextPane(id="facts")
        self.risk = TextPane(id="risk-text")
        self.sql = SqlView(id="sql-view")
        self.report = TextPane(id="report-text")
        self.schema = TextPane(id="schema-text")
        yield self.notice
        with Horizontal(id="review"):
            with Vertical(id="left"):
                yield self.migrations_title
                yield self.migrations
            with Vertical(id="right"):
                yield self.head
                yield self.verdict
                yield self.tabs
                with Container(id="panes"):
                    yield Vertical(self.column_names, self.statements, self.facts, id="statements", classes="pane")
                    yield Vertical(_pane_title("Risk"), self.risk, id="risk", classes="pane")
                    yield Vertical(_pane_title("SQL"), self.sql, id="sql", classes="pane")
                    yield Vertical(_pane_title("Dry run"), self.report, id="report", classes="pane")
                    yield Vertical(_pane_title("Schema"), self.schema, id="schema", classes="pane")

    def on_mount(self) -> None:
        """Begin with the statements."""
        super().on_mount()
        self._show_pane("statements")
        self.session_changed(Topic.OPENED)

    # What the session says

    def session_changed(self, topic: Topic) -> None:
        """Redraw what the change concerns."""
        if topic is Topic.PROGRESS:
            self.migrations.refresh()
            self.verdict.refresh()
            self._show_statements(keep=True)
            return
        if topic in (Topic.OPENED, Topic.MIGRATIONS):
            self._previews.clear()
            self._unreadable.clear()
            self._shown = None
            self._show_notice()
            self.migrations.reload()
            self.migrations_title.refresh()
        self.migrations.refresh()
        self._show_chosen()

    def _show_notice(self) -> None:
        text = notice(self.session, self.confiture.glyphs)
        self.notice.update(text if text is not None else Content(""))
        self.notice.display = text is not None
        self.query_one("#review").display = text is None
        if text is None and self.focused is None:
            self.migrations.focus()

    # The chosen migration

    @property
    def chosen(self) -> MigrationStatus | None:
        """The chosen migration."""
        return self.migrations.chosen

    def choose(self, version: str, statement: int | None = None) -> None:
        """Choose a migration, and have the keys go to the list; or one of its statements, and have them go to those."""
        if not self.migrations.choose(version):
            return
        if statement is None:
            self.migrations.focus()
            return
        self._wanted = version, statement
        self._show_pane("statements")
        self.statements.focus()
        if self._shown is not None and self._shown.version == version:
            self._show_statements(keep=True)

    def on_row_list_moved(self, event: RowList.Moved) -> None:
        """Another migration, or another statement, is chosen."""
        if event.rows is self.migrations:
            self._show_chosen()
        else:
            self._show_statement()

    def on_row_list_picked(self, event: RowList.Picked) -> None:
        """A click on what is chosen already opens it."""
        if event.rows is self.migrations:
            self.action_open_detail()

    def _show_chosen(self) -> None:
        status = self.chosen
        same = status is not None and self._shown is not None and status.version == self._shown.version
        self._shown = status
        self.head.refresh()
        self.verdict.refresh()
        if status is None:
            return
        if not same:
            self.sql.show(source_text(status))
            if status.version not in self._previews and status.version not in self._unreadable:
                self._read_preview(status.version)
        self._show_statements(keep=same)
        self._show_report()

    @work(group="preview", exclusive=True)
    async def _read_preview(self, version: str) -> None:
        await asyncio.sleep(_SETTLE_S)
        try:
            preview = await self.session.service.preview(version)
        except ConfitureError as error:
            self.post_message(PreviewRead(version, error=error))
        else:
            self.post_message(PreviewRead(version, preview=preview))

    def on_preview_read(self, message: PreviewRead) -> None:
        """What a migration contains is known."""
        if message.preview is not None:
            self._previews[message.version] = message.preview
        elif message.error is not None:
            self._unreadable[message.version] = message.error
        if self.chosen is not None and self.chosen.version == message.version:
            self.head.refresh()
            self._show_statements(keep=False)
            self._show_report()

    def _show_statements(self, *, keep: bool) -> None:
        status = self.chosen
        if status is None:
            return
        session, preview = self.session, self._previews.get(status.version)
        progress = (
            session.progress if session.progress is not None and session.progress.version == status.version else None
        )
        statements = preview.statements if preview is not None else ()
        assessment = session.assessments.get(status.version)
        if assessment is not None and len(assessment.statements) == len(statements):
            statements = assessment.statements
        self.statements.show(statements, session.results.get(status.version), progress, keep=keep)
        if self._wanted is not None and statements and self._wanted[0] == status.version:
            self.statements.cursor, self._wanted = self._wanted[1] - 1, None
        self.column_names.refresh()
        self._show_statement()

    def _show_statement(self) -> None:
        status = self.chosen
        if status is None:
            return
        statement = self.statements.chosen
        observed = self.statements.observation_of(statement) if statement is not None else None
        preview, error = self._previews.get(status.version), self._unreadable.get(status.version)
        self.facts.show(facts_pane(statement, observed, preview, error, self.confiture.glyphs))
        if statement is not None:
            self.sql.mark(statement.line, statement.line + statement.sql.count("\n"))

    def _show_report(self) -> None:
        status = self.chosen
        if status is None:
            return
        glyphs, preview = self.confiture.glyphs, self._previews.get(status.version)
        self.risk.show(risk_pane(status.version, self.session, glyphs))
        self.report.show(report_pane(status.version, self.session, glyphs))
        self.schema.show(schema_pane(status.version, self.session, preview, glyphs))

    def _head(self, width: int) -> Content:
        status = self.chosen
        if status is None:
            return Content("")
        return head(status, self._previews.get(status.version), width=width, glyphs=self.confiture.glyphs)

    def _verdict(self, width: int) -> Content:
        status = self.chosen
        if status is None:
            return Content("")
        return head_verdict(status.version, self.session, width=width, glyphs=self.confiture.glyphs)

    # Panes

    def on_tab_strip_chosen(self, event: TabStrip.Chosen) -> None:
        """A title was clicked."""
        self._show_pane(event.pane)

    def _main_of(self, pane: str) -> Widget:
        return {
            "statements": self.statements,
            "risk": self.risk,
            "sql": self.sql,
            "report": self.report,
            "schema": self.schema,
        }[pane]

    def _show_pane(self, pane: str) -> None:
        for name in PANES:
            self.query_one(f"#{name}").set_class(name == pane, "-active")
        self.tabs.active = pane
        # The keys stay with the list of migrations; from within a pane they go on to the next.
        if self.focused is not None and self.focused is not self.migrations:
            self._main_of(pane).focus()

    def _step_pane(self, step: int) -> None:
        names = list(PANES)
        self._show_pane(names[(names.index(self.tabs.active) + step) % len(names)])

    def show_dry_run(self) -> None:
        """The pane of the chosen one's dry run."""
        self._show_pane("report")

    def action_next_pane(self) -> None:
        """The next pane."""
        self._step_pane(1)

    def action_previous_pane(self) -> None:
        """The pane before."""
        self._step_pane(-1)

    def action_open_detail(self) -> None:
        """From the list into the shown pane, and back."""
        target = self._main_of(self.tabs.active) if self.focused is self.migrations else self.migrations
        target.focus()

    # Dry runs

    def action_dry_run(self) -> None:
        """Try the chosen migration."""
        if self.chosen is not None:
            self.confiture.start_dry_runs([self.chosen.version])

    def action_dry_run_all(self) -> None:
        """Try every pending migration, in order."""
        self.confiture.start_dry_runs([one.version for one in self.session.statuses if one.state == "pending"])

    def action_cancel(self) -> None:
        """Stop the dry run; without one, back to the list."""
        if self.has_job:
            self.confiture.cancel_dry_runs()
        else:
            self.migrations.focus()

    def action_reload(self) -> None:
        """Read everything again."""
        self.confiture.reload()


def _pane_title(text: str) -> Static:
    return Static(Content(text), classes="pane-title", markup=False)
