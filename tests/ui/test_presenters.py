from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confiture_tui.core.catalog.diff import AttributeChange, Change, SchemaChange, SchemaDiff
from confiture_tui.core.dry_run.result import DerivedDown, DryRunResult, Outcome, Proof, RoundTrip, Verdict
from confiture_tui.core.effects.lock_modes import LockMode
from confiture_tui.core.effects.model import Basis, Effects, StatementEffects
from confiture_tui.core.hooks.phase import HookPhase
from confiture_tui.core.hooks.result import HookOutcome, HookResult
from confiture_tui.events import Event, EventName, Level
from confiture_tui.ui.glyphs import ASCII, UNICODE, Glyphs, glyphs_for
from confiture_tui.ui.presenters import figures
from confiture_tui.ui.presenters.facts import facts
from confiture_tui.ui.presenters.header import header
from confiture_tui.ui.presenters.log_line import log_line
from confiture_tui.ui.presenters.schema_diff import DiffNode, diff_summary, diff_tree
from confiture_tui.ui.presenters.statements import columns, heading, not_looked, row, summary
from confiture_tui.ui.presenters.verdict import badge_of, report, verdict_line
from confiture_tui.ui.progress import Mark, Progress
from tests.ui import samples

AT = datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC)


class TestHeader:
    @pytest.mark.parametrize("glyphs", [UNICODE, ASCII])
    @given(width=st.integers(14, 220))
    def test_production_is_there_at_every_width(self, glyphs: Glyphs, width: int) -> None:
        line = header(
            samples.project("production", production=True), samples.target(), width=width, waiting="", glyphs=glyphs
        )
        assert "PRODUCTION" in line.plain
        assert line.cell_length <= width

    def test_the_least_important_goes_first(self) -> None:
        project, target = samples.project("staging"), samples.target(read_only=True)
        lines = [header(project, target, width=width, waiting="", glyphs=UNICODE).plain for width in range(100, 25, -1)]
        gone = [next((n for n, line in enumerate(lines) if word not in line), None) for word in WORDS]
        assert gone[0] is None
        later = [number for number in gone[1:] if number is not None]
        assert later == sorted(later, reverse=True)
        assert later[-1] > 0

    def test_the_server_is_named(self) -> None:
        target = samples.target().model_copy(update={"host": "db.example:5432"})
        line = header(samples.project("unnamed"), target, width=100, waiting="", glyphs=UNICODE).plain
        assert "UNNAMED" in line
        assert "shop@db.example:5432" in line

    def test_production_under_another_name_still_says_production(self) -> None:
        line = header(samples.project("eu-1", production=True), None, width=80, waiting="", glyphs=UNICODE)
        assert "PRODUCTION (EU-1)" in line.plain

    def test_without_a_database_it_says_so(self) -> None:
        assert "no database" in header(samples.project(), None, width=80, waiting="", glyphs=UNICODE).plain

    def test_read_only_is_said(self) -> None:
        line = header(samples.project(), samples.target(read_only=True), width=100, waiting="", glyphs=UNICODE)
        assert "read-only" in line.plain


WORDS = ["STAGING", "read-only", "shop", "jam-shop", "18.6", "shop_owner", "Confiture"]


class TestFigures:
    @pytest.mark.parametrize(
        ("milliseconds", "text"),
        [
            (0.04, "0.0 ms"),
            (1.25, "1.2 ms"),
            (9.96, "10 ms"),
            (812.4, "812 ms"),
            (999.6, "1.0 s"),
            (59_960, "1 min 00 s"),
            (125_000, "2 min 05 s"),
            (3_720_000, "1 h 02 min"),
        ],
    )
    def test_durations(self, milliseconds: float, text: str) -> None:
        assert figures.duration(milliseconds) == text

    @pytest.mark.parametrize(
        ("count", "text"),
        [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (25_165_824, "24.0 MiB"), (2**41, "2.0 TiB")],
    )
    def test_sizes(self, count: int, text: str) -> None:
        assert figures.size(count) == text

    def test_counts(self) -> None:
        assert figures.counted(1, "row") == "1 row"
        assert figures.counted(12_345, "row") == "12,345 rows"


