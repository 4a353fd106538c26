"""Which partitions are reached is what the server's plans say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from confiture_tui.core.catalog import Catalog
from confiture_tui.core.effects.expressions.base import Reader
from confiture_tui.core.effects.pruning import reached
from confiture_tui.core.effects.schema import Schema
from confiture_tui.core.sql.parser import parse
from confiture_tui.core.sql.statement import SyntaxProblem

if TYPE_CHECKING:
    from collections.abc import Callable

    from confiture_tui.database.dsn import Dsn

SETUP = """
CREATE TABLE days (id integer, day date) PARTITION BY RANGE (day);
CREATE TABLE days_1 PARTITION OF days FOR VALUES FROM (MINVALUE) TO ('2023-01-01');
CREATE TABLE days_2 PARTITION OF days FOR VALUES FROM ('2023-01-01') TO ('2024-01-01');
CREATE TABLE days_3 PARTITION OF days FOR VALUES FROM ('2024-01-01') TO ('2024-07-01');
CREATE TABLE days_d PARTITION OF days DEFAULT;
CREATE TABLE numbers (n integer) PARTITION BY RANGE (n);
CREATE TABLE numbers_1 PARTITION OF numbers FOR VALUES FROM (0) TO (10);
CREATE TABLE numbers_2 PARTITION OF numbers FOR VALUES FROM (10) TO (20);
CREATE TABLE words (w text, n integer) PARTITION BY LIST (w);
CREATE TABLE words_a PARTITION OF words FOR VALUES IN ('a', 'A');
CREATE TABLE words_b PARTITION OF words FOR VALUES IN ('b', NULL) PARTITION BY RANGE (n);
CREATE TABLE words_b_1 PARTITION OF words_b FOR VALUES FROM (0) TO (10);
CREATE TABLE words_b_2 PARTITION OF words_b DEFAULT;
CREATE TABLE words_d PARTITION OF words DEFAULT;
"""

CONDITIONS = [
    "days WHERE day = '2023-05-05'",
    "days WHERE day = '2022-12-31'",
    "days WHERE day = '2030-01-01'",
    "days WHERE day IN ('2023-05-05', '2024-05-05')",
    "days WHERE day >= '2024-01-01'",
    "days WHERE day > '2023-02-01' AND day < '2023-03-01'",
    "days WHERE day < '2023-01-01'",
    "days WHERE day <= '2023-01-01'",
    "days WHERE day BETWEEN '2023-06-01' AND '2024-06-01'",
    "days WHERE day BETWEEN '2023-06-01' AND '2024-12-01'",
    "days WHERE '2023-05-05' = day",
    "days WHERE id = 3",
    "days",
    "numbers WHERE n = 3",
    "numbers WHERE n = 10",
    "numbers WHERE n = 99",
    "numbers WHERE n < 10",
    "numbers WHERE n <= 10",
    "numbers WHERE n >= 10 AND n < 20",
    "numbers WHERE n IN (1, 2)",
    "words WHERE w = 'a'",
    "words WHERE w = 'b'",
    "words WHERE w = 'b' AND n = 3",
    "words WHERE w = 'b' AND n = 30",
    "words WHERE w = 'z'",
    "words WHERE w IN ('a', 'z')",
    "words WHERE n = 5",
]


@pytest.fixture
def connection(database_from: Callable[[str], Dsn]) -> Any:
    with psycopg.connect(database_from(SETUP).conninfo(), autocommit=True) as conn:
        yield conn


def _planned(conn: psycopg.Connection[Any], query: str) -> set[str]:
    """The tables that are locked by planning a query, without the one that it names."""
    with conn.transaction():
        conn.execute(f"EXPLAIN SELECT 1 FROM {query}".encode())
        rows = conn.execute(
            "SELECT c.relname FROM pg_locks l JOIN pg_class c ON c.oid = l.relation "
            "WHERE l.pid = pg_backend_pid() AND c.oid >= 16384 AND c.relname <> %s",
            (query.split()[0],),
        ).fetchall()
    return {row[0] for row in rows}


def test_partitions_reached_are_those_planned_for(connection: psycopg.Connection[Any]) -> None:
    schema = Schema.of(Catalog.load(connection))
    wrong = []
    for query in CONDITIONS:
        tree = parse(f"SELECT 1 FROM {query}")
        assert not isinstance(tree, SyntaxProblem)
        reader = Reader(schema)
        reader.walk(reader.visitors["SelectStmt"](reader, tree[1]))
        (read,) = reader.facts.reads
        assert read.found.relation is not None
        found = {one.name for one in reached(read.found.relation, schema, read.conditions)}
        if found != (seen := _planned(connection, query)):
            wrong.append(f"{query}: {sorted(found)}, not {sorted(seen)}")
    assert not wrong
