"""Will it fail on my data? The questions, asked of real rows, and what the server then really says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from confiture_tui.core.catalog import Catalog
from confiture_tui.core.effects.simulation import simulate
from confiture_tui.core.migrations.model import Migration
from confiture_tui.core.risk.harmless import condition_after, is_harmless
from confiture_tui.core.risk.probes import Prober, ProbeResult
from confiture_tui.core.risk.questions import questions_of
from confiture_tui.database.connection import connect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from confiture_tui.core.effects.forecast import Forecast
    from confiture_tui.database.dsn import Dsn

Connection = psycopg.Connection[tuple[object, ...]]

TABLES = """
CREATE SCHEMA "Odd ""one";
CREATE TABLE "Odd ""one"."t t" ("a.b" int, "CHECK" text);
INSERT INTO "Odd ""one"."t t" VALUES (NULL, 'x'), (1, 'y'), (1, 'y');
CREATE TABLE parent (id int PRIMARY KEY, other int UNIQUE);
CREATE TABLE child (id int, parent_id int, grand int, word text, number bigint, price numeric(10, 2), at date);
CREATE TABLE empty (v int);
INSERT INTO parent VALUES (1, 10), (2, 20);
INSERT INTO child VALUES
  (1, 1, 10, 'one', 1, 1.25, '2020-01-01'), (2, 2, 20, 'two', 2, 2, '2020-01-01'),
  (3, NULL, NULL, 'three', 3, 12345.75, '2020-01-01'), (3, 7, 20, NULL, 5000000000, 3, '2020-01-01');