class TestVerdict:
    @pytest.mark.parametrize(
        ("result", "word"),
        [
            (samples.safe_result(), "ok"),
            (samples.rewrite_result(), "rewrites"),
            (samples.blocks_result(), "blocks"),
            (samples.failed_result(), "fails"),
        ],
    )
    @pytest.mark.parametrize("glyphs", [UNICODE, ASCII])
    def test_the_badge_is_sign_and_word(self, result: DryRunResult, word: str, glyphs: Glyphs) -> None:
        badge = badge_of(result, glyphs)
        assert badge.word == word
        assert badge.content.plain == f"{badge.sign} {word}"

    def test_a_brief_lock_alone_does_not_block(self) -> None:
        brief = samples.observation(samples.REWRITE_SQL, locks=(samples.lock("a.b", LockMode.ACCESS_EXCLUSIVE),))
        assert badge_of(samples.result("1", "x", brief), UNICODE).word == "ok"

    def test_a_scan_after_a_lock_blocks_only_in_the_same_transaction(self) -> None:
        locks = samples.observation(samples.SAFE_SQL, 1, locks=(samples.lock("a.b", LockMode.ACCESS_EXCLUSIVE),))
        scans = samples.observation(samples.SAFE_SQL, 2, scans=("a.c",))
        assert badge_of(samples.result("1", "x", locks, scans), UNICODE).word == "blocks"
        assert badge_of(samples.result("1", "x", locks, scans, wrapping="none"), UNICODE).word == "ok"

    @pytest.mark.parametrize("verdict", Verdict)
    def test_every_verdict_has_a_badge(self, verdict: Verdict) -> None:
        assert badge_of(samples.result("1", "x", verdict=verdict), UNICODE).word

    def test_the_line_of_a_failure_says_where_and_why(self) -> None:
        line = verdict_line(samples.failed_result(), UNICODE).plain
        assert "statement 1, line 1" in line
        assert "SQLSTATE 23505" in line
        assert "could not create unique index" in line

    @pytest.mark.parametrize(
        ("kept", "words"), [(True, "nothing stayed"), (False, "SOMETHING STAYED"), (None, "not proved")]
    )
    def test_it_says_whether_anything_stayed(self, kept: bool | None, words: str) -> None:
        result = samples.result("1", "x", proof=Proof(nothing_persisted=kept))
        assert words in verdict_line(result, UNICODE).plain

    def test_the_report_has_everything(self) -> None:
        text = report(
            samples.failed_result().model_copy(
                update={
                    "round_trip": RoundTrip(schema_proved=False, differences=("column order of shop.w_orders",)),
                    "proof": Proof(
                        nothing_persisted=True, checks=("fingerprints are equal",), exceptions=("a sequence moved",)
                    ),
                }
            ),
            UNICODE,
        ).plain
        for words in (
            "SQLSTATE 23505",
            "Key (tenant_id, email)=(3, jam@example.org) is duplicated.",
            "shop.w_customers_email_key",
            "CREATE INDEX CONCURRENTLY cannot run in a transaction",
            "fingerprints are equal",
            "stayed: a sequence moved",
            "the schema does not come back",
            "column order of shop.w_orders",
        ):
            assert words in text

    def test_hooks_and_a_derived_way_back_are_shown(self) -> None:
        hooks = (
            HookResult(hook="fill", phase=HookPhase.AFTER_DDL, rows_affected=9),
            HookResult(
                hook="post", phase=HookPhase.CLEANUP, outcome=HookOutcome.NOT_EXERCISED, error="outside the database"
            ),
        )
        derived = DerivedDown(sql="DROP INDEX shop.[b]x[/b];\n", round_trip=RoundTrip(schema_proved=True))
        update = {"hooks": hooks, "derived_down": derived}
        text = report(samples.result("1", "x").model_copy(update=update), UNICODE).plain
        for words in (
            "fill (AFTER_DDL)",
            "9 rows",
            "post (CLEANUP)",
            "not exercised",
            "outside the database",
            "There is no down file; this one was derived",
            "DROP INDEX shop.[b]x[/b];",
            "the schema comes back",
        ):
            assert words in text

    def test_what_was_not_run_says_why(self) -> None:
        skipped = samples.observation(
            samples.SAFE_SQL, 2, basis=None, outcome=Outcome.NOT_RUN, reason="an earlier statement failed"
        )
        assert "an earlier statement failed" in report(samples.result("1", "x", skipped), UNICODE).plain


