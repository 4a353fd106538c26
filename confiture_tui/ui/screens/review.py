"""Review, the home: the migrations, and what the chosen one does."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar, Final

from textual import work
from textual.containers import Container, Horizontal, Vertical
from textual.content import Content

from confiture_tui.errors import ConfitureError
from confiture_tui.ui.actions import Where, bindings_at
from confiture_tui.ui.copying import Copyable, of_review
from confiture_tui.ui.messages import PreviewRead
from confiture_tui.ui.presenters.migrations import head, head_verdict, title
from confiture_tui.ui.presenters.notice import notice
from confiture_tui.ui.presenters.risk import risk_block, risk_end, risk_head
from confiture_tui.ui.presenters.statements import heading
from confiture_tui.ui.presenters.subject import diff_of, facts_pane, report_pane, schema_pane, source_text, unseen
from confiture_tui.ui.presenters.way import way_pane
from confiture_tui.ui.review_panes import COMMANDS, PANES
from confiture_tui.ui.screens.base import ConfitureScreen
from confiture_tui.ui.session import Topic
from confiture_tui.ui.widgets.drawn_line import DrawnLine
from confiture_tui.ui.widgets.migration_list import MigrationList
from confiture_tui.ui.widgets.risk_pane import RiskPane
from confiture_tui.ui.widgets.schema_tree import SchemaTree
from confiture_tui.ui.widgets.sql_view import SqlView
from confiture_tui.ui.widgets.statement_list import StatementList
from confiture_tui.ui.widgets.tab_strip import TabStrip
from confiture_tui.ui.widgets.text_pane import TextPane

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.widget import Widget

    from confiture_tui.core.migrations.status import MigrationStatus
    from confiture_tui.core.risk.model import Risk
    from confiture_tui.service.models import MigrationPreview
    from confiture_tui.ui.widgets.row_list import RowList

_SETTLE_S: Final = 0.05
"""How long the choice must rest before the file is read: holding a key down must not read every file on the way."""


class ReviewScreen(ConfitureScreen):
    """The list of migrations and panes for the chosen one, of which one is chosen on the tab strip.

    On a wide terminal the statements have a place of their own beside the other panes.
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
        self._opened = False

    def body(self) -> ComposeResult:
        """The list beside or above the panes."""
        session, glyphs = self.session, self.confiture.glyphs
        self.notice = TextPane(id="notice")
        self.migrations = MigrationList(session, glyphs, id="migrations")
        self.migrations_title = DrawnLine(
            lambda width: title(session, width, glyphs=glyphs, worst_first=self.migrations.worst_first),
            id="migrations-title",
        )
        self.head = DrawnLine(self._head, id="head")
        self.verdict = DrawnLine(self._verdict, id="verdict")
        self.tabs = TabStrip(PANES, id="tabs")
        self.statements = StatementList(glyphs, id="statement-list")
        self.column_names = DrawnLine(
            lambda _: heading(self.statements.layout_in(self.statements.scrollable_content_region.width)), id="columns"
        )
        self.facts = TextPane(id="facts")
        self.risk = RiskPane(self._risk_block, id="risk-text")
        self.sql = SqlView(id="sql-view")
        self.report = TextPane(id="report-text")
        self.schema_text = TextPane(id="schema-text")
        self.schema = SchemaTree(glyphs, id="schema-tree")
        self.way = TextPane(id="way-text")
        yield self.notice
        with Horizontal(id="review"):
            with Vertical(id="left"):
                yield self.migrations_title
                yield self.migrations
            with Vertical(id="right"):
                yield self.head
                yield self.verdict
                with Container(id="panes"):
                    with Vertical(id="side", classes="-tabs-only"):
                        yield self.tabs
                        yield Vertical(self.risk, id="risk", classes="pane")
                        yield Vertical(self.sql, id="sql", classes="pane")
                        yield Vertical(self.report, id="report", classes="pane")
                        yield Vertical(self.schema_text, self.schema, id="schema", classes="pane")
                        yield Vertical(self.way, id="way", classes="pane")
                    yield Vertical(
                        self.column_names, self.statements, self.facts, id="statements", classes="pane -active"
                    )

    def on_mount(self) -> None:
        """Begin with the statements."""
        super().on_mount()
        self._show_pane("statements")
        self.session_changed(Topic.OPENED)

    def on_resize(self) -> None:
        """A wide terminal has room for the statements beside the other panes; they need no title there."""
        self.call_after_refresh(self._fit_tabs)

    @property
    def _is_wide(self) -> bool:
        return self.has_class("-wide")

    def _fit_tabs(self) -> None:
        titles = {name: words for name, words in PANES.items() if not self._is_wide or name != "statements"}
        self.tabs.retitle(titles)
        if self.tabs.active not in titles:
            self._show_pane("risk")

    # What the session says

    def session_changed(self, topic: Topic) -> None:
        """Redraw what the change concerns."""
        if topic is Topic.PROGRESS:
            self.migrations.refresh()
            self.verdict.refresh()
            self._show_statements(keep=True)
            if self.chosen is not None:
                self.report.show(report_pane(self.chosen.version, self.session, self.confiture.glyphs))
            return
        if topic is Topic.RISK and self.migrations.worst_first:
            self.migrations.reload()
        if topic is Topic.RISK:
            self.migrations_title.refresh()
        if topic in (Topic.OPENED, Topic.MIGRATIONS):
            self._previews.clear()
            self._unreadable.clear()
            self._shown = None
            self._show_notice()
            self.migrations.reload()
            if topic is Topic.MIGRATIONS and not self._opened:
                self._opened = True
                self.migrations.choose_file(self.session.service.settings.file)
            self.migrations_title.refresh()
        self.migrations.refresh()
        self._show_chosen()

    def _show_notice(self) -> None:
        text = notice(self.session, self.confiture.glyphs)
        self.notice.show(text if text is not None else Content(""))
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
        self._show_report(keep=same)

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
            self._show_report(keep=True)

    def _show_statements(self, *, keep: bool) -> None:
        status = self.chosen
        if status is None:
            return
        session, preview = self.session, self._previews.get(status.version)
        progress = (
            session.progress if session.progress is not None and session.progress.version == status.version else None
        )
        statements = preview.statements if preview is not None else ()
        assessment, done = session.assessments.get(status.version), 0
        if assessment is not None and len(assessment.statements) == len(statements):
            statements, done = assessment.statements, assessment.done
        told, result = unseen(status.version, session), session.results.get(status.version)
        self.statements.show(statements, result, progress, keep=keep, unseen=told, done=done)
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
        told = unseen(status.version, self.session)
        done = statement is not None and statement.index <= self.statements.done
        self.facts.show(facts_pane(statement, observed, preview, error, self.confiture.glyphs, told, done=done))
        if statement is not None:
            self.sql.mark(statement.line, statement.line + statement.sql.count("\n"))

    def _show_report(self, *, keep: bool) -> None:
        status = self.chosen
        if status is None:
            return
        session, glyphs, preview = self.session, self.confiture.glyphs, self._previews.get(status.version)
        assessment = session.assessments.get(status.version)
        self.risk.show(
            risk_head(status.version, session, glyphs),
            assessment.risks if assessment is not None else (),
            risk_end(assessment) if assessment is not None else Content(""),
            keep=keep,
        )
        self.report.show(report_pane(status.version, session, glyphs))
        diff = diff_of(status.version, session, preview)
        self.schema_text.show(schema_pane(status.version, session, diff))
        self.schema_text.set_class(bool(diff), "-summary")
        self.schema.display = bool(diff)
        if diff:
            self.schema.show(diff)
        self.way.show(way_pane(status, preview, session, glyphs))

    # In step: a risk, its statement, the line of the SQL

    def _sql_of(self, risk: Risk) -> str | None:
        assessment = self.session.assessments.get(self.chosen.version) if self.chosen is not None else None
        found = (one.sql for one in assessment.statements if one.index == risk.statement) if assessment else iter(())
        return next(found, None)

    def _risk_block(self, risk: Risk, chosen: bool) -> Content:
        return risk_block(risk, self._sql_of(risk), self.confiture.glyphs, chosen=chosen)

    def on_risk_pane_moved(self) -> None:
        """Another risk is chosen: so is its statement."""
        risk = self.risk.chosen
        if risk is not None and risk.statement is not None:
            self.statements.cursor = risk.statement - 1

    def on_sql_view_moved(self, event: SqlView.Moved) -> None:
        """The cursor is on another line: its statement is chosen."""
        at = self.statements.at_line(event.line)
        if at is not None:
            self.statements.cursor = at

    def action_next_risk(self) -> None:
        """The next risk."""
        self._step_risk(1)

    def action_previous_risk(self) -> None:
        """The risk before."""
        self._step_risk(-1)

    def _step_risk(self, step: int) -> None:
        if self.tabs.active != "risk":
            self._show_pane("risk")
        else:
            self.risk.step(step)

    def action_sort_migrations(self) -> None:
        """The worst first, or in order again."""
        self.migrations.worst_first = not self.migrations.worst_first
        self.migrations.reload()
        self.migrations.cursor = 0
        self.migrations_title.refresh()

    def _head(self, width: int) -> Content:
        status = self.chosen
        if status is None:
            return Content("")
        project, preview = self.session.project, self._previews.get(status.version)
        alone = project is not None and project.alone is not None
        return head(status, preview, width=width, glyphs=self.confiture.glyphs, alone=alone)

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
            "schema": self.schema if self.schema.display else self.schema_text,
            "way": self.way,
        }[pane]

    def _show_pane(self, pane: str) -> None:
        if pane not in self.tabs.titles:
            # The statements of a wide terminal are seen already.
            return
        for name in PANES:
            self.query_one(f"#{name}").set_class(name == pane, "-active")
        self.query_one("#side").set_class(pane == "statements", "-tabs-only")
        self.tabs.active = pane
        # The keys stay with the lists that are seen all the time; from within a pane they go on to the next.
        stays = (self.migrations, self.statements) if self._is_wide else (self.migrations,)
        if self.focused is not None and self.focused not in stays:
            self._main_of(pane).focus()

    def _step_pane(self, step: int) -> None:
        names = list(self.tabs.titles)
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
        """From the list into the shown pane, and back; on a wide terminal by way of the statements."""
        round_trip = [self.migrations, *([self.statements] if self._is_wide else []), self._main_of(self.tabs.active)]
        at = round_trip.index(self.focused) if self.focused in round_trip else len(round_trip) - 1
        round_trip[(at + 1) % len(round_trip)].focus()

    # Copying

    def command(self) -> list[str]:
        """What the chosen pane shows."""
        status = self.chosen
        if status is None:
            return ["status"]
        word = COMMANDS[self.tabs.active]
        # Of what is applied there is nothing to be assessed or tried any more.
        return [word if status.state in ("pending", "interrupted") else "preview", status.version]

    def copyables(self) -> list[Copyable]:
        """The risk, the statement, the migration, the review."""
        own = of_review(self.session, self.chosen, self.risk.chosen, self.statements.chosen)
        return [*own, *super().copyables()]

    # Dry runs

    def action_dry_run(self) -> None:
        """Try the chosen migration."""
        if self.chosen is not None:
            self.confiture.dry_runs.start([self.chosen.version])

    def action_dry_run_all(self) -> None:
        """Try every pending migration, in order."""
        self.confiture.dry_runs.start([one.version for one in self.session.statuses if one.state == "pending"])

    def action_cancel(self) -> None:
        """Stop the dry run; without one, back to the list."""
        if self.has_job:
            self.confiture.dry_runs.cancel()
        else:
            self.migrations.focus()

    def action_reload(self) -> None:
        """Read everything again."""
        self.confiture.reading.reload()
