"""Fixtures for dry runs in place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import psycopg
import pytest

from confiture_tui.database.embedded import EmbeddedServer
from tests.support.in_place import SCHEMA, Target

if TYPE_CHECKING:
    from collections.abc import Callable

    from confiture_tui.database.dsn import Dsn


@pytest.fixture
def in_place(server: EmbeddedServer, database_from: Callable[[str], Dsn]) -> Iterator[Target]:
    server.create_login("plain")
    made = Target(server, database_from(SCHEMA).parameters()["dbname"])
    yield made
    made.close()


@pytest.fixture(scope="module")
def generous() -> Iterator[EmbeddedServer]:
    """A server that lets transactions be prepared."""
    with EmbeddedServer.start(settings={"max_prepared_transactions": "4"}) as server:
        yield server


@pytest.fixture
def prepares(generous: EmbeddedServer) -> Iterator[Target]:
    """A target on it."""
    generous.create_login("plain")
    generous.create_database("leaks")
    with psycopg.connect(generous.dsn("leaks").conninfo(), autocommit=True) as conn:
        conn.execute(SCHEMA)
    made = Target(generous, "leaks")
    yield made
    made.close()
    generous.drop_database("leaks")