class TestStatements:
    def test_what_nobody_looked_at_says_so(self) -> None:
        statement = StatementEffects(index=1, line=1, tag="SELECT", sql="SELECT 1")
        layout = columns(80, 1, 1, 6)
        assert not_looked() in row(statement, None, layout, glyphs=UNICODE).plain
        assert not_looked() in facts(statement, None, UNICODE).plain

    def test_none_and_not_seen_are_not_the_same(self) -> None:
        seen = samples.observation(samples.SAFE_SQL, 1, scans=(), builds=None)
        text = facts(seen, seen, UNICODE).plain
        lines = text.splitlines()
        assert "not seen   builds" in lines
        assert "none       rewrites, scans, rebuilds, creates, drops, invalid" in lines

    def test_locks_that_were_not_seen_are_not_none(self) -> None:
        assert "locks not seen" in summary(samples.observation(samples.SAFE_SQL, 1, locks=None), UNICODE).plain
        assert "no lock" in summary(samples.observation(samples.SAFE_SQL, 1, locks=()), UNICODE).plain

    def test_the_strongest_lock_is_the_one_shown(self) -> None:
        locks = (samples.lock("a.weak", LockMode.SHARE), samples.lock("a.strong", LockMode.ACCESS_EXCLUSIVE))
        text = summary(samples.observation(samples.SAFE_SQL, 1, locks=locks), UNICODE).plain
        assert "ACCESS EXCLUSIVE a.strong" in text
        assert "and 1 more" in text

    @pytest.mark.parametrize(
        "field", ["rewrites", "scans", "builds", "rebuilds", "creates", "drops", "invalid_indexes"]
    )
    def test_every_list_of_effects_is_shown(self, field: str) -> None:
        assert field in Effects.model_fields
        seen = samples.observation(samples.SAFE_SQL, 1, **{field: ("shop.the_one",)})
        assert "shop.the_one" in facts(seen, seen, UNICODE).plain
        assert "shop.the_one" in summary(seen, UNICODE).plain

    @given(
        width=st.integers(40, 200),
        count=st.integers(1, 10_000),
        last=st.integers(1, 100_000),
        tag=st.integers(1, 40),
    )
    def test_rows_and_heading_have_the_width_of_the_table(self, width: int, count: int, last: int, tag: int) -> None:
        layout = columns(width, count, last, tag)
        seen = samples.observation(samples.SAFE_SQL, 2, locks=(samples.lock("shop.w_orders", LockMode.SHARE),))
        lengths = {
            heading(layout).cell_length,
            row(seen, seen, layout, glyphs=UNICODE).cell_length,
            row(seen, None, layout, glyphs=UNICODE).cell_length,
            row(seen, seen, layout, glyphs=UNICODE, mark=Mark.RUNNING).cell_length,
        }
        assert lengths == {width} or layout.what == 8
        assert "statement " in heading(layout).plain

    def test_a_predicted_effect_is_shown_as_such(self) -> None:
        statement = StatementEffects(
            index=1, line=1, tag="X", sql="X", basis=Basis.CATALOG, locks=(samples.lock("a.b", LockMode.SHARE),)
        )
        assert "read from the text and the catalog" in facts(statement, None, UNICODE).plain


def tree_text(diff: SchemaDiff) -> str:
    def lines(node: DiffNode, depth: int) -> list[str]:
        own = "  " * depth + "".join(text for text, _style in node.parts)
        return [own, *(line for child in node.children for line in lines(child, depth + 1))]

    return "\n".join(line for node in diff_tree(diff, UNICODE) for line in lines(node, 0))


class TestSchemaDiff:
    def test_the_parts_of_a_relation_are_below_it(self) -> None:
        column = SchemaChange(
            change=Change.ADDED,
            kind="column",
            name="a.t.c",
            parent="a.t",
            attributes=(AttributeChange(attribute="definition", before=None, after="c bigint"),),
        )
        table = SchemaChange(change=Change.CHANGED, kind="table", name="a.t")
        assert tree_text(SchemaDiff(changes=(column,))) == "a.t\n  + column c  c bigint"
        assert tree_text(SchemaDiff(changes=(column, table))) == "~ table a.t\n  + column c  c bigint"

    def test_of_a_long_text_what_stays_is_told_once(self) -> None:
        before, after = "SELECT a,\n  b\nFROM t", "SELECT a,\n  c\nFROM t"
        view = SchemaChange(
            change=Change.CHANGED,
            kind="view",
            name="a.v",
            attributes=(AttributeChange(attribute="definition", before=before, after=after),),
        )
        lines = tree_text(SchemaDiff(changes=(view,))).splitlines()
        assert lines == ["~ view a.v", "    SELECT a,", "  -   b", "  +   c", "    FROM t"]

    def test_the_same_schema(self) -> None:
        assert "same before and after" in diff_summary(SchemaDiff()).plain

    def test_each_change_with_before_and_after(self) -> None:
        diff = SchemaDiff(
            changes=(
                SchemaChange(change=Change.ADDED, kind="index", name="a.i"),
                SchemaChange(change=Change.REMOVED, kind="view", name="a.v"),
                SchemaChange(
                    change=Change.CHANGED,
                    kind="column",
                    name="a.t.c",
                    attributes=(AttributeChange(attribute="type", before="integer", after="bigint"),),
                ),
            )
        )
        assert diff_summary(diff).plain == "adds 1 object, removes 1 object, changes 1 object"
        text = tree_text(diff)
        assert "+ index a.i" in text
        assert "- view a.v" in text
        assert "- type: integer" in text
        assert "+ type: bigint" in text


