"""What PostgreSQL never rolls back is told: sequences, dead rows, the planner's figures, WAL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from confiture_tui.core.dry_run.executor import DryRunExecutor
from confiture_tui.core.migrations.model import Migration

if TYPE_CHECKING:
    from tests.support.in_place import Target


class TestSequences:
    @pytest.mark.parametrize(
        ("code", "name", "to"),
        [
            ("SELECT nextval('s')", "public.s", "from unused to 1"),
            ("SELECT setval('s', 500)", "public.s", "from unused to 500"),
            ("SELECT setval('t_id_seq', 100, false)", "public.t_id_seq", "from 100 to unused"),
            ("INSERT INTO t (p_id) VALUES (1)", "public.t_id_seq", "from 100 to 101"),
            ("DO $$ BEGIN PERFORM nextval('s'); RAISE division_by_zero; END $$", "public.s", "from unused to 1"),
            (
                "DO $$ BEGIN BEGIN PERFORM nextval('s'); RAISE 'x'; EXCEPTION WHEN OTHERS THEN END; END $$",
                "public.s",
                "from unused to 1",
            ),
            ("INSERT INTO t (p_id) VALUES (99)", "public.t_id_seq", "from 100 to 101"),
            ("SAVEPOINT a; SELECT nextval('s'); ROLLBACK TO a", "public.s", "from unused to 1"),
        ],
    )
    def test_one_that_moved_is_told_and_stays(self, in_place: Target, code: str, name: str, to: str) -> None:
        result = in_place.run(f"{code};")
        told = [text for text in result.proof.exceptions if text.startswith("Sequence")]
        assert len(told) == 1
        assert f"{name} moved {to}" in told[0]
        certain = result.failure is None or result.failure.line is None
        assert ("by the dry run or by another session" not in told[0]) is certain
        assert "another session may have used" in told[0]
        assert in_place.moved == {name}
        assert result.proof.nothing_persisted is True

    @pytest.mark.parametrize(
        "code", ["TRUNCATE t RESTART IDENTITY", "ALTER SEQUENCE s RESTART 7", "DROP TABLE t", "SELECT * FROM s"]
    )
    def test_one_that_came_back_is_not_told(self, in_place: Target, code: str) -> None:
        result = in_place.run(f"{code};")
        assert result.ok, result.failure
        assert in_place.moved == set()
        assert not any(text.startswith("Sequence") for text in result.proof.exceptions)

    def test_one_that_another_session_moved_is_not_ours(self, in_place: Target) -> None:
        in_place.admin.execute("CREATE SEQUENCE busy; GRANT SELECT ON busy TO plain")
        with psycopg.connect(in_place.server.dsn(in_place.name).conninfo(), autocommit=True) as other:

            def meanwhile(_event: object) -> None:
                other.execute("SELECT nextval('busy')")

            result = DryRunExecutor(sink=meanwhile).run(in_place.conn, Migration.from_sql("SELECT nextval('s');"))
        assert [text.split()[1] for text in result.proof.exceptions if text.startswith("Sequence")] == ["public.s"]

    def test_one_that_the_role_may_not_read_is_told_as_used(self, in_place: Target) -> None:
        in_place.admin.execute(
            "CREATE TABLE i (id int GENERATED ALWAYS AS IDENTITY, n int); GRANT INSERT ON i TO plain"
        )
        result = in_place.run("INSERT INTO i (n) VALUES (1);")
        assert result.ok, result.failure
        assert any("public.i_id_seq was used" in text for text in result.proof.exceptions)


class TestWhatStaysOnDisk:
    def test_dead_rows_and_growth_are_told(self, in_place: Target) -> None:
        in_place.admin.execute("INSERT INTO t (p_id, note) SELECT 1, repeat('x', 100) FROM generate_series(1, 2000)")
        result = in_place.run("UPDATE t SET note = note || 'y';")
        (told,) = [text for text in result.proof.exceptions if "dead versions" in text]
        assert "public.t (2,100 rows, grown from" in told
        assert "WAL" in told

    def test_a_failed_statement_may_have_left_some(self, in_place: Target) -> None:
        result = in_place.run("INSERT INTO t (id, p_id) SELECT n, 1 FROM generate_series(1000, 0, -1) n;")
        assert result.failure is not None
        assert any("dead row versions" in text for text in result.proof.exceptions)

    def test_rows_of_before_are_not_counted(self, in_place: Target) -> None:
        """Counters of the session's last transaction that are not reported yet are not this one's."""
        for _n in range(3):
            in_place.conn.execute("INSERT INTO p SELECT max(id) + n FROM p, generate_series(1, 50) n GROUP BY n")
        result = DryRunExecutor().run(in_place.conn, Migration.from_sql("INSERT INTO p VALUES (-1);"))
        assert result.statements[0].rows == 1

    def test_the_planners_figures_that_stay_are_told(self, in_place: Target) -> None:
        in_place.admin.execute("ALTER TABLE t SET (autovacuum_enabled = off)")
        result = in_place.run("ANALYZE t;")
        assert result.ok, result.failure
        assert any("planner's figures of public.t" in text and "100 rows" in text for text in result.proof.exceptions)
        in_place.admin.execute("CREATE TABLE bare (id int); ALTER TABLE bare OWNER TO plain")
        built = in_place.run("CREATE INDEX i ON bare (id);")
        assert any("public.bare" in text and "having indexes" in text for text in built.proof.exceptions)

    def test_wal_of_a_rewrite_is_told(self, in_place: Target) -> None:
        in_place.admin.execute("INSERT INTO t (p_id, note) SELECT 1, repeat('x', 1000) FROM generate_series(1, 3000)")
        result = in_place.run("ALTER TABLE t ALTER COLUMN id TYPE bigint;")
        assert result.ok, result.failure
        assert any("WAL" in text for text in result.proof.exceptions)
