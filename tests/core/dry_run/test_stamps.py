"""Whatever changes a definition changes the stamp, and what changes rows alone does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from confiture_tui.core.catalog import Catalog
from confiture_tui.core.dry_run.stamps import Stamps, forget_stamps, read_stamp

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from confiture_tui.database.dsn import Dsn
    from confiture_tui.database.embedded import EmbeddedServer

SCHEMA = """
CREATE TABLE jam (id int PRIMARY KEY, fruit text, sugar int);
CREATE TABLE part (day date) PARTITION BY RANGE (day);
CREATE VIEW sweet AS SELECT id FROM jam WHERE sugar > 50;
CREATE SEQUENCE jars;
CREATE TYPE size AS ENUM ('small');
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER watch BEFORE INSERT ON jam FOR EACH ROW EXECUTE FUNCTION f();
CREATE INDEX jam_fruit ON jam (fruit);
INSERT INTO jam SELECT n, 'plum', n FROM generate_series(1, 1000) n;
"""
CHANGES = (
    "ALTER TABLE jam ALTER fruit SET DEFAULT 'plum'",
    "ALTER TABLE jam ALTER fruit SET STATISTICS 200",
    "ALTER TABLE jam ADD CHECK (sugar > 0)",
    "ALTER TABLE jam DISABLE TRIGGER watch",
    "ALTER TABLE jam RENAME sugar TO sweetness",
    "ALTER TABLE jam ENABLE ROW LEVEL SECURITY",
    "CREATE POLICY mine ON jam USING (id > 0)",
    "ALTER TABLE jam SET (fillfactor = 80)",
    "CREATE TABLE part_1 PARTITION OF part DEFAULT",
    "ALTER TABLE part DETACH PARTITION part_1",
    "DROP INDEX jam_fruit",
    "COMMENT ON TABLE jam IS 'made of fruit'",
    "GRANT SELECT ON jam TO PUBLIC",
    "CREATE OR REPLACE VIEW sweet AS SELECT id FROM jam WHERE sweetness > 60",
    "CREATE OR REPLACE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN OLD; END $$",
    "ALTER SEQUENCE jars INCREMENT BY 5",
    "ALTER TYPE size ADD VALUE 'large'",
    "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC",
    "CREATE SCHEMA store",
    "ALTER SCHEMA store RENAME TO shop",
    "CREATE STATISTICS fruits ON id, fruit FROM jam",
    "CREATE PUBLICATION everything FOR ALL TABLES",
    "CREATE EXTENSION hstore",
)
NO_CHANGES = (
    "INSERT INTO jam SELECT n, 'pear', n FROM generate_series(2001, 4000) n",
    "DELETE FROM jam WHERE id > 100",
    "ANALYZE",
    "VACUUM FREEZE jam",
    "SELECT nextval('jars')",
    "SELECT lo_create(0)",
)


def test_a_definition_that_changes_changes_the_stamp(database_from: Callable[[str], Dsn]) -> None:
    with psycopg.connect(database_from(SCHEMA).conninfo(), autocommit=True) as conn:
        seen = [read_stamp(conn)]
        for change in CHANGES:
            before = Catalog.load(conn).fingerprint
            conn.execute(change.encode())
            assert Catalog.load(conn).fingerprint != before, change
            seen.append(read_stamp(conn))
            assert seen[-1] not in seen[:-1], change
        assert None not in seen


def test_rows_and_figures_are_in_no_stamp(database_from: Callable[[str], Dsn]) -> None:
    with psycopg.connect(database_from(SCHEMA).conninfo(), autocommit=True) as conn:
        before = read_stamp(conn)
        for sql in NO_CHANGES:
            conn.execute(sql.encode())
            assert read_stamp(conn) == before, sql


def test_another_database_and_another_role_have_another(
    server: EmbeddedServer, database_from: Callable[[str], Dsn]
) -> None:
    server.create_login("stamps_reader")
    stamps = []
    for _ in range(2):
        with psycopg.connect(database_from(SCHEMA).conninfo(), autocommit=True) as conn:
            stamps.append(read_stamp(conn))
            conn.execute("SET ROLE stamps_reader")
            stamps.append(read_stamp(conn))
    assert None not in stamps
    assert len(set(stamps)) == 4


def test_what_has_not_changed_is_not_read_again(
    database_from: Callable[[str], Dsn], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with psycopg.connect(database_from(SCHEMA).conninfo(), autocommit=True) as conn:
        first = Stamps(tmp_path).definitions(conn)
        assert first == (Catalog.load(conn).fingerprint, True)
        assert (tmp_path / "stamps.json").stat().st_mode & 0o777 == 0o600
        with monkeypatch.context() as patch:
            patch.setattr(Catalog, "load", None)
            assert Stamps(tmp_path).definitions(conn) == first
        conn.execute("ALTER TABLE jam DROP COLUMN sugar CASCADE")
        assert Stamps(tmp_path).definitions(conn).fingerprint == Catalog.load(conn).fingerprint != first.fingerprint


@pytest.mark.parametrize("broken", ["", "[]", '{"a": 1}', '{"a": ["b"]}', "\x00"])
def test_a_file_that_cannot_be_used_is_written_anew(
    database_from: Callable[[str], Dsn], tmp_path: Path, broken: str
) -> None:
    (tmp_path / "stamps.json").write_text(broken)
    with psycopg.connect(database_from(SCHEMA).conninfo(), autocommit=True) as conn:
        found = Stamps(tmp_path).definitions(conn)
    assert found.fingerprint in (tmp_path / "stamps.json").read_text()
    forget_stamps(tmp_path)
    assert not list(tmp_path.iterdir())
