"""A disk of the server's that is full, a real one: a small file system in memory, as a tablespace."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from confiture_tui.core.migrations.model import Migration
from confiture_tui.core.runner.journal import Journal
from confiture_tui.core.runner.recovery import settle_journal
from confiture_tui.core.runner.result import RunOutcome
from confiture_tui.core.runner.runner import MigrationRunner
from tests.faults.running import POLICY, Connection, exists, in_ledger
from tests.support.small_disk import small_disk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confiture_tui.database.embedded import EmbeddedServer
    from tests.faults.conftest import Tried

MEGABYTES = 16


@pytest.fixture
def on_small_disk(conn: Connection, server: EmbeddedServer) -> Iterator[None]:
    """A tablespace on a disk of some megabytes."""
    with small_disk(server, MEGABYTES):
        yield
        conn.execute("DROP TABLE IF EXISTS a, filler")


@pytest.mark.parametrize(
    "text",
    [
        "CREATE TABLE b (id int);\nINSERT INTO a SELECT n FROM generate_series(1, 2000000) n;",
        "CREATE TABLE b (id int);\nCREATE INDEX a_id ON a (id) TABLESPACE small;\n"
        "INSERT INTO a SELECT n FROM generate_series(1, 2000000) n;",
    ],
    ids=["rows", "rows and an index"],
)
@pytest.mark.usefixtures("on_small_disk")
def test_a_disk_that_fills_up_in_the_middle_leaves_nothing(conn: Connection, text: str, tried: Tried) -> None:
    conn.execute("CREATE TABLE a (id int) TABLESPACE small")
    one = Migration.from_sql(text, version="001", name="fills")
    tried("the server's disk full (53100)")
    result = MigrationRunner(conn, policy=POLICY).apply(one)
    assert result.migrations[0].outcome is RunOutcome.FAILED
    assert "53100" in (result.migrations[0].error or "")
    assert not exists(conn, "b")
    assert not in_ledger(conn)
    assert settle_journal(conn, Journal("public")) == ()
    mended = Migration.from_sql("CREATE TABLE b (id int)", version="001", name="fits")
    assert MigrationRunner(conn, policy=POLICY).apply(mended).ok


@pytest.mark.usefixtures("on_small_disk")
def test_a_disk_that_fills_up_outside_a_transaction_is_told_and_resumed(conn: Connection, tried: Tried) -> None:
    conn.execute("CREATE TABLE a (id int) TABLESPACE small; INSERT INTO a SELECT generate_series(1, 200000)")
    conn.execute("CREATE TABLE filler TABLESPACE small AS SELECT repeat('x', 900) FROM generate_series(1, 8000)")
    text = "CREATE TABLE b (id int);\nCREATE INDEX CONCURRENTLY a_id ON a (id) TABLESPACE small;"
    one = Migration.from_sql(text, version="001", name="fills")
    tried("the server's disk full (53100)")
    result = MigrationRunner(conn, policy=POLICY).apply(one)
    assert result.migrations[0].outcome is RunOutcome.INTERRUPTED
    assert "53100" in (result.migrations[0].error or "")
    assert "Statements 1 to 1 of 2 stand" in (result.migrations[0].error or "")
    assert not exists(conn, "a_id")
    conn.execute("DROP TABLE filler")
    (left,) = settle_journal(conn, Journal("public"))
    assert MigrationRunner(conn, policy=POLICY).resume(one, left.entry).ok
    assert exists(conn, "a_id")
    assert in_ledger(conn)