ALTER TABLE child ADD CONSTRAINT later CHECK (id < 3) NOT VALID;
ALTER TABLE child ADD CONSTRAINT fine CHECK (id < 30) NOT VALID;
ALTER TABLE child ADD CONSTRAINT pointing FOREIGN KEY (parent_id) REFERENCES parent NOT VALID;
CREATE FUNCTION judge(int) RETURNS bool LANGUAGE plpgsql AS 'BEGIN RETURN true; END';
CREATE TYPE mood AS ENUM ('one', 'two');
CREATE DOMAIN short AS text;
CREATE TABLE speaks (s short);
INSERT INTO speaks VALUES (NULL), ('loud');
CREATE TABLE split (id int, v int) PARTITION BY RANGE (id);
CREATE TABLE split_1 PARTITION OF split FOR VALUES FROM (0) TO (100);
INSERT INTO split VALUES (1, NULL);
CREATE TABLE child_like (id int, v int);
INSERT INTO child_like VALUES (200, 1), (2000, 2);
CREATE TABLE years (id int, at timestamptz) PARTITION BY RANGE (at);
CREATE TABLE other_years PARTITION OF years DEFAULT;
CREATE TABLE year (id int, at timestamptz);
INSERT INTO year VALUES (1, '2026-01-01 00:30+02');
INSERT INTO other_years VALUES (1, '2028-06-01 12:00+00');
CREATE TABLE colours (id int, colour text) PARTITION BY LIST (colour);
CREATE TABLE reds (id int, colour text);
INSERT INTO reds VALUES (1, 'it''s red'), (2, NULL);
CREATE TABLE several (id int, v int) PARTITION BY RANGE (id, v);
CREATE TABLE hashed (id int, v int) PARTITION BY HASH (id);
CREATE TABLE loose (id int, v int);
CREATE TABLE names (name text) PARTITION BY RANGE (name);
CREATE TABLE named (name text);
"""

FAILING = [
    ("ALTER TABLE child ALTER parent_id SET NOT NULL", "23502"),
    ('ALTER TABLE "Odd ""one"."t t" ALTER "a.b" SET NOT NULL', "23502"),
    ('ALTER TABLE "Odd ""one"."t t" ADD UNIQUE ("a.b")', "23505"),
    ('ALTER TABLE "Odd ""one"."t t" ADD CHECK ("CHECK" <> \'y\')', "23514"),
    ("ALTER TABLE child ADD PRIMARY KEY (word)", "23502"),
    ("ALTER TABLE child ADD CONSTRAINT u UNIQUE (id)", "23505"),
    ("CREATE UNIQUE INDEX ON child (id)", "23505"),
    ("CREATE UNIQUE INDEX CONCURRENTLY u ON child (id)", "23505"),
    ("ALTER TABLE child ADD FOREIGN KEY (parent_id) REFERENCES parent", "23503"),
    ("ALTER TABLE child ADD FOREIGN KEY (parent_id, grand) REFERENCES wide", "23503"),
    ("ALTER TABLE child ADD CHECK (id < 3)", "23514"),
    ("ALTER TABLE child ADD CONSTRAINT c CHECK (child.id < 3 /* ) */ AND word <> ')')", "23514"),
    ("ALTER TABLE child VALIDATE CONSTRAINT later", "23514"),
    ("ALTER TABLE child VALIDATE CONSTRAINT pointing", "23503"),
    ("ALTER TABLE child ADD COLUMN c int NOT NULL", "23502"),
    ("ALTER TABLE split ALTER v SET NOT NULL", "23502"),
    ("ALTER DOMAIN short SET NOT NULL", "23502"),
    ("ALTER DOMAIN short ADD CONSTRAINT c CHECK (VALUE <> 'loud')", "23514"),
    ("ALTER TABLE child ADD COLUMN c int DEFAULT 3 CHECK (c < id)", "23514"),
    ("ALTER TABLE child ADD COLUMN c text CHECK (c IS NOT NULL)", "23514"),
    ("CREATE UNIQUE INDEX ON child (lower(left(word, 1)) DESC NULLS LAST) WHERE id <> 7 -- of some", "23505"),
    ("CREATE UNIQUE INDEX ON child ((id % 2), at) WHERE word IS NOT NULL", "23505"),
    ("ALTER TABLE split ATTACH PARTITION child_like FOR VALUES FROM (100) TO (200)", "23514"),
    ("ALTER TABLE years ATTACH PARTITION year FOR VALUES FROM ('2026-01-01 00:00+02') TO ('2029-01-01')", "23514"),
    ("ALTER TABLE years ATTACH PARTITION year FOR VALUES FROM ('2026-01-01 00:00+01') TO ('2027-01-01')", "23514"),
    ("ALTER TABLE colours ATTACH PARTITION reds FOR VALUES IN ('it''s red', 'blue')", "23514"),
]
PASSING = [
    ("ALTER TABLE child ALTER id SET NOT NULL", "23502"),
    ("ALTER TABLE child ADD UNIQUE (id, parent_id, word)", "23505"),
    ("ALTER TABLE child ADD FOREIGN KEY (grand) REFERENCES parent (other)", "23503"),
    ("ALTER TABLE child ADD CHECK (length(word) < 100 AND id > 0)", "23514"),
    ("ALTER TABLE child VALIDATE CONSTRAINT fine", "23514"),
    ("ALTER TABLE empty ADD COLUMN c int NOT NULL", "23502"),
    ("CREATE UNIQUE INDEX ON child (lower(word), (id / 2))", "23505"),
    ("CREATE UNIQUE INDEX ON child (id) WHERE id < 3", "23505"),
    ("ALTER TABLE colours ATTACH PARTITION reds FOR VALUES IN ('it''s red', NULL)", "23514"),
    ("ALTER TABLE split ATTACH PARTITION child_like FOR VALUES FROM (200) TO (MAXVALUE)", "23514"),
    ("ALTER TABLE split ALTER id SET NOT NULL", "23502"),
    ("ALTER DOMAIN short ADD CONSTRAINT c CHECK (length(VALUE) < 9)", "23514"),
    ("ALTER TABLE child ADD COLUMN c int CHECK (c > 0)", "23514"),
    ("ALTER TABLE child ADD COLUMN c text DEFAULT 'it''s' CHECK (c <> '' AND child.id > 0)", "23514"),
]
TYPES_FAILING = [
    "ALTER TABLE child ALTER word TYPE varchar(3)",
    "ALTER TABLE child ALTER number TYPE int",
    "ALTER TABLE child ALTER price TYPE numeric(5, 2)",
    "ALTER TABLE child ALTER price TYPE numeric(4, 0)",
    "ALTER TABLE child ALTER word TYPE mood USING word::mood",
]
TYPES_PASSING = [
    "ALTER TABLE child ALTER word TYPE varchar(5)",
    "ALTER TABLE child ALTER id TYPE smallint",
    "ALTER TABLE child ALTER price TYPE numeric(9, 2)",
    "ALTER TABLE child ALTER price TYPE int",
    "ALTER TABLE child ALTER at TYPE timestamp",
]


@pytest.fixture
def shop(database_from: Callable[[str], Dsn]) -> Iterator[Connection]:
    with connect(database_from(TABLES)) as conn:
        yield conn


def forecasts(conn: Connection, sql: str) -> tuple[Catalog, tuple[Forecast, ...]]:
    catalog = Catalog.load(conn)
    return catalog, simulate(Migration.from_sql(sql), catalog=catalog).forecasts


def asked(conn: Connection, sql: str, *changed: str) -> tuple[ProbeResult, ...]:
    catalog, found = forecasts(conn, sql)
    return Prober(conn).ask(questions_of(found[-1], catalog, lambda name: name in changed))


def fails_on(conn: Connection, sql: str) -> str | None:
    """What the server says when the statement is tried (and taken back)."""
    try:
        if "CONCURRENTLY" in sql:
            sql = sql.replace("CONCURRENTLY", "")
        with conn.transaction(force_rollback=True):
            conn.execute(sql.encode())
    except psycopg.Error as error:
        return error.sqlstate
    return None


@pytest.mark.parametrize(("sql", "sqlstate"), FAILING)
def test_it_will_fail_and_it_does(shop: Connection, sql: str, sqlstate: str) -> None:
    if "wide" in sql:
        shop.execute("CREATE TABLE wide (a int, b int, PRIMARY KEY (b, a)); INSERT INTO wide VALUES (10, 1)")
    answers = asked(shop, sql)
    assert sqlstate in [each.sqlstate for each in answers if each.found], answers
    assert fails_on(shop, sql) == sqlstate


@pytest.mark.parametrize(("sql", "sqlstate"), PASSING)
def test_it_will_not_fail_and_does_not(shop: Connection, sql: str, sqlstate: str) -> None:
    answers = asked(shop, sql)
    assert [(each.sqlstate, each.found) for each in answers] == [(sqlstate, False)], answers
    assert fails_on(shop, sql) is None


@pytest.mark.parametrize("sql", TYPES_FAILING)
def test_values_that_do_not_fit_a_new_type(shop: Connection, sql: str) -> None:
    (answer,) = asked(shop, sql)
    assert answer.found is True, answer
    assert (fails_on(shop, sql) or "").startswith("22")


@pytest.mark.parametrize("sql", TYPES_PASSING)
def test_values_that_fit_a_new_type(shop: Connection, sql: str) -> None:
    (answer,) = asked(shop, sql)
    assert answer.found is False, answer
    assert fails_on(shop, sql) is None


@pytest.mark.parametrize(
    ("sql", "why_not"),
    [
        ("ALTER TABLE child ADD CHECK (public.judge(id))", "code of the user's own"),
        ("ALTER TABLE child ADD CHECK (judge(id))", "code of the user's own"),
        ("ALTER TABLE child ADD CHECK (pg_catalog.pg_sleep(1) IS NOT NULL)", "code of the user's own"),
        ("ALTER TABLE child ADD CHECK (id OPERATOR(public.=) 1)", "code of the user's own"),
        ("ALTER TABLE missing ALTER id SET NOT NULL", "not in the catalog"),
        ("ALTER TABLE child ALTER missing SET NOT NULL", "not in the catalog"),
        ("CREATE UNIQUE INDEX ON child (judge(id))", "code of the user's own"),
        ("CREATE UNIQUE INDEX ON child (id) WHERE judge(id)", "code of the user's own"),
        ('CREATE UNIQUE INDEX ON child (word COLLATE "C")', "collation"),
        ("CREATE UNIQUE INDEX ON child (word text_pattern_ops)", "operator class"),
        ("ALTER TABLE several ATTACH PARTITION loose FOR VALUES FROM (1, 1) TO (2, 2)", "the bound"),
        ("ALTER TABLE hashed ATTACH PARTITION loose FOR VALUES WITH (MODULUS 2, REMAINDER 0)", "the bound"),
        ("ALTER TABLE names ATTACH PARTITION named FOR VALUES FROM ('a') TO ('z')", "the bound"),
        ("ALTER TABLE child ADD EXCLUDE USING btree (id WITH =)", "not probed"),
        ("ALTER TABLE child ALTER word TYPE varchar(2) USING left(word, 2)", "not probed"),
    ],
)
def test_what_is_not_asked_says_why(shop: Connection, sql: str, why_not: str) -> None:
    (answer,) = asked(shop, sql)
    assert answer.found is None
    assert why_not in (answer.why_not or "")


@pytest.mark.parametrize(
    "sql",
    [
        "ALTER TABLE child ADD CHECK (id < 3) NOT VALID",
        "ALTER TABLE child ADD FOREIGN KEY (parent_id) REFERENCES parent NOT VALID",
        "ALTER TABLE child ADD COLUMN c int",
        "ALTER TABLE child ADD COLUMN c int NOT NULL DEFAULT 1",
        "ALTER TABLE child DROP COLUMN word",
        "CREATE INDEX ON child (id)",
        "SELECT 1",
    ],
)
def test_what_no_data_decide_raises_no_question(shop: Connection, sql: str) -> None:
    assert [each for each in asked(shop, sql) if each.found is not None] == []


def test_values_that_change_before_are_not_asked_for(shop: Connection) -> None:
    (answer,) = asked(shop, "ALTER TABLE child ALTER id SET NOT NULL", "public.child")
    assert (answer.found, answer.why_not) == (None, "statements before it change the data")


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("CHECK (a > 1)", "a > 1"),
        ("CHECK (((a) > (1))) NOT VALID", "((a) > (1))"),
        ("CONSTRAINT \"check (\" CHECK (a = ')' AND b = $x$)$x$)", "a = ')' AND b = $x$)$x$"),
        ("CHECK /* ( */ (a)", "a"),
        ("UNIQUE (a)", None),
        ("CHECK (a", None),
    ],
)
def test_the_condition_of_a_check(sql: str, expected: str | None) -> None:
    assert condition_after(sql, "check") == expected


@pytest.mark.parametrize(
    ("condition", "harmless"),
    [
        ("id > 0 AND word ~ '^[a-z]+$'", True),
        ("coalesce(length(word), 0) < 10 OR number BETWEEN 1 AND 5", True),
        ("at < current_date", True),
        ("random() < 2", False),
        ("EXISTS (SELECT 1)", False),
        ("nextval('s') > 1", False),
        ("1) OR (DELETE FROM t", False),
        ("1), (2", False),
        ("1) FROM (SELECT 1) x WHERE (true", False),
        ("no_such_function(id)", False),
        ("id::public.mood = 'one'", False),
    ],
)
def test_what_may_be_put_to_a_live_database(shop: Connection, condition: str, harmless: bool) -> None:
    catalog, (one,) = forecasts(shop, "SELECT 1")
    relation = catalog.table("public.child")
    assert relation is not None
    assert is_harmless(condition, one.before, relation) is harmless


COMPARED_OTHERWISE = """
CREATE EXTENSION citext;
CREATE DOMAIN address AS citext;
CREATE TABLE people (mail citext PRIMARY KEY, tags citext[], home address, word text);
CREATE TABLE letters (mail citext, sender text);
INSERT INTO people VALUES ('A@x', '{B}', 'Home', 'w');
INSERT INTO letters VALUES ('a@X', 'A@x');
CREATE FUNCTION lower(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1';
"""


@pytest.mark.parametrize(
    ("sql", "fails"),
    [
        ("ALTER TABLE people ADD CHECK (mail <> 'a@X')", True),
        ("ALTER TABLE people ADD CHECK (mail = 'a@X')", False),
        ("ALTER TABLE people ADD CHECK ('b' = ANY (tags))", None),
        ("ALTER TABLE people ADD CHECK (home <> 'HOME')", True),
        ("ALTER DOMAIN address ADD CHECK (VALUE <> 'HOME')", True),
        ("ALTER TABLE letters ADD FOREIGN KEY (mail) REFERENCES people", False),
        ("ALTER TABLE people ADD CHECK (lower(word) = word)", None),
    ],
)
def test_who_compares_in_a_way_of_their_own_is_not_asked(
    database_from: Callable[[str], Dsn], sql: str, fails: bool | None
) -> None:
    """The questions are put with PostgreSQL's own operators: their answers would be of something else."""
    with connect(database_from(COMPARED_OTHERWISE)) as conn:
        assert [each.found for each in asked(conn, sql)] == [None]
        if fails is not None:
            assert (fails_on(conn, sql) is not None) is fails


def test_the_default_partition_and_the_new_one_are_both_asked(shop: Connection) -> None:
    sql = "ALTER TABLE years ATTACH PARTITION year FOR VALUES FROM ('2025-12-31 22:00+00') TO ('2027-01-01 00:00+00')"
    assert [each.found for each in asked(shop, sql)] == [False, False]
    assert fails_on(shop, sql) is None


def test_what_a_constraint_proves_is_not_asked(shop: Connection) -> None:
    shop.execute("ALTER TABLE child_like ADD CHECK (id IS NOT NULL AND id >= 200)")
    assert asked(shop, "ALTER TABLE split ATTACH PARTITION child_like FOR VALUES FROM (200) TO (MAXVALUE)") == ()
