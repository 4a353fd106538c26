"""A way back for a migration without one: derived, tried, and never promised beyond what trying it has shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from confiture_tui.core.dry_run.result import Rows
from confiture_tui.core.dry_run.shadow import Shadow
from confiture_tui.core.migrations.model import Migration
from tests.support.dsn import name_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from confiture_tui.database.dsn import Dsn
    from confiture_tui.database.embedded import EmbeddedServer

SCHEMA = """
CREATE SCHEMA store;
CREATE TABLE jam (
    id int PRIMARY KEY, "Fruit" text NOT NULL DEFAULT 'plum', sugar int, CONSTRAINT sweet CHECK (sugar > 0)
);
CREATE TABLE jar (id int PRIMARY KEY, jam int);
CREATE INDEX jam_sugar ON jam (sugar);
CREATE VIEW sweet_jam AS SELECT id FROM jam WHERE sugar > 50;
CREATE FUNCTION noop() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER watch BEFORE INSERT ON jam FOR EACH ROW EXECUTE FUNCTION noop();
COMMENT ON COLUMN jam.sugar IS 'it''s grams\\litre';
"""


@pytest.fixture
def shadow(server: EmbeddedServer, database_from: Callable[[str], Dsn]) -> Shadow:
    return Shadow.from_template(server, name_of(database_from(SCHEMA)), owner="postgres", rows=Rows.FULL)


@pytest.mark.parametrize(
    "up",
    [
        "ALTER TABLE jam ADD COLUMN salt int NOT NULL DEFAULT 0, ADD CONSTRAINT bland CHECK (salt < 9);",
        "CREATE TABLE lid (id int PRIMARY KEY, jar int REFERENCES jar); CREATE VIEW lids AS SELECT * FROM lid;",
        "ALTER TABLE jar ADD FOREIGN KEY (jam) REFERENCES jam; CREATE INDEX ON jar (jam);",
        'ALTER TABLE jam ALTER "Fruit" DROP NOT NULL, ALTER "Fruit" SET DEFAULT \'fig\', ALTER sugar SET NOT NULL;',
        'ALTER TABLE jam RENAME TO marmalade; ALTER TABLE marmalade RENAME "Fruit" TO citrus;',
        "ALTER TABLE jar SET SCHEMA store; ALTER TABLE store.jar RENAME TO pot; ALTER INDEX jam_sugar RENAME TO by;",
        "ALTER TABLE jam DROP CONSTRAINT sweet; DROP INDEX jam_sugar; DROP TRIGGER watch ON jam; DROP VIEW sweet_jam;",
        "CREATE OR REPLACE FUNCTION noop() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;",
        "CREATE OR REPLACE VIEW sweet_jam AS SELECT id FROM jam WHERE sugar > 60;",
        "CREATE TYPE size AS ENUM ('s', 'l'); ALTER TABLE jar ADD COLUMN size size NOT NULL DEFAULT 's';",
        "CREATE SCHEMA new; CREATE SEQUENCE new.numbers; CREATE DOMAIN new.grams AS int CHECK (VALUE > 0);",
        "ALTER TABLE jam DISABLE TRIGGER watch; ALTER TABLE jam ENABLE ROW LEVEL SECURITY;"
        " CREATE POLICY all_of_it ON jam USING (true);",
        "COMMENT ON COLUMN jam.sugar IS 'other'; COMMENT ON TABLE jam IS 'sweet';",
        "DO $$ BEGIN EXECUTE 'ALTER TABLE jam ADD COLUMN hidden int'; END $$;",
        "CREATE MATERIALIZED VIEW m AS SELECT id FROM jam; CREATE INDEX ON m (id); CREATE EXTENSION hstore;",
    ],
)
def test_what_can_be_undone_is_and_it_is_proved(shadow: Shadow, up: str) -> None:
    result = shadow.dry_run(Migration.from_sql(up))
    assert result.ok, result.failure
    derived = result.derived_down
    assert derived is not None
    assert derived.round_trip.differences == ()
    assert derived.is_proved


@pytest.mark.parametrize(
    ("up", "left_out"),
    [
        ("ALTER TABLE jam DROP COLUMN sugar CASCADE; CREATE INDEX ON jar (jam);", "jam.sugar does not come back"),
        ("DROP TABLE jar; CREATE INDEX ON jam (id);", "table public.jar does not come back"),
        ("GRANT SELECT ON jam TO PUBLIC; CREATE INDEX ON jam (id);", "table public.jam"),
    ],
)
def test_what_cannot_be_derived_is_named_and_nothing_is_proved(shadow: Shadow, up: str, left_out: str) -> None:
    derived = shadow.dry_run(Migration.from_sql(up)).derived_down
    assert derived is not None
    assert not derived.is_proved
    assert any(left_out in difference for difference in derived.round_trip.differences)


def test_with_a_way_back_or_nothing_to_undo_none_is_derived(shadow: Shadow) -> None:
    from confiture_tui.core.sql.script import Script

    written = Migration.from_sql("CREATE INDEX ON jam (id);").model_copy(update={"down": Script.from_text("SELECT 1;")})
    assert shadow.dry_run(written).derived_down is None
    assert shadow.dry_run(Migration.from_sql("UPDATE jam SET sugar = 2;")).derived_down is None
    assert shadow.dry_run(Migration.from_sql("ALTER TABLE nowhere ADD x int;")).derived_down is None
