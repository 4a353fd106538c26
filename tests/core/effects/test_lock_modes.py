"""The conflict matrix is that of the server: two sessions are asked, for every pair of modes."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import psycopg
import pytest

from confiture_tui.core.effects.lock_modes import LockMode

if TYPE_CHECKING:
    from confiture_tui.database.dsn import Dsn


def test_the_matrix_is_the_servers(database: Dsn) -> None:
    with psycopg.connect(database.conninfo()) as one, psycopg.connect(database.conninfo()) as other:
        one.execute("CREATE TABLE t ()")
        one.commit()
        for held, asked in itertools.product(LockMode, LockMode):
            one.execute(f"LOCK TABLE t IN {held} MODE".encode())
            try:
                other.execute(f"LOCK TABLE t IN {asked} MODE NOWAIT".encode())
                conflict = False
            except psycopg.errors.LockNotAvailable:
                conflict = True
            one.rollback()
            other.rollback()
            assert (asked in held.conflicts) is conflict, f"{held} held, {asked} asked for"


def test_pg_locks_spells_every_mode(database: Dsn) -> None:
    with psycopg.connect(database.conninfo()) as conn:
        conn.execute("CREATE TABLE t ()")
        conn.commit()
        for mode in LockMode:
            conn.execute(f"LOCK TABLE t IN {mode} MODE".encode())
            row = conn.execute("SELECT mode FROM pg_locks WHERE relation = 't'::regclass").fetchone()
            assert row is not None
            assert LockMode.from_pg_locks(row[0]) is mode
            conn.rollback()


def test_what_blocks_whom_follows_from_the_matrix() -> None:
    assert [mode for mode in LockMode if mode.blocks_reads] == [LockMode.ACCESS_EXCLUSIVE]
    assert {mode for mode in LockMode if mode.blocks_writes} == {
        LockMode.SHARE,
        LockMode.SHARE_ROW_EXCLUSIVE,
        LockMode.EXCLUSIVE,
        LockMode.ACCESS_EXCLUSIVE,
    }


def test_a_text_that_is_no_mode_is_refused() -> None:
    with pytest.raises(ValueError, match="ExclusiveLocks"):
        LockMode.from_pg_locks("ExclusiveLocks")