class TestLogLine:
    @pytest.mark.parametrize("level", Level)
    @pytest.mark.parametrize("glyphs", [UNICODE, ASCII])
    def test_the_level_is_a_word_and_a_sign(self, level: Level, glyphs: Glyphs) -> None:
        text = log_line(Event(name=EventName.CONNECTED, message="hello", level=level, at=AT), width=80, glyphs=glyphs)
        assert f"{getattr(glyphs, level.word)} {level.word}" in text.plain
        assert "connected hello" in text.plain

    def test_what_else_there_is(self) -> None:
        event = Event(
            name=EventName.STATEMENT_COMPLETED, message="ran", migration="007", duration_ms=41.0, at=AT, statement=2
        )
        assert log_line(event, width=80, glyphs=UNICODE).plain == (
            "03:04:05 • info    007 statement_completed ran  41 ms"
        )

    def test_one_event_is_one_line(self) -> None:
        text = log_line(Event(name=EventName.CONNECTED, message="a\nb\r\nc", at=AT), width=80, glyphs=UNICODE).plain
        assert "\n" not in text

    def test_a_huge_message_is_cut(self) -> None:
        assert (
            len(log_line(Event(name=EventName.CONNECTED, message="x" * 10**6, at=AT), width=80, glyphs=UNICODE)) < 5_000
        )


class TestProgress:
    def test_statements_are_marked_as_they_run(self) -> None:
        progress = Progress("007")
        for name, statement in (
            (EventName.STATEMENT_START, 1),
            (EventName.STATEMENT_COMPLETED, 1),
            (EventName.STATEMENT_START, 2),
        ):
            assert progress.apply(event(name, statement=statement, phase="verdict"))
        assert progress.marks == {1: Mark.RAN, 2: Mark.RUNNING}
        assert "verdict" in progress.step

    def test_the_next_pass_begins_again(self) -> None:
        progress = Progress("007")
        progress.apply(event(EventName.STATEMENT_FAILED, statement=1, phase="verdict"))
        progress.apply(event(EventName.PASS_STARTED, phase="observation"))
        assert progress.marks == {}
        assert progress.phase == "observation"

    def test_other_migrations_do_not_count(self) -> None:
        progress = Progress("007")
        assert not progress.apply(event(EventName.STATEMENT_START, statement=1, phase="verdict", migration="008"))
        assert progress.marks == {}


def event(name: EventName, *, migration: str = "007", statement: int | None = None, phase: str | None = None) -> Event:
    return Event(name=name, message="", migration=migration, statement=statement, phase=phase)


class TestGlyphs:
    @pytest.mark.parametrize(
        ("environ", "fancy"),
        [
            ({"LANG": "en_US.UTF-8"}, True),
            ({"LANG": "de_DE.utf8"}, True),
            ({"LANG": "C"}, False),
            ({"LC_ALL": "POSIX", "LANG": "en_US.UTF-8"}, False),
            ({"LANG": "en_US.ISO-8859-1"}, False),
            ({"LANG": "en_US.UTF-8", "TERM": "dumb"}, False),
        ],
    )
    def test_the_table_is_chosen_by_what_the_terminal_can_show(self, environ: dict[str, str], fancy: bool) -> None:
        assert glyphs_for(environ).fancy is fancy

    def test_the_plain_table_is_ascii(self) -> None:
        for name in Glyphs.__slots__:
            assert str(getattr(ASCII, name)).isascii(), name

    def test_signs_are_one_cell_wide(self) -> None:
        from rich.cells import cell_len

        for name in set(Glyphs.__slots__) - {"fancy"}:
            assert cell_len(getattr(UNICODE, name)) == 1, name
