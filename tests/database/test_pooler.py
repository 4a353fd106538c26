"""A transaction pooler is known by what it does, whatever it calls itself."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from confiture_tui.database.connection import connect_beside
from confiture_tui.database.pooler import backend_pid, is_transaction_pooled
from tests.support.pooler import TransactionPooler

if TYPE_CHECKING:
    from confiture_tui.database.dsn import Dsn


def test_the_server_itself_is_no_pooler(database: Dsn) -> None:
    with psycopg.connect(database.conninfo(), autocommit=True) as one, connect_beside(one) as other:
        assert not is_transaction_pooled(one, other)
        assert backend_pid(one) == one.info.backend_pid
        assert backend_pid(other) != backend_pid(one)


@pytest.mark.parametrize("in_turn", [False, True])
@pytest.mark.parametrize("busy", [0, 1, 2, 3])
def test_sessions_that_are_shared_are_found(database: Dsn, in_turn: bool, busy: int) -> None:
    """However many there are in the pool, and in whatever order they are lent."""
    with (
        tempfile.TemporaryDirectory() as directory,
        TransactionPooler(database, Path(directory), in_turn=in_turn) as pooler,
        ExitStack() as others,
        psycopg.connect(pooler.conninfo, autocommit=True) as one,
        connect_beside(one) as other,
    ):
        clients = [others.enter_context(psycopg.connect(pooler.conninfo)) for _number in range(busy)]
        for client in clients:
            client.execute("SELECT 1", prepare=False)
        for client in clients:
            client.rollback()
        assert is_transaction_pooled(one, other)


def test_a_pooler_that_lends_for_a_session_is_no_harm(database: Dsn) -> None:
    with (
        tempfile.TemporaryDirectory() as directory,
        TransactionPooler(database, Path(directory), session=True) as pooler,
        psycopg.connect(pooler.conninfo, autocommit=True) as one,
        connect_beside(one) as other,
    ):
        assert one.info.backend_pid != backend_pid(one)
        assert not is_transaction_pooled(one, other)
