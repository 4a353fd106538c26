"""Invented rows: they satisfy what a table demands, where they cannot it is said, and they are never taken for data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from confiture_tui.core.catalog import Catalog
from confiture_tui.core.dry_run.result import Rows, Verdict
from confiture_tui.core.dry_run.shadow import Shadow
from confiture_tui.core.dry_run.synthetic import ROWS_EACH, fill, tables_to_fill
from confiture_tui.core.migrations.model import Migration
from tests.support.dsn import name_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from confiture_tui.database.dsn import Dsn
    from confiture_tui.database.embedded import EmbeddedServer

SCHEMA = """
CREATE TYPE taste AS ENUM ('sweet', 'sour', 'bitter');
CREATE DOMAIN grams AS int CHECK (VALUE > 0);
CREATE TABLE maker (id uuid PRIMARY KEY, mail text NOT NULL UNIQUE CHECK (mail LIKE '%@%'));
CREATE TABLE jam (
    id bigserial PRIMARY KEY, maker uuid NOT NULL REFERENCES maker, parent bigint REFERENCES jam,
    name varchar(5) NOT NULL, taste taste NOT NULL, weight grams NOT NULL, tags text[] NOT NULL, price numeric(6,2),
    state text NOT NULL CHECK (state IN ('new', 'old')), made timestamptz NOT NULL, about jsonb NOT NULL,
    total int GENERATED ALWAYS AS (weight * 2) STORED, percent int NOT NULL CHECK (percent BETWEEN 1 AND 100),
    even int NOT NULL CHECK (even % 2 = 0), serial int GENERATED ALWAYS AS IDENTITY, note text
);
CREATE TABLE flag (yes boolean PRIMARY KEY);
CREATE TABLE odd (id int PRIMARY KEY, path polygon NOT NULL);
CREATE TABLE sale (day date NOT NULL, id int NOT NULL, PRIMARY KEY (day, id)) PARTITION BY RANGE (day);
CREATE TABLE sale_1 PARTITION OF sale FOR VALUES FROM ('2024-01-01') TO ('2024-02-01');
CREATE TABLE shelf (code text NOT NULL CHECK (code ~ '^[0-9]{4}$'));
"""


@pytest.fixture
def dsn(database_from: Callable[[str], Dsn]) -> Dsn:
    return database_from(SCHEMA)


@pytest.fixture
def shadow(server: EmbeddedServer, dsn: Dsn) -> Shadow:
    return Shadow.from_template(server, name_of(dsn), owner="postgres", rows=Rows.NONE)


def test_rows_satisfy_what_tables_demand_and_what_cannot_be_invented_is_said(dsn: Dsn) -> None:
    with psycopg.connect(dsn.conninfo(), autocommit=True) as conn:
        catalog = Catalog.load(conn)
        names = [f"public.{name}" for name in ("jam", "flag", "odd", "sale_1", "shelf")]
        tables = tables_to_fill(catalog, names)
        notes = fill(conn, catalog, tables)
        counts = {
            table: conn.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()
            for table in ("maker", "jam", "flag", "odd", "sale", "shelf")
        }
        assert conn.execute("SELECT count(DISTINCT maker) > 1 FROM jam").fetchone() == (True,)
    full = (ROWS_EACH,)
    assert counts == {"maker": full, "jam": full, "flag": (2,), "odd": (0,), "sale": full, "shelf": full}
    assert any("public.odd" in note and "polygon" in note for note in notes)
    assert [one.name for one in tables].index("maker") < [one.name for one in tables].index("jam")


def test_only_what_the_migration_touches_is_filled_and_the_shadow_stays_empty(shadow: Shadow) -> None:
    migration = Migration.from_sql("ALTER TABLE shelf ADD COLUMN row int;")
    with shadow.filled(migration) as filled:
        assert filled.rows is Rows.SYNTHETIC
        assert any("public.shelf" in note and "public.jam" not in note for note in filled.notes)
        result = filled.dry_run(migration)
    assert (result.rows, result.ok) == (Rows.SYNTHETIC, True)
    assert shadow.rows is Rows.NONE


def test_what_fails_on_any_row_is_seen_and_left_to_the_targets_rows(shadow: Shadow) -> None:
    migration = Migration.from_sql("ALTER TABLE shelf ADD COLUMN place int NOT NULL;")
    assert shadow.dry_run(migration).verdict is Verdict.OK
    with shadow.filled(migration) as filled:
        result = filled.dry_run(migration)
    assert result.failure is not None
    assert result.failure.sqlstate == "23502"
    assert result.verdict is Verdict.INCONCLUSIVE
    assert any("invented rows" in note for note in result.notes)


def test_figures_of_invented_rows_are_not_told_and_losses_stay_unknown(shadow: Shadow) -> None:
    migration = Migration.from_sql("UPDATE shelf SET code = '0000'; ALTER TABLE shelf DROP COLUMN code;")
    with shadow.filled(migration) as filled:
        update, drop = filled.dry_run(migration).statements
    assert (update.rows, update.wal_bytes, update.changes_data) == (None, None, True)
    assert drop.destroys_data is None
