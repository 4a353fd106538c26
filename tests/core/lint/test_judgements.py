"""Where one rule judges in more than one way: what it lets pass, and what it holds for worse or for less."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from confiture_tui.core.catalog import Catalog
from confiture_tui.core.lint.config import LintConfig, RuleSettings
from confiture_tui.core.lint.linter import SchemaLinter
from confiture_tui.database.connection import connect

if TYPE_CHECKING:
    import psycopg

    from confiture_tui.database.dsn import Dsn

CASES: dict[str, tuple[str, str, dict[str, Any], set[tuple[str, str]]]] = {
    "an index of the rows that have a value is enough for a foreign key, and partial all the same": (
        "missing-index",
        "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY, a_id int REFERENCES a,"
        " c_id int REFERENCES a, d_id int REFERENCES a); CREATE INDEX ON b (a_id) WHERE a_id IS NOT NULL;"
        "CREATE INDEX ON b (c_id) WHERE id IS NOT NULL; CREATE INDEX ON b USING hash (d_id)",
        {},
        {("public.b.b_a_id_fkey", "info"), ("public.b.b_c_id_fkey", "warning")},
    ),
    "an index with the keys of a unique one is of no use": (
        "redundant-index",
        "CREATE TABLE t (id int PRIMARY KEY, a int UNIQUE, b int); CREATE INDEX t_a ON t (a);"
        "CREATE INDEX t_b ON t (b); CREATE INDEX t_b_with ON t (b) INCLUDE (a); CREATE INDEX t_b_again ON t (b)",
        {},
        {("public.t_a", "info"), ("public.t_b", "info"), ("public.t_b_again", "info")},
    ),
    "of two equal indexes the one that a foreign key rests on stays": (
        "duplicate-index",
        "CREATE TABLE a (id int PRIMARY KEY, n int); CREATE UNIQUE INDEX a_1 ON a (n);"
        "CREATE UNIQUE INDEX a_2 ON a (n); CREATE TABLE b (id int PRIMARY KEY, n int REFERENCES a (n));"
        "UPDATE pg_constraint SET conindid = 'a_2'::regclass WHERE conname = 'b_n_fkey'",
        {},
        {("public.a_1", "warning")},
    ),
    "the key of a table that never changes can be left out": (
        "missing-index",
        "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY, a_id int REFERENCES a)",
        {"ignore_unchanging_references": True},
        set(),
    ),
    "a secret that everybody may read is an error": (
        "security",
        "CREATE TABLE a (id int PRIMARY KEY, password char(20), api_token text, api_secret text, password_hash text,"
        ' is_secret boolean, "apiKey" text); GRANT SELECT ON a TO PUBLIC;'
        "CREATE TABLE b (id int PRIMARY KEY, token text, secret bytea, reset_password_at date, password varchar(255))",
        {},
        {
            ("public.a.password", "error"),
            ("public.a.api_token", "error"),
            ("public.a.api_secret", "error"),
            ('public.a."apiKey"', "error"),
        },
    ),
    "a password with room for a hash is told when asked for": (
        "security",
        "CREATE TABLE b (id int PRIMARY KEY, password varchar(255))",
        {"report_unclear": True},
        {("public.b.password", "info")},
    ),
    "a view that others may read is worse": (
        "view-not-security-invoker",
        "CREATE TABLE t (id int PRIMARY KEY); ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE VIEW v AS TABLE t;"
        "CREATE VIEW w AS TABLE v; GRANT SELECT ON w TO PUBLIC; CREATE VIEW other AS SELECT 1 AS x",
        {},
        {("public.v", "info"), ("public.w", "warning")},
    ),
    "unlogged in production is an error": (
        "unlogged-table",
        "CREATE UNLOGGED TABLE t (id int PRIMARY KEY)",
        {"production": True},
        {("public.t", "error")},
    ),
    "a table with a key that could be the primary one is only a warning": (
        "primary-key",
        "CREATE TABLE a (id int); CREATE TABLE b (id int NOT NULL UNIQUE); CREATE TABLE c (id int UNIQUE);"
        "CREATE UNLOGGED TABLE d (id int); CREATE TABLE schema_migrations (version text);"
        "CREATE TABLE e (id int NOT NULL UNIQUE DEFERRABLE)",
        {"allow_unlogged": True},
        {("public.a", "error"), ("public.b", "warning"), ("public.c", "error"), ("public.e", "error")},
    ),
    "columns are asked for a comment when the settings say so": (
        "documentation",
        "CREATE TABLE a (id int PRIMARY KEY, b_id int, colour text, size int); COMMENT ON TABLE a IS 'Jars.';"
        "COMMENT ON COLUMN a.size IS 'Size'; COMMENT ON COLUMN a.colour IS 'What it looks like.'",
        {"columns": "all"},
        {("public.a.size", "info")},
    ),
    "half of the numbers gone is an error": (
        "int-primary-key",
        "CREATE TABLE a (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY); CREATE TABLE b (id serial PRIMARY KEY);"
        "CREATE TABLE c (id int PRIMARY KEY); CREATE TABLE d (id int PRIMARY KEY REFERENCES c);"
        "SELECT setval('a_id_seq', 2000000000)",
        {},
        {("public.a.id", "error"), ("public.b.id", "warning"), ("public.c.id", "info")},
    ),
    "a sequence that its column outgrows is near its end": (
        "sequence-exhaustion",
        "CREATE TABLE a (id int PRIMARY KEY DEFAULT 1); CREATE SEQUENCE s OWNED BY a.id;"
        "SELECT setval('s', 2000000000);"
        "CREATE SEQUENCE down INCREMENT -1 MINVALUE -100 MAXVALUE -1; SELECT setval('down', -85)",
        {},
        {("public.s", "error"), ("public.down", "warning")},
    ),
    "what belongs to an extension is nobody's to mend": (
        "documentation",
        "CREATE EXTENSION citext; CREATE EXTENSION hstore",
        {"kinds": ["functions", "types", "tables"]},
        set(),
    ),
    "partitions are told of by their parent": (
        "primary-key",
        "CREATE TABLE p (id int) PARTITION BY LIST (id); CREATE TABLE p_1 PARTITION OF p FOR VALUES IN (1)",
        {},
        {("public.p", "error")},
    ),
    "columns of a foreign key may be wider, and behind a domain": (
        "fk-type-mismatch",
        "CREATE DOMAIN key AS bigint; CREATE TABLE a (id key PRIMARY KEY);"
        "CREATE TABLE s (code varchar(10) PRIMARY KEY);"
        "CREATE TABLE b (id int PRIMARY KEY, a_id bigint REFERENCES a, s text REFERENCES s, n int REFERENCES a,"
        " t varchar(5) REFERENCES s, u varchar(20) REFERENCES s)",
        {},
        {("public.b.b_n_fkey", "error"), ("public.b.b_t_fkey", "error")},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_judgement(case: str, conn: psycopg.Connection[Any]) -> None:
    rule, sql, options, expected = CASES[case]
    conn.execute(sql.encode())
    config = LintConfig(rules={rule: RuleSettings(options=options)}, select=(rule,), plugins=False)
    report = SchemaLinter(config).run(Catalog.load(conn))
    assert {(one.object, str(one.severity)) for one in report.violations} == expected


def test_an_index_that_is_being_built_is_no_finding(conn: psycopg.Connection[Any], database: Dsn) -> None:
    conn.execute("CREATE TABLE t (id int PRIMARY KEY); CREATE INDEX t_ccnew ON t (id)")
    conn.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 't_ccnew'::regclass")
    config = LintConfig(select=("invalid-index", "leftover-artifact"), plugins=False)

    def found() -> set[str]:
        return {one.object for one in SchemaLinter(config).run(Catalog.load(conn)).violations}

    def build() -> None:
        with connect(database) as other:
            other.execute("CREATE INDEX CONCURRENTLY t_new ON t (id)")

    with connect(database) as writer:
        writer.execute("BEGIN; INSERT INTO t VALUES (1)")
        thread = threading.Thread(target=build, daemon=True)
        thread.start()
        while conn.execute("SELECT 1 FROM pg_index WHERE indexrelid = to_regclass('t_new')").fetchone() is None:
            pass
        assert found() == set()
        writer.execute("ROLLBACK")
        thread.join(30)
    assert found() == {"public.t_ccnew"}
