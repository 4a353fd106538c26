"""A database with one object of nearly every kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from confiture_tui.core.catalog import Catalog
from confiture_tui.database.connection import connect
from tests.core.catalog.rich_schema import script

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import psycopg

    from confiture_tui.database.dsn import Dsn
    from confiture_tui.database.embedded import EmbeddedServer


@pytest.fixture
def rich_database(server: EmbeddedServer, database_from: Callable[[str], Dsn]) -> Dsn:
    """A database with the rich schema."""
    return database_from(script(server.version_num))


@pytest.fixture
def rich(rich_database: Dsn) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    """A superuser's connection (autocommit) to a database with the rich schema."""
    with connect(rich_database, application_name="test") as connection:
        yield connection


@pytest.fixture
def catalog(rich: psycopg.Connection[tuple[Any, ...]]) -> Catalog:
    """What is read of it."""
    return Catalog.load(rich)
