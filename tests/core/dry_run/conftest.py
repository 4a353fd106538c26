"""Fixtures for dry runs in place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from confiture_tui.database.embedded import EmbeddedServer
from tests.core.dry_run.plain_target import PLAIN_SCHEMA
from tests.support.dsn import name_of
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


@pytest.fixture
def target(server: EmbeddedServer, database_from: Callable[[str], Dsn]) -> Iterator[psycopg.Connection[Any]]:
    """A plain role's connection to a database that this role owns."""
    name = name_of(database_from(PLAIN_SCHEMA))
    server.create_login("plain")
    with psycopg.connect(server.dsn(name).conninfo(), autocommit=True) as admin:
        admin.execute("ALTER TABLE p OWNER TO plain")
        admin.execute("ALTER TABLE t OWNER TO plain")
        admin.execute("GRANT CREATE ON SCHEMA public TO plain")
    with psycopg.connect(server.dsn(name, "plain").conninfo()) as conn:
        yield conn
