"""A plan says what will be run and what speaks against it, and changes when anything that it rests on does."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from confiture_tui.core.catalog import Catalog
from confiture_tui.core.hooks.declaration import make_hooks
from confiture_tui.core.hooks.registry import HookRegistry
from confiture_tui.core.migrations.layouts.base import OpaqueMigration
from confiture_tui.core.migrations.ledger import AppliedMigration, Ledger
from confiture_tui.core.migrations.model import Migration
from confiture_tui.core.migrations.status import MigrationStatus, status_of
from confiture_tui.core.runner.plan import Plan, make_plan
from confiture_tui.core.runner.policy import RunPolicy
from confiture_tui.core.runner.preflight import preflight
from confiture_tui.core.runner.selection import objections, to_apply, to_take_back
from confiture_tui.core.runner.session import APPLICATION_NAME
from confiture_tui.core.sql.script import Script
from confiture_tui.database.embedded import EmbeddedServer
from confiture_tui.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from confiture_tui.database.dsn import Dsn

Connection = psycopg.Connection[Any]


def migration(version: str, text: str = "SELECT 1", down: str | None = "SELECT 2") -> Migration:
    made = Migration.from_sql(text, version=version, name="m")
    return made.model_copy(update={"down": Script(down)}) if down is not None else made


def ledger(*rows: tuple[str, str | None]) -> Ledger:
    return Ledger(
        "public", "tb_confiture", tuple(AppliedMigration(version, "m", None, checksum) for version, checksum in rows)
    )


FILES = [migration(version) for version in ("001", "002", "003", "004")]


def statuses(*applied: str) -> tuple[MigrationStatus, ...]:
    return status_of(FILES, ledger(*((version, None) for version in applied)))


def versions(migrations: tuple[Migration, ...]) -> list[str]:
    return [one.version for one in migrations]


def test_what_is_pending_is_applied_in_order() -> None:
    assert versions(to_apply(statuses("001"))) == ["002", "003", "004"]
    assert versions(to_apply(statuses("001"), to="003")) == ["002", "003"]
    assert versions(to_apply(statuses("001", "002"), to="001")) == []


def test_what_is_applied_is_taken_back_from_the_newest() -> None:
    assert versions(to_take_back(statuses("001", "002", "003"))) == ["003"]
    assert versions(to_take_back(statuses("001", "002", "003"), steps=2)) == ["003", "002"]
    assert versions(to_take_back(statuses("001", "002", "003"), to="001")) == ["003", "002"]
    assert versions(to_take_back(statuses("001"), to="001")) == []


@pytest.mark.parametrize(
    ("call", "why"),
    [
        (lambda: to_apply(statuses(), to="03"), "no migration 03"),
        (lambda: to_take_back(statuses("001"), to="002"), "not applied"),
        (lambda: to_take_back(statuses("001"), steps=2), "2 migrations are to be taken back, and 1 are applied"),
        (lambda: to_take_back(status_of(FILES, ledger(("009", None)))), "no SQL file"),
    ],
)
def test_what_cannot_be_chosen_is_told(call: Any, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        call()


def test_a_program_in_the_way_is_confitures_own_business(tmp_path: Path) -> None:
    program = OpaqueMigration(version="002", name="seed", path=tmp_path / "002_seed.py", checksum="")
    known: Any = [FILES[0], program]
    with pytest.raises(UsageError, match="run by `confiture` itself"):
        to_apply(status_of(known, ledger()))
    assert versions(to_apply(status_of(known, ledger()), to="001")) == ["001"]


def test_objections() -> None:
    found = status_of(FILES, ledger(("001", "0" * 64), ("0005", None), ("003", None)))
    codes = [(one.code, one.version) for one in objections(found, to_apply(found))]
    assert codes == [("missing", "0005"), ("changed", "001"), ("out-of-order", "002")]


def plan(conn: Connection, *migrations: Migration, **changes: Any) -> Plan:
    known: dict[str, Any] = {
        "direction": "forward",
        "statuses": status_of(migrations, None),
        "catalog": Catalog.load(conn),
        "host": "localhost",
        "hooks": {},
        "policy": RunPolicy(),
    }
    return make_plan(migrations, **{**known, **changes})


def test_a_plan_says_what_is_special(conn: Connection) -> None:
    made = plan(
        conn,
        migration("001", "CREATE TABLE a (id int)", None),
        migration("002", "CREATE INDEX CONCURRENTLY x ON a (id)"),
    )
    first, second = made.migrations
    assert first.transactional
    assert first.notes == ("It has no way back.",)
    assert not second.transactional
    assert "one by one" in second.notes[0]


def test_a_plan_of_the_way_back_says_what_that_destroys(conn: Connection) -> None:
    conn.execute("CREATE TABLE jar (id int PRIMARY KEY, lid text); CREATE INDEX jar_lid ON jar (lid)")
    conn.execute("INSERT INTO jar VALUES (1, 'red'); ANALYZE jar")
    made = plan(
        conn,
        migration("002", down="DROP INDEX jar_lid;\nALTER TABLE jar DROP COLUMN lid;"),
        migration("001", down="DO $$ BEGIN EXECUTE 'DROP TABLE ' || 'jar'; END $$;"),
        direction="backward",
    )
    second, first = made.migrations
    assert second.notes == ("Line 2 destroys data: ALTER TABLE jar DROP COLUMN lid",)
    assert first.notes[0].startswith("Line 1 destroys data: DO $$")


def test_a_plan_is_another_when_anything_changes(conn: Connection, tmp_path: Path) -> None:
    def declared(text: str) -> Migration:
        (tmp_path / "001_m.hooks.yaml").write_text(text)
        return migration("001").model_copy(update={"path": tmp_path / "001_m.up.sql"})

    def with_hooks(text: str) -> str:
        one = declared(text)
        return plan(conn, one, hooks={"001": make_hooks(one, HookRegistry())}).digest

    digests = {
        plan(conn, migration("001")).digest,
        plan(conn, migration("001", "SELECT 3")).digest,
        plan(conn, migration("001"), migration("002")).digest,
        plan(conn, migration("001"), direction="backward").digest,
        plan(conn, migration("001"), host="elsewhere").digest,
        plan(conn, migration("001"), policy=RunPolicy(retries=1)).digest,
        with_hooks("hooks:\n- hook: analyze_tables\n  options: {tables: [a]}\n"),
        with_hooks("hooks:\n- hook: analyze_tables\n  options: {tables: [b]}\n"),
    }
    assert len(digests) == 8
    before = plan(conn, migration("001"))
    assert before.digest == plan(conn, migration("001")).digest
    conn.execute("CREATE TABLE a (id int)")
    assert before.digest != plan(conn, migration("001")).digest


def test_preflight_of_a_quiet_target_is_silent(conn: Connection) -> None:
    conn.execute("CREATE TABLE a (id int)")
    assert preflight(conn, ["public.a"]) == ()


def test_preflight_tells_who_and_what_is_in_the_way(conn: Connection, database: Dsn) -> None:
    conn.execute("CREATE TABLE a (id int); CREATE INDEX a_id ON a (id); CREATE TABLE other (id int)")
    conn.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'a_id'::regclass")
    conn.execute("CREATE PUBLICATION everything FOR TABLE a")
    with (
        psycopg.connect(database.conninfo(), application_name="report") as reader,
        psycopg.connect(database.conninfo(), application_name=APPLICATION_NAME),
    ):
        reader.execute("SELECT count(*) FROM a")
        threading.Event().wait(1.1)  # a transaction must have been open for a second to be told
        found = preflight(conn, ["public.a", "public.gone"])
        elsewhere = preflight(conn, ["public.other"])
    assert {one.code for one in found} == {
        "long-transaction",
        "session-left-over",
        "invalid-index",
        "logically-replicated",
    }
    assert any("report" in one.sentence for one in found)
    assert {one.code for one in elsewhere} == {"session-left-over"}


def test_preflight_knows_whose_tables_they_are(conn: Connection) -> None:
    conn.execute("CREATE TABLE a (id int); CREATE ROLE preflight_nobody; GRANT pg_monitor TO preflight_nobody")
    try:
        conn.execute("SET ROLE preflight_nobody")
        found = preflight(conn, ["public.a"])
    finally:
        conn.execute("RESET ROLE; DROP ROLE preflight_nobody")
    assert [one.code for one in found] == ["not-owner"]


def test_preflight_says_so_where_it_may_not_see_replicas() -> None:
    with EmbeddedServer.start(settings={"wal_level": "replica", "max_wal_senders": "1"}) as server:
        admin = server.dsn().conninfo()
        with psycopg.connect(admin, autocommit=True) as conn, psycopg.connect(f"{admin} replication=database"):
            conn.execute("CREATE ROLE blind LOGIN")
            with psycopg.connect(admin, user="blind", autocommit=True) as blind:
                assert [one.code for one in preflight(blind, [])] == ["replica-hidden"]
            assert preflight(conn, []) == ()
