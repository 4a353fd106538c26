"""Where nothing is tried in place."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import psycopg
import pytest

from confiture_tui.core.dry_run.executor import DryRunExecutor
from confiture_tui.core.migrations.model import Migration
from confiture_tui.database.connection import connect
from confiture_tui.database.embedded import EmbeddedServer
from confiture_tui.errors import UsageError
from tests.support.processes import PythonProcess, until
from tests.support.standby import standby

if TYPE_CHECKING:
    from tests.support.in_place import Target


def test_a_standby_is_refused() -> None:
    with standby() as dsn, connect(dsn) as conn:
        with pytest.raises(UsageError, match="standby") as refused:
            DryRunExecutor(allow_superuser=True).run(conn, Migration.from_sql("SELECT 1;"))
        assert "primary" in refused.value.hint


@pytest.mark.parametrize("control", ["BEGIN", "START TRANSACTION", "COMMIT PREPARED 'x'", "ROLLBACK PREPARED 'x'"])
def test_transaction_control_is_refused_before_anything_is_asked(in_place: Target, control: str) -> None:
    with pytest.raises(UsageError, match=r"007_x, line 2: .* would end the dry run's transaction"):
        DryRunExecutor().run(
            in_place.conn, Migration.from_sql(f"SELECT 1;\n{control};\nSELECT 2;", version="007", name="x")
        )


_TRY = """
import sys, psycopg
from confiture_tui.core.dry_run.executor import DryRunExecutor
from confiture_tui.core.migrations.model import Migration

with psycopg.connect(sys.argv[1]) as conn:
    print(conn.info.backend_pid, flush=True)
    DryRunExecutor().run(conn, Migration.from_sql("CREATE TABLE leak (id int); SELECT pg_sleep(3600);"))
"""


def test_nothing_is_left_of_a_process_that_was_killed() -> None:
    """Nor does the server go on with its statement, though by default it would not look whether anybody is there."""
    with (
        EmbeddedServer.start(settings={"client_connection_check_interval": "0"}) as server,
        connect(server.dsn()) as admin,
    ):
        server.create_login("plain")
        server.create_database("shop", owner="plain")
        with PythonProcess(_TRY, server.dsn("shop", "plain").conninfo()) as process:
            pid = int(process.line())
            sleeps = "SELECT 1 FROM pg_stat_activity WHERE pid = %s AND query LIKE 'SELECT pg_sleep%%'"
            until(lambda: admin.execute(sleeps, (pid,)).fetchone() is not None, "it sleeps")
            os.kill(process.process.pid, signal.SIGKILL)
            gone = "SELECT 1 FROM pg_stat_activity WHERE datname = 'shop'"
            until(lambda: admin.execute(gone).fetchone() is None, "the server has noticed")
        with psycopg.connect(server.dsn("shop").conninfo()) as conn:
            assert conn.execute("SELECT to_regclass('leak')").fetchone() == (None,)
